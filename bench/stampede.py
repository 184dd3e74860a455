"""How often the origin is asked when a thousand readers come at once and nothing is stored.

The origin takes a quarter of a second, about as long as the real one, or it would be over before
the second process is there.
"""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bench.neighbours import COLD_CLIENTS, Neighbours, event
from bench.process import Subject
from bench.results import Found
from dev.local.workers import Failure, Function, Result, WorkerPool
from dev.origin import Fault

READERS, PROCESSES = 1_000, 8
_TIMEOUT_SECONDS = 29
_ORIGIN_SECONDS = 0.25
_OK = 200


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add list calls in all, ours and those of requests-cache behind the same eight processes."""
    running.origin.faults = [Fault("delay", seconds=_ORIGIN_SECONDS)]
    for _ in rounds:
        ours, theirs = COLD_CLIENTS
        calls = _list_calls(running, running.ours(), ours)
        found.add("origin_calls_1000_cold_readers", calls, "calls")
        calls = _list_calls(running, running.peer("requests_cache"), theirs)
        found.add("origin_calls_1000_cold_readers_requests_cache", calls, "calls")
    running.origin.faults = []


def _list_calls(running: Neighbours, subject: Subject, client_id: str) -> int:
    """Return the list calls that a thousand readers of a client's first page cause.

    Raises:
        RuntimeError: not all of them were answered.
    """
    running.origin.clear_calls()
    asked = event("/users", client_id)
    pool = WorkerPool(_function(subject), size=PROCESSES, print_line=lambda _: None)
    try:
        pool.start()
        pool.wait_ready()
        # Twice as many callers as processes, so that none is ever without work.
        with ThreadPoolExecutor(2 * PROCESSES) as callers:
            outcomes = Counter(callers.map(_status, [pool] * READERS, [asked] * READERS))
    finally:
        pool.stop()
    if set(outcomes) != {_OK}:
        raise RuntimeError(f"not all readers were answered: {dict(outcomes)}")
    return len(running.origin.list_calls(client_id))


def _status(pool: WorkerPool, asked: object) -> object:
    outcome: Result | Failure = pool.invoke(asked)
    return outcome.value["statusCode"] if isinstance(outcome, Result) else str(outcome)


def _function(subject: Subject) -> Function:
    path = {"PYTHONPATH": str(subject.artifact)}
    return Function(
        name=subject.name,
        handler=subject.handler,
        timeout_seconds=_TIMEOUT_SECONDS,
        memory_megabytes=int(subject.environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
        environment={**subject.environment, **path},
    )
