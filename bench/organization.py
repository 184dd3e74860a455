"""What it takes to see that none of 10,000 users in an organization's list has changed.

Counts but for the work, which is processor time; the origin double answers at once.
"""

from collections.abc import Iterable

from bench.meter import Meter
from bench.neighbours import ORGANIZED_CLIENT, Json, Neighbours
from bench.process import Worker
from bench.results import Found
from dev.local.settings import REFRESH_HANDLER

_MOST_RUNS = 60
_ROW = "{}_unchanged_organization_sweep_10k"


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add what a sweep takes that finds nothing new."""
    for _ in rounds:
        with Meter(running.aws) as meter:
            metered = {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}
            with Worker(running.ours(REFRESH_HANDLER, **metered)) as worker:
                # First the list is walked, then whose its users are is asked: as many a run as the
                # look-ups' share of the origin's calls allows.
                sweep(worker, ORGANIZED_CLIENT, "unchanged")
                running.origin.clear_calls()
                meter.reset()
                before = worker.processor_seconds()
                sweep(worker, ORGANIZED_CLIENT, "unchanged")
                worked = worker.processor_seconds() - before
                found.add(_ROW.format("origin_calls"), len(running.origin.calls), "calls")
                found.add(_ROW.format("write_units"), meter.written, "units")
                found.add(_ROW.format("processor_ms"), 1e3 * worked, "ms")


def sweep(worker: Worker, client_id: str, *until: str) -> int:
    """Revalidate until one of these outcomes; return in how many runs.

    Raises:
        RuntimeError: that does not come to an end, or fails.
    """
    for run in range(1, _MOST_RUNS):
        done: Json = worker.ask({"action": "refresh", "clientId": client_id})
        if done.get("outcome") in until:
            return run
        if done.get("outcome") not in {"published", "unfinished"}:
            raise RuntimeError(f"a sweep of {client_id} has failed: {done}")
    raise RuntimeError(f"a sweep of {client_id} does not end")
