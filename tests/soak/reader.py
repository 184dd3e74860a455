"""A reader: a process that asks one thing after the other and has every answer judged."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urljoin, urlsplit

from tests.soak.history import Follower
from tests.soak.oracle import Exchange, Oracle
from tests.soak.questions import (
    EVERYBODY,
    FEW_FIELDS,
    OTHER_ORDERS,
    RISING,
    Cache,
    Named,
    One,
    Question,
    View,
    Window,
)

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_LIMITS = (1, 10, 50, 100, 250)
_OFFSETS = (0, 0, 0, 7, 50, 240, 500, 1_000)
_REPORT_SECONDS = 1.0
_REQUEST_SECONDS = 40
_MOST_NAMES = 30
_MOST_TAGS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a reader is told: whom to ask until when (epoch seconds), and what to draw from.

    ``whole`` are the clients whose users all fit into the origin's window, ``organized`` those
    whose organization's list is swept.
    """

    url: str
    record: Path
    clients: Sequence[str]
    whole: Sequence[str]
    organized: Sequence[str]
    fresh_seconds: int
    seed: int
    until: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a reader has seen since its last report."""

    tally: Mapping[str, int]
    violations: Sequence[str]


def read(job: Job, reports: "Queue[Report]") -> None:
    """Ask until the time is over; reports go to ``reports`` once a second, and at the end."""
    reader = _Reader(job)
    due = time.time() + _REPORT_SECONDS
    while time.time() < job.until:
        reader.ask()
        if time.time() > due:
            reports.put(reader.report())
            due = time.time() + _REPORT_SECONDS
    reports.put(reader.report())
    reader.close()


class _Manner(TypedDict, total=False):
    """How something is asked."""

    method: str
    directive: str


class _Reader:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._draw = random.Random(job.seed)  # noqa: S311 - what to ask next is no secret.
        self._follower = Follower(job.record)
        self._oracle = Oracle(self._follower.history, job.fresh_seconds, job.organized)
        self._connection = HTTPConnection(urlsplit(job.url).netloc, timeout=_REQUEST_SECONDS)
        self._tags: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._ids: dict[str, list[int]] = {}
        self._violations: list[str] = []
        self._follower.catch_up()

    def ask(self) -> None:
        """Ask one thing, which is a whole traversal now and then."""
        client_id = self._draw.choice(self._job.clients)
        if self._draw.random() < 0.01:
            self._traverse(client_id)
            return
        question = self._question(client_id)
        exchange = self._exchange(question, question.target, **self._manner(question))
        if exchange:
            self._note(exchange, self._oracle.judge(exchange))

    def report(self) -> Report:
        """Return what was seen since the last report."""
        report = Report(dict(self._oracle.tally), list(self._violations))
        self._oracle.tally.clear()
        self._violations.clear()
        return report

    def close(self) -> None:
        """Ask no more."""
        self._connection.close()
        self._follower.close()

    def _question(self, client_id: str) -> Question:
        kinds: Sequence[Callable[[str], Question]]
        kinds = (self._window, self._one, self._named, self._cache)
        (kind,) = self._draw.choices(kinds, (50, 22, 20, 8))
        return kind(client_id)

    def _window(self, client_id: str) -> Window:
        views = [*RISING, *(OTHER_ORDERS if client_id in self._job.whole else ())]
        view = self._draw.choice([EVERYBODY, self._draw.choice(views)])
        limit, offset = self._draw.choice(_LIMITS), self._draw.choice(_OFFSETS)
        return Window(client_id, view, limit, offset)

    def _one(self, client_id: str) -> One:
        view: View = self._draw.choice([EVERYBODY, EVERYBODY, FEW_FIELDS])
        return One(client_id, self._somebody(client_id), view)

    def _named(self, client_id: str) -> Named:
        some = {self._somebody(client_id) for _ in range(self._draw.randint(1, _MOST_NAMES))}
        posted = self._draw.random() < 0.5
        if self._draw.random() < 0.5:
            return Named(client_id, "ids", {user_id: user_id for user_id in some}, posted)
        spans = self._follower.history.clients[client_id].spans
        rows = (span.row for user_id in some for span in spans.get(user_id, ())[-2:])
        names: dict[str | int, int | None] = {row["email"]: row["id"] for row in rows if row}
        names |= {f"nobody-{self._draw.randrange(5)}@example.com": None}
        return Named(client_id, "emails", names, posted)

    def _cache(self, client_id: str) -> Cache:
        return Cache(client_id, refreshes=self._draw.random() < 0.01)

    def _somebody(self, client_id: str) -> int:
        """Return the id of a user, there or gone; rarely one that nobody has."""
        spans = self._follower.history.clients[client_id].spans
        if self._draw.random() < 0.01:
            return 10**9 + self._draw.randrange(20)
        # Manifest them takes time: the newest are learnt of now and then.
        if client_id not in self._ids or self._draw.random() < 0.01:
            self._ids[client_id] = list(spans)
        return self._draw.choice(self._ids[client_id])

    def _manner(self, question: Question) -> _Manner:
        if isinstance(question, Cache):
            return {"method": "POST" if question.refreshes else "GET"}
        posted = isinstance(question, Named) and question.posted
        method = "POST" if posted else "HEAD" if self._draw.random() < 0.03 else "GET"
        (directive,) = self._draw.choices(["", "no-cache", "only-if-cached"], [94, 2, 4])
        return {"method": method, "directive": directive}

    def _exchange(
        self,
        question: Question,
        target: str,
        *,
        method: str = "GET",
        directive: str = "",
        pinned: bool = False,
    ) -> Exchange | None:
        """Ask; None where the connection broke, which the front does to nobody."""
        headers = {"Cache-Control": directive} if directive else {}
        tag, body = self._tags.get((question.client_id, target), ("", b""))
        conditional = tag and method == "GET" and self._draw.random() < 0.5
        if conditional:
            headers["If-None-Match"] = tag
        content = None
        if isinstance(question, Named) and question.posted:
            content = dumps({question.kind: list(question.names)})
            headers["Content-Type"] = "application/json"
        sent = time.time()
        try:
            self._connection.request(
                method, self._path(question.client_id, target), content, headers
            )
            answer = self._connection.getresponse()
            received_body = answer.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            self._violations.append(f"{method} {question.told}: {type(error).__name__}")
            return None
        received = time.time()
        self._follower.catch_up()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        exchange = Exchange(
            question,
            sent,
            received,
            answer.status,
            fields,
            body if answer.status == 304 else received_body,
            method,
            directive,
            pinned,
        )
        if answer.status == 200 and method == "GET" and "etag" in fields:
            self._remember((question.client_id, target), fields["etag"], received_body)
        if answer.status == 304 and (not conditional or fields["etag"] != tag):
            self._note(exchange, ["a 304 with another tag than the one sent"])
        return exchange

    def _remember(self, key: tuple[str, str], tag: str, body: bytes) -> None:
        self._tags.pop(key, None)
        self._tags[key] = (tag, body)
        if len(self._tags) > _MOST_TAGS:
            del self._tags[next(iter(self._tags))]

    def _traverse(self, client_id: str) -> None:
        limit = self._draw.choice((50, 100, 250))
        question = Window(client_id, EVERYBODY, limit, 0)
        pages = list(self._pages(question))
        whole = all(page.status == 200 for page in pages) and all(page.pinned for page in pages[1:])
        if pages and whole:
            self._note(pages[0], self._oracle.judge_traversal(pages))

    def _pages(self, question: Window) -> Iterator[Exchange]:
        target: str | None = question.target
        for number in count():
            if target is None:
                return
            place = Window(
                question.client_id, question.view, question.limit, number * question.limit
            )
            page = self._exchange(place, target, pinned="cursor=" in target)
            if page is None:
                return
            self._note(page, self._oracle.judge(page))
            yield page
            target = _next(target, page.headers.get("link", ""))

    def _path(self, client_id: str, target: str) -> str:
        return f"/v2/oauth-clients/{client_id}{target}"

    def _note(self, exchange: Exchange, wrong: Sequence[str]) -> None:
        client = exchange.question.client_id
        self._violations += [
            f"{exchange.received:.3f} {client} {exchange}: {each}" for each in wrong
        ]


def _next(target: str, links: str) -> str | None:
    for link in links.split(", "):
        with suppress(ValueError):
            reference, relation = link.split(">; ")
            if relation == 'rel="next"':
                return urljoin(target, reference.removeprefix("<"))
    return None
