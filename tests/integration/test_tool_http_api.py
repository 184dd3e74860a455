"""The command line where an HTTP API answers by itself, which is no envelope of the service."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

import pytest
from typer.testing import CliRunner, Result

from managed_users.tool.commands import app


class Gateway(ThreadingHTTPServer):
    """Answers everything with ``status`` and API Gateway's word for it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.status = 0
        self.word = ""


class _Connection(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = json.dumps({"message": self.server.word}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def run(gateway: Gateway) -> Callable[..., Result]:
    def invoke(status: int, word: str, *arguments: str) -> Result:
        gateway.status, gateway.word = status, word
        environment = {
            "MANAGED_USERS_URL": f"http://127.0.0.1:{gateway.server_address[1]}/v2",
            "MANAGED_USERS_CLIENT_ID": "clxtool00000000000000000001",
            "NO_COLOR": "1",
        }
        return CliRunner().invoke(app, ["--patience", "0", *arguments], env=environment)

    return invoke


@pytest.mark.parametrize(
    ("status", "word", "code"),
    [
        (403, "Forbidden", 5),
        (404, "Not Found", 3),
        (429, "Too Many Requests", 4),
        (503, "Service Unavailable", 4),
    ],
)
@pytest.mark.parametrize("command", ["status", "users"])
def test_a_command_ends_with_its_word_and_the_usual_code(
    run: Callable[..., Result], command: str, status: int, word: str, code: int
) -> None:
    ended = run(status, word, command)

    assert ended.exit_code == code
    assert ended.stderr.startswith(f"{word}\n")
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("status", "word", "told"),
    [
        (403, "Forbidden", "Forbidden: the signer needs execute-api:Invoke"),
        (404, "Not Found", "Not Found: nothing of this service is at http"),
        (503, "Service Unavailable", "Service Unavailable"),
    ],
)
def test_the_doctor_says_what_it_comes_to(
    run: Callable[..., Result], status: int, word: str, told: str
) -> None:
    examined = run(status, word, "doctor")

    assert examined.exit_code == 1
    assert f"service\tfail\t{told}" in examined.stdout
