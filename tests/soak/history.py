"""Follows the record of a soak and knows what the origin was at each moment, and what it told.

What a reader may be shown is decided here:

- A *sweep* is what the origin answered to the list calls of one revalidation: the call of the first
  window alone, if that held everybody, or a call of the far window and, later, one of the first,
  in which whoever is in both is as the later call saw him.
- An *observation* is what any one call told of one user.

Instants are epoch seconds. A row is the origin's document of one user, as parsed JSON.
"""

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

type Row = dict[str, Any]

HIDDEN_KEY = "seat"
"""The key of metadata that is hidden now and then; what is compared is what is beside it."""

WRONG_BY_SECONDS = 20
"""By how much a clock is wrong now and then: less than what clocks may be apart."""

LONGEST_SWEEP_SECONDS = 20.0
"""A holder's lease ends before; its two list calls cannot be further apart."""

_FAR_CALLS = 4


@dataclass(frozen=True, slots=True)
class ListCall:
    """The rows that the origin had for one list call at ``at``; where it ``told`` them, no other.

    Of a list that was made shorter these are all the same: whoever was left out has to be asked
    for, and is then told of by a call of his own.
    """

    at: float
    offset: int
    limit: int
    rows: Sequence[Row]
    told: bool = True

    @property
    def full(self) -> bool:
        """Whether there may be more users behind these."""
        return len(self.rows) >= self.limit


@dataclass(frozen=True)
class Sweep:
    """The list calls of one revalidation, in the order in which they were made."""

    calls: tuple[ListCall, ...]

    @property
    def began_at(self) -> float:
        return self.calls[0].at

    @property
    def ended_at(self) -> float:
        return self.calls[-1].at

    @property
    def complete(self) -> bool:
        """Whether these are all users; else there may be some with higher ids."""
        return not self.calls[0].full

    @cached_property
    def rows(self) -> dict[int, Row]:
        """The rows by rising id."""
        seen = {row["id"]: row for call in self.calls for row in call.rows}
        return {user_id: seen[user_id] for user_id in sorted(seen)}

    @cached_property
    def last_id(self) -> int:
        return max(self.rows, default=0)


@dataclass(frozen=True, slots=True)
class Span:
    """From when and until when a user's row was what it was; None: there was no such user."""

    row: Row | None
    since: float
    until: float = float("inf")


@dataclass(frozen=True, slots=True)
class Single:
    """What a call by id or address told of one user at ``at``."""

    at: float
    user_id: int
    row: Row | None


@dataclass
class Directory:
    """One client's users through time."""

    now: dict[int, Row] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    spans: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    lists: list[ListCall] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)
    singles: list[Single] = field(default_factory=list)

    def put(self, at: float, user_id: int, row: Row | None) -> None:
        """Note what a user is from ``at`` on."""
        spans = self.spans[user_id] or [Span(None, 0.0)]
        spans[-1:] = [Span(spans[-1].row, spans[-1].since, at), Span(row, at)]
        self.spans[user_id] = spans
        if row is None:
            del self.now[user_id]
            self.ids.remove(user_id)
            return
        if user_id not in self.now:
            insort(self.ids, user_id)
        self.now[user_id] = row

    def list(self, at: float, offset: int, limit: int, *, told: bool = True) -> None:
        """Note a list call that was answered at ``at``, and the sweeps that it may end."""
        rows = [self.now[user_id] for user_id in self.ids[offset : offset + limit]]
        call = ListCall(at, offset, limit, rows, told)
        if offset == 0:
            before = [
                each
                for each in self.lists[-20:]
                if each.offset and at - each.at < LONGEST_SWEEP_SECONDS
            ]
            self.sweeps += [Sweep((far, call)) for far in before[-_FAR_CALLS:]]
            if not call.full:
                self.sweeps.append(Sweep((call,)))
        self.lists.append(call)

    def observe(self, at: float, user_id: int) -> None:
        """Note that a call told of one user at ``at``."""
        self.singles.append(Single(at, user_id, self.now.get(user_id)))

    def absent(self, user_id: int, since: float, until: float) -> bool:
        """Return whether there was a moment without the user."""
        spans = self.spans.get(user_id)
        return not spans or any(
            span.row is None and span.since <= until and span.until >= since for span in spans
        )

    def was(self, user_id: int, since: float, until: float, test: Callable[[Row], bool]) -> bool:
        """Return whether a user was as ``test`` says at some moment from ``since`` to ``until``."""
        return any(
            span.row is not None and test(span.row)
            for span in self.spans.get(user_id, ())
            if span.since <= until and span.until >= since
        )

    def always(self, user_id: int, since: float, until: float, test: Callable[[Row], bool]) -> bool:
        """Return whether he was so all that time."""
        return all(
            span.row is not None and test(span.row)
            for span in self.spans[user_id]
            if span.since <= until and span.until >= since
        )

    def singles_since(self, since: float) -> Iterator[Single]:
        """Yield what calls about single users told from ``since`` on, the latest first."""
        for single in reversed(self.singles):
            if single.at < since:
                return
            yield single

    def sightings(self, user_id: int, since: float, until: float) -> Iterator[Row | None]:
        """Yield what calls from ``since`` to ``until`` told of a user, the latest first."""
        for single in self.singles_since(since):
            if single.user_id == user_id and single.at <= until:
                yield single.row
        for call in reversed(self.lists):
            if call.at < since:
                break
            if call.told and call.at <= until:
                place = bisect_left(call.rows, user_id, key=_id_of)
                if place < len(call.rows) and call.rows[place]["id"] == user_id:
                    yield call.rows[place]

    def sweeps_between(self, since: float, until: float) -> Iterator[Sweep]:
        """Yield the sweeps that began at ``since`` or later and ended by ``until``, last first."""
        for sweep in reversed(self.sweeps):
            if sweep.ended_at < since:
                break
            if sweep.began_at >= since and sweep.ended_at <= until:
                yield sweep


