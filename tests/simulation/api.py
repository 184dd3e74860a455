"""The HTTP interface as one environment answers it, and what is remembered of each exchange."""

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handlers.invocation import MARGIN_SECONDS
from lib.caching import provenance
from lib.caching.headers import RequestDirectives
from lib.directory.generation import Generation
from lib.errors import ServiceError
from lib.queries import bodies, list_query, lookup_body
from lib.queries.feed_query import parse_feed
from lib.queries.list_query import ListQuery
from lib.queries.moment import AS_OF, parse_moment
from lib.queries.parameters import MAX_MEMBERS
from lib.reading import status
from lib.reading.lists import ListRequest
from lib.reading.request import UNCONDITIONAL, Conditions, ReadRequest
from tests.fakes import CLIENT
from tests.simulation.environment import Environment
from tests.simulation.wire import Invocation

if TYPE_CHECKING:
    from lib.reading.lookup import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request; ``user_id`` is there in the path of one user, ``posted`` in a look-up's body."""

    route: str
    params: Mapping[str, Sequence[str]] = field(default_factory=dict)
    user_id: int | None = None
    posted: str = ""
    directives: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None

    @property
    def key(self) -> str:
        """What is asked, whoever asks it and how."""
        return f"{self.route} {self.user_id} {self.posted} {sorted(self.params.items())}"

    @property
    def query(self) -> ListQuery:
        """The question of a list, whether it is asked in a URL or in a body."""
        if not self.posted:
            return list_query.parse_list(self.params)
        names = lookup_body.parse(self.posted)
        return replace(list_query.parse_list({"limit": [str(MAX_MEMBERS)], **self.params}), **names)

    @property
    def told(self) -> str:
        """The request in short."""
        query = "&".join(f"{name}={','.join(values)}" for name, values in self.params.items())
        who = "" if self.user_id is None else f"/{self.user_id}"
        condition = " if-none-match" if self.if_none_match else ""
        condition += " if-modified-since" if self.if_modified_since else ""
        directives = f" {self.directives}" if self.directives else ""
        return f"{self.route}{who}?{query}{self.posted}{directives}{condition}"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request with its answer, between two instants of the one clock.

    ``offset`` is where a cursor leads to.
    """

    asked: Asked
    environment: Environment
    invocation: Invocation
    arrived: float
    answered: float = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    generation: Generation | None = None
    offset: int | None = None
    found: "Found | None" = None
    error: ServiceError | None = None

    @property
    def pinned(self) -> bool:
        """Whether just one generation was asked for."""
        return "cursor" in self.asked.params or AS_OF in self.asked.params

    @property
    def age(self) -> int | None:
        """The answer's own word on its age."""
        return int(self.headers["Age"]) if "Age" in self.headers else None

    @property
    def cache_status(self) -> dict[str, str]:
        """The parameters of Cache-Status."""
        parts = self.headers.get("Cache-Status", "").split("; ")[1:]
        return {name: value for name, _, value in (part.partition("=") for part in parts)}

    @property
    def told(self) -> str:
        """The exchange in short."""
        number = self.generation.number if self.generation else "-"
        how = self.headers.get("Cache-Status", "-").removeprefix("managed-users; ")
        error = f" {self.error!r}" if self.error else ""
        return f"{self.asked.told} -> {self.status} g{number} age={self.age} {how}{error}"


def answer(environment: Environment, asked: Asked) -> Exchange:
    """Answer a request as ``handlers.api`` does."""
    invocation = environment.wire.running
    seen = Exchange(
        asked=asked, environment=environment, invocation=invocation, arrived=invocation.arrived
    )
    directives = asked.directives or ""
    invocation.demands = asked.route == "refresh" or any(
        name in directives for name in ("no-cache", "max-age", "min-fresh")
    )
    try:
        _ROUTES[asked.route](environment, asked, seen)
    except ServiceError as error:
        now, jitter = environment.time.now(), environment.time.random()
        seen.error, seen.status = error, int(error.status)
        seen.headers = error.headers(now=now, jitter=jitter)
        if (told := provenance.of_error(error)) is not None:
            seen.headers["Cache-Status"] = str(told)
    seen.answered = environment.wire.scheduler.now
    environment.wire.scheduler.note(seen.told)
    return seen


