"""Runs a built function as Lambda does: Lambda's own runtime under its interface emulator.

Besides the artifact only the runtime's own packages can be imported, as in Lambda: whatever else
this machine has installed is out of reach.
"""

import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import requests

from dev.deploy.deployment import ARCHITECTURE

type Json = Any  # Events and results are free-form: each test looks at what it asserts.

_RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot-restore-py")
_START_SECONDS = 20
_STOP_SECONDS = 5
_POLL_SECONDS = 0.002


class LambdaRuntime:
    """One execution environment of the function in ``artifact``; one invocation at a time.

    What the function prints goes to ``output``, by default to where this process prints.
    """

    def __init__(
        self,
        *,
        sam: Path,
        artifact: Path,
        handler: str,
        environment: Mapping[str, str],
        output: int | None = None,
    ) -> None:
        self._artifact = artifact.resolve()
        self._handler = handler
        self._environment = environment
        self._output = output
        (self._emulator,) = (
            sam.resolve()
            .parents[1]
            .glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}")
        )
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._port, api_port = _free_ports()
        self._process = subprocess.Popen(  # noqa: S603 - Lambda's emulator and its runtime.
            [
                str(self._emulator),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
                *("--runtime-api-address", f"127.0.0.1:{api_port}"),
                *("--log-level", "error"),
                # Without site-packages: the artifact has to bring what it needs.
                *(sys.executable, "-S", "-s", "-m", "awslambdaric", self._handler),
            ],
            cwd=self._artifact,
            env=dict(self._environment),
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )
        _await_port(self._port)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            # The group, because the runtime is a child of the emulator.
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    @property
    def process_id(self) -> int:
        """The process of the function, which the emulator starts for the first invocation."""
        emulator = self._process.pid if self._process else 0
        threads = Path(f"/proc/{emulator}/task").glob("*/children")
        (child,) = " ".join(path.read_text(encoding="ascii") for path in threads).split()
        return int(child)

    def invoke(self, event: Json) -> Json:
        """Return the function's result, or Lambda's description of its error."""
        path = "/2015-03-31/functions/function/invocations"
        answer = requests.post(f"http://127.0.0.1:{self._port}{path}", json=event, timeout=70)
        answer.raise_for_status()
        return answer.json()


def copy_runtime_packages(target: Path) -> None:
    """Copy into ``target`` what Lambda's image has beside the function."""
    for package in _RUNTIME_PACKAGES:
        for file in importlib.metadata.files(package) or []:
            copied = target / file
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), copied)


def environment_of(configuration: Json) -> dict[str, str]:
    """Return the variables that Lambda gives to the function of this ``configuration``."""
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return variables | {
        "PATH": os.defpath,
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration["Timeout"]),
    }


def _free_ports() -> tuple[int, int]:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as first,
        closing(socket.create_server(("127.0.0.1", 0))) as second,
    ):
        return first.getsockname()[1], second.getsockname()[1]


def _await_port(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_START_SECONDS).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            # As short as this, because cold starts are timed with it.
            time.sleep(_POLL_SECONDS)
        else:
            return
