"""Answers what happened after a place in a client's history: the very events that are pushed.

Nothing is stored for it. Generations are kept, the events between two of them are always the same
(``lib.events.history``), and a cursor names a place between events; so whatever crashes, nothing
is lost, and a page that is asked for again is the same.

Pure but for what it is wired to.
"""

import hashlib
import json
from copy import replace
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from lib.caching.headers import not_modified
from lib.directory.generation import Generation
from lib.errors import GoneError, ParameterError
from lib.events.event import EventFormat
from lib.events.history import History
from lib.queries.bodies import MAX_ENVELOPE, ROOM_FOR_THE_REST, body_etag, encoded_size
from lib.queries.cursor import Signed
from lib.queries.feed_query import FeedQuery, Place

MAX_STEPS = 100
"""Most generations that one answer looks at, since each takes some reads."""

_ALL_VALUES = EventFormat(with_values=True, max_values_bytes=MAX_ENVELOPE)
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class FeedAnswer(NamedTuple):
    """An answer, ready but for its transport; the body of a 304 is empty."""

    status: HTTPStatus
    body: str
    headers: dict[str, str]


class _Page(NamedTuple):
    """Events as JSON, where they end, and the generation of which all has been told there."""

    events: list[str]
    place: Place
    reached: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Feeds of any client."""

    history: History
    cursors: Signed[Place]

    def answer(
        self, newest: Generation, query: FeedQuery, *, if_none_match: str | None
    ) -> FeedAnswer:
        """Return the events that ``query`` asks for, up to the generation ``newest``.

        Raises:
            ParameterError: there is no such generation yet.
            GoneError: what came after that place is not known any longer; ``Link`` starts again.
            StoreError: DynamoDB failed.
        """
        page = self._page(newest, query)
        place, cursor = page.place, self.cursors.sign(page.place)
        more = place.told > 0 or place.generation < newest.number
        pagination = {
            "cursor": cursor,
            "hasMore": more,
            "returnedItems": len(page.events),
            "itemsPerPage": query.limit,
            "generation": page.reached.number,
            # Within a step, a copy is of no generation.
            "usersDigest": None
            if place.told
            else page.reached.users_digest(self.history.hiding.digest),
        }
        events = ",".join(page.events)
        body = f'{{"status":"success","data":[{events}],"pagination":{_dumps(pagination)}}}'
        etag = body_etag(body)
        headers = {"Cache-Control": "private, no-cache", "ETag": etag, "Vary": "Accept-Encoding"}
        if more:
            headers["Link"] = f'<?{query.question(cursor)}>; rel="next"'
        if if_none_match is not None and not_modified(
            if_none_match=if_none_match, if_modified_since=None, etag=etag, modified_at=0
        ):
            return FeedAnswer(HTTPStatus.NOT_MODIFIED, "", headers)
        return FeedAnswer(HTTPStatus.OK, body, headers)

    def _page(self, newest: Generation, query: FeedQuery) -> _Page:
        history = replace(self.history, event_format=_ALL_VALUES) if query.values else self.history
        if query.after is None:
            # Who has nothing yet starts as who is told to start over.
            events = history.baseline(newest).events if newest.published else ()
            return _Page(list(map(_dumps, events)), _behind(newest), newest)
        place, reached = self._start(newest, query)
        told, room = list[str](), MAX_ENVELOPE - ROOM_FOR_THE_REST
        for steps in range(MAX_STEPS):
            if place.generation == newest.number or len(told) == query.limit:
                break
            if place.generation and self._generation(newest, place.generation + 1) is None:
                if steps:
                    break
                raise _gone(query)
            step = history.step(newest, place.generation)
            toward = _name(*(event["id"] for event in step.events))
            skipped = place.told if place.toward == toward else 0
            taken = skipped
            for event in step.events[skipped : skipped + query.limit - len(told)]:
                text = _dumps(event)
                room -= encoded_size(text.encode()) + 1
                if room < 0:
                    break
                told.append(text)
                taken += 1
            if taken < len(step.events):
                place = place._replace(told=taken, toward=toward)
                break
            place, reached = _behind(step.to), step.to
        return _Page(told, place, reached)

    def _start(self, newest: Generation, query: FeedQuery) -> tuple[Place, Generation]:
        """Return where to go on, and the generation there.

        Raises:
            ParameterError: a number is above the newest.
            GoneError: that generation is not kept, or another one has its number.
        """
        after = query.after
        number = after.generation if isinstance(after, Place) else after or 0
        if not isinstance(after, Place) and number > newest.number:
            raise ParameterError("after", f"is above the newest generation, {newest.number}")
        known = self._generation(newest, number)
        if known is None or (isinstance(after, Place) and after.digest != _name(known.digest)):
            raise _gone(query)
        return (after if isinstance(after, Place) else _behind(known)), known

    def _generation(self, newest: Generation, number: int) -> Generation | None:
        if number == newest.number:
            return newest
        if number == 0:
            return Generation(client_id=newest.client_id)
        if number > newest.number:
            return None
        return self.history.store.generation(newest.client_id, number)


def _behind(generation: Generation) -> Place:
    return Place(generation.client_id, generation.number, 0, _name(generation.digest))


def _name(*parts: str) -> str:
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=6).hexdigest()


def _gone(query: FeedQuery) -> GoneError:
    return GoneError(
        "What came after this place is no longer known. Start again without 'after': the event "
        "you get says of which generation to read the directory, and its cursor where to go on.",
        fields={"Link": f'<?{query.question()}>; rel="first"'},
    )
