"""What revalidations write and reads read, in DynamoDB's units, and what a directory takes.

Counts, not times: one round is all there is to them.
"""

from collections.abc import Callable, Iterable

from bench.meter import Meter, item_bytes
from bench.neighbours import (
    LARGE_CHANGING,
    SMALL_CHANGING,
    TABLE,
    USERS,
    Json,
    Neighbours,
    event,
)
from bench.process import Worker
from bench.results import Found
from dev.local.embedded_aws import EmbeddedAws
from dev.origin import OriginDouble


def _rename(origin: OriginDouble, client_id: str) -> None:
    users = origin.users(client_id)
    origin.update(client_id, users[len(users) // 2]["id"], name="Renamed")


def _delete_first(origin: OriginDouble, client_id: str) -> None:
    origin.delete(client_id, origin.users(client_id)[0]["id"])


def _append(origin: OriginDouble, client_id: str) -> None:
    origin.create(client_id)


CHANGES: dict[str, Callable[[OriginDouble, str], None]] = {
    "update": _rename,
    "delete": _delete_first,
    "append": _append,
}


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add the units of a first publication, an unchanged revalidation, changes and reads."""
    for _ in rounds:
        unchanged, peak = [], 0.0
        with Meter(running.aws) as meter:
            metered = {"AWS_ENDPOINT_URL_DYNAMODB": meter.url}
            for client_id in (SMALL_CHANGING, LARGE_CHANGING):
                with Worker(running.refresh(client_id, **metered)) as worker:
                    unchanged.append(_writes(running, found, meter, worker, client_id))
                    peak = worker.peak_megabytes()
                with Worker(running.ours(**metered)) as worker:
                    _reads(running, found, meter, worker, client_id)
                _duration(running, found, client_id)
                _sizes(running.aws, found, client_id)
        found.add("write_units_unchanged_revalidation", max(unchanged), "units")
        found.add("peak_memory_10k_refresh_mb", peak, "MB")


def _writes(
    running: Neighbours, found: Found, meter: Meter, worker: Worker, client_id: str
) -> float:
    """Add what publishing and changing write; return what an unchanged revalidation does."""
    size = _size(client_id)
    full = _refresh(meter, worker, client_id, "published")
    found.add(f"write_units_first_publication_{size}", full, "units")
    unchanged = _refresh(meter, worker, client_id, "unchanged")
    found.add(f"read_units_unchanged_revalidation_{size}", meter.read, "units")
    changed = {}
    for name, change in CHANGES.items():
        change(running.origin, client_id)
        changed[name] = _refresh(meter, worker, client_id, "published")
        found.add(f"write_units_{name}_{size}", changed[name], "units")
    found.compare(f"write_units_one_change_{size}_vs_full", max(changed.values()), full, "units")
    return unchanged


def _refresh(meter: Meter, worker: Worker, client_id: str, outcome: str) -> int:
    """Return the units that one scheduled revalidation writes.

    Raises:
        RuntimeError: it had another outcome.
    """
    meter.reset()
    done = worker.ask({"action": "refresh", "clientId": client_id})
    if done.get("outcome") != outcome:
        raise RuntimeError(f"a revalidation was to be {outcome}: {done}")
    return meter.written


def _reads(running: Neighbours, found: Found, meter: Meter, worker: Worker, client_id: str) -> None:
    """Add what a new environment reads for its first answers of some kinds."""
    size = _size(client_id)
    meter.reset()
    _ask(worker, event("/users", client_id))
    found.add(f"read_units_first_window_{size}", meter.read, "units")
    found.add(f"dynamodb_calls_first_window_{size}", meter.calls, "calls")
    meter.reset()
    address = running.origin.users(client_id)[-1]["email"].replace("+", "%2B")
    _ask(worker, event(f"/users?emails={address}", client_id))
    found.add(f"read_units_first_lookup_{size}", meter.read, "units")
    meter.reset()
    _ask(worker, event("/users?timeZone=Europe/London", client_id))
    found.add(f"read_units_first_filter_{size}", meter.read, "units")


def _ask(worker: Worker, asked: Json) -> None:
    answer = worker.ask(asked)
    if answer["statusCode"] != 200:  # noqa: PLR2004 - OK.
        raise RuntimeError(f"no answer: {answer['body'][:300]}")


def _duration(running: Neighbours, found: Found, client_id: str) -> None:
    """Add what an unchanged revalidation takes in a warm environment."""
    with Worker(running.refresh(client_id)) as worker:
        took = worker.call([{"action": "refresh", "clientId": client_id}], 6)[1:]
    median = found.sample(f"unchanged_revalidation_{_size(client_id)}_ms", [1e3 * t for t in took])
    found.add(f"ms_unchanged_revalidation_{_size(client_id)}", median, "ms")


def _sizes(aws: EmbeddedAws, found: Found, client_id: str) -> None:
    """Add what a directory takes in the table, the few changes made to it included."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    sizes: dict[str, list[int]] = {}
    for item in (item for page in pages for item in page["Items"]):
        name, _, rest = item["pk"]["S"].partition("#")
        if rest.partition("#")[0] == client_id:
            kind = "manifest" if item["sk"]["S"].startswith("gen#") else name
            sizes.setdefault(kind, []).append(item_bytes(item))
    size = _size(client_id)
    for kind in ("manifest", "page", "index"):
        found.add(f"bytes_largest_{kind}_{size}", max(sizes[kind]), "bytes")
    found.add(f"bytes_all_items_{size}", sum(sum(each) for each in sizes.values()), "bytes")


def _size(client_id: str) -> str:
    return {500: "500", 10_000: "10k"}[USERS[client_id]]
