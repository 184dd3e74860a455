"""What answers cost in a directory of 10,000 users, beside one of 500, all of it in memory.

The same questions go to both, at places spread over all of a directory. They are more than an
environment keeps representations of, so each is answered anew.
"""

import json
import re
import time
from collections.abc import Iterable, Mapping

from bench.neighbours import LARGE_CLIENT, SMALL_CLIENT, Json, Neighbours, event
from bench.process import Worker
from bench.results import Found
from bench.rounds import interleaved

_PLACES = 40
_OK = 200
_PARSING = "json"
_ZONES = ("Europe/London", "Europe/Berlin", "America/Chicago", "Asia/Tokyo")
FILTERS = {
    "timezone": [f"/users?timeZone={zone}" for zone in _ZONES],
    "metadata": [f"/users?metadata[plan]={plan}" for plan in ("free", "pro", "enterprise")],
    "q": [f"/users?q={part}" for part in ("smith", "zo", "ller", "an")],
}
"""Filters that a scan has to answer: no index helps."""


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add the rows of growth: windows, look-ups, cursors, filters and orders."""
    with Worker(running.ours()) as worker:
        questions = {
            (kind, client_id): asked
            for client_id in (SMALL_CLIENT, LARGE_CLIENT)
            for kind, asked in questions_of(running, worker, client_id).items()
        }
        for asked in questions.values():
            check(worker, asked)

        turns = {
            f"{kind} {client_id}": lambda asked=asked, kind=kind: worker.call(asked, calls_of(kind))
            for (kind, client_id), asked in questions.items()
        }
        rows = [json.dumps(user).encode() for user in running.origin.users(LARGE_CLIENT)]
        took = interleaved({**turns, _PARSING: lambda: [_parse(rows)]}, rounds)
    times = {name: [1e3 * each for each in taken] for name, taken in took.items()}
    medians: dict[tuple[str, str], float] = {}
    for kind, client_id in questions:
        size = {SMALL_CLIENT: "500", LARGE_CLIENT: "10k"}[client_id]
        medians[kind, size] = found.sample(f"{kind}_{size}_ms", times[f"{kind} {client_id}"])
    _add(found, times, medians)


def calls_of(kind: str) -> int:
    """Return how many questions of a kind have a turn, no two of them alike."""
    return 3 if kind in {*FILTERS, "sort"} else _PLACES


def _parse(rows: list[bytes]) -> float:
    """Return the seconds that ``json`` alone takes to read the users, before any is looked at."""
    started = time.perf_counter()
    for row in rows:
        json.loads(row)
    return time.perf_counter() - started


def _add(
    found: Found, times: Mapping[str, list[float]], medians: Mapping[tuple[str, str], float]
) -> None:
    def compare(name: str, kind: str) -> None:
        found.pair(name, times[f"{kind} {LARGE_CLIENT}"], times[f"{kind} {SMALL_CLIENT}"], "ms")

    compare("window_10k_vs_500", "window")
    worse = max(("address", "id"), key=lambda kind: medians[kind, "10k"] / medians[kind, "500"])
    compare("lookup_10k_vs_500", worse)
    compare("cursor_step_10k_vs_500", "cursor")
    compare("lookup_by_address_10k_vs_500", "address")
    compare("lookup_by_id_10k_vs_500", "id")
    slowest = max(FILTERS, key=lambda kind: medians[kind, "10k"])
    found.add("filter_10k_p50_ms", medians[slowest, "10k"], "ms")
    found.pair("filter_10k_vs_json", times[f"{slowest} {LARGE_CLIENT}"], times[_PARSING], "ms")
    for kind in (*FILTERS, "sort"):
        compare(f"{kind}_10k_vs_500", kind)


def questions_of(running: Neighbours, worker: Worker, client_id: str) -> dict[str, list[Json]]:
    """Return what is asked of a client, by kind of question."""
    users = running.origin.users(client_id)
    spread = users[:: len(users) // _PLACES]
    offsets = range(0, len(users) - 50, len(users) // _PLACES)
    windows = [event(f"/users?offset={offset}", client_id) for offset in offsets]
    addresses = [user["email"].replace("+", "%2B") for user in spread]
    lists = {kind: [event(path, client_id) for path in paths] for kind, paths in FILTERS.items()}
    return {
        "window": windows,
        "cursor": [_next_of(worker, window, client_id) for window in windows],
        "address": [event(f"/users?emails={address}", client_id) for address in addresses],
        "id": [event(f"/users/{user['id']}", client_id) for user in spread],
        "sort": [event(f"/users?sort=-name&offset={n}", client_id) for n in (0, 50, 100, 150)],
        **lists,
    }


def _next_of(worker: Worker, window: Json, client_id: str) -> Json:
    """Return the event of the link to what follows a window."""
    found = re.search(r'<(\?[^>]*)>; rel="next"', worker.ask(window)["headers"]["Link"])
    if not found:
        raise RuntimeError("a window leads to no other")
    return event(f"/users{found[1]}", client_id)


def check(worker: Worker, asked: list[Json]) -> None:
    """See that every question is answered, and with users."""
    for each in asked:
        answer = worker.ask(each)
        if answer["statusCode"] != _OK or not json.loads(answer["body"])["data"]:
            raise RuntimeError(f"no users for {each['path']}: {answer['body'][:300]}")
