"""The most memory that the API's process takes, in Lambda's runtime, over 10,000 users."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.cold import lambda_runtime
from bench.growth import FILTERS
from bench.neighbours import LARGE, LARGE_CLIENT, Json, Neighbours, event
from bench.results import Found
from dev.deploy.lambda_runtime import LambdaRuntime

_OK = 200
_WIDEST = 250


def measure(running: Neighbours, found: Found, rounds: Iterable[object], *, sam: Path) -> None:
    """Add the peak after windows, filters, orders, look-ups and a walk along cursors."""
    for _ in rounds:
        with lambda_runtime(running, running.ours(), sam=sam) as runtime:
            for path in _paths(running):
                _ask(runtime, path)
            walked = _walk(runtime)
            if walked != LARGE:
                raise RuntimeError(f"the walk came past {walked} users")
            found.add("peak_memory_10k_mb", _peak_kilobytes(runtime.process_id) / 1024, "MB")


def _paths(running: Neighbours) -> Iterator[str]:
    yield from (f"/users?limit={_WIDEST}&offset={n}" for n in range(0, LARGE, _WIDEST))
    yield from (f"{path}&limit={_WIDEST}" for paths in FILTERS.values() for path in paths)
    yield from (f"/users?sort={order}&limit={_WIDEST}" for order in ("name", "-createdDate"))
    for user in running.origin.users(LARGE_CLIENT)[::100]:
        yield f"/users/{user['id']}"
        yield f"/users?emails={user['email'].replace('+', '%2B')}"
        yield f"/users?usernames={user['username']}"


def _walk(runtime: LambdaRuntime) -> int:
    """Follow links from the first window to the last; return how many users were seen."""
    path, seen = f"/users?limit={_WIDEST}", 0
    while path:
        answer = _ask(runtime, path)
        seen += answer["body"].count('{"id":')
        following = re.search(r'<(\?[^>]*)>; rel="next"', answer["headers"].get("Link", ""))
        path = f"/users{following[1]}" if following else ""
    return seen


def _ask(runtime: LambdaRuntime, path: str) -> Json:
    answer = runtime.invoke(event(path, LARGE_CLIENT))
    if answer.get("statusCode") != _OK:
        raise RuntimeError(f"no answer for {path}: {str(answer)[:300]}")
    return answer


def _peak_kilobytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])
