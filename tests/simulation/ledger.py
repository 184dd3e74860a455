"""Watches what is written and what the origin is asked, and says what must never be.

Everything here is told at the moment when the table did it, whether or not the writer ever heard.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from lib.directory.head import LONGEST_PAUSE_SECONDS, SKEW_SECONDS, Head, HeadUpdate, Lease
from lib.directory.manifest import Manifest, unpack
from lib.directory.pages import decode
from lib.errors import Reason
from lib.origin import budget
from lib.users.document import unstamped
from lib.users.hiding import HidingPolicy
from tests.fake_lookups import FakeLookups
from tests.fakes import CLIENT, FakeStore, User
from tests.simulation.conclusions import Conclusion
from tests.simulation.ledger_entries import (
    LISTS,
    Block,
    Edition,
    Moment,
    OriginCall,
    Run,
)
from tests.simulation.plan import CANARY, Fault, Plan
from tests.simulation.wire import Invocation

MILLISECOND = 0.001
"""Instants in the table are rounded to this."""


class Ledger:
    """All that was published, and how the origin was treated; ``complain`` hears what is wrong."""

    def __init__(
        self,
        plan: Plan,
        store: FakeStore,
        lookups: FakeLookups,
        now: Callable[[], float],
        complain: Callable[[str], None],
    ) -> None:
        self.editions: dict[int, Edition] = {}
        self.moments: list[Moment] = [Moment(0, 0, 0)]
        self.blocks: list[Block] = []
        self.calls: list[OriginCall] = []
        self.others: Mapping[int, User] = {}
        self.hiding_now: HidingPolicy = plan.settings.hiding
        self._plan = plan
        self._store = store
        self._lookups = lookups
        self._now = now
        self._complain = complain
        self._slack = 2 * plan.skew + MILLISECOND

    # What a process did to the table.

    def acquired(self, by: Invocation, before: Head, lease: Lease, *, now: float) -> None:
        """A process has taken the lease, at ``now`` by its own clock."""
        by.gate_at = self._now()
        by.run = Run(lease.token)
        if not self._plan.clocks_agree or by.handed_over == before.lease.token:
            return
        if before.lease.expires_at > now + MILLISECOND:
            self._complain(f"lease {lease.token} was taken while {before.lease.token} was held")
        doubts = by.believed and before.health.last_error == Reason.LOSS_DOUBTED
        retry_at = 0 if doubts else before.health.retry_at
        for until in (before.health.blocked_until, retry_at):
            if now + MILLISECOND < until <= now + LONGEST_PAUSE_SECONDS:
                self._complain(f"the lease was taken {until - now:.1f} s before a pause's end")
        age, number = now - before.generation.swept_at, before.generation.number
        # What a wrong clock wrote makes nothing fresh.
        fresh = -SKEW_SECONDS <= age < self._plan.settings.policy.max_age - MILLISECOND
        if fresh and not by.demands and number and self.readable(number):
            self._complain(f"a sweep begins that nobody needs: the last one is {age:.1f} s old")

    def held_off(self) -> None:
        """Somebody has noted until when nobody is to ask."""
        self._note_block(self._store.peek(CLIENT))

    def updated(self, by: Invocation, update: HeadUpdate) -> None:
        """The lease's holder has changed the head."""
        after = self._store.peek(CLIENT)
        self._note_block(after)
        self._check_holder(by, after)
        if "swept_at" in update:
            edition = self.editions[after.generation.number]
            self._conclude(by, after, before=edition, edition=edition)

    def published(self, by: Invocation, before: Head) -> None:
        """The head has moved to a new generation."""
        after = self._store.peek(CLIENT)
        self._check_holder(by, after)
        number = after.generation.number
        stored = self._lines(number)
        lines = {user_id: unstamped(line) for user_id, line in stored.items()}
        edition = Edition(after.generation, stored, lines, whole=self.readable(number))
        if strangers := edition.lines.keys() & self.others.keys():
            self._complain(
                f"{sorted(strangers)[:5]} are published, who are no users of this client"
            )
        last = self.editions.get(before.generation.number)
        self._conclude(by, after, before=last, edition=edition)
        for wrong in self._judge_stamps(by, last, edition):
            self._complain(wrong)
        self.editions[number] = edition
        self._note_block(after)

    def _conclude(
        self, by: Invocation, after: Head, *, before: Edition | None, edition: Edition
    ) -> None:
        self._note_moment(after)
        run = by.run
        if run is not None and not run.concluded:
            run.concluded = True
            conclusion = Conclusion(
                run=run,
                generation=after.generation,
                known=before.lines if before else {},
                lines=edition.lines,
                found={id_ for id_ in edition.lines if f"id:{id_}" in self._lookups.answers},
                hidings=self._plan.hidings,
                believed=by.believed,
                whole_before=before is None or self._is_whole(before),
                whole=edition.whole,
            )
            for wrong in conclusion.judge():
                self._complain(wrong)
            self._check_start(run, after)

    def _judge_stamps(
        self, by: Invocation, before: Edition | None, edition: Edition
    ) -> Iterator[str]:
        """Yield who is said to be as he is since another moment than that when it was seen."""
        first = before is None or not before.generation.published
        stamps = self._plan.settings.updated_at and not first
        # Of whom something else is hidden now, nobody says that he has changed.
        untold = {Fault.PAGES_LOST, Fault.WRONG_CLOCK, Fault.HIDING} & self._plan.faults
        for user_id, line in edition.lines.items():
            told = edition.stamp(user_id)
            if not stamps:
                if told:
                    yield f"user {user_id} has a stamp, and nobody can know since when he is so"
            elif untold:
                continue
            elif before is not None and before.lines.get(user_id) == line:
                if told != before.stamp(user_id):
                    yield f"user {user_id} is as he was, and his stamp is another"
            elif told is None:
                yield f"user {user_id} has changed, and has no stamp"
            else:
                at = datetime.fromisoformat(told).timestamp()
                if not by.arrived - self._slack <= at <= self._now() + self._slack:
                    yield f"user {user_id} has changed, and has the stamp of another sweep"

    def erased(self, user_id: int, number: int) -> None:
        """Somebody was taken out of what is kept, the newest generation being ``number`` then."""
        for kept in range(1, number + 1):
            if user_id in self._lines(kept):
                self._complain(f"user {user_id} was erased, and is in generation {kept}")

    def _is_whole(self, edition: Edition) -> bool:
        return edition.whole and self.readable(edition.generation.number)

    def _check_holder(self, by: Invocation, head: Head) -> None:
        # Who is handed a lease may give it back as it is.
        token = by.run.token if by.run else by.handed_over
        if token != head.lease.token:
            self._complain("somebody has written whose lease was taken over")

    def _check_start(self, run: Run, after: Head) -> None:
        lists = [call.began for call in run.calls if call.kind in LISTS]
        late = after.generation.swept_at - min(lists, default=after.generation.swept_at)
        if self._plan.true_clocks and late > MILLISECOND:
            self._complain(f"a sweep is said to have begun {late:.3f} s after it did")

    def _note_moment(self, head: Head) -> None:
        last, generation = self.moments[-1], head.generation
        moment = Moment(self._now(), generation.number, generation.swept_at)
        if moment.number not in {last.number, last.number + 1}:
            self._complain(f"generation {last.number} is followed by {moment.number}")
        if self._plan.true_clocks and moment.swept_at < last.swept_at - MILLISECOND:
            self._complain(f"a sweep of {last.swept_at - moment.swept_at:.3f} s before is newer")
        self.moments.append(moment)

    def _note_block(self, head: Head) -> None:
        until = head.health.blocked_until
        if until and (not self.blocks or self.blocks[-1].until != until):
            self.blocks.append(Block(self._now(), until))

    # How the origin is treated.

    def called(self, by: Invocation, call: OriginCall) -> None:
        """A call of the origin begins."""
        by.origin_calls += 1
        self.calls.append(call)
        if by.run is not None and not by.run.concluded:
            by.run.calls.append(call)
        if not self._plan.clocks_agree:
            return
        if by.blocked_until and call.began < by.blocked_until[-1]:
            self._complain("who was told to wait has asked again")
        for block in self.blocks:
            early = block.until - call.began
            if block.noted_at < by.gate_at and early > self._slack:
                self._complain(f"a call {early:.1f} s before a block's end")
        if call.kind in LISTS:
            self._check_list(by, call)

    def _check_list(self, by: Invocation, call: OriginCall) -> None:
        lease = self._store.peek(CLIENT).lease
        if by.run is None:
            self._complain("a list was asked for without a lease")
        elif lease.token != by.run.token:
            self._complain(f"a list for lease {by.run.token}, but {lease.token} was taken since")
        elif not lease.holder:
            self._complain(f"a list for lease {by.run.token}, which was let go")
        elif call.began - lease.expires_at > self._slack:
            self._complain(f"a list {call.began - lease.expires_at:.1f} s after the lease's end")

    def failed(self, by: Invocation, token: int) -> None:
        """A revalidation has failed, and has said so as far as it could."""
        head = self._store.peek(CLIENT)
        unheard = by.writes_failed or by.reads_failed or head.lease.token != token
        if unheard or by.run is None or not by.run.sweeps or not self._plan.clocks_agree:
            return
        # Who pauses himself may say so when the pause is over.
        asked_at = by.run.calls[-1].began
        if max(head.health.retry_at, head.health.blocked_until) < asked_at - self._slack:
            self._complain("a sweep failed, and nobody is told to wait")

    def ended(self, by: Invocation) -> None:
        """An invocation has come to its end, by itself."""
        if by.blocked_until and not by.writes_failed and not by.reads_failed:
            noted = self._store.peek(CLIENT).health.blocked_until
            if self._plan.true_clocks and noted < max(by.blocked_until) - MILLISECOND:
                self._complain("a block was met and not noted")

    def beyond_budget(self) -> Iterator[str]:
        """Yield what is wrong with the number of calls in any 60 seconds."""
        if not self._plan.clocks_agree:
            return
        most = int(budget.SHARE * self._plan.origin_limit)
        # Minutes begin when the clocks say so.
        first, seconds = 0, 60 - 2 * self._plan.skew
        for last, call in enumerate(self.calls):
            while self.calls[first].began <= call.began - seconds:
                first += 1
            if last - first + 1 > most:
                yield f"{last - first + 1} calls in 60 s, but no more than {most} are allowed"
                return

    # What anybody may be told.

    def at(self, instant: float) -> Moment:
        """Return what was newest at an instant."""
        place = bisect_right(self.moments, instant, key=lambda moment: moment.at)
        return self.moments[max(0, place - 1)]

    def readable(self, number: int) -> bool:
        """Return whether everything that makes a generation is there."""
        if (made_of := self._manifest(number)) is None:
            return False
        digests = (*(page.digest for page in made_of.pages), *made_of.shards)
        return all((CLIENT, digest) in self._store.stored_pages for digest in digests)

    def hidden_in_store(self) -> Iterator[str]:
        """Yield where the newest generation holds what the deployment hides."""
        generation = self._store.peek(CLIENT).generation
        if generation.published and generation.hiding_digest == self.hiding_now.digest:
            for user_id, line in self._lines(generation.number).items():
                if hidden(line, self.hiding_now):
                    yield f"user {user_id} is stored with what is hidden"

    def _manifest(self, number: int) -> Manifest | None:
        """Return what a generation is made of; None: it is buried."""
        packed = self._store.manifests[CLIENT, number].get("listing")
        return unpack(packed) if packed else None

    def _lines(self, number: int) -> dict[int, bytes]:
        stored, manifest = self._store.stored_pages, self._manifest(number)
        pages = (
            decode(ref, stored[CLIENT, ref.digest][0])
            for ref in (manifest.pages if manifest else ())
            if (CLIENT, ref.digest) in stored
        )
        return {user_id: line for page in pages for user_id, line in page.users()}


def hidden(text: bytes, hiding: HidingPolicy) -> bool:
    """Return whether ``text`` holds a value that ``hiding`` hides."""
    named = (*hiding.fields, *hiding.metadata_keys)
    return any(f"{CANARY}-{name}".encode() in text for name in named)
