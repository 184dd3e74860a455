"""What stands in front of the origin double while throughput is measured, each by itself.

Each listens on a free port of loopback and keeps what it keeps in a directory that goes away with
it. nginx and Varnish have to be on the path (Debian: ``apt-get install nginx-light varnish wrk``).
"""

import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from urllib.parse import urlsplit

from dev import ROOT

SECRET = "key-of-the-client"
_PEERS = Path(__file__).with_name("peers")
_START_SECONDS = 60
_STOP_SECONDS = 10
_POLL_SECONDS = 0.05
_SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a contender is told: the origin, its client, and how long answers stay fresh."""

    origin_url: str
    client_id: str
    fresh_seconds: int


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to measure. ``program`` has to be there; ``run`` yields the port it listens on."""

    name: str
    title: str
    program: str
    run: Callable[[Asked], Iterator[int]]

    @property
    def installed(self) -> bool:
        """Whether there is such a program."""
        return found(self.program) is not None


def found(program: str) -> str | None:
    """Return where ``program`` is; servers are often beside a user's path."""
    return shutil.which(program, path=_SEARCHED)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a configuration with what stands between at signs filled in.

    >>> filled("listen @PORT@; # @", {"PORT": "80"})
    'listen 80; # @'
    """
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


@contextmanager
def running(contender: Contender, asked: Asked) -> Iterator[int]:
    """Run a contender within the block; yield the port that it listens on."""
    yield from contender.run(asked)


def _local_run(workers: int, asked: Asked) -> Iterator[int]:
    environment = {
        **os.environ,
        "PORT": "0",
        "WORKERS": str(workers),
        "CAL_API_URL": asked.origin_url,
        "CAL_OAUTH_CLIENTS": json.dumps({asked.client_id: SECRET}),
        "FRESH_SECONDS": str(asked.fresh_seconds),
    }
    # To a file: a line a request would fill a pipe that nobody empties.
    with NamedTemporaryFile("w+") as said:
        command = [sys.executable, "-m", "dev.local"]
        with _process(command, environment, output=said.fileno()) as process:
            yield _ready_port(Path(said.name), process)


def _ready_port(said: Path, process: subprocess.Popen[str]) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if ready := re.search(r"^ready http://[^:]+:(\d+)$", said.read_text(), re.MULTILINE):
            return int(ready[1])
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("the local run is not ready")


def _one_environment(asked: Asked) -> Iterator[int]:
    yield from _local_run(1, asked)


def _whole_local_run(asked: Asked) -> Iterator[int]:
    yield from _local_run(4, asked)


def _nginx(asked: Asked) -> Iterator[int]:
    port = _free_port()
    with TemporaryDirectory() as directory:
        values = {
            "USER": getpass.getuser(),
            "DIRECTORY": directory,
            "ORIGIN": urlsplit(asked.origin_url).netloc,
        }
        configuration = _configured("nginx/nginx.conf", values, directory, asked, port)
        yield from _listening([found("nginx") or "", "-c", str(configuration)], port)


def _varnish(asked: Asked) -> Iterator[int]:
    port, origin = _free_port(), urlsplit(asked.origin_url)
    with TemporaryDirectory() as directory:
        values = {"ORIGIN_HOST": origin.hostname or "", "ORIGIN_PORT": str(origin.port)}
        configuration = _configured("varnish/default.vcl", values, directory, asked, port)
        command = [
            *(found("varnishd") or "", "-F", "-j", "none", "-n", f"{directory}/work"),
            *("-a", f"127.0.0.1:{port}", "-f", str(configuration), "-s", "malloc,64m"),
        ]
        yield from _listening(command, port)


CONTENDERS = (
    Contender("environment", "one environment", "wrk", _one_environment),
    Contender("local", "local run, four", "wrk", _whole_local_run),
    Contender("nginx", "nginx `proxy_cache`", "nginx", _nginx),
    Contender("varnish", "Varnish", "varnishd", _varnish),
)


def _configured(
    name: str, values: Mapping[str, str], directory: str, asked: Asked, port: int
) -> Path:
    """Write a peer's configuration into ``directory``, whose subdirectories are the peer's own."""
    every = {"PORT": str(port), "SECRET": SECRET, "FRESH": str(asked.fresh_seconds)}
    written = Path(directory, Path(name).name)
    text = (_PEERS / name).read_text(encoding="utf-8")
    written.write_text(filled(text, {**every, **values}), encoding="utf-8")
    return written


def _listening(command: Sequence[str], port: int) -> Iterator[int]:
    with _process(command, os.environ, output=subprocess.DEVNULL) as process:
        _await_port(port, process)
        yield port


@contextmanager
def _process(
    command: Sequence[str], environment: Mapping[str, str], *, output: int
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 - this interpreter, nginx or varnishd.
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=output,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def _await_port(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{process.args!r} does not listen") from None
            time.sleep(_POLL_SECONDS)
        else:
            return
