"""A gate before a deployed API that lets in whoever signed a request as AWS prescribes.

The embedded AWS looks at who a caller says to be and at what IAM allows that caller, but not at the
signature. This gate computes each signature anew from what came over the wire, by AWS's own
library, and refuses a request whose signature is another one (Signature Version 4, "Create a
canonical request": parameters decoded, encoded, sorted).
"""

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self, override
from urllib.parse import parse_qsl, urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dev.deploy.deployment import Deployment
from tests.e2e.calls import send

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^,]+, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
_PASSED_BACK = ("Content-Type", "ETag", "Link", "Cache-Status")


class SignatureGate:
    """Listens on 127.0.0.1 and passes on what ``caller`` signed: a context manager."""

    def __init__(self, deployment: Deployment, *, caller: Credentials) -> None:
        self.deployment = deployment
        self.caller = caller
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.gate = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def admits(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bool:
        """Return whether the request carries the signature that AWS would compute for it."""
        stated = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not stated:
            return False
        names = stated[1].split(";")
        if "host" not in names or ("x-amz-security-token" in headers) > (
            "x-amz-security-token" in names
        ):
            return False
        parts = urlsplit(target)
        request = AWSRequest(
            method,
            f"http://{headers['host']}{parts.path}",
            headers={name: headers[name] for name in names},
            data=body,
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
        )
        request.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(self.caller, "execute-api", self.deployment.aws.region)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        return bool(auth.signature(text, request) == stated[2])


class _Server(ThreadingHTTPServer):
    gate: SignatureGate
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): text for name, text in self.headers.items()}
        gate = self.server.gate
        if gate.admits(self.command, self.path, headers, body):
            self._pass_back(
                send(gate.deployment, self.command, self.path, caller=gate.caller, body=body)
            )
        else:
            self.send_error(403, "the signature is another one")

    def do_POST(self) -> None:
        self.do_GET()

    def _pass_back(self, answer: requests.Response) -> None:
        self.send_response(answer.status_code)
        for name in _PASSED_BACK:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests look at what comes back."""
