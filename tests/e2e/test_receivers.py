"""The receivers of docs/how-to/receive-webhooks.md do what they say, run as a reader would do it.

They verify with the libraries that Standard Webhooks publishes on PyPI and npm, unchanged.
"""

import re
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from dev import ROOT
from lib.deliveries.attempts import Answered, Attempt
from lib.deliveries.receiver import HttpReceiver
from lib.deliveries.signing import keys_of, signed_headers
from tests.e2e import programs
from tests.patience import wait_until

pytestmark = pytest.mark.e2e
DOCUMENT = Path(ROOT, "docs/how-to/receive-webhooks.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^### A receiver in (\w+)$.*?^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = dict(
    re.findall(
        r"^### A receiver in (\w+)$.*?^```\w+\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL
    )
)
SECRET, NEWER = (f"whsec_{b64encode(letter * 32).decode()}" for letter in (b"s", b"n"))
BODY = '{"id":"0f1e2d","type":"created","subject":"1001","data":{"name":"Zoë"}}'.encode()


@dataclass
class Program:
    """A receiver that runs."""

    url: str
    output: IO[str]

    def send(
        self,
        body: bytes = BODY,
        *,
        secret: str = SECRET,
        sent: bytes | None = None,
        ago: float = 0,
    ) -> Attempt:
        """Post ``body`` as it was signed, or ``sent`` in its place; return what was answered."""
        headers = signed_headers(
            keys_of(secret), event_id="0f1e2d", body=body, now=time.time() - ago
        )
        return HttpReceiver(self.url).post(body if sent is None else sent, headers)


def _command(language: str, folder: Path) -> list[str]:
    if language == "Python":
        return [sys.executable, "-c", EXAMPLES[language]]
    programs.install("standardwebhooks@1.1.1", folder=folder)
    Path(folder, "receiver.mjs").write_text(EXAMPLES[language], encoding="utf-8")
    return ["node", "receiver.mjs"]


@contextmanager
def _running(language: str, folder: Path) -> Iterator[Program]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    variables = {"PORT": str(port), "WEBHOOK_SECRET": SECRET}
    with programs.start(*_command(language, folder), folder=folder, variables=variables) as process:
        assert process.stdout
        program = Program(f"http://127.0.0.1:{port}/hook", process.stdout)
        wait_until(lambda: _listens(port, process))
        yield program


def _listens(port: int, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["Python", "Node"])
def receiver(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    with _running(request.param, tmp_path_factory.mktemp("receiver")) as program:
        yield program


def test_there_is_an_example_in_each_language() -> None:
    assert EXAMPLES.keys() == {"Python", "Node"}


def test_an_event_is_taken_and_worked_off_once_however_often_it_comes(receiver: Program) -> None:
    answers = [receiver.send() for _ in range(3)]
    baseline = b'{"id":"another","type":"baseline"}'
    answers.append(receiver.send(baseline))

    assert answers == [Answered(204)] * 4
    assert receiver.output.readline() == "created 1001\n"
    assert receiver.output.readline() == "baseline everybody\n"


def test_in_a_rotation_one_of_two_signatures_is_enough(receiver: Program) -> None:
    assert receiver.send(secret=f"{NEWER} {SECRET}") == Answered(204)


def test_what_is_not_signed_with_the_secret_is_refused(receiver: Program) -> None:
    assert receiver.send(secret=NEWER) == Answered(401)
    assert receiver.send(sent=BODY.replace(b"1001", b"1002")) == Answered(401)
    assert receiver.send(ago=600) == Answered(401)
    assert HttpReceiver(receiver.url).post(BODY, {}) == Answered(401)
