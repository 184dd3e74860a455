"""Compares a list with the sweeps that it may show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from tests.soak.history import Directory, Row, Sweep
from tests.soak.questions import Window

_MOST_GUESSES = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What a list says: its rows, and how many there are in all."""

    rows: Sequence[Row]
    pagination: Mapping[str, object]

    @property
    def total(self) -> int:
        return int(str(self.pagination["totalItems"]))

    @property
    def unconfirmed(self) -> bool:
        """Whether it says that some of its users may be gone."""
        return self.pagination["incompleteReason"] == "unconfirmed-deletions"

    def contradiction(self, question: Window, total: str | None) -> str | None:
        """Return how the answer contradicts itself."""
        shown = self.pagination["returnedItems"]
        if shown != len(self.rows) or len(self.rows) > question.limit:
            return "returnedItems or limit is not what is shown"
        if total is not None and int(total) != self.total:
            return "X-Total-Count is not totalItems"
        return None


class Match:
    """Whether a list shows one sweep, seen from ``until`` back."""

    def __init__(
        self, directory: Directory, sweep: Sweep, question: Window, told: Told, until: float
    ) -> None:
        self._directory = directory
        self._sweep = sweep
        self._view = question.view
        self._place = slice(question.offset, question.offset + question.limit)
        self._told = told
        self._until = until
        self._shown = {row["id"]: row for row in told.rows}

    def holds(self) -> bool:
        """Return whether the rows shown are the view of this sweep."""
        base = dict(self._sweep.rows)
        unsure: dict[int, list[Row | None]] = {}
        for user_id, alternatives in self._alternatives().items():
            if user_id not in self._shown:
                unsure[user_id] = [base.get(user_id), *alternatives]
                continue
            for row in alternatives:
                if row is not None and self._is_shown(row):
                    base[user_id] = row
        for row in self._told.rows:
            known = base.get(row["id"])
            if not (self._is_extra(row) if known is None else self._is_shown(known)):
                return False
        return any(
            self._is_view_of(base | dict(zip(unsure, guess, strict=True)))
            for guess in islice(product(*unsure.values()), _MOST_GUESSES)
        )

    def why(self, since: float) -> str:
        """Say in what the rows shown are not the view of this sweep, seen from ``since`` on."""
        base = self._sweep.rows
        shown, there = self._shown, base.keys()
        extra = [id_ for id_ in shown.keys() - there if not self._is_extra(shown[id_])]
        other = [id_ for id_ in shown.keys() & there if not self._is_shown(base[id_])]
        parts = {
            "extra": sorted(extra)[:4],
            "missing": sorted(there - shown.keys())[:4],
            "others": sorted(other)[:4],
            "told of since": [id_ for id_ in other if id_ in self._alternatives()][:4],
            "past the window seen": self.past_window_seen(since),
            "unconfirmed": self._told.unconfirmed,
            "total": (self._told.total, len(shown), len(base)),
        }
        return ", ".join(f"{name}: {part}" for name, part in parts.items())

    def past_window_seen(self, since: float) -> bool:
        """Return whether whoever is shown past the window was seen so since then."""
        return all(
            any(
                seen is not None and self._view.shown(seen) == row
                for seen in self._directory.sightings(user_id, since, self._until)
            )
            for user_id, row in self._shown.items()
            if self._is_past(user_id)
        )

    def _alternatives(self) -> dict[int, list[Row | None]]:
        """Return what calls about single users told of them since, where that is another thing."""
        told: dict[int, list[Row | None]] = {}
        for single in self._directory.singles_since(self._sweep.began_at):
            if single.at > self._until or self._is_past(single.user_id):
                continue
            if single.row != self._sweep.rows.get(single.user_id):
                told.setdefault(single.user_id, []).append(single.row)
        return told

    def _is_past(self, user_id: int) -> bool:
        return not self._sweep.complete and user_id > self._sweep.last_id

    def _is_shown(self, row: Row) -> bool:
        return self._view.shown(row) == self._shown[row["id"]]

    def _is_extra(self, row: Row) -> bool:
        """Return whether a row may be shown although the sweep has not seen the user."""
        if self._is_past(row["id"]):
            return True
        spans = self._directory.spans.get(row["id"], ())
        return self._told.unconfirmed and any(
            span.row is not None and self._view.shown(span.row) == row for span in spans
        )

    def _is_view_of(self, users: Mapping[int, Row | None]) -> bool:
        wanted = self._view.of([row for _, row in sorted(users.items()) if row is not None])
        window = [self._view.shown(row) for row in wanted[self._place]]
        swept = [row for row in self._told.rows if row["id"] in users]
        past = self._told.rows[len(swept) :]
        if self._told.unconfirmed:
            # Those who may be gone are anywhere, and move the others.
            return {row["id"] for row in swept} <= {row["id"] for row in wanted}
        if self._sweep.complete:
            return window == self._told.rows and len(wanted) == self._told.total
        # Those past the window come behind all others: these views are by rising id.
        at_end = self._place.start + len(window) >= len(wanted)
        known = len(wanted) + len(past)
        return window == swept and (at_end or not past) and known <= self._told.total
