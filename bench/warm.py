"""Warm answers: ``handler(event, context)`` in process, logs and metrics on, several in turns."""

import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile

from bench.neighbours import CLIENTS_TABLE, SMALL_CLIENT, TABLE, Neighbours, event
from bench.process import Worker
from bench.results import Found
from bench.rounds import interleaved

# About ten milliseconds a turn, except where a call takes longer than that.
_CALLS = {"hit": 50, "304": 50, "echo": 50, "fastapi_hishel": 10, "requests_cache": 4, "typical": 4}
_PEERS = ("echo", "fastapi_hishel", "requests_cache", "typical")
_LOGGED_CALLS = 20
_NOT_MODIFIED = 304
# A remembered head is used again for a second.
_PAUSE_SECONDS = 1.5


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add the rows of warm answers of one page of 50 users."""
    page = event("/users", SMALL_CLIENT)
    found.add("bytes_page_of_50", running.page_bytes, "bytes")
    with ExitStack() as processes:
        ours = processes.enter_context(Worker(running.ours()))
        tag = ours.ask(page)["headers"]["ETag"]
        known = event("/users", SMALL_CLIENT, {"If-None-Match": tag})
        if ours.ask(known)["statusCode"] != _NOT_MODIFIED:
            raise RuntimeError("a caller who has the page got it again")
        turns = {
            "hit": lambda: ours.call([page], _CALLS["hit"]),
            "304": lambda: ours.call([known], _CALLS["304"]),
        }
        for name in _PEERS:
            peer = processes.enter_context(Worker(running.peer(name)))
            peer.ask(page)
            running.origin.clear_calls()
            peer.ask(page)
            if name != "typical" and running.origin.calls:
                raise RuntimeError(f"{name} did not answer from its cache")

            def turn(peer: Worker = peer, calls: int = _CALLS[name]) -> list[float]:
                return peer.call([page], calls)

            turns[name] = turn
        took = interleaved(turns, rounds)
    times = {kind: [1e6 * each for each in taken] for kind, taken in took.items()}
    for kind, taken in times.items():
        found.sample(f"warm_{kind}_us", taken)
    found.pair("warm_hit_vs_echo", times["hit"], times["echo"], "us")
    found.pair("warm_304_vs_echo", times["304"], times["echo"], "us")
    found.pair("warm_hit_vs_requests_cache", times["hit"], times["requests_cache"], "us")
    found.pair("warm_hit_vs_fastapi_mangum_hishel", times["hit"], times["fastapi_hishel"], "us")
    found.pair("warm_hit_vs_typical", times["hit"], times["typical"], "us")


def measure_head_reads(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add what a hit that has to read the head again costs beside bare reads by the same SDK.

    Those are of one small item, and of the head itself.

    Raises:
        RuntimeError: the hits were too fast to have read anything.
    """
    page = event("/users", SMALL_CLIENT)
    head = {"pk": {"S": f"client#{SMALL_CLIENT}"}, "sk": {"S": "head"}}
    items = [
        {"TableName": CLIENTS_TABLE, "Key": {"client_id": {"S": SMALL_CLIENT}}},
        {"TableName": TABLE, "Key": head},
    ]
    hits: list[float] = []
    bare: list[float] = []
    same: list[float] = []
    with Worker(running.ours()) as ours:
        ours.ask(page)
        for _ in rounds:
            taken, read = ours.call_after_pauses(
                page, items=items, calls=20, seconds=_PAUSE_SECONDS
            )
            hits.append(1e3 * statistics.median(taken))
            bare.append(1e3 * statistics.median(read[0]))
            same.append(1e3 * statistics.median(read[1]))
    hit = found.sample("head_read_hit_ms", hits)
    read_alone = found.sample("bare_get_item_ms", bare)
    if hit < read_alone / 2:
        raise RuntimeError("hits did not read the head again")
    found.pair("head_read_vs_bare_get_item", hits, bare, "ms")
    found.pair("head_read_vs_bare_read_of_head", hits, same, "ms")
    found.add("head_read_hit_over_bare_get_item_ms", hit - read_alone, "ms")
    found.add("head_read_hit_ms", hit, "ms")
    found.add("bare_get_item_ms", read_alone, "ms")


def measure_logs(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add how many bytes of log lines and metrics a warm answer writes."""
    page = event("/users", SMALL_CLIENT)
    peers = {name: running.peer(name) for name in _PEERS}
    for _ in rounds:
        for name, subject in {"ours": running.ours(), **peers}.items():
            with NamedTemporaryFile() as sink, Worker(subject, sink=Path(sink.name)) as worker:
                worker.ask(page)
                before = Path(sink.name).stat().st_size
                worker.call([page], _LOGGED_CALLS)
                written = Path(sink.name).stat().st_size - before
            found.add(f"log_bytes_{name}", written / _LOGGED_CALLS, "bytes")
