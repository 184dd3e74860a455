"""Finds users that the snapshot does not hold: past the origin's window, or created just now.

All that is missing is asked for in as few calls as one URL allows, never more than the misses.
What was found waits to be adopted by the next revalidation; what was not is remembered briefly.
Equal look-ups in flight collapse into one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from lib.caching.headers import retry_after
from lib.errors import NotAskedError, OriginError, StoreError, UnavailableError
from lib.origin.batches import batches_of
from lib.origin.calls import Counters, Credentials, Origin, OriginCalls
from lib.revalidation import head_updates
from lib.revalidation.pauses import pauses
from lib.users.address import is_address
from lib.users.document import canonical, id_of
from lib.users.hiding import HidingPolicy
from lib.users.keys import id_key
from lib.users.observation import Remembered
from lib.users.wanted import Wanted

ASKING_SECONDS = 10
"""How long an equal look-up waits for one in flight, and how long that one may take."""

MARGIN_SECONDS = 2.0
"""What a look-up leaves of the invocation's time to answer in."""


class LookupHeads(Counters, Protocol):
    """What a look-up needs of the store; see ``lib.aws.directory_store``."""

    def hold_off(self, client_id: str, name: str, until: float) -> None:
        """Raise ``blocked_until`` or ``retry_at``."""


class Answers(Protocol):
    """What is remembered of look-ups; see ``lib.aws.lookup_store``."""

    def remembered(self, client_id: str, keys: Sequence[str]) -> Mapping[str, Remembered]:
        """Return what is remembered."""

    def remember(self, client_id: str, answers: Mapping[str, Remembered]) -> None:
        """Keep answers."""

    def begin(self, client_id: str, key: str, *, now: float, until: float) -> bool:
        """Claim to be asking."""

    def end(self, client_id: str, key: str) -> None:
        """Be asking no longer, without an answer."""

    def await_adoption(self, client_id: str, ids: Sequence[int]) -> None:
        """Let users be adopted by the next revalidation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a look-up; ``observed_at`` is the oldest observation used, None if none was.

    ``received`` is the status that the last origin call got. Of those with the look-up keys
    ``unanswered`` nothing is known; ``failure`` says why, if the origin was to be asked.
    """

    lines: tuple[bytes, ...] = ()
    observed_at: float | None = None
    calls: int = 0
    received: int | None = None
    unanswered: frozenset[str] = frozenset()
    failure: UnavailableError | None = None


