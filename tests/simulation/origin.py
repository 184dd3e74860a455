"""The origin: what it is (``tests.simulation.truth``), how it answers, and how it fails."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from lib.errors import (
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
)
from lib.origin.credential import Credential
from lib.origin.exchange import ANSWER_SECONDS
from lib.origin.rate_limit import RateLimit
from lib.users import bounds
from lib.users.address import stored_form
from lib.users.hiding import HidingPolicy
from tests.fakes import FakeAnswer, User
from tests.simulation.ledger_entries import OriginCall
from tests.simulation.plan import Fault
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather
from tests.simulation.wire import Wire

MEAN_SECONDS = 0.3
BLOCK_SECONDS = (20, 60)


@dataclass(slots=True, kw_only=True)
class OriginServer:
    """Cal.com with one OAuth client, whose secret key is ``key``."""

    truth: Truth
    weather: Weather
    random: Random
    key: str
    limit: int
    others: dict[int, User] = field(default_factory=dict)
    """Members of the organization who are no users of the client, and are never to be shown."""

    blocked_until: float = 0
    asked_at: deque[float] = field(default_factory=deque)

    def answer[T](
        self, credential: Credential, now: float, tell: Callable[[], T]
    ) -> tuple[T, RateLimit]:
        """Return what ``tell`` tells, if anything is told at ``now``.

        Raises:
            OriginError: the origin failed, or refuses.
        """
        self.asked_at.append(now)
        while self.asked_at[0] <= now - 60:
            self.asked_at.popleft()
        if self.weather.strikes(Fault.ORIGIN_BLOCKS) or len(self.asked_at) > self.limit:
            self.blocked_until = now + self.random.choice(BLOCK_SECONDS)
        if now < self.blocked_until:
            left = int(self.blocked_until - now) + 1
            raise OriginBlockedError("the origin blocks calls", reset_seconds=left)
        if credential.key.reveal() != self.key:
            raise OriginAuthError("a wrong key", reason=Reason.ORIGIN_AUTH, received=401)
        if self.weather.strikes(Fault.ORIGIN_FAILS):
            raise OriginServerError(
                "the origin failed",
                reason=Reason.ORIGIN_5XX,
                received=503,
                retry_after_seconds=self.random.choice((None, None, None, 1, 30)),
            )
        if self.weather.strikes(Fault.ORIGIN_SHAPE):
            raise OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)
        left = self.limit - len(self.asked_at)
        if self.weather.strikes(Fault.ORIGIN_SHARED):
            left = self.random.randrange(max(1, left))
        return tell(), RateLimit(limit=self.limit, remaining=left, reset_at=now + 60 - now % 60)

    def window(self, offset: int, limit: int, now: float) -> Sequence[User]:
        """Return a window of users; a list that is not true is a lie."""
        honest = self.truth.window(offset, limit)
        fault = self.weather.any_of(Fault.LIST_EMPTY, Fault.LIST_SHORTER)
        if fault is None:
            return honest
        ids = self.truth.ids
        kept = set[int]()
        if fault is Fault.LIST_SHORTER and ids:
            lost = self.random.choice((1, 3, max(1, len(ids) // 3)))
            kept = set(ids) - set(self.random.sample(ids, min(lost, len(ids))))
        shown = [user_id for user_id in ids if user_id in kept][offset : offset + limit]
        told = [self.truth.rows[user_id] for user_id in shown]
        self.truth.lie(told, offset, limit, now)
        return told

    def members(self, skip: int, take: int, now: float) -> Sequence[User]:
        """Return a page of the organization's list, which may lie as well.

        Raises:
            OriginError: it is refused, or these are too many rows.
        """
        if self.weather.strikes(Fault.MEMBERS_REFUSED):
            raise OriginAuthError("no plan", reason=Reason.ORIGIN_AUTH, received=403)
        if take > self.random.choice((250, 500)) and self.weather.strikes(Fault.MEMBERS_TOO_MANY):
            raise OriginTimeoutError("no answer in time", reason=Reason.ORIGIN_TIMEOUT)
        rows = self.truth.rows | self.others
        ids = sorted(rows)
        fault = self.weather.any_of(Fault.LIST_EMPTY, Fault.LIST_SHORTER)
        if fault is not None:
            lost = self.random.choice((1, 3, max(1, len(ids) // 3)))
            kept = set() if fault is Fault.LIST_EMPTY else set(ids)
            kept -= set(self.random.sample(ids, min(lost, len(ids))))
            self.truth.leave_out(self.truth.rows.keys() - kept, now)
            ids = [user_id for user_id in ids if user_id in kept]
        return [rows[user_id] for user_id in ids[skip : skip + take]]


class WiredOrigin:
    """A ``lib.origin.calls.Origin`` over a wire; ``clock`` is that of the process."""

    def __init__(
        self,
        server: OriginServer,
        wire: Wire,
        clock: Callable[[], float],
        max_rows: int,
        listen: Callable[[OriginCall], None],
        hiding: HidingPolicy,
    ) -> None:
        self.hiding = hiding
        self.max_rows = max_rows
        self._server = server
        self._wire = wire
        self._clock = clock
        self._listen = listen

    def list_users(
        self, client_id: str, credential: Credential, *, offset: int, limit: int, deadline: float
    ) -> FakeAnswer[Sequence[bytes]]:
        del client_id
        call = OriginCall("list", f"{offset}+{limit}", self._wire.scheduler.now)

        def tell() -> Sequence[bytes]:
            rows = self._server.window(offset, limit, self._wire.scheduler.now)
            call.told = {row["id"]: row for row in rows}
            return [bounds.document(row, self.hiding) for row in rows]

        return self._call(call, credential, deadline, tell)

    def find_users(
        self, client_id: str, credential: Credential, *, emails: Sequence[str], deadline: float
    ) -> FakeAnswer[Sequence[bytes]]:
        call = OriginCall("find", f"{len(emails)}", self._wire.scheduler.now)

        def tell() -> Sequence[bytes]:
            wanted = {stored_form(email, client_id) for email in emails}
            rows = [row for row in self._server.truth.everybody() if row["email"] in wanted]
            call.told = {row["id"]: row for row in rows}
            return [bounds.document(row, self.hiding) for row in rows]

        return self._call(call, credential, deadline, tell)

    def list_members(
        self,
        organization_id: int,
        client_id: str,
        credential: Credential,
        *,
        skip: int,
        take: int,
        deadline: float,
    ) -> FakeAnswer[Sequence[bytes]]:
        del organization_id, client_id
        call = OriginCall("members", f"{skip}+{take}", self._wire.scheduler.now)

        def tell() -> Sequence[bytes]:
            rows = self._server.members(skip, take, self._wire.scheduler.now)
            call.told = {row["id"]: row for row in rows}
            return [bounds.document(row, self.hiding) for row in rows]

        return self._call(call, credential, deadline, tell)

    def get_user(
        self, client_id: str, credential: Credential, user_id: int, *, deadline: float
    ) -> FakeAnswer[bytes | None]:
        del client_id
        call = OriginCall("get", f"{user_id}", self._wire.scheduler.now)

        def tell() -> bytes | None:
            row = self._server.truth.rows.get(user_id)
            call.told = {user_id: row}
            return None if row is None else bounds.document(row, self.hiding)

        return self._call(call, credential, deadline, tell)

    def _call[T](
        self, call: OriginCall, credential: Credential, deadline: float, tell: Callable[[], T]
    ) -> FakeAnswer[T]:
        wire, left = self._wire, deadline - self._clock()
        if left <= 0:
            raise OriginTimeoutError("no time left to ask the origin", reason=Reason.DEADLINE)
        self._listen(call)
        mean = 12.0 if wire.weather.strikes(Fault.ORIGIN_SLOW) else MEAN_SECONDS
        takes, patience = wire.random.expovariate(1 / mean), min(left, ANSWER_SECONDS)
        if takes >= patience:
            wire.wait(patience)
            wire.scheduler.note(f"origin {call.kind} {call.what} took too long")
            raise OriginTimeoutError("no answer in time", reason=Reason.ORIGIN_TIMEOUT)
        there = takes * wire.random.random()
        wire.travel(max(there, 1e-6), f"before {call.kind}")
        try:
            told, limit = self._server.answer(credential, wire.scheduler.now, tell)
        except OriginBlockedError as error:
            wire.running.blocked_until.append(wire.scheduler.now + error.reset_seconds)
            wire.scheduler.note(f"origin {call.kind} {call.what} -> 429 {error.reset_seconds} s")
            raise
        except OriginError as error:
            wire.scheduler.note(f"origin {call.kind} {call.what} -> {error.reason}")
            raise
        wire.scheduler.note(f"origin {call.kind} {call.what} -> {len(call.told)}")
        wire.travel(max(takes - there, 1e-6), f"after {call.kind}")
        if self._clock() > deadline:
            call.told = {}
            raise OriginTimeoutError("no whole answer in time", reason=Reason.ORIGIN_TIMEOUT)
        seconds = limit.reset_at - wire.scheduler.now
        told_limit = RateLimit(
            limit=limit.limit, remaining=limit.remaining, reset_at=self._clock() + seconds
        )
        return FakeAnswer(told, told_limit)
