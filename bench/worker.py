"""One Lambda environment under the clock: imports a handler, then does what it is told.

It runs where only the artifact under test and the standard library can be imported, so it imports
nothing of this project. Commands come in as lines of JSON on standard input, and answers go out on
the descriptor that standard output was; what the handler prints goes to the sink, unbuffered, as
Lambda's runtime prints it.

Not for people: ``bench.process`` runs ``python -S worker.py <handler> <sink>``.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

type Json = Any  # Events, results and commands are free-form.

_skipped_seconds = 0.0
_real_time = time.time


class Context:
    """Lambda's context object, as far as handlers and powertools use it."""

    function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"
    aws_request_id = "4f6d6f3c-3bd9-4f6e-9e1c-2a4f6d1c0b9a"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the time left: always all of it."""
        return 29_000


def _now() -> float:
    return _real_time() + _skipped_seconds


def _call(handler: Callable[[Json, Json], Json], events: Json, calls: int) -> Json:
    """Return the nanoseconds of each call and the status of the last; events take turns."""
    clock, context, result, took = time.perf_counter_ns, Context(), None, []
    for turn in range(calls):
        event = events[turn % len(events)]
        started = clock()
        result = handler(event, context)
        took.append(clock() - started)
    return {"ns": took, "result": result}


def _call_after_pauses(
    handler: Callable[[Json, Json], Json], command: Json, read: Callable[[Json], Json]
) -> Json:
    """Return the nanoseconds of calls that have to read the head again, and of each bare read.

    Before each call the clock skips ``seconds``; the kinds take turns.
    """
    global _skipped_seconds  # noqa: PLW0603 - the clock of this process.
    clock, context, took = time.perf_counter_ns, Context(), []
    bare: list[list[int]] = [[] for _ in command["items"]]
    for _ in range(command["calls"]):
        _skipped_seconds += command["seconds"]
        started = clock()
        handler(command["event"], context)
        took.append(clock() - started)
        for item, taken in zip(command["items"], bare, strict=True):
            started = clock()
            read(item)
            taken.append(clock() - started)
    return {"ns": took, "bare": bare}


def _reader() -> Callable[[Json], Json]:
    """Return a read of any item, by a client configured as the service's own."""
    from botocore.config import Config  # noqa: PLC0415 - from the artifact.
    from botocore.session import get_session  # noqa: PLC0415

    retries: Json = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=1, read_timeout=3, tcp_keepalive=True, retries=retries)
    client: Any = get_session().create_client("dynamodb", config=config)
    return lambda item: client.get_item(**item, ConsistentRead=True)


def _peak_kilobytes() -> int:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1])


def main() -> None:
    """Answer commands until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sink = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 1)
    # Before the handler is imported, which may keep a reference to the clock.
    time.time = _now
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    read: Callable[[Json], Json] | None = None
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "call":
                answer = _call(handler, command["events"], command["calls"])
            case "call-after-pauses":
                read = read or _reader()
                answer = _call_after_pauses(handler, command, read)
            case "processor":
                answer = {"seconds": time.process_time()}
            case _:
                answer = {"kilobytes": _peak_kilobytes()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
