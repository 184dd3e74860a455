"""Finds users that the snapshot does not hold: past the origin's window, or created just now.

All that is missing is asked for in as few calls as one URL allows, never more than the misses.
What was found waits to be adopted by the next revalidation; what was not is remembered briefly.
Equal look-ups in flight collapse into one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lib.caching.freshness import age_of
from lib.clock import Time
from lib.directory.head import LONGEST_PAUSE_SECONDS, SKEW_SECONDS
from lib.directory.store import Directory, Lookups
from lib.errors import (
    NotAskedError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    Reason,
    StoreError,
    UnavailableError,
)
from lib.origin import backoff, budget
from lib.origin.calls import Credentials, Origin, OriginCalls
from lib.revalidation.pauses import follow
from lib.users.document import address_of, id_of
from lib.users.keys import Observation, UserKeys, id_key, possible_id

ASKING_SECONDS = 10
"""How long an equal look-up waits for one in flight, and how long that one may take."""

PAUSE_SECONDS = backoff.PAUSE_SECONDS[0]
"""How long a look-up that failed is not tried again."""

MARGIN_SECONDS = 2.0
"""What a look-up leaves of the invocation's time to answer in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a look-up; ``observed_at`` is the oldest observation used, None if none was.

    The calls began at ``asked_at``; ``received`` is the status that they got: that of the failure,
    or 404 if every one did. Of those with the look-up keys ``unanswered`` nothing is known;
    ``failure`` says why, if the origin was to be asked.
    """

    lines: tuple[bytes, ...] = ()
    observed_at: float | None = None
    calls: int = 0
    asked_at: float = 0
    received: int | None = None
    unanswered: frozenset[str] = frozenset()
    failure: UnavailableError | None = None


@dataclass(slots=True)
class _Progress:
    """Answers by look-up key so far, and the calls that were made for them."""

    answers: dict[str, Observation] = field(default_factory=dict)
    calls: int = 0
    asked_at: float = 0


def _any(_age: int) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Look-ups of any client. ``keep_found`` and ``keep_missed`` are seconds."""

    store: Directory
    answers: Lookups
    origin: Callable[[], Origin]
    credentials: Callable[[], Credentials]
    keep_found: int
    keep_missed: int
    time: Time

    def find(
        self,
        client_id: str,
        wanted: UserKeys,
        *,
        deadline: float,
        silent: bool = False,
        acceptable: Callable[[int], bool] = _any,
    ) -> Found:
        """Return the users in ``wanted``, remembered or asked for by ``deadline``.

        What is remembered is used if its age in seconds is ``acceptable``; who was found, also if
        nothing newer can be had. If ``silent``, the origin is not asked, and who is not remembered
        is unanswered. Failures are told, not raised: what is known still is an answer.
        """
        now = self.time.now()
        nobody = [user_id for user_id in wanted.ids if not possible_id(user_id)]
        keys, progress = wanted.keys, _Progress({id_key(n): Observation(None, now) for n in nobody})
        failure: UnavailableError | None = None
        try:
            self._settle(
                client_id, keys, progress, deadline=deadline, silent=silent, acceptable=acceptable
            )
        except UnavailableError as error:
            failure = error
            # The wish for something newer cannot be met. That somebody was not there a moment ago
            # is nothing to tell who wants to know whether he is now.
            with suppress(StoreError):
                stored = self._usable(client_id, keys, _any)
                found = {key: seen for key, seen in stored.items() if seen.line is not None}
                progress.answers = found | progress.answers
        return self._found(keys, progress, failure)

    def _found(
        self, keys: Sequence[str], progress: _Progress, failure: UnavailableError | None
    ) -> Found:
        answers = progress.answers.values()
        return Found(
            lines=tuple(dict.fromkeys(answer.line for answer in answers if answer.line)),
            observed_at=min((answer.observed_at for answer in answers), default=None),
            calls=progress.calls,
            asked_at=progress.asked_at,
            received=_received(progress, failure),
            unanswered=frozenset(keys) - progress.answers.keys(),
            failure=failure,
        )

    def _usable(
        self, client_id: str, keys: Sequence[str], acceptable: Callable[[int], bool]
    ) -> dict[str, Observation]:
        now = self.time.now()
        return {
            key: answer
            for key, answer in self.answers.remembered(client_id, keys).items()
            if -SKEW_SECONDS
            < now - answer.observed_at
            < (self.keep_missed if answer.line is None else self.keep_found)
            and acceptable(age_of(answer.observed_at, now=now))
        }

    def _settle(
        self,
        client_id: str,
        keys: Sequence[str],
        progress: _Progress,
        *,
        deadline: float,
        silent: bool,
        acceptable: Callable[[int], bool],
    ) -> None:
        """Ask for those not remembered, or wait for an equal look-up and take over if it failed."""
        together = ""
        until = min(deadline - MARGIN_SECONDS, self.time.now() + ASKING_SECONDS)
        for known in follow(
            lambda: self._usable(client_id, keys, acceptable), until=until, time=self.time
        ):
            progress.answers |= known
            missing = [key for key in keys if key not in progress.answers]
            if silent or not missing:
                return None
            together, now = together or self._together(client_id, missing), self.time.now()
            asking_until = min(deadline - MARGIN_SECONDS, now + ASKING_SECONDS)
            if now < asking_until and self.answers.begin(
                client_id, together, now=now, until=asking_until
            ):
                return self._ask_alone(
                    client_id, together, missing, progress, deadline=asking_until
                )
            self._require_no_pause(client_id, together)
        raise NotAskedError("Another request is asking for this.", reason=Reason.LOOKUP_IN_FLIGHT)

    def _together(self, client_id: str, missing: Sequence[str]) -> str:
        """Return what names a look-up of ``missing``, if there are calls for it.

        Where there are none, nothing is written: any number of strangers cost one read each.

        Raises:
            NotAskedError: the look-ups' share of the budget is used up, or the origin blocks.
        """
        head, now = self.store.head(client_id), self.time.now()
        refused = budget.pause(head.health, now=now) or budget.refusal(
            head.counters, calls=1, now=now, lookup=True
        )
        if refused:
            raise NotAskedError(
                "The origin may not be asked now.", reason=refused.reason, until=refused.until
            )
        return " ".join(sorted(missing))

    def _require_no_pause(self, client_id: str, together: str) -> None:
        """Make sure that who asks for the same is asking, and has not just failed.

        Raises:
            NotAskedError: he has.
        """
        until = self.answers.paused_until(client_id, together)
        if self.time.now() < until <= self.time.now() + LONGEST_PAUSE_SECONDS:
            raise NotAskedError(
                "Asking for this has just failed.", reason=Reason.ORIGIN_BACKOFF, until=until
            )

    def _ask_alone(
        self,
        client_id: str,
        together: str,
        missing: Sequence[str],
        progress: _Progress,
        *,
        deadline: float,
    ) -> None:
        """Ask, having claimed to; a failure pauses this look-up, and nobody else."""
        paused_until: float | None = None
        try:
            self._ask(client_id, missing, progress, deadline=deadline)
        except OriginError as error:
            told = error.retry_after_seconds if isinstance(error, OriginServerError) else None
            paused_until = self.time.now() + max(PAUSE_SECONDS, told or 0)
            raise
        finally:
            # If this fails, the claim lapses by itself.
            with suppress(StoreError):
                self.answers.end(client_id, together, paused_until=paused_until)

    def _ask(
        self, client_id: str, missing: Sequence[str], progress: _Progress, *, deadline: float
    ) -> None:
        progress.asked_at = self.time.now()
        calls = OriginCalls(
            client_id=client_id,
            reserved=0,
            lookup=True,
            deadline=deadline,
            origin=self.origin(),
            credentials=self.credentials(),
            store=self.store,
            time=self.time,
        )
        asked: dict[str, Observation] = {}
        try:
            self._ask_all(calls, missing, asked)
        except OriginBlockedError as error:
            # What one look-up met concerns nobody else, but for a block.
            until = backoff.block_until(reset_seconds=error.reset_seconds, now=self.time.now())
            # If this fails, whoever asks next is told the same.
            with suppress(StoreError):
                self.store.hold_off(client_id, "blocked_until", until)
            raise
        finally:
            progress.answers |= asked
            progress.calls = calls.made
            if asked:
                self._keep(client_id, asked)

    def _ask_all(
        self, calls: OriginCalls, missing: Sequence[str], asked: dict[str, Observation]
    ) -> None:
        emails = {key: key.removeprefix("email:") for key in missing if key.startswith("email:")}
        ids = {key: int(key.removeprefix("id:")) for key in missing if key.startswith("id:")}
        batches = list(calls.batches(emails))
        # Where the budget does not allow for all, it may for some: they are counted one by one.
        with suppress(NotAskedError):
            calls.reserve(len(batches) + len(ids))
        for batch in batches:
            now = self.time.now()
            found = {address_of(line): line for line in calls.find(batch.values())}
            # Nothing is known of those who cannot be asked for.
            asked |= {
                key: Observation(found.get(emails[key]), now) for key, text in batch.items() if text
            }
        for key, user_id in ids.items():
            calls.require_time()
            now = self.time.now()
            asked[key] = Observation(calls.user(user_id), now)

    def _keep(self, client_id: str, asked: Mapping[str, Observation]) -> None:
        """Remember answers under their keys, and who was found under the id as well."""
        found = {id_of(answer.line): answer for answer in asked.values() if answer.line}
        by_id = {id_key(user_id): answer for user_id, answer in found.items()}
        self.answers.remember(client_id, {**asked, **by_id})
        if found:
            self.answers.await_adoption(client_id, list(found))


def _received(progress: _Progress, failure: UnavailableError | None) -> int | None:
    if isinstance(failure, OriginError):
        return failure.received
    # A list of nobody is a 200; only one user asked for by id can be a 404.
    told = progress.answers.items()
    nobody = all(key.startswith("id:") and answer.line is None for key, answer in told)
    return 404 if told and nobody else 200
