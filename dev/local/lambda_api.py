"""Lambda's Invoke API on loopback, for the functions of the local stack.

The service's own Lambda client talks to it, so that the code needs no local special case: an
asynchronous invocation is accepted at once and runs in another process, as in AWS. It is not
retried, because the template says so.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override
from urllib.parse import unquote

from dev.local.workers import Result

type Invoke = Callable[[object], object]

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")


class LambdaApi(ThreadingHTTPServer):
    """Serves ``functions``, by name, from :meth:`start` until :meth:`stop`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.functions: Mapping[str, Invoke] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The endpoint for a Lambda client."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self, functions: Mapping[str, Invoke]) -> None:
        """Begin to accept invocations of ``functions``."""
        self.functions = functions
        self._thread.start()

    def stop(self) -> None:
        """Accept nothing more; what was accepted goes on."""
        if self._thread.ident is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()


class _Connection(BaseHTTPRequestHandler):
    server: LambdaApi
    # A connection a call, so that stopping leaves none open.
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        function = self._function()
        if function is None:
            self._answer(404, {"Message": "Function not found"}, "ResourceNotFoundException")
            return
        event = json.loads(body or b"{}")
        if self.headers.get("X-Amz-Invocation-Type") == "Event":
            threading.Thread(target=function, args=(event,), daemon=True).start()
            self._answer(202, None)
        else:
            self._answer_result(function(event))

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the invocation is reported where it runs."""

    def _function(self) -> Invoke | None:
        found = _PATH.fullmatch(self.path)
        # A name may come as an ARN.
        name = unquote(found[1]).rpartition(":")[2] if found else ""
        return self.server.functions.get(name)

    def _answer_result(self, outcome: object) -> None:
        if isinstance(outcome, Result):
            self._answer(200, outcome.value)
        else:
            self._answer(200, {"errorMessage": str(outcome)}, function_error="Unhandled")

    def _answer(
        self, status: int, body: object, error: str = "", *, function_error: str = ""
    ) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("X-Amzn-ErrorType", error), ("X-Amz-Function-Error", function_error)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
