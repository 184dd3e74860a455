"""Makes the origin calls of one revalidation: counted first, authenticated, asked twice at most.

A call is reserved against the budget before it is made. A 401 fetches the secret again and goes on
only with another version of it. A failing origin or connection is asked once more, after a
jittered pause, unless it wants to be left alone for longer; no other 4xx ever is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lib.clock import Time
from lib.directory.head import Head, HeadUpdate
from lib.errors import (
    NotAskedError,
    OriginAuthError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
)
from lib.origin import budget
from lib.origin.batches import batches_of
from lib.origin.credential import Credential
from lib.origin.rate_limit import RateLimit
from lib.users.address import asked_form
from lib.users.document import omitted_in

ENOUGH_SECONDS = 10.0
"""What must be left of a lease for one more call of any length."""

HURRY_SECONDS = 4.0
"""What must be left of the time for a call that can wait for the next sweep."""

RETRY_SECONDS = 0.25
"""Mean pause before the second try."""


class Answer[T](Protocol):
    """Validated data with the rate limit that came with it."""

    @property
    def data(self) -> T:
        """The data."""

    @property
    def rate_limit(self) -> RateLimit | None:
        """The limit as the origin's headers told it."""


class Origin(Protocol):
    """What is needed of the origin; see ``lib.origin.client``."""

    @property
    def max_rows(self) -> int:
        """The most users that one call can list."""

    def list_users(
        self, client_id: str, credential: Credential, *, offset: int, limit: int, deadline: float
    ) -> Answer[Sequence[bytes]]:
        """Return one window of users."""

    def find_users(
        self, client_id: str, credential: Credential, *, emails: Sequence[str], deadline: float
    ) -> Answer[Sequence[bytes]]:
        """Return the users with these addresses."""

    def get_user(
        self, client_id: str, credential: Credential, user_id: int, *, deadline: float
    ) -> Answer[bytes | None]:
        """Return one user, or None if there is none."""

    def list_members(
        self,
        organization_id: int,
        client_id: str,
        credential: Credential,
        *,
        skip: int,
        take: int,
        deadline: float,
    ) -> Answer[Sequence[bytes]]:
        """Return some members of an organization."""


class Credentials(Protocol):
    """What is needed of the secret; see ``lib.aws.secret``."""

    def credential(self, client_id: str, *, newer_than: str | None = None) -> Credential:
        """Return the client's credential."""


class Counters(Protocol):
    """What is needed of the store; see ``lib.directory.store``."""

    def head(self, client_id: str) -> Head:
        """Return the head as it is now."""

    def reserve(self, head: Head, counters: HeadUpdate) -> bool:
        """Write the call counters unless they changed since."""


