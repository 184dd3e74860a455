"""Asks a world for lists and single users, as the handlers translate HTTP requests."""

import json
import re
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from lib.caching.headers import RequestDirectives
from lib.errors import ServiceError
from lib.queries import list_query
from lib.queries.cursor import Cursors
from lib.queries.list_query import ListQuery
from lib.queries.moment import parse_moment
from lib.reading.lists import ListReads, ListRequest
from lib.reading.named import NamedReads
from lib.reading.request import Answer, Conditions, ReadRequest
from lib.reading.single import SingleReads
from tests.fakes import CLIENT
from tests.world import World

CURSORS = Cursors(lambda: b"a key of any length")
"""Every world's cursors are under one key."""

_LINK = re.compile(r'<\?([^>]*)>; rel="(\w+)"')


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller was given; an error has its status and no header but its own."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    error: ServiceError | None = None

    @property
    def ids(self) -> list[int]:
        """The ids of the users in a list."""
        return [user["id"] for user in self.body["data"]]

    @property
    def not_found(self) -> list[str | int]:
        """Who is said not to be there."""
        found: list[str | int] = self.body["notFound"]
        return found

    @property
    def not_asked(self) -> list[str | int]:
        """Of whom it is said that nothing is known."""
        asked: list[str | int] = self.body.get("notAsked", [])
        return asked

    @property
    def age(self) -> int | None:
        """Age in seconds, None if there is none."""
        return int(self.headers["Age"]) if "Age" in self.headers else None

    @property
    def cache_status(self) -> str:
        """Cache-Status without the cache's name."""
        return self.headers["Cache-Status"].removeprefix("managed-users; ")

    @property
    def links(self) -> dict[str, str]:
        """The query of each link by its relation."""
        return {name: query for query, name in _LINK.findall(self.headers.get("Link", ""))}


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks ``world``, with 25 s to be answered; header fields are given as keywords.

    As in ``caller.users("limit=5", cache_control="no-cache")``.
    """

    world: World

    def users(self, asked: str = "", **fields: str) -> Given:
        """Ask for a list with the query ``asked``, in which ``+`` is a plus."""
        params = parse_qs(asked.replace("+", "%2B"), keep_blank_values=True)
        query = list_query.parse_list(params)
        return self._listed(query, query, params, fields)

    def look_up(self, asked: str = "", **named: Any) -> Given:  # noqa: ANN401 - lists of names
        """Post a look-up of ``named``, with the query ``asked`` beside the body."""
        params = parse_qs(asked, keep_blank_values=True)
        beside = list_query.parse_list({"limit": ["250"], **params})
        return self._listed(replace(beside, **named), beside, params, {})

    def user(self, user_id: int, *wanted: str, as_of: str = "", **fields: str) -> Given:
        """Ask for one user, for the fields ``wanted`` alone if there are any."""
        reads = SingleReads(named=self._named, policy=self.world.policy, time=self.world.time)
        request = self._request(fields)
        moment = parse_moment({"asOf": [as_of]} if as_of else {}, CURSORS.read)
        return _given(lambda: reads.answer(request, user_id, wanted, moment.as_of)[0])

    def _listed(
        self,
        query: ListQuery,
        linked: ListQuery,
        params: Mapping[str, list[str]],
        fields: Mapping[str, str],
    ) -> Given:
        reads = ListReads(
            named=self._named,
            policy=self.world.policy,
            hiding_digest=self.world.hiding.digest,
            cursors=CURSORS,
            time=self.world.time,
            updated_at=self.world.updated_at,
            representations=self.world.representations,
        )
        moment = parse_moment(params, CURSORS.read)
        request = self._request(fields, min_generation=moment.min_generation)
        asked = ListRequest(read=request, query=query, linked=linked, moment=moment)
        return _given(lambda: reads.answer(asked)[0])

    @property
    def _named(self) -> NamedReads:
        world = self.world
        return NamedReads(proxy=world.proxy, lookup=lambda: world.lookup, policy=world.policy)

    def _request(self, fields: Mapping[str, str], *, min_generation: int = 0) -> ReadRequest:
        now = self.world.clock.now
        return ReadRequest(
            client_id=CLIENT,
            directives=RequestDirectives.parse(fields.get("cache_control")),
            holder=f"caller {next(self.world.invocations)}",
            arrived_at=now,
            deadline=now + 25,
            min_generation=min_generation,
            conditions=Conditions(
                if_none_match=fields.get("if_none_match"),
                if_modified_since=fields.get("if_modified_since"),
            ),
        )


def _given(ask: Callable[[], Answer]) -> Given:
    try:
        answer = ask()
    except ServiceError as error:
        return Given(int(error.status), error.headers(now=0, jitter=0), error=error)
    body = json.loads(answer.body) if answer.body else None
    return Given(int(answer.status), answer.headers, body)
