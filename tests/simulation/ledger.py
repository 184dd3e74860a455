"""Watches what is written and what the origin is asked, and says what must never be.

Everything here is told at the moment when the table did it, whether or not the writer ever heard.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from lib.directory.head import SKEW_SECONDS, Head, HeadUpdate, Lease
from lib.directory.manifest import unpack
from lib.directory.pages import Page, decode
from lib.origin import budget
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from tests.fake_lookups import FakeLookups
from tests.fakes import CLIENT, FakeStore, User
from tests.simulation.ledger_entries import Block, Edition, Moment, OriginCall, Run
from tests.simulation.plan import CANARY, Plan
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
        self.hiding_now: HidingPolicy = plan.settings.hiding
        self._plan = plan
        self._slack = 2 * plan.skew + MILLISECOND
        self._store = store
        self._lookups = lookups
        self._now = now
        self._complain = complain

    # What a process did to the table.

    def acquired(self, by: Invocation, before: Head, lease: Lease, *, now: float) -> None:
        """A process has taken the lease."""
        by.gate_at = self._now()
        by.run = Run(lease.token)
        if self._plan.clocks_agree and before.lease.expires_at > now + MILLISECOND:
            self._complain(f"lease {lease.token} was taken while {before.lease.token} was held")
        for name in ("blocked_until", "retry_at"):
            until = getattr(before.health, name)
            if now + MILLISECOND < until <= now + 300 and self._plan.clocks_agree:
                self._complain(f"the lease was taken {until - now:.1f} s before {name}")
        fresh_for = self._plan.settings.policy.max_age
        age = now - before.generation.swept_at
        # What a wrong clock wrote makes nothing fresh.
        fresh = -SKEW_SECONDS <= age < fresh_for - MILLISECOND
        if fresh and before.generation.published and not by.demands and self._whole(before):
            self._complain(f"a sweep begins that nobody needs: the last one is {age:.1f} s old")

    def put(self, by: Invocation, pages: Sequence[Page]) -> None:
        """A process has written pages."""

    def held_off(self, client_id: str) -> None:
        """Somebody has noted until when nobody is to ask."""
        self._note_block(self._store.peek(client_id))

    def updated(self, by: Invocation, before: Head, update: HeadUpdate) -> None:
        """The lease's holder has changed the head."""
        after = self._store.peek(CLIENT)
        self._note_block(after)
        if "swept_at" in update:
            edition = self.editions.get(after.generation.number)
            if edition is not None:
                self._conclude(by, before, after, edition.lines, edition)
            self._note_moment(after)

    def published(self, by: Invocation, before: Head, update: HeadUpdate) -> None:
        """The head has moved to a new generation."""
        del update
        after = self._store.peek(CLIENT)
        lines = self._lines(after)
        edition = Edition(after.generation, lines, whole=self._whole(after))
        old = self.editions.get(before.generation.number)
        self._conclude(by, before, after, lines, old)
        self.editions[after.generation.number] = edition
        self._note_moment(after)
        self._note_block(after)

    def _whole(self, head: Head) -> bool:
        return self.readable(head.generation.number)

    def _lines(self, head: Head) -> dict[int, bytes]:
        stored = self._store.stored_pages
        named = unpack(self._store.manifests[CLIENT, head.generation.number]["listing"]).pages
        pages = (
            decode(ref, stored[CLIENT, ref.digest][0])
            for ref in named
            if (CLIENT, ref.digest) in stored
        )
        return {user_id: line for page in pages for user_id, line in page.users()}

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

    # What a revalidation made of what it was told.

    def _conclude(
        self, by: Invocation, before: Head, after: Head, lines: dict[int, bytes], old: Edition | None
    ) -> None:
        run = by.run
        if run is None:
            self._complain("somebody published without a lease")
            return
        if run.concluded:
            return
        run.concluded = True
        known = old.lines if old else {}
        told = run.listed() | run.single() if run.sweeps else run.single()
        gone = {user_id for user_id, row in run.single().items() if row is None}
        for user_id, line in lines.items():
            row = told.get(user_id)
            if row is not None:
                if not self._shows(line, row):
                    self._complain(f"user {user_id} is published as the origin did not tell it")
            elif user_id in gone:
                self._complain(f"user {user_id} is published, who is gone")
            elif user_id in known and not self._is_same(line, known[user_id]):
                self._complain(f"user {user_id} has changed, although nobody asked for him")
            elif user_id not in known and not self._was_looked_up(user_id):
                self._complain(f"user {user_id} is published, whom nobody has seen")
            elif run.sweeps and user_id not in known and not after.generation.adopted:
                self._complain(f"user {user_id} is published and not counted as adopted")
            elif run.sweeps and not (
                after.generation.unconfirmed_since or after.generation.adopted
            ):
                self._complain(f"user {user_id} was not seen, and nothing says so")
        for user_id in known.keys() - lines.keys() - gone:
            if not by.believed and self._whole(before):
                self._complain(f"user {user_id} is dropped, although nobody said he is gone")
        if run.sweeps:
            self._check_sweep(run, after, lines)

    def _check_sweep(self, run: Run, after: Head, lines: dict[int, bytes]) -> None:
        missing = run.listed().keys() - lines.keys()
        if missing and self._whole(after):
            self._complain(f"users {sorted(missing)[:5]} were listed and are not published")
        began = min(call.began for call in run.calls if call.kind == "list")
        late = after.generation.swept_at - began
        if self._plan.true_clocks and late > MILLISECOND:
            self._complain(f"a sweep is said to have begun {late:.3f} s after it did")

    def _shows(self, line: bytes, row: User) -> bool:
        return any(line == canonical(hiding.apply(row)) for hiding in self._plan.hidings)

    def _is_same(self, line: bytes, known: bytes) -> bool:
        return line == known or self._shows(line, json.loads(known))

    def _was_looked_up(self, user_id: int) -> bool:
        return f"id:{user_id}" in self._lookups.answers

    # How the origin is treated.

    def called(self, by: Invocation, call: OriginCall) -> None:
        """A call of the origin begins."""
        by.origin_calls += 1
        self.calls.append(call)
        if by.run is not None and not by.run.concluded:
            by.run.calls.append(call)
        if by.blocked_until and call.began < by.blocked_until[-1]:
            self._complain("who was told to wait has asked again")
        for block in self.blocks:
            early = block.until - call.began
            if self._plan.clocks_agree and block.noted_at < by.gate_at and early > self._slack:
                self._complain(f"a call {early:.1f} s before a block's end")
        if call.kind == "list":
            self._check_list(by, call)

    def _check_list(self, by: Invocation, call: OriginCall) -> None:
        lease = self._store.peek(CLIENT).lease
        if by.run is None:
            self._complain("a list was asked for without a lease")
        elif self._plan.clocks_agree and lease.token != by.run.token:
            self._complain(f"a list for lease {by.run.token}, but {lease.token} was taken since")
        elif self._plan.clocks_agree and call.began - lease.expires_at > self._slack:
            self._complain(f"a list {call.began - lease.expires_at:.1f} s after the lease's end")

    def ended(self, by: Invocation) -> None:
        """An invocation has come to its end, by itself."""
        if by.blocked_until and not by.writes_failed and not by.reads_failed:
            noted = self._store.peek(CLIENT).health.blocked_until
            if self._plan.true_clocks and noted < max(by.blocked_until) - MILLISECOND:
                self._complain("a block was met and not noted")

    def beyond_budget(self) -> Iterator[str]:
        """Yield what is wrong with the number of calls in any 60 seconds."""
        most = int(budget.SHARE * self._plan.origin_limit)
        if not self._plan.clocks_agree:
            return
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
        manifest = self._store.manifests.get((CLIENT, number))
        if manifest is None:
            return False
        made_of = unpack(manifest["listing"])
        digests = (*(page.digest for page in made_of.pages), *made_of.shards)
        return all((CLIENT, digest) in self._store.stored_pages for digest in digests)

    def hidden_in_store(self) -> Iterator[str]:
        """Yield where a value is stored that the deployment hides."""
        head = self._store.peek(CLIENT)
        if head.generation.hiding_digest != self.hiding_now.digest:
            return
        for user_id, line in self._lines(head).items():
            if hidden(line, self.hiding_now):
                yield f"user {user_id} is stored with what is hidden"


def hidden(text: bytes, hiding: HidingPolicy) -> bool:
    """Return whether ``text`` holds a value that ``hiding`` hides."""
    named = (*hiding.fields, *hiding.metadata_keys)
    return any(f"{CANARY}-{name}".encode() in text for name in named)