@dataclass(slots=True, kw_only=True)
class OriginCalls:
    """The calls of one run for one client; ``reserved`` of them are paid for already.

    ``omitted`` are, by user id, fields that were too much to be kept. ``renew`` makes the lease
    last longer and returns the new deadline; no call is made after ``ends_at``.
    ``users``, ``members``, ``find`` and ``user`` raise OriginError, SecretError or NotAskedError.
    """

    client_id: str
    reserved: int
    deadline: float
    origin: Origin
    credentials: Credentials
    store: Counters
    time: Time
    lookup: bool = False
    renew: Callable[[], float] | None = None
    ends_at: float = 0
    made: int = 0
    rate_limit: RateLimit | None = None
    omitted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _credential: Credential | None = field(default=None, repr=False)

    def users(self, offset: int, limit: int) -> Sequence[bytes]:
        """Return the users of one window."""
        lines = self._ask(
            lambda credential: self.origin.list_users(
                self.client_id, credential, offset=offset, limit=limit, deadline=self.deadline
            )
        )
        return self._noted(lines)

    @property
    def organization_id(self) -> int | None:
        """The client's organization, as ``lib.origin.credential`` has it."""
        return self._own_credential().organization_id

    def members(self, organization_id: int, skip: int, take: int) -> Sequence[bytes]:
        """Return some members of an organization; a page that takes too long is asked for once.

        Lists are read from their end, so calls are reserved for all that is before it, too.
        """
        if self.made == self.reserved:
            self.afford(1 + skip // take, lookup=False)
        lines = self._ask(
            lambda credential: self.origin.list_members(
                organization_id,
                self.client_id,
                credential,
                skip=skip,
                take=take,
                deadline=self.deadline,
            ),
            patient=False,
        )
        return self._noted(lines)

    def batches[K](self, stored: Mapping[K, str]) -> Iterator[dict[K, str]]:
        """Yield what ``find`` can be asked to find ``stored`` addresses, in a run for each call.

        It is "" for those that no question by address finds.
        """
        asked = {key: asked_form(text, self.client_id) or "" for key, text in stored.items()}
        return batches_of(asked, most=self.origin.max_rows)

    def find(self, addresses: Iterable[str]) -> Sequence[bytes]:
        """Return the users whom one of ``batches`` finds."""
        emails = [address for address in addresses if address]
        if not emails:
            return []
        lines = self._ask(
            lambda credential: self.origin.find_users(
                self.client_id, credential, emails=emails, deadline=self.deadline
            )
        )
        return self._noted(lines)

    def user(self, user_id: int) -> bytes | None:
        """Return one user, or None if there is none."""
        line = self._ask(
            lambda credential: self.origin.get_user(
                self.client_id, credential, user_id, deadline=self.deadline
            )
        )
        return None if line is None else self._noted([line])[0]

    def _noted(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return the documents, after noting what was too much to be kept of them."""
        self.omitted.update(omitted_in(lines))
        return lines

    def hurried(self) -> bool:
        """Return whether time is too short for calls that can wait."""
        return self.deadline - self.time.now() < HURRY_SECONDS

    def gain_time(self) -> None:
        """Let the lease last for another call, as long as the run itself has time.

        Raises:
            StoreError: DynamoDB failed, or somebody has taken the lease since.
        """
        ends_soon = self.deadline - self.time.now() < ENOUGH_SECONDS
        if self.renew and ends_soon and self.deadline < self.ends_at:
            self.deadline = min(self.ends_at, self.renew())

    def has_time(self, seconds: float) -> bool:
        """Return whether the run has so much time, with a lease that lasts."""
        return max(self.deadline, self.ends_at) - self.time.now() >= seconds

    def require_time(self) -> None:
        """Make sure that a further call is not bound to fail for want of time.

        A call that times out counts as the origin's fault and holds everybody off.

        Raises:
            NotAskedError: time is too short, and calls have been made.
        """
        if self.made and self.hurried():
            raise NotAskedError("there is no time to ask for more", reason=Reason.OUT_OF_TIME)

    def reserve(self, calls: int) -> None:
        """Count ``calls`` further calls against the budget before they are made.

        ``lookup`` calls have a share of the budget, so that they cannot starve sweeps.

        Raises:
            NotAskedError: the budget does not allow them, or the origin blocks.
        """
        while True:
            head, now = self.store.head(self.client_id), self.time.now()
            refused = budget.pause(head.health, now=now) or budget.refusal(
                head.counters, calls=calls, now=now, lookup=self.lookup
            )
            if refused:
                raise NotAskedError(
                    "the origin may not be asked now", reason=refused.reason, until=refused.until
                )
            counters = budget.reserved(head.counters, calls=calls, now=now, lookup=self.lookup)
            if self.store.reserve(head, counters):
                self.reserved += calls
                return

    def afford(self, calls: int, *, lookup: bool = True) -> int:
        """Count up to ``calls`` further calls, of the look-ups' share or of all; return how many.

        Any number of them is one write.
        """
        while calls > 0:
            head, now = self.store.head(self.client_id), self.time.now()
            if budget.pause(head.health, now=now):
                return 0
            calls = min(calls, budget.remaining(head.counters, now=now, lookup=lookup))
            if budget.refusal(head.counters, calls=calls, now=now, lookup=lookup):
                return 0
            counters = budget.reserved(head.counters, calls=calls, now=now, lookup=lookup)
            if calls and self.store.reserve(head, counters):
                self.reserved += calls
                return calls
        return 0

    def _own_credential(self) -> Credential:
        if self._credential is None:
            self._credential = self.credentials.credential(self.client_id)
        return self._credential

    def _ask[T](self, call: Callable[[Credential], Answer[T]], *, patient: bool = True) -> T:
        credential = self._own_credential()
        try:
            return self._counted(call, credential)
        except OriginAuthError:
            refused = credential
            self._credential = credential = self.credentials.credential(
                self.client_id, newer_than=refused.version
            )
            if credential.version == refused.version:
                raise
        except OriginServerError as error:
            if isinstance(error, OriginTimeoutError) and not patient:
                raise
            pause = RETRY_SECONDS * (0.5 + self.time.random())
            if error.retry_after_seconds or self.time.now() + pause >= self.deadline:
                raise
            self.time.sleep(pause)
        return self._counted(call, credential)

    def _counted[T](self, call: Callable[[Credential], Answer[T]], credential: Credential) -> T:
        if self.made == self.reserved:
            self.reserve(1)
        self.made += 1
        answer = call(credential)
        self.rate_limit = answer.rate_limit or self.rate_limit
        return answer.data
