"""Asks for those whom webhooks hinted at, so that they are known within seconds.

A webhook is answered once its hint is noted. Whoever then *begins* works all hints off that wait,
one batch after the other and ``GATHER_SECONDS`` apart, so that any number of webhooks makes one
worker a client and one run every few seconds: a revalidation of just these users, under the lease
and out of the look-ups' share of the budget (``lib.origin.budget``). A hint waits until its users
have been asked for. Where the origin may not be asked, nobody begins until that may have changed;
from then on the next webhook does, or the schedule. A sweep that the schedule missed, because a
worker had the lease just then, comes before all hints.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from typing import assert_never

from lib.clock import Time
from lib.directory.head import LEASE_SECONDS, LONGEST_PAUSE_SECONDS, Head
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Directory, Hinted, Lookups
from lib.errors import (
    BrokenSnapshotError,
    OriginBlockedError,
    OriginError,
    Reason,
    ServiceError,
    StoreError,
    UnavailableError,
    UnexpectedError,
)
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.revalidation.outcomes import Claim, Failed, Published, Unchanged, Unfinished
from lib.revalidation.pauses import follow
from lib.revalidation.purpose import Purpose
from lib.revalidation.revalidation import Revalidation
from lib.revalidation.schedule import Schedule
from lib.revalidation.wanted import least_calls
from lib.users.address import asked_form
from lib.users.document import address_of
from lib.users.keys import UserKeys

BATCH = 50
"""How many users one run asks for: as many addresses fit into one call, more or less."""

GATHER_SECONDS = 3.0
"""What is between two runs: what comes meanwhile is asked for together."""

WORK_SECONDS = 20.0
"""How long one worker goes on, who takes up an execution of the refresh function."""

BEGUN_SECONDS = 60.0
"""How long a worker counts as being there if it is never heard of again."""

PAUSE_SECONDS = 60.0
"""How long nobody begins after what cannot have been the fault of the users asked for."""

MAX_FAILURES = 3
"""After so many failed runs a worker ends."""

_WORK = "hints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What a worker did: how many users it ``asked`` for, and how many it gave up as ``dropped``.

    ``refused`` says why it stopped before nobody waited any more, None if it did not.
    """

    asked: int = 0
    dropped: int = 0
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Hints of any client."""

    hinted: Hinted
    lookups: Lookups
    store: Directory
    revalidation: Revalidation
    schedule: Schedule
    time: Time

    def begin(self, client_id: str) -> bool:
        """Claim to work a client's hints off, unless somebody does or it is of no use yet."""
        now = self.time.now()
        return self.lookups.begin(client_id, _WORK, now=now, until=now + BEGUN_SECONDS)

    def give_up(self, client_id: str) -> None:
        """Let somebody else begin; if this fails, somebody may a minute later."""
        with suppress(StoreError):
            self.lookups.end(client_id, _WORK)

    def work(self, client_id: str, *, holder: str, deadline: float) -> Worked:
        """Work off what waits, having begun; ``holder`` is unique to the invocation.

        Raises:
            StoreError: DynamoDB failed; what waits goes on waiting.
        """
        until = min(deadline, self.time.now() + WORK_SECONDS)
        worker = _Worker(self, client_id, holder, until, deadline)
        while True:
            worker.run()
            refused = worker.done.refused
            longest = self.time.now() + LONGEST_PAUSE_SECONDS
            paused_until = min(refused.until, longest) if refused else None
            self.lookups.end(client_id, _WORK, paused_until=paused_until)
            # Who noted a hint before this end could not begin, and may have been too late for us.
            missed = not refused and self.hinted.waiting([client_id])
            if not missed or worker.is_late() or not self.begin(client_id):
                return worker.done


