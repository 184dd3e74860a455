"""Judges answers by what the origin was and told; says in words what is wrong with one.

An answer's ``Age`` says when the oldest thing in it was seen, to the second: not before
``sent - Age - 1`` (whole seconds are rounded down). Without ``Age`` the origin was asked for this
very request. From then until the answer came,

- the rows of a window are the view of *one* sweep (``tests.soak.history``), in which single users
  may be as a later call by id or address told (``no-cache`` of named users publishes that). Users
  past the origin's window come from calls of their own, each by itself;
- a row of a named user, or one user, is what some call told of him;
- of an *organized* client, whose organization's list is swept: see ``tests.soak.organized``;
- who is said not to exist did not, for a moment at least.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import override

from tests.soak.history import HIDDEN_KEY, WRONG_BY_SECONDS, Directory, History, Row, beside_hidden
from tests.soak.match import Match, Told
from tests.soak.organized import wrong_with
from tests.soak.questions import EVERYBODY, Cache, Named, One, Question, View, Window

LONGEST_OUTAGE_SECONDS = 240.0
"""Errors do not tell an age: what they rest on is no older than this."""

HEAD_SECONDS = 1.0
"""How long an environment may not know of a new generation."""

MENDED_SECONDS = 60.0
"""How long what a wrong clock has written may be told after it goes right again."""

SECRET_SECONDS = 20.0
"""How long a client that is put back into the secret may still be unknown."""

CONFIRMED_SECONDS = 180.0
"""How long users may be unconfirmed who went at once, or seemed to."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, sent and received at epoch seconds.

    Header names are lower case. The ``body`` of a 304 or of a HEAD is that of the answer which the
    reader has already. ``pinned``: a cursor was sent.
    """

    question: Question
    sent: float
    received: float
    status: int
    headers: Mapping[str, str]
    body: bytes
    method: str = "GET"
    directive: str = ""
    pinned: bool = False

    @property
    def age(self) -> int | None:
        """The answer's own word on its age."""
        return int(self.headers["age"]) if "age" in self.headers else None

    @property
    def since(self) -> float:
        """From when on everything in it must have been seen."""
        return self.sent if self.age is None else self.sent - self.age - 1

    @property
    def of_front(self) -> bool:
        """Whether the front answers in place of the service, whose own errors all have an id."""
        return "x-request-id" not in self.headers

    @override
    def __str__(self) -> str:
        told = [self.method, self.question.told, self.directive, "pinned" if self.pinned else ""]
        cache_status = self.headers.get("cache-status", "-")
        return f"{' '.join(filter(None, told))} -> {self.status} age={self.age} {cache_status}"


