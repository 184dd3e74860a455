"""A directory of 100,000 users for real, beside one of 10,000: some minutes, `make bench-large`.

The origin double has an organization of so many users, and its list is swept as in a deployment,
in several runs, until everybody has been seen.
"""

import sys

from bench import artifacts, growth
from bench.about import about
from bench.meter import Meter
from bench.neighbours import LARGE_CLIENT, SECRET, USERS, Json, Neighbours, event, fill
from bench.organization import sweep
from bench.process import Worker
from bench.results import Found, save_large
from bench.rounds import interleaved
from bench.writing import CHANGES
from dev.local.embedded_aws import EmbeddedAws
from dev.local.settings import REFRESH_HANDLER
from dev.origin import Bounds, Limits, Organization, Organizations, OriginDouble, demo_users

CLIENT = "clxhuge000000000000100000"
NUMBER = 100_000
_ORGANIZATION = 4711
_MOST_RUNS = 60
_ROUNDS = 12


def main() -> None:
    """Run, print, and keep."""
    found = Found()
    clients = {LARGE_CLIENT: USERS[LARGE_CLIENT], CLIENT: NUMBER}
    with (
        artifacts.built(None) as directory,
        EmbeddedAws() as aws,
        OriginDouble(dict.fromkeys(clients, SECRET), users=0) as origin,
    ):
        origin.limits = Limits(client=10**9, ip=10**9)
        origin.bounds = Bounds(
            max_limit=USERS[LARGE_CLIENT] // 2, max_offset=USERS[LARGE_CLIENT] // 2
        )
        origin.organizations = Organizations(
            [Organization(organization_id=_ORGANIZATION, clients=[CLIENT])]
        )
        for client_id, users in clients.items():
            origin.replace(client_id, demo_users(client_id, users))
        fill(aws, {LARGE_CLIENT: SECRET, CLIENT: {"key": SECRET, "organizationId": _ORGANIZATION}})
        running = Neighbours(aws, origin, directory)
        with Worker(running.refresh(LARGE_CLIENT)) as worker:
            sweep(worker, LARGE_CLIENT, "published")
        _write(running, found)
        _read(running, found)
    for row in found.rows.values():
        print(f"{row.name:42} {row.told:8.4g} {row.value:10.4g} {row.unit}")
    save_large(found, about(sys.argv[1:]))


def _write(running: Neighbours, found: Found) -> None:
    """Add what it takes to find everybody, to see that nothing changed, and to note a change."""
    with Meter(running.aws) as meter:
        metered = {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}
        with Worker(running.ours(REFRESH_HANDLER, **metered)) as worker:
            found.add("runs_until_complete_100k", sweep(worker, CLIENT, "unchanged"), "runs")
            meter.reset()
            started = worker.processor_seconds()
            runs = sweep(worker, CLIENT, "unchanged")
            found.add("runs_unchanged_sweep_100k", runs, "runs")
            found.add("write_units_unchanged_sweep_100k", meter.written, "units")
            took = worker.processor_seconds() - started
            found.add("processor_s_unchanged_sweep_100k", took, "s")
            for name, change in CHANGES.items():
                before = _refresh(worker)["generation"]
                change(running.origin, CLIENT)
                units = _published(worker, meter, before)
                found.add(f"write_units_{name}_100k", units, "units")
            found.add("peak_memory_100k_refresh_mb", worker.peak_megabytes(), "MB")


def _refresh(worker: Worker) -> Json:
    return worker.ask({"action": "refresh", "clientId": CLIENT})


def _published(worker: Worker, meter: Meter, before: int) -> int:
    """Return the units that the run writes that finds a change, all it writes included.

    Raises:
        RuntimeError: none finds it.
    """
    for _ in range(_MOST_RUNS):
        meter.reset()
        if _refresh(worker)["generation"] > before:
            return meter.written
    raise RuntimeError("a change was not found")


def _read(running: Neighbours, found: Found) -> None:
    """Add what answers cost, beside those of 10,000 users, in turns."""
    with (
        Meter(running.aws) as meter,
        Worker(running.ours(AWS_ENDPOINT_URL_DYNAMODB=meter.url)) as worker,
    ):
        growth.check(worker, [event("/users", CLIENT)])
        found.add("read_units_first_window_100k", meter.read, "units")
    with Worker(running.ours()) as worker:
        (first,) = worker.call([event("/users?timeZone=Europe/London", CLIENT)])
        found.add("first_filter_100k_s", first, "s")
        questions = {
            (kind, client_id): asked
            for client_id in (LARGE_CLIENT, CLIENT)
            for kind, asked in growth.questions_of(running, worker, client_id).items()
        }
        turns = {
            f"{kind} {client_id}": lambda asked=asked, kind=kind: worker.call(
                asked, growth.calls_of(kind)
            )
            for (kind, client_id), asked in questions.items()
        }
        for asked in questions.values():
            growth.check(worker, asked)
        took = interleaved(turns, range(_ROUNDS))
        found.add("peak_memory_100k_mb", worker.peak_megabytes(), "MB")
    times = {name: [1e3 * each for each in taken] for name, taken in took.items()}
    for kind in dict.fromkeys(kind for kind, _ in questions):
        pair = times[f"{kind} {CLIENT}"], times[f"{kind} {LARGE_CLIENT}"]
        found.pair(f"{kind}_100k_vs_10k", *pair, "ms")


if __name__ == "__main__":
    main()
