"""Starts ``bench.worker`` processes and speaks to them; one of them works at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

type Json = Any

_WORKER = Path(__file__).with_name("worker.py")
_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A built function under test: where it is, its handler, its environment."""

    name: str
    artifact: Path
    handler: str
    environment: Mapping[str, str]


class Worker:
    """A process that runs the handler of ``subject``; gone at the end of the block.

    Only the artifact can be imported besides the standard library. What the handler prints goes to
    the file ``sink``.
    """

    def __init__(self, subject: Subject, *, sink: Path = Path(os.devnull)) -> None:
        self.subject = subject
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter.
            [sys.executable, "-P", "-S", "-s", str(_WORKER), subject.handler, str(sink)],
            cwd=subject.artifact,
            env={**subject.environment, "PYTHONPATH": str(subject.artifact)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def call(self, events: Sequence[Json], calls: int = 1) -> list[float]:
        """Return the seconds that each of ``calls`` calls took; the events take turns."""
        answer = self._do(do="call", events=list(events), calls=calls)
        return [taken / 1e9 for taken in answer["ns"]]

    def ask(self, event: Json) -> Json:
        """Return the handler's result for one event."""
        return self._do(do="call", events=[event], calls=1)["result"]

    def call_after_pauses(
        self, event: Json, *, items: Sequence[Json], calls: int, seconds: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return the seconds of calls for which a remembered head is too old, and of bare reads.

        Each of ``items`` is table and key of one that is read.
        """
        answer = self._do(
            do="call-after-pauses", event=event, items=list(items), calls=calls, seconds=seconds
        )
        return [t / 1e9 for t in answer["ns"]], [
            [t / 1e9 for t in taken] for taken in answer["bare"]
        ]

    def processor_seconds(self) -> float:
        """Return the processor time that the process has used."""
        return float(self._do(do="processor")["seconds"])

    def peak_megabytes(self) -> float:
        """Return the most memory that the process ever held (VmHWM), in MB of 1024 KB."""
        return float(self._do(do="peak")["kilobytes"]) / 1024

    def _do(self, **command: Json) -> Json:
        if not self._process.stdin or not self._process.stdout:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {self.subject.name} ended: its traceback is above")
        return json.loads(line)