@dataclass(slots=True)
class _Worker:
    """One worker, who begins no run after the instant ``until``; a run may take ``deadline``."""

    hints: Hints
    client_id: str
    holder: str
    until: float
    deadline: float
    done: Worked = Worked()
    most: int = BATCH
    failures: int = 0

    def is_late(self) -> bool:
        """Return whether there is no time for another run."""
        return self.hints.time.now() + GATHER_SECONDS >= self.until

    def run(self) -> None:
        """Ask for everybody who waits, or until time ends or the origin may not be asked."""
        while keys := self.hints.hinted.take(self.client_id, most=self.most):
            refused = self._work_off(keys)
            self.done = replace(self.done, refused=refused)
            if refused or self.is_late():
                return
            self.hints.time.sleep(GATHER_SECONDS)

    def _work_off(self, keys: Sequence[str]) -> Refusal | None:
        """Ask for those of ``keys`` that the budget allows; return why to stop, if there is why."""
        claimed = self._claim(keys)
        if isinstance(claimed, Refusal):
            return claimed
        keys, wanted, claim = claimed
        outcome = self.hints.revalidation.run(
            claim, deadline=self.deadline, purpose=Purpose(wanted=wanted)
        )
        match outcome:
            case Published() | Unchanged() | Unfinished():
                self.hints.hinted.settle(self.client_id, keys)
                self.done = replace(self.done, asked=self.done.asked + len(keys))
                return None
            case Failed(error=error):
                return self._failed(keys, error)
            case _:
                assert_never(outcome)

    def _failed(self, keys: Sequence[str], error: ServiceError) -> Refusal | None:
        """Find out one by one whom the origin fails for, and give those up."""
        suspected = isinstance(error, OriginError | UnexpectedError)
        if suspected and not isinstance(error, OriginBlockedError):
            self.most, self.failures = 1, self.failures + 1
            if len(keys) == 1:
                self.hints.hinted.settle(self.client_id, keys)
                self.done = replace(self.done, dropped=self.done.dropped + 1)
            if self.failures < MAX_FAILURES:
                return None
        reason = (
            error.reason if isinstance(error, UnavailableError) else Reason.CLIENT_NOT_CONFIGURED
        )
        told = error.until if isinstance(error, UnavailableError) else 0
        return self._later(reason, told)

    def _later(self, reason: Reason, until: float = 0) -> Refusal:
        return Refusal(reason, max(until, self.hints.time.now() + PAUSE_SECONDS))

    def _claim(self, keys: Sequence[str]) -> tuple[Sequence[str], UserKeys, Claim] | Refusal:
        """Take the lease for as many of ``keys`` as may be asked for, waiting for who has it."""
        time, revalidation = self.hints.time, self.hints.revalidation
        until = min(self.until, time.now() + LEASE_SECONDS)
        refused = self._later(Reason.LEASE_HELD)
        for head in self._heads(until):
            if not head.generation.published:
                # The first sweep may find them all.
                return self._later(Reason.GENERATION_AWAITED)
            if self._sweep_missed(head):
                continue
            allowed, wanted = self._affordable(head, keys)
            if not allowed:
                end = (budget.minute_of(time.now()) + 1) * 60.0
                return Refusal(Reason.ORIGIN_BUDGET, end)
            claimed = revalidation.claim(head, holder=self.holder, wanted=wanted)
            if isinstance(claimed, Claim):
                return allowed, wanted, claimed
            refused = claimed
            if refused.reason is not Reason.LEASE_HELD:
                break
        return refused

    def _sweep_missed(self, head: Head) -> bool:
        """Sweep if the schedule would have; tell whether that was done."""
        hints = self.hints
        if not hints.schedule.missed(head, now=hints.time.now()):
            return False
        claimed = hints.revalidation.claim(head, holder=self.holder)
        if isinstance(claimed, Refusal):
            return False
        hints.revalidation.run(claimed, deadline=self.deadline)
        return True

    def _heads(self, until: float) -> Iterator[Head]:
        hints = self.hints
        return follow(lambda: hints.store.head(self.client_id), until=until, time=hints.time)

    def _affordable(self, head: Head, keys: Sequence[str]) -> tuple[Sequence[str], UserKeys]:
        """Return the first of ``keys`` that there are calls for, and how to ask for them."""
        calls = budget.remaining_for_hints(head.counters, now=self.hints.time.now())
        window = self.hints.revalidation.observer.window
        while keys:
            wanted = self._wanted(head, keys)
            if least_calls(wanted, window) <= calls:
                return keys, wanted
            keys = keys[: len(keys) // 2]
        return (), UserKeys()

    def _wanted(self, head: Head, keys: Sequence[str]) -> UserKeys:
        """Return how to ask for ``keys``: whoever is known by address, all of them in one call.

        Of an id that is not known there is no address, and each takes a call.
        """
        observer = self.hints.revalidation.observer
        known = snapshot_of(observer.contents, head.generation, hiding=observer.hiding)
        addresses = [key.removeprefix("email:") for key in keys if key.startswith("email:")]
        ids = []
        for user_id in (int(key.removeprefix("id:")) for key in keys if key.startswith("id:")):
            line = None
            with suppress(BrokenSnapshotError):
                line = known.find(user_id)
            address = "" if line is None else address_of(line)
            if asked_form(address, self.client_id):
                addresses.append(address)
            else:
                ids.append(user_id)
        return UserKeys(addresses=addresses, ids=ids)
