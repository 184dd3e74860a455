"""What a window costs plain, and packed by the function: time, bytes, room below Lambda's bound.

Behind a REST API the function hands on what it has and API Gateway compresses it; behind an HTTP
API the function compresses, and what it returns is base64. Both are timed in the handler alone and
through Lambda's own runtime under its emulator, where the result is written and sent as JSON.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.cold import lambda_runtime
from bench.neighbours import LARGE_CLIENT, Json, Neighbours, event
from bench.process import Worker
from bench.results import Found, Row
from bench.rounds import interleaved
from dev.deploy.lambda_runtime import LambdaRuntime

WINDOWS = (50, 250)
"""Users in a window: as many as people ask for, and the most that may be asked for."""
WAYS = {"plain": "as it is", "packed": "packed by the function"}
FIGURES = ("handler_ms", "invocation_ms", "result_bytes", "sent_bytes", "most_users")
LAMBDA_BYTES = 6_291_556
"""What Lambda's runtime may return, in bytes of the JSON that is the result."""
_CALLS = 4
_LEVEL = 6  # As API Gateway's, as far as one can tell, and as the function's.


def measure(running: Neighbours, found: Found, rounds: Iterable[object], *, sam: Path) -> None:
    """Add the rows of each window and way."""
    ours = running.ours()
    asked = {
        (window, way): _event(window, packed=way == "packed") for window in WINDOWS for way in WAYS
    }
    with ExitStack() as open_ones:
        worker = open_ones.enter_context(Worker(ours))
        runtime = open_ones.enter_context(lambda_runtime(running, ours, sam=sam))
        turns: dict[str, Callable[[], list[float]]] = {}
        for (window, way), event_ in asked.items():
            result = worker.ask(event_)
            _check(result, packed=way == "packed")
            runtime.invoke(event_)
            _add_bytes(found, window, way, result)
            turns[_row(window, way, "handler_ms")] = _handled(worker, event_)
            turns[_row(window, way, "invocation_ms")] = _invoked(runtime, event_)
        took = interleaved(turns, rounds)
    for name, seconds in took.items():
        found.add(name, found.sample(name, [1e3 * each for each in seconds]), "ms")


def table(rows: Mapping[str, Row]) -> Iterator[Sequence[str]]:
    """Yield the cells of each window's lines; a dash where a run did not measure it."""
    for window in WINDOWS:
        for way, title in WAYS.items():
            told = (rows.get(_row(window, way, figure)) for figure in FIGURES)
            yield [f"{window:,} users, {title}", *(f"{row}" if row else "—" for row in told)]


def result_size(result: Json) -> int:
    """Return the bytes that Lambda's runtime sends for a result: JSON, not ASCII alone.

    >>> result_size({"body": 'é"'})
    16
    """
    return len(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode())


def most_users(size: int, window: int) -> int:
    """Return how many users alike fit into what Lambda returns, if ``window`` take ``size`` bytes.

    >>> most_users(1_000_000, 1_000)
    6291
    """
    return LAMBDA_BYTES * window // size


def _row(window: int, way: str, figure: str) -> str:
    return f"compression_{window}_{way}_{figure}"


def _event(window: int, *, packed: bool) -> Json:
    asked = event(f"/users?limit={window}", LARGE_CLIENT, {"Accept-Encoding": "gzip"})
    if not packed:
        return asked
    context = asked["requestContext"]
    route = {"resourceId": f"ANY {asked['resource']}"}
    return {"version": "1.0", **asked, "path": context["path"], "requestContext": context | route}


def _check(result: Json, *, packed: bool) -> None:
    if result.get("statusCode") != 200 or result["isBase64Encoded"] != packed:  # noqa: PLR2004
        raise RuntimeError(f"not the answer that was asked for: {str(result)[:300]}")


def _add_bytes(found: Found, window: int, way: str, result: Json) -> None:
    size = result_size(result)
    body = result["body"]
    sent = len(body) * 3 // 4 if way == "packed" else len(gzip.compress(body.encode(), _LEVEL))
    found.add(_row(window, way, "result_bytes"), size, "bytes")
    found.add(_row(window, way, "sent_bytes"), sent, "bytes")
    found.add(_row(window, way, "most_users"), most_users(size, window), "users")


def _handled(worker: Worker, asked: Json) -> Callable[[], list[float]]:
    return lambda: worker.call([asked], _CALLS)


def _invoked(runtime: LambdaRuntime, asked: Json) -> Callable[[], list[float]]:
    def turn() -> list[float]:
        started = time.perf_counter()
        runtime.invoke(asked)
        return [time.perf_counter() - started]

    return turn