def _request(environment: Environment, asked: Asked, *, min_generation: int) -> ReadRequest:
    invocation = environment.wire.running
    return ReadRequest(
        client_id=CLIENT,
        directives=RequestDirectives.parse(asked.directives),
        holder=invocation.name,
        arrived_at=invocation.arrived + environment.skew,
        deadline=invocation.dies_at + environment.skew - MARGIN_SECONDS,
        min_generation=min_generation,
        conditions=UNCONDITIONAL
        if asked.posted
        else Conditions(
            if_none_match=asked.if_none_match, if_modified_since=asked.if_modified_since
        ),
    )


def _list(environment: Environment, asked: Asked, seen: Exchange) -> None:
    query = linked = asked.query
    if asked.posted:
        linked = list_query.parse_list({"limit": [str(MAX_MEMBERS)], **asked.params})
    moment = parse_moment(asked.params, environment.cursors.read)
    seen.offset = moment.cursor.offset if moment.cursor else None
    request = _request(environment, asked, min_generation=moment.min_generation)
    made, seen.found = environment.list_reads.answer(
        ListRequest(read=request, query=query, linked=linked, moment=moment)
    )
    seen.status, seen.headers, seen.body = int(made.status), made.headers, made.body
    seen.generation = made.generation


def _user(environment: Environment, asked: Asked, seen: Exchange) -> None:
    assert asked.user_id is not None
    fields = list_query.parse_user_fields(asked.params)
    moment = parse_moment(asked.params, environment.cursors.read)
    request = _request(environment, asked, min_generation=moment.min_generation)
    made, seen.found = environment.single_reads.answer(request, asked.user_id, fields, moment.as_of)
    seen.status, seen.headers, seen.body = int(made.status), made.headers, made.body
    seen.generation = made.generation


def _cache(environment: Environment, asked: Asked, seen: Exchange) -> None:
    del asked
    head = environment.memory.head(CLIENT)
    if not head.generation.published:
        environment.proxy.require_known(head)
    data = status.cache_data(
        head,
        environment.settings.schedule,
        now=environment.time.now(),
        version="simulated",
        hiding_digest=environment.settings.hiding.digest,
    )
    seen.status, seen.body = 200, bodies.success_body(data)
    seen.generation = head.generation


def _changes(environment: Environment, asked: Asked, seen: Exchange) -> None:
    since, values = list_query.parse_changes(asked.params)
    head = environment.memory.head(CLIENT)
    environment.proxy.require_known(head)
    changes = environment.change_log.since(head.generation, since, values=values)
    seen.status, seen.body = 200, bodies.changes_body(*changes)
    seen.generation = head.generation


def _events(environment: Environment, asked: Asked, seen: Exchange) -> None:
    feed = environment.feed
    query = parse_feed(asked.params, CLIENT, feed.cursors.read)
    head = environment.memory.head(CLIENT)
    environment.proxy.require_known(head)
    made = feed.answer(head.generation, query, if_none_match=asked.if_none_match)
    seen.status, seen.headers, seen.body = int(made.status), made.headers, made.body
    seen.generation = head.generation


def _refresh(environment: Environment, asked: Asked, seen: Exchange) -> None:
    switches = list_query.parse_switches(asked.params, ("wait", "believe"))
    head = environment.memory.head(CLIENT)
    environment.proxy.require_known(head)
    invocation, request = environment.wire.running, _request(environment, asked, min_generation=0)
    if not switches["wait"]:
        environment.forced_refresh.refuse_if_hopeless(head, believed=switches["believe"])
        environment.invoker.invoke(
            {
                "action": "refresh",
                "clientId": CLIENT,
                "requestedAt": request.arrived_at,
                "believe": switches["believe"],
            }
        )
        seen.status = 202
        return
    invocation.believed = switches["believe"]
    done = environment.forced_refresh.run(
        CLIENT,
        holder=invocation.name,
        requested_at=request.arrived_at,
        deadline=request.deadline,
        believed=invocation.believed,
    )
    seen.status = 200
    seen.body = bodies.success_body({"outcome": done.outcome, "generation": done.generation})


_ROUTES = {
    "users": _list,
    "lookup": _list,
    "user": _user,
    "cache": _cache,
    "changes": _changes,
    "refresh": _refresh,
    "events": _events,
}
