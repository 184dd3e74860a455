"""Decides the answer to each call from what the double keeps: clients, users, limits and faults.

The order is the origin's: route, rate limit, authentication, permission, parameters, rows. A route
that does not exist is answered before the rate limit and does not count.
"""

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from http import HTTPStatus
from http.client import responses
from itertools import count
from urllib.parse import unquote

from dev.origin.answers import Answer, json_answer, revalidated
from dev.origin.directory import Directory
from dev.origin.faults import Fault, is_silent, spoil_answer, spoil_row, spoil_rows, take
from dev.origin.organizations import MemberSelection, Organizations
from dev.origin.rules import Bounds, RefusedError, Selection, parse_user_id, suffixed
from dev.origin.throttle import Limits, Throttle, Verdict, bucket_of
from dev.origin.users import User

_MEMBERS = re.compile(r"/v2/organizations/([^/]+)/users/?")
_ROUTE = re.compile(r"/v2/oauth-clients/([^/]+)/users(?:/([^/]+))?/?")
_NO_SECRET = (
    "ApiAuthStrategy - Only 'x-cal-client-id' header provided. Please also provide"
    " 'x-cal-secret-key' header or Auth bearer token as 'Authentication' header"
)
_WRONG_SECRET = "ApiAuthStrategy - oAuth client - Invalid client secret"
_NOT_PLATFORM = "OrganizationRolesGuard - Organization is not a platform (SHP)."
_TOO_MANY = "CustomThrottlerGuard - Too many requests. Please try again later."
_LARGEST_ID = 2**31 - 1  # More does not fit into the database's column, which fails the query.
_MESSAGES = {401: _WRONG_SECRET, 403: _NOT_PLATFORM, 500: "Internal server error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call as it came in; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ip: str = "127.0.0.1"

    @property
    def path(self) -> str:
        """The target up to its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def client_id(self) -> str | None:
        """The client the path names, if it is one of the users' routes."""
        found = _ROUTE.fullmatch(self.path)
        return unquote(found[1]) if found else None

    @property
    def organization_id(self) -> str | None:
        """The organization whose members the path names, as it was written."""
        found = _MEMBERS.fullmatch(self.path)
        return unquote(found[1]) if found else None

    @property
    def user_id(self) -> str | None:
        """The user the path names, as it was written; None for a list."""
        found = _ROUTE.fullmatch(self.path)
        return unquote(found[2]) if found and found[2] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is remembered of a call: of its headers only the lower-case names, so never a secret.

    ``status`` is None where a fault keeps the answer from being sent at all.
    """

    sequence: int
    time: float
    method: str
    path: str
    query: str
    client_id: str | None
    user_id: str | None
    organization_id: str | None
    headers: frozenset[str]
    status: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, the faults that hit its call, and the event that ends their waiting."""

    answer: Answer
    faults: tuple[Fault, ...]
    released: threading.Event


class Origin(Directory):
    """The double without its socket; safe to use from several threads.

    ``before_call`` runs before each answer is computed and outside the lock: it may change the data
    or wait for another thread. ``bounds`` are those of a list call; ``organizations`` are none
    until some are set.
    """

    def __init__(
        self,
        clients: Mapping[str, str],
        *,
        users: int = 120,
        clock: Callable[[], float] = time.time,
        not_platform: Collection[str] = (),
    ) -> None:
        super().__init__(clients, users=users, clock=clock)
        self.before_call: Callable[[Request], object] | None = None
        self.bounds = Bounds()
        self.organizations = Organizations()
        self._not_platform = frozenset(not_platform)
        self._throttle = Throttle(Limits())
        self._faults: tuple[Fault, ...] = ()
        self._released = threading.Event()
        self._calls: list[Call] = []
        self._sequence = count(1)

    @property
    def calls(self) -> list[Call]:
        """Every call since the last `clear_calls`, in the order they were answered."""
        with self._lock:
            return list(self._calls)

    def list_calls(self, client_id: str) -> list[Call]:
        """Return the calls for a client's list, whatever came of them."""
        return [call for call in self.calls if call.client_id == client_id and not call.user_id]

    def member_calls(self, organization_id: int) -> list[Call]:
        """Return the calls for an organization's list, whatever came of them."""
        return [call for call in self.calls if call.organization_id == str(organization_id)]

    def clear_calls(self) -> None:
        """Forget the calls; their numbers go on rising."""
        with self._lock:
            self._calls.clear()

    @property
    def limits(self) -> Limits:
        """The rate limit; setting it opens all windows and lifts all blocks."""
        return self._throttle.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        with self._lock:
            self._throttle = Throttle(limits)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults still switched on; setting them replaces all and ends what hangs."""
        return self._faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._faults = tuple(faults)
            self._released.set()
            self._released = threading.Event()

    def answer(self, request: Request) -> Outcome:
        """Answer a call and remember it."""
        if self.before_call:
            self.before_call(request)
        with self._lock:
            faults, self._faults = take(self._faults, request.target)
            answer = reduce(spoil_answer, faults, self._decide(request, faults))
            answer = revalidated(answer, request.headers.get("if-none-match"))
            self._remember(request, None if is_silent(faults) else answer.status)
            return Outcome(answer, faults, self._released)

    def _remember(self, request: Request, status: int | None) -> None:
        call = Call(
            sequence=next(self._sequence),
            time=self._clock(),
            method=request.method,
            path=request.path,
            query=request.query,
            client_id=request.client_id,
            user_id=request.user_id,
            organization_id=request.organization_id,
            headers=frozenset(request.headers),
            status=status,
        )
        self._calls.append(call)

    def _decide(self, request: Request, faults: Sequence[Fault]) -> Answer:
        headers: dict[str, str] = {}
        try:
            client_id = self._routed(request)
            status = next((fault.status or 500 for fault in faults if fault.kind == "status"), None)
            verdict = self._count(request, blocking=status == HTTPStatus.TOO_MANY_REQUESTS)
            headers = verdict.headers
            _refuse_early(verdict, status)
            self._authenticate(client_id, request.headers.get("x-cal-secret-key"))
            if request.organization_id is None:
                data = self._data(client_id, request, faults)
            else:
                data = self._listed(client_id, request, request.organization_id, faults)
        except RefusedError as refused:
            body = refused.body(target=request.target, timestamp=self._now())
            return json_answer(refused.status, body, headers)
        return json_answer(200, {"status": "success", "data": data}, headers)

    def _count(self, request: Request, *, blocking: bool) -> Verdict:
        now = self._clock()
        bucket = bucket_of(request.headers, request.ip, self.limits)
        if blocking:
            self._throttle.block(bucket, now=now)
        return self._throttle.hit(bucket, now=now)

    def _routed(self, request: Request) -> str:
        """Return the client a call is about; only reads of users have a route here."""
        listed = bool(self.organizations) and request.organization_id is not None
        reading = request.method in ("GET", "HEAD")
        if not reading or not (listed or request.client_id is not None):
            raise RefusedError(404, f"Cannot {request.method} {request.target}")
        return request.client_id or request.headers.get("x-cal-client-id", "")

    def _authenticate(self, client_id: str, secret: str | None) -> None:
        if not secret:
            raise RefusedError(401, _NO_SECRET)
        if client_id not in self._secrets:
            unknown = f"ApiAuthStrategy - oAuth client - Client with ID {client_id} not found"
            raise RefusedError(401, unknown)
        if secret != self._secrets[client_id]:
            raise RefusedError(401, _WRONG_SECRET)
        if client_id in self._not_platform:
            raise RefusedError(403, _NOT_PLATFORM)

    def _data(self, client_id: str, request: Request, faults: Iterable[Fault]) -> object:
        if request.user_id is not None:
            row = self._named(client_id, parse_user_id(request.user_id))
            return reduce(spoil_row, faults, row)
        selection = Selection.parse(request.query, self.bounds)
        rows = self._rows[client_id]
        if selection.emails is not None:
            wanted = {suffixed(address, client_id) for address in selection.emails}
            rows = [row for row in rows if row.get("email") in wanted]
        rows = reduce(spoil_rows, faults, rows)
        return rows[selection.offset : selection.offset + selection.limit]

    def _listed(
        self,
        client_id: str,
        request: Request,
        organization_id: str,
        faults: Iterable[Fault],
    ) -> list[User]:
        organization = self.organizations.enter(organization_id, client_id, now=self._clock())
        selection = MemberSelection.parse(request.query)
        chosen, spoiling = slice(selection.skip, selection.skip + selection.take), list(faults)
        if selection.emails is None and not spoiling:
            return self.members(organization, chosen)
        rows = self.members(organization)
        if selection.emails is not None:
            rows = [row for row in rows if row["email"] in selection.emails]
        return reduce(spoil_rows, spoiling, rows)[chosen]

    def _named(self, client_id: str, user_id: float) -> User:
        if abs(user_id) > _LARGEST_ID:
            raise RefusedError(500, _MESSAGES[500])
        try:
            return self._row(client_id, user_id)
        except KeyError:
            message = f"User with ID {user_id} is not part of this OAuth client."
            raise RefusedError(404, message) from None


def _refuse_early(verdict: Verdict, status: int | None) -> None:
    """Raise where the rate limit or a fault ends the call before anybody looks at it."""
    if verdict.blocked:
        raise RefusedError(429, _TOO_MANY, _TOO_MANY)
    if status:
        raise RefusedError(status, _MESSAGES.get(status) or responses.get(status, "Error"))