@dataclass(slots=True)
class _Progress:
    """Answers by look-up key so far, and the calls that were made for them."""

    answers: dict[str, Remembered] = field(default_factory=dict)
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Look-ups of any client. ``keep_found`` and ``keep_missed`` are seconds."""

    store: LookupHeads
    answers: Answers
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    hiding: HidingPolicy
    keep_found: int
    keep_missed: int
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def find(
        self, client_id: str, wanted: Wanted, *, deadline: float, silent: bool = False
    ) -> Found:
        """Return the users in ``wanted``, remembered or asked for by ``deadline``.

        If ``silent``, the origin is not asked, and who is not remembered stays unanswered.
        Failures of the origin are told, not raised: what is known still is an answer.

        Raises:
            StoreError: DynamoDB failed.
        """
        keys = wanted.keys
        progress = _Progress(self._usable(client_id, keys))
        missing = [key for key in keys if key not in progress.answers]
        failure: UnavailableError | None = None
        if missing and not silent:
            try:
                self._ask_or_follow(client_id, missing, progress, deadline=deadline)
            except UnavailableError as error:
                failure = error
        return self._found(keys, progress, failure)

    def _found(
        self, keys: Sequence[str], progress: _Progress, failure: UnavailableError | None
    ) -> Found:
        answers = progress.answers.values()
        return Found(
            lines=tuple(dict.fromkeys(answer.line for answer in answers if answer.line)),
            observed_at=min((answer.observed_at for answer in answers), default=None),
            calls=progress.calls,
            received=_received(progress, failure),
            unanswered=frozenset(keys) - progress.answers.keys(),
            failure=failure,
        )

    def _usable(self, client_id: str, keys: Sequence[str]) -> dict[str, Remembered]:
        now = self.clock()
        return {
            key: answer
            for key, answer in self.answers.remembered(client_id, keys).items()
            if now - answer.observed_at
            < (self.keep_missed if answer.line is None else self.keep_found)
        }

    def _ask_or_follow(
        self, client_id: str, missing: Sequence[str], progress: _Progress, *, deadline: float
    ) -> None:
        """Ask for what is ``missing``, or wait for an equal look-up and take over if it failed."""
        together = " ".join(sorted(missing))
        until = min(deadline - MARGIN_SECONDS, self.clock() + ASKING_SECONDS)
        waiting = pauses(until=until, clock=self.clock, sleep=self.sleep, random=self.random)
        for _ in chain([None], waiting):
            now = self.clock()
            asking_until = min(deadline - MARGIN_SECONDS, now + ASKING_SECONDS)
            if now < asking_until and self.answers.begin(
                client_id, together, now=now, until=asking_until
            ):
                try:
                    return self._ask(client_id, missing, progress, deadline=asking_until)
                finally:
                    # If this fails, the claim lapses by itself.
                    with suppress(StoreError):
                        self.answers.end(client_id, together)
            progress.answers |= self._usable(client_id, missing)
            if progress.answers.keys() >= set(missing):
                return None
        raise NotAskedError(
            "Another request is asking for this.",
            reason="lookup-in-flight",
            retry_after=retry_after(1, jitter=self.random()),
        )

    def _ask(
        self, client_id: str, missing: Sequence[str], progress: _Progress, *, deadline: float
    ) -> None:
        calls = OriginCalls(
            client_id=client_id,
            reserved=0,
            lookup=True,
            deadline=deadline,
            origin=self.origin(),
            credentials=self.credentials(),
            store=self.store,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )
        asked: dict[str, Remembered] = {}
        try:
            self._ask_all(calls, missing, asked)
        except OriginError as error:
            self._hold_off(client_id, error)
            raise
        finally:
            progress.answers |= asked
            progress.calls = calls.made
            if asked:
                self._keep(client_id, asked)

    def _ask_all(
        self, calls: OriginCalls, missing: Sequence[str], asked: dict[str, Remembered]
    ) -> None:
        emails = {key: key.removeprefix("email:") for key in missing if key.startswith("email:")}
        ids = {key: int(key.removeprefix("id:")) for key in missing if key.startswith("id:")}
        # The origin would refuse a whole call for one address that is none; nobody can have it.
        askable = {key: address for key, address in emails.items() if is_address(address)}
        batches = list(batches_of(askable))
        # Where the budget does not allow for all, it may for some: they are counted one by one.
        with suppress(NotAskedError):
            calls.reserve(len(batches) + len(ids))
        for batch in batches:
            now = self.clock()
            rows = {row["email"]: row for row in calls.find_rows(list(batch.values()))}
            asked |= {key: self._seen(rows.get(address), now) for key, address in batch.items()}
        for key, user_id in ids.items():
            calls.require_time()
            now = self.clock()
            asked[key] = self._seen(calls.user(user_id), now)

    def _seen(self, row: Mapping[str, Any] | None, now: float) -> Remembered:
        return Remembered(None if row is None else canonical(self.hiding.apply(row)), now)

    def _keep(self, client_id: str, asked: Mapping[str, Remembered]) -> None:
        """Remember answers under their keys, and who was found under the id as well."""
        found = {id_of(answer.line): answer for answer in asked.values() if answer.line}
        by_id = {id_key(user_id): answer for user_id, answer in found.items()}
        self.answers.remember(client_id, {**asked, **by_id})
        if found:
            self.answers.await_adoption(client_id, list(found))

    def _hold_off(self, client_id: str, error: OriginError) -> None:
        """Keep everybody from asking, as a failed revalidation does."""
        head = self.store.head(client_id)
        name, until = head_updates.hold_off(head, error, now=self.clock(), jitter=self.random())
        self.store.hold_off(client_id, name, until)


def _received(progress: _Progress, failure: UnavailableError | None) -> int | None:
    if isinstance(failure, OriginError):
        return failure.received
    # A list of nobody is a 200; only one user asked for by id can be a 404.
    asked_for = list(progress.answers)
    nobody = len(asked_for) == 1 and progress.answers[asked_for[0]].line is None
    return 404 if nobody and asked_for[0].startswith("id:") else 200