@dataclass
class Oracle:
    """Judges the answers of one service, whose answers are fresh for ``fresh_seconds``."""

    history: History
    fresh_seconds: int
    organized: Sequence[str] = ()
    tally: Counter[str] = field(default_factory=Counter)
    _bodies: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    _adopted: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    _generations: dict[str, list[tuple[float, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _refreshed: dict[str, tuple[float, float]] = field(default_factory=dict)

    def judge(self, seen: Exchange) -> list[str]:
        """Return what is wrong with an answer; the history must know what was until it came."""
        self.tally["answers checked"] += 1
        self.tally[f"status {seen.status}"] += 1
        match seen.status, seen.question:
            case 404, _ if self.history.was_broken(
                "secret", seen.sent - SECRET_SECONDS, seen.received
            ):
                self.tally["clients left out of the secret"] += 1
                return []
            case 200 | 304, Cache():
                return list(self._judge_cache(seen))
            case 200 | 304, _:
                return [*self._judge_fields(seen), *self._judge_body(seen)]
            case 404, One():
                return list(self._judge_absence(seen))
            case status, _ if status >= 500 or status == 410:
                return list(self._judge_failure(seen))
            case _:
                return ["nothing that was asked for has this status"]

    def judge_traversal(self, pages: Sequence[Exchange]) -> list[str]:
        """Return what is wrong with all pages of a traversal together."""
        self.tally["traversals checked"] += 1
        rows = [row for page in pages for row in _read(page.body)["data"]]
        ids = [row["id"] for row in rows]
        if any(low >= high for low, high in pairwise(ids)):
            return ["a traversal shows a user twice, or out of order"]
        first, question = pages[0], pages[0].question
        assert isinstance(question, Window)
        whole = Window(question.client_id, question.view, limit=10**9, offset=0)
        since = min(self._since(page) for page in pages)
        told = Told(rows, json.loads(first.body)["pagination"])
        directory = self._directory(first)
        if question.client_id in self.organized:
            # Who is gone since the first page was there until then.
            return list(wrong_with(directory, whole, told, since, first.received))
        if self._is_of_one_sweep(whole, told, since, first.received):
            return []
        sweeps = list(directory.sweeps_between(since, first.received))
        why = [Match(directory, each, whole, told, first.received).why(since) for each in sweeps]
        return [f"the pages of a traversal are not those of one sweep, of {len(why)}: {why[:2]}"]

    def _since(self, seen: Exchange) -> float:
        """Return from when on everything in it must have been seen, by a clock that was right."""
        wrong = self.history.was_broken("clock", seen.since - MENDED_SECONDS, seen.received)
        return seen.since - WRONG_BY_SECONDS if wrong else seen.since

    def _directory(self, seen: Exchange) -> Directory:
        return self.history.clients[seen.question.client_id]

    def _judge_fields(self, seen: Exchange) -> Iterator[str]:
        """What the header fields say of themselves and of each other."""
        for part in seen.headers.get("cache-status", "").split("; "):
            name, _, value = part.partition("=")
            if (
                name == "ttl"
                and seen.age is not None
                and int(value) != self.fresh_seconds - seen.age
            ):
                yield "ttl and Age contradict each other"
        key = (seen.question.client_id, seen.question.told, seen.headers["etag"])
        # Names are not told, and a cursor belongs to another window than the question's.
        if not isinstance(seen.question, Named) and not seen.pinned and seen.body:
            digest = sha256(seen.body).digest()
            if self._bodies.setdefault(key, digest) != digest:
                yield "two bodies have the same ETag"
        if f'"{HIDDEN_KEY}"'.encode() in seen.body and self.history.hid(seen.sent, seen.received):
            yield "what is hidden is answered"
        yield from self._judge_refreshed(seen)

    def _judge_refreshed(self, seen: Exchange) -> Iterator[str]:
        """A refresh that waited is seen by whoever asks after it."""
        if seen.question.client_id in self.organized:
            # Whoever is not in the list is as old as the last time that he was asked for.
            return
        done, began = self._refreshed.get(seen.question.client_id, (seen.received, 0.0))
        if done >= seen.sent or seen.pinned or seen.age is None:
            return
        # Environments may go on with the head they know while the table is down.
        if self.history.was_broken("table", done - 5, seen.received):
            return
        if self.history.was_broken("clock", began - MENDED_SECONDS, seen.received):
            return
        # Users who may be gone are as old as the sweep that saw them last.
        if self.history.was_doubtful(
            seen.question.client_id, began - CONFIRMED_SECONDS, seen.received
        ):
            return
        # Users past the window are as old as the last time they were asked for.
        past_window = any(not sweep.complete for sweep in self._directory(seen).sweeps[-1:])
        if seen.age > seen.received - began and not past_window:
            yield f"it is {seen.age} s old, but a refresh began {seen.received - began:.1f} s ago"

    def _judge_body(self, seen: Exchange) -> Iterator[str]:
        if not seen.body:
            self.tally["answers without a known body"] += 1
            return
        answer = _read(seen.body)
        match seen.question:
            case Window() as question:
                yield from self._judge_window(seen, question, answer)
            case Named() as question:
                yield from self._judge_named(seen, question, answer)
            case One() as question:
                if not self._is_told(seen, question.user_id, answer["data"], question.view):
                    yield self._why(seen, question.user_id, answer["data"], question.view)
            case _:
                yield "no such question"

    def _is_told(self, seen: Exchange, user_id: int, shown: Row, view: View) -> bool:
        """Return whether some call told of a user what is ``shown`` of him, since Age tells."""
        directory, since = self._directory(seen), self._since(seen)
        if seen.question.client_id in self.organized:
            return directory.was(
                user_id, since, seen.received, lambda row: view.shown(row) == shown
            )
        sightings = directory.sightings(user_id, since, seen.received)
        return any(row is not None and view.shown(row) == shown for row in sightings)

    def _why(self, seen: Exchange, user_id: int, row: Row, view: View) -> str:
        for span in self._directory(seen).spans.get(user_id, ()):
            if span.row is not None and view.shown(span.row) == row:
                moment = self._since(seen)
                since, until = span.since - moment, span.until - moment
                return (
                    f"user {user_id} was so from {since:.2f} s to {until:.2f} s after the moment"
                    f" that Age tells, which no call told until {seen.received - moment:.2f} s"
                )
        return f"user {user_id} was never so"

    def _judge_window(self, seen: Exchange, question: Window, answer: Row) -> Iterator[str]:
        told = Told(answer["data"], answer["pagination"])
        if wrong := told.contradiction(question, seen.headers.get("x-total-count")):
            yield wrong
        if seen.pinned:
            # Judged with the rest of its traversal.
            return
        if question.client_id in self.organized:
            directory, since = self._directory(seen), self._since(seen)
            yield from wrong_with(directory, question, told, since, seen.received)
        elif not self._is_of_one_sweep(question, told, self._since(seen), seen.received):
            yield self._describe(seen, told)
            return
        self._note_adopted(seen, told)

    def _describe(self, seen: Exchange, told: Told) -> str:
        directory = self._directory(seen)
        older = list(directory.sweeps_between(0, seen.received))
        question = seen.question
        assert isinstance(question, Window)
        for sweep in older:
            if Match(directory, sweep, question, told, seen.received).holds():
                late = self._since(seen) - sweep.began_at
                return f"this is a sweep that began {late:.2f} s before what Age allows"
        unknown = [
            row["id"]
            for row in told.rows
            if all(
                span.row is None or question.view.shown(span.row) != row
                for span in directory.spans.get(row["id"], ())
            )
        ]
        if unknown:
            return f"users {unknown[:5]} were never so"
        return f"a mixture: no sweep shows this ({len(told.rows)} rows of {told.total})"

    def _is_of_one_sweep(self, question: Window, told: Told, since: float, until: float) -> bool:
        directory = self.history.clients[question.client_id]
        for sweep in directory.sweeps_between(since, until):
            match = Match(directory, sweep, question, told, until)
            if match.holds() and match.past_window_seen(since):
                return True
        return False

    def _note_adopted(self, seen: Exchange, told: Told) -> None:
        """Remember who is listed past the window: he is in every later generation."""
        directory, question = self._directory(seen), seen.question
        last = directory.sweeps[-1].rows if directory.sweeps else {}
        for row in told.rows:
            if row["id"] not in last or question.client_id in self.organized:
                self._adopted[question.client_id].setdefault(row["id"], seen.received)

    def _judge_named(self, seen: Exchange, question: Named, answer: Row) -> Iterator[str]:
        left = dict(question.names)
        for row in answer["data"]:
            name = next((name for name in left if question.has(name, row)), None)
            if name is None:
                yield f"user {row['id']} was not asked for"
                continue
            del left[name]
            if not self._is_told(seen, row["id"], row, EVERYBODY):
                yield self._why(seen, row["id"], row, EVERYBODY)
        for name in answer.get("notFound", ()):
            if not self._may_be_missing(question, name, left.pop(name, None), seen):
                yield f"user {question.names.get(name)} is said not to exist"
        for name in answer.get("notAsked", ()):
            self.tally["names not asked for"] += 1
            user_id = left.pop(name, None)
            if user_id is not None and self._is_known_as(question, name, user_id, seen):
                yield f"user {user_id} is known, and said not to have been asked for"
        if left:
            yield f"users {list(left.values())} are neither shown nor said to be missing"

    def _may_be_missing(
        self, question: Named, name: str | int, user_id: int | None, seen: Exchange
    ) -> bool:
        if user_id is None:
            return True
        spans = self._directory(seen).spans.get(user_id, ())
        return not spans or any(
            (span.row is None or not question.has(name, span.row))
            and span.since <= seen.received
            and span.until >= self._since(seen)
            for span in spans
        )

    def _judge_absence(self, seen: Exchange) -> Iterator[str]:
        assert isinstance(seen.question, One)
        since = seen.sent - LONGEST_OUTAGE_SECONDS
        for part in seen.headers.get("cache-status", "").split("; "):
            name, _, value = part.partition("=")
            if name == "ttl":
                since = seen.sent - (self.fresh_seconds - int(value)) - 1
        if self.history.was_broken("clock", since - MENDED_SECONDS, seen.received):
            since -= WRONG_BY_SECONDS
        if not self._directory(seen).absent(seen.question.user_id, since, seen.received):
            yield "the user has been there all the time"

    def _judge_failure(self, seen: Exchange) -> Iterator[str]:
        """An error is right only where nothing usable is stored, or can be read."""
        question = seen.question
        if seen.status == 502 and seen.of_front:
            if self.history.was_killed("api", seen.sent - 1, seen.received):
                self.tally["requests that died with their process"] += 1
                return
        elif self.history.was_broken("table", seen.sent, seen.received):
            self.tally["errors while the table was down"] += 1
            return
        elif seen.status == 410 and self.history.hid_otherwise(
            seen.sent - LONGEST_OUTAGE_SECONDS, seen.received
        ):
            self.tally["cursors from before something was hidden"] += 1
            return
        elif seen.status == 504 and "only-if-cached" in seen.directive:
            self.tally["only-if-cached not met"] += 1
            return
        elif isinstance(question, Cache) and question.refreshes and seen.status in {502, 503, 504}:
            self.tally["refreshes not done"] += 1
            return
        elif isinstance(question, One) and not self._is_known(seen, question.user_id):
            self.tally["unknown users not asked for"] += 1
            return
        code = seen.body[:300].decode(errors="replace")
        yield f"an error although a usable snapshot is stored: {code}"

    def _is_known_as(self, question: Named, name: str | int, user_id: int, seen: Exchange) -> bool:
        since = seen.sent - LONGEST_OUTAGE_SECONDS
        return self._is_known(seen, user_id) and all(
            span.row is not None and question.has(name, span.row)
            for span in self._directory(seen).spans[user_id]
            if span.until >= since
        )

    def _is_known(self, seen: Exchange, user_id: int) -> bool:
        """Return whether every snapshot that may have been read has the user."""
        directory = self._directory(seen)
        since = seen.sent - LONGEST_OUTAGE_SECONDS
        if directory.absent(user_id, since, seen.received):
            return False
        adopted = self._adopted[seen.question.client_id].get(user_id)
        if adopted is not None and adopted < seen.sent - HEAD_SECONDS:
            return True
        if seen.question.client_id in self.organized:
            return False
        sweeps = directory.sweeps_between(since, seen.received)
        return all(user_id in sweep.rows for sweep in sweeps)

    def _judge_cache(self, seen: Exchange) -> Iterator[str]:
        assert isinstance(seen.question, Cache)
        client_id, data = seen.question.client_id, json.loads(seen.body)["data"]
        known = self._generations[client_id]
        before = bisect_left(known, seen.sent, key=lambda each: each[0])
        newest = max((generation for _, generation in known[:before]), default=0)
        if data["generation"] < newest:
            yield f"generation {data['generation']} after generation {newest}"
        known.append((seen.received, data["generation"]))
        known.sort()
        # One that found nothing new leaves it to each environment when to learn of that.
        if seen.question.refreshes and data["outcome"] != "unchanged":
            self.tally["refreshes that published or joined"] += 1
            self._refreshed[client_id] = max(
                self._refreshed.get(client_id, (0.0, 0.0)), (seen.received, seen.sent)
            )


def _read(body: bytes) -> Row:
    """Return the answer in a body, its users without what is hidden now and then."""
    answer: Row = json.loads(body)
    data = answer["data"]
    many = isinstance(data, list)
    return answer | {"data": [beside_hidden(row) for row in data] if many else beside_hidden(data)}
