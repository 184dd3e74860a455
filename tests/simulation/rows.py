"""Judges who is shown by an answer, and who is not, by what the origin was meanwhile.

Each user shown was so at some moment between the one that ``Age`` tells and the answer. Who is
missing was absent at one, unless a list of the origin itself left him out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lib.caching.headers import RequestDirectives
from lib.directory.generation import OF_ORGANIZATIONS
from lib.queries.list_query import ListQuery
from lib.users.address import stored_form
from lib.users.document import UPDATED_AT
from tests.fakes import CLIENT
from tests.simulation.api import Exchange
from tests.simulation.ledger import Ledger
from tests.simulation.ledger_entries import Edition, parsed
from tests.simulation.truth import Truth

_NO_ID = 2**53
"""Above all ids."""

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Judges the users in answers; all of an answer was seen from ``since`` on."""

    truth: Truth
    ledger: Ledger

    def judge_list(self, seen: Exchange, body: str, since: float) -> Iterator[str]:
        """Yield what is wrong with a list."""
        content, query = json.loads(body), seen.asked.query
        for row in content["data"]:
            if not self._was_so(row, query.fields, since, seen.answered):
                story = self.truth.story(row["id"], seen.answered)
                yield f"user {row['id']} was not as he is shown ({story})"
        if _all_names(query):
            yield from self._judge_names(seen, content, query, since)
        elif not query.filtered and not seen.pinned:
            yield from self._judge_completeness(seen, content, since)
        if not query.filtered:
            yield from self._judge_edition(seen, content, query)

    def judge_user(self, seen: Exchange, body: str, since: float) -> Iterator[str]:
        """Yield what is wrong with one user."""
        row: Row = json.loads(body)["data"]
        fields = seen.asked.params.get("fields", [""])[0].split(",")
        if not self._was_so(row, tuple(filter(None, fields)), since, seen.answered):
            story = self.truth.story(row["id"], seen.answered)
            yield f"user {row['id']} was not as he is shown ({story})"

    def judge_absent(self, seen: Exchange, user_id: int, since: float) -> Iterator[str]:
        """Yield what is wrong with saying that there is no such user."""
        excused = user_id in self.truth.omitted(since, seen.answered)
        if not excused and not self.truth.was_absent(user_id, since, seen.answered):
            story = self.truth.story(user_id, seen.answered)
            yield f"user {user_id} is said not to exist ({story})"

    def _was_so(self, row: Row, fields: tuple[str, ...], since: float, until: float) -> bool:
        row = {name: value for name, value in row.items() if name != UPDATED_AT}
        return any(
            version.shown_as(row, fields) for version in self.truth.between(row["id"], since, until)
        )

    def _judge_completeness(self, seen: Exchange, content: Row, since: float) -> Iterator[str]:
        """Who was there all the time is listed, but for those past the window."""
        generation, told = seen.generation, content["pagination"]
        assert generation is not None
        ids = [row["id"] for row in content["data"]]
        if told["incompleteReason"] in OF_ORGANIZATIONS:
            # Whose they are, or whether there are more, is not known yet.
            return
        if not ids and told["totalItems"]:
            return
        lowest = ids[0] if ids and told["hasPreviousPage"] else 0
        highest = ids[-1] if ids and told["hasNextPage"] else _NO_ID
        if not told["complete"] and generation.window_last_id:
            highest = min(highest, generation.window_last_id)
        shown, excused = set(ids), self.truth.omitted(since, seen.answered)
        for user_id in self.truth.alive_throughout(since, seen.answered):
            listed = user_id in shown or not lowest <= user_id <= highest
            if not listed and user_id not in excused:
                story = self.truth.story(user_id, seen.answered)
                yield f"user {user_id} is missing ({story})"

    def _judge_names(
        self, seen: Exchange, content: Row, query: ListQuery, since: float
    ) -> Iterator[str]:
        not_found = content.get("notFound", ())
        for name in not_found:
            # Usernames cannot be looked up: they are found among those who are known.
            known_only = name in (query.usernames or ()) and not content["pagination"]["complete"]
            holder = None if known_only else self._holder(name, query, since, seen.answered)
            if holder is not None:
                story = self.truth.story(holder, seen.answered)
                yield f"user {holder} is said not to exist ({story})"
        told = {name for row in content["data"] for name in _names(row, query)}
        # Whoever has changed his address himself has it without the client's suffix.
        told |= {row["email"] for row in content["data"] if "email" in row}
        told |= {*not_found, *content.get("notAsked", ())}
        if untold := _all_names(query) - told:
            yield f"{sorted(map(str, untold))[:3]} are neither shown nor missing"

    def _holder(self, name: str | int, query: ListQuery, since: float, until: float) -> int | None:
        """Return who had the name at every moment, unless a list left him out meanwhile."""
        excused = self.truth.omitted(since, until)
        candidates = [name] if isinstance(name, int) else self.truth.versions.keys() - excused
        for user_id in candidates:
            versions = self.truth.between(user_id, since, until)
            if user_id not in excused and all(
                version.row is not None and name in _names(version.row, query)
                for version in versions
            ):
                return user_id
        return None

    def _judge_edition(self, seen: Exchange, content: Row, query: ListQuery) -> Iterator[str]:
        """What no look-up has touched is a run of one generation."""
        assert seen.generation is not None
        if seen.status == HTTPStatus.NOT_MODIFIED and seen.asked.if_modified_since:
            # A date says no more than that what the reader has is not older (RFC 9110 13.1.3).
            return
        edition = self.ledger.editions[seen.generation.number]
        exact = _all_names(query) and RequestDirectives.parse(seen.asked.directives).no_cache
        if not edition.whole or seen.found is not None or exact:
            return
        ids = sorted(edition.lines)
        offset = query.offset if seen.offset is None else seen.offset
        if [row["id"] for row in content["data"]] != ids[offset : offset + query.limit]:
            yield "it is no run of its generation"
        yield from self.judge_rows_of(seen, edition, content["data"])
        if content["pagination"]["totalItems"] != len(ids):
            yield "totalItems is not that of its generation"

    def judge_rows_of(self, seen: Exchange, edition: Edition, rows: list[Row]) -> Iterator[str]:
        """Yield who is shown otherwise than the generation has him, his stamp included."""
        if (
            not edition.whole
            or edition.generation.hiding_digest != seen.environment.settings.hiding.digest
        ):
            return
        fields = set(filter(None, seen.asked.params.get("fields", [""])[0].split(",")))
        for row in rows:
            stored = edition.stored.get(row["id"])
            has = parsed(stored) if stored else {}
            if row != ({name: has[name] for name in has if name in fields} if fields else has):
                yield f"user {row['id']} is shown otherwise than he was in this generation"


def _all_names(query: ListQuery) -> set[str | int]:
    return {*(query.emails or ()), *(query.ids or ()), *(query.usernames or ())}


def _names(row: Row, query: ListQuery) -> set[str | int]:
    """Return by which of the names in ``query`` the origin knows a user."""
    names: set[str | int] = {row["id"]} & set(query.ids or ())
    names |= {name for name in query.usernames or () if name == row.get("username")}
    return names | {
        name for name in query.emails or () if stored_form(name, CLIENT) == row.get("email")
    }
