"""Requests a second, and the slowest hundredth at a fixed rate, of the local run and of caches.

All stand in front of the same origin double, which takes a quarter of a second, about as long as
the real one. What a URL-keyed cache cannot answer has no row.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection

from bench.contenders import CONTENDERS, SECRET, Asked, Contender, running
from bench.load import Load, at_most, at_rate, percentile
from bench.neighbours import Neighbours
from bench.results import Found, Row
from dev.origin import Fault, Limits, OriginDouble

CLIENT = "clxthroughput000000000000"
RATE = 100
"""Requests a second of the fixed load, below what the slowest contender comes to."""
_USERS = 500
_ORIGIN_SECONDS = 0.25
_FIXED_SECONDS, _MOST_SECONDS = 1.5, 1.0
_FRESH_SECONDS, _SOON_STALE_SECONDS = 86_400, 1
_BASE = f"/v2/oauth-clients/{CLIENT}/users"
_PAGE = f"{_BASE}?limit=50"
_FILTER = f"{_BASE}?q=smith&limit=50"
_OURS = frozenset({"environment", "local"})
_OK, _NOT_MODIFIED = 200, 304


@dataclass(frozen=True, slots=True)
class Case:
    """Questions of one kind and the status that answers them.

    Where asking the same again is another question, it is not ``repeated``, and there is no most.
    """

    name: str
    paths: Sequence[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = _OK
    repeated: bool = True


TITLES = {
    "hit": "a hit",
    "304": "a 304",
    "filter": "a filter (`q=`), the same again",
    "lookup_first": "look-up by address, each for the first time",
    "lookup_again": "look-up by address, the same again",
    "revalidation": "a hit that goes stale each second",
    "outage": "a stale answer while the origin answers 503",
}
"""The cases in the order of the page's table."""


def measure(_running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add the rows of whoever is there; without wrk, of nobody.

    Raises:
        RuntimeError: somebody answered otherwise than a case says.
    """
    if not shutil.which("wrk"):
        return
    with OriginDouble({CLIENT: SECRET}, users=_USERS) as origin:
        origin.limits = Limits(client=10**9, ip=10**9)
        for _ in rounds:
            for contender in CONTENDERS:
                if contender.installed:
                    _measure_one(contender, origin, found)


def table(rows: Mapping[str, Row]) -> Iterator[Sequence[str]]:
    """Yield the cells of each case's line: requests a second and milliseconds of each contender.

    What was not measured, or cannot be answered, is a dash.
    """
    for name, title in TITLES.items():
        yield [title, *(_cell(rows, contender.name, name) for contender in CONTENDERS)]


def _cell(rows: Mapping[str, Row], contender: str, case: str) -> str:
    told = [rows.get(_row(contender, case, figure)) for figure in ("rps", "p99_ms")]
    return " / ".join(f"{row}" if row else "—" for row in told) if any(told) else "—"


def _row(contender: str, case: str, figure: str) -> str:
    return f"throughput_{contender}_{case}_{figure}"


def _measure_one(contender: Contender, origin: OriginDouble, found: Found) -> None:
    origin.faults = [Fault("delay", seconds=_ORIGIN_SECONDS)]
    with running(contender, Asked(origin.url, CLIENT, _FRESH_SECONDS)) as port:
        tag = _warm(port)
        for case in _fresh_cases(tag, origin, filters=contender.name in _OURS):
            _measure_case(contender, case, port, found)
    with running(contender, Asked(origin.url, CLIENT, _SOON_STALE_SECONDS)) as port:
        _warm(port)
        _measure_case(contender, Case("revalidation", [_PAGE]), port, found)
        origin.faults = [Fault("status", status=503)]
        time.sleep(_SOON_STALE_SECONDS)
        _measure_case(contender, Case("outage", [_PAGE]), port, found)


def _fresh_cases(tag: str, origin: OriginDouble, *, filters: bool) -> Iterator[Case]:
    addresses = [user["email"].replace("+", "%2B") for user in origin.users(CLIENT)]
    asked = [f"{_BASE}?emails={address}" for address in addresses]
    yield Case("hit", [_PAGE])
    yield Case("304", [_PAGE], {"If-None-Match": tag}, _NOT_MODIFIED)
    if filters:
        yield Case("filter", [_FILTER])
    yield Case("lookup_first", asked, repeated=False)
    yield Case("lookup_again", asked[:1])


def _measure_case(contender: Contender, case: Case, port: int, found: Found) -> None:
    def load(seconds: float) -> Load:
        return Load(port=port, paths=case.paths, headers=case.headers, rate=RATE, seconds=seconds)

    outcome = at_rate(load(_FIXED_SECONDS))
    if set(outcome.statuses) != {case.status}:
        raise RuntimeError(
            f"{contender.name}, {case.name}: answered {sorted(set(outcome.statuses))}"
        )
    milliseconds = [1e3 * each for each in outcome.seconds]
    found.sample(_row(contender.name, case.name, "ms"), milliseconds)
    slowest = percentile(milliseconds, 0.99)
    found.add(_row(contender.name, case.name, "p99_ms"), slowest, "ms")
    if case.repeated:
        most = at_most(load(_MOST_SECONDS))
        found.add(_row(contender.name, case.name, "rps"), most, "1/s")


def _warm(port: int) -> str:
    """Ask for the page, so that it is kept; return the tag that it has from then on."""
    _ask(port)
    return _ask(port)


def _ask(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", _PAGE)
        answer = connection.getresponse()
        answer.read()
        if answer.status != _OK:
            raise RuntimeError(f"no answer to begin with: {answer.status}")
        return answer.headers["ETag"]
    finally:
        connection.close()
