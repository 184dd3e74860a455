"""Worker processes that answer events as Lambda environments do, and the pool that feeds them.

A worker answers one event at a time. The pool hands an event to a worker that is free, in rotation,
so that all of them are used and no answer depends on the memory of one. A worker that dies, or that
exceeds its time and is ended, fails its own event only: a new process takes its place.
"""

import contextlib
import json
import queue
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dev.local import frames
from dev.local.child import start_child, stop_child
from dev.local.worker_child import Tag

_START_SECONDS = 30.0


class Failure(StrEnum):
    """Why an invocation has no result."""

    HANDLER_ERROR = "the handler raised an exception"
    TOO_LARGE = "the response is over Lambda's 6 MB"
    DIED = "the worker process died"
    TIMED_OUT = "the function exceeded its time"
    STOPPED = "the stack is being stopped"
    ALL_BUSY = "no worker became free in time"


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What the handler returned, through JSON and back."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function: its handler (``module.function``) and what a deployment says about it."""

    name: str
    handler: str
    timeout_seconds: float
    memory_megabytes: int
    environment: Mapping[str, str]

    def process_environment(self) -> dict[str, str]:
        """Return the environment of a worker process."""
        return dict(self.environment) | {
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_megabytes),
        }


class WorkerStartError(Exception):
    """A worker process did not come up; what it printed says why."""


class _Process:
    """One running worker process and its connection."""

    def __init__(self, function: Function, print_line: Callable[[str], None]) -> None:
        self.function = function
        self._ready = False
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = start_child(
                ["dev.local.worker_child", str(theirs.fileno()), function.handler],
                environment=function.process_environment(),
                output=subprocess.PIPE,
                descriptor=theirs.fileno(),
            )
        self._reader = threading.Thread(target=self._pass_output, args=(print_line,), daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until the handler is imported.

        Raises:
            WorkerStartError: the process ended instead, or did not finish in time.
        """
        if self._ready:
            return
        self._connection.settimeout(_START_SECONDS)
        with contextlib.suppress(OSError):
            self._ready = frames.receive(self._connection) == Tag.READY.encode()
        if not self._ready:
            raise WorkerStartError(f"a worker for {self.function.handler} did not start")

    def exchange(self, message: bytes) -> Result | Failure:
        """Send an invocation and wait for its outcome."""
        try:
            self.wait_ready()
            self._connection.settimeout(self.function.timeout_seconds)
            frames.send(self._connection, message)
            return _outcome(frames.receive(self._connection))
        except TimeoutError:
            return Failure.TIMED_OUT
        except (WorkerStartError, OSError):
            return Failure.DIED

    def terminate(self) -> None:
        """Ask the process to end, without waiting."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._process.kill()

    def close(self) -> None:
        """End the process and release all that belongs to it."""
        stop_child(self._process)
        self._connection.close()
        self._reader.join()

    def _pass_output(self, print_line: Callable[[str], None]) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                print_line(line.decode(errors="replace").rstrip())


class _Worker:
    """One place in a pool, used by one thread at a time.

    Its process is replaced when it is gone, or runs another function than the pool's.
    """

    def __init__(
        self, start_process: Callable[[Function], _Process], function: Callable[[], Function]
    ) -> None:
        self._start_process = start_process
        self._function = function
        # Stopping may come at any moment of an invocation, which must not start a process after it.
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._closed = False

    def start(self) -> _Process | None:
        """Return a running process, started if need be; None when the pool has been stopped."""
        with self._lock:
            function, process = self._function(), self._process
            if process is not None and not (process.alive and process.function is function):
                process.close()
                self._process = None
            if self._process is None and not self._closed:
                self._process = self._start_process(function)
            return self._process

    def wait_ready(self) -> None:
        """Wait until the process can answer."""
        process = self.start()
        if process is not None:
            process.wait_ready()

    def invoke(self, message: bytes) -> Result | Failure:
        """Return the outcome; a process that died or was late has a successor afterwards."""
        process = self.start()
        outcome = Failure.STOPPED if process is None else process.exchange(message)
        if outcome in {Failure.DIED, Failure.TIMED_OUT}:
            self._end_process()
            return outcome if self.start() else Failure.STOPPED
        return outcome

    def kill(self) -> bool:
        """End the process at once, as a crash does; tell whether there was one."""
        with self._lock:
            if self._process is None or not self._process.alive:
                return False
            self._process.kill()
            return True

    def terminate(self) -> None:
        """Ask the process to end, without waiting; it gets no successor."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.terminate()

    def close(self) -> None:
        """End the process for good."""
        self.terminate()
        self._end_process()

    def _end_process(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.close()
            self._process = None


def _outcome(reply: bytes | None) -> Result | Failure:
    match reply and Tag(chr(reply[0])):
        case Tag.RESULT if reply:
            return Result(json.loads(reply[1:]))
        case Tag.TOO_LARGE:
            return Failure.TOO_LARGE
        case Tag.HANDLER_ERROR:
            return Failure.HANDLER_ERROR
        case _:
            return Failure.DIED


class WorkerPool:
    """The workers of one function.

    ``spare`` more than ``size`` are started only once all others are busy, as Lambda would.
    """

    def __init__(
        self, function: Function, *, size: int, print_line: Callable[[str], None], spare: int = 0
    ) -> None:
        self._function = function
        workers = [
            _Worker(lambda deployed: _Process(deployed, print_line), lambda: self._function)
            for _ in range(size + spare)
        ]
        self._workers = workers
        self._first = workers[:size]
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._spare: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in workers[size:]:
            self._spare.put(worker)

    def start(self) -> None:
        """Start all but the spare workers, at the same time; returns before they are ready."""
        for worker in self._first:
            worker.start()

    def wait_ready(self) -> None:
        """Wait until all but the spare workers can answer.

        Raises:
            WorkerStartError: one of them did not come up.
        """
        for worker in self._first:
            worker.wait_ready()
            self._free.put(worker)

    def invoke(self, event: object) -> Result | Failure:
        """Return the outcome of one invocation by the worker that was free for longest."""
        invocation = {
            "event": event,
            "request_id": str(uuid.uuid4()),
            "timeout_seconds": self._function.timeout_seconds,
        }
        message = json.dumps(invocation).encode()
        try:
            worker = self._next_worker()
        except queue.Empty:
            return Failure.ALL_BUSY
        try:
            return worker.invoke(message)
        finally:
            self._free.put(worker)

    def deploy(self, **environment: str) -> None:
        """Let all invocations that begin from now on be of the function with other variables."""
        changed = {**self._function.environment, **environment}
        self._function = replace(self._function, environment=changed)

    def __len__(self) -> int:
        """Return how many workers there may be, spare ones included."""
        return len(self._workers)

    def kill(self, number: int) -> bool:
        """End the process of one worker at once, as a crash does; tell whether there was one."""
        return self._workers[number].kill()

    def stop(self) -> None:
        """End all workers; invocations under way fail."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.close()

    def _next_worker(self) -> _Worker:
        for free in (self._free, self._spare):
            with contextlib.suppress(queue.Empty):
                return free.get_nowait()
        return self._free.get(timeout=self._function.timeout_seconds)