def beside_hidden(row: Row) -> Row:
    """Return a row without what is hidden now and then."""
    metadata = row.get("metadata")
    if not isinstance(metadata, dict) or HIDDEN_KEY not in metadata:
        return row
    kept = {key: value for key, value in metadata.items() if key != HIDDEN_KEY}
    return {**row, "metadata": kept}


class History:
    """All clients' directories, and what was broken when."""

    def __init__(self) -> None:
        self.until = 0.0
        self.clients: dict[str, Directory] = defaultdict(Directory)
        self.broken: dict[str, list[list[float]]] = defaultdict(list)
        self.kills: list[tuple[float, str]] = []
        self.hiding: list[tuple[float, bool]] = []
        self.doubts: list[tuple[float, str]] = []

    def take(self, entry: Sequence[Any]) -> None:  # noqa: C901, PLR0912 - one case a kind.
        """Take in one entry of the record."""
        kind, at, *rest = entry
        match kind, rest:
            case "put", [client_id, row]:
                self.clients[client_id].put(at, row["id"], beside_hidden(row))
            case "gone", [client_id, user_id]:
                self.clients[client_id].put(at, user_id, None)
            case "list", [client_id, offset, limit]:
                self.clients[client_id].list(at, offset, limit)
            case "fill", [client_id, rows]:
                for row in rows:
                    self.clients[client_id].put(0.0, row["id"], beside_hidden(row))
            case "user", [client_id, user_id]:
                self.clients[client_id].observe(at, user_id)
            case "shorter", [client_id, ids, offset, limit]:
                self.doubts.append((at, client_id))
                for user_id in ids:
                    self.clients[client_id].observe(at, user_id)
                # Once a doubt is ripe, and whoever is missing has been asked for, such a sweep is
                # as good as any: its instant is what Age tells.
                self.clients[client_id].list(at, offset, limit, told=False)
            case "doubtful", [client_id]:
                self.doubts.append((at, client_id))
            case "emails", [client_id, addresses]:
                self._observe_addresses(at, client_id, set(addresses))
            case "breaks", [what]:
                self.broken[what].append([at, float("inf")])
            case "mended", [what]:
                self.broken[what][-1][1] = at
            case "hides", [hidden]:
                self.hiding.append((at, bool(hidden)))
            case "kill", [function]:
                self.kills.append((at, function))
            case _:
                pass
        self.until = at

    def was_broken(self, what: str, since: float, until: float) -> bool:
        """Return whether ``what`` was broken at any moment from ``since`` to ``until``."""
        return any(start <= until and end >= since for start, end in self.broken[what])

    def hid(self, since: float, until: float) -> bool:
        """Return whether ``HIDDEN_KEY`` was hidden from ``since`` to ``until``."""
        before = [hidden for at, hidden in self.hiding if at < since]
        meanwhile = [hidden for at, hidden in self.hiding if since <= at <= until]
        return bool(before) and all([before[-1], *meanwhile])

    def hid_otherwise(self, since: float, until: float) -> bool:
        """Return whether what is hidden changed at any moment from ``since`` to ``until``."""
        return any(since <= at <= until for at, _ in self.hiding)

    def was_doubtful(self, client_id: str, since: float, until: float) -> bool:
        """Return whether a client lost many users from ``since`` to ``until``, or seemed to."""
        return any(since <= at <= until and whose == client_id for at, whose in self.doubts)

    def was_killed(self, function: str, since: float, until: float) -> bool:
        """Return whether a process of ``function`` was killed from ``since`` to ``until``."""
        return any(since <= at <= until and name == function for at, name in self.kills)

    def _observe_addresses(self, at: float, client_id: str, addresses: set[str]) -> None:
        directory = self.clients[client_id]
        for user_id, row in directory.now.items():
            if row["email"] in addresses:
                directory.observe(at, user_id)


class Follower:
    """Reads a record as it grows."""

    def __init__(self, path: Path) -> None:
        self.history = History()
        self._file = path.open(encoding="utf-8")
        self._rest = StringIO()

    def catch_up(self) -> None:
        """Take in what was written since."""
        for line in self._file:
            self._rest.write(line)
            if line.endswith("\n"):
                self.history.take(json.loads(self._rest.getvalue()))
                self._rest = StringIO()

    def close(self) -> None:
        """Read no more."""
        self._file.close()


def _id_of(row: Row) -> int:
    user_id: int = row["id"]
    return user_id
