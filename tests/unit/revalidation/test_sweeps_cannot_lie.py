"""Whatever happens at the origin, and whenever: no false deletion, no duplicate, no user lost.

A model of the origin changes before any of the service's calls. After each revalidation the
published generation is held against everything that was ever true. The same check finds a sweep
that walks forward, and one that does not ask by id before it counts a user as deleted.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import ClassVar, override

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lib.directory import diff
from lib.directory.generation import Generation
from lib.directory.head import Head
from lib.directory.snapshot import snapshot_of
from lib.origin.calls import OriginCalls
from lib.revalidation.observe import Observed, Observer
from lib.revalidation.outcomes import Claim, Failed
from lib.revalidation.purpose import Purpose
from lib.revalidation.window import Window
from lib.users.document import canonical
from lib.users.keys import UserKeys
from tests.fakes import CLIENT, NOW, FakeOrigin, User, user
from tests.world import World

CALL_SECONDS = 0.25
"""How long a call of the model takes; a binary fraction, so that instants stay exact."""

type Op = tuple[str, int]
type Users = dict[int, bytes]


class ForwardCalls(OriginCalls):
    """Lists from the first window to the last, whatever is asked for first."""

    window: ClassVar[Window]
    ahead: dict[int, Sequence[bytes]]

    @override
    def users(self, offset: int, limit: int) -> Sequence[bytes]:
        if not hasattr(self, "ahead"):
            self.ahead = {}
        for further in sorted(self.window.offsets):
            if further not in self.ahead:
                self.ahead[further] = super().users(further, limit)
        return self.ahead[offset]


class ForwardObserver(Observer):
    """Sweeps from the first window to the last."""

    @override
    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        forward = type("Forward", (ForwardCalls,), {"window": self.window})
        return super().everyone(head, as_calls(forward, calls), purpose)


class TrustingCalls(OriginCalls):
    """Counts a user as deleted when no address leads to it."""

    @override
    def user(self, user_id: int) -> bytes | None:
        return None


class TrustingObserver(Observer):
    """Does not ask by id before it counts a user as deleted."""

    @override
    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        return super().everyone(head, as_calls(TrustingCalls, calls), purpose)


def as_calls(kind: type[OriginCalls], calls: OriginCalls) -> OriginCalls:
    """Return the same calls of another kind."""
    return kind(**{each.name: getattr(calls, each.name) for each in fields(calls)})


@dataclass(slots=True)
class Version:
    """What a user was from one instant to another."""

    line: bytes
    since: float
    until: float = float("inf")


@dataclass(slots=True)
class Model:
    """An origin that changes while it is asked, with its whole history, and the service over it."""

    world: World
    history: dict[int, list[Version]] = field(default_factory=dict)
    meanwhile: Iterator[Sequence[Op]] = field(default_factory=lambda: iter(()))
    addresses: int = 0

    def __post_init__(self) -> None:
        self.world.origin.before_call = self._before_call

    @property
    def now(self) -> float:
        return self.world.clock.now

    @property
    def rows(self) -> list[User]:
        return self.world.origin.rows

    @property
    def alive(self) -> set[int]:
        return {row["id"] for row in self.rows}

    def do(self, op: Op) -> None:
        """Change the origin: which user an operation meets is counted round the directory."""
        verb, chosen = op
        if verb == "create":
            user_id = len(self.history) + 1
            created = datetime.fromtimestamp(self.now, UTC).isoformat()
            self.rows.append(user(user_id, createdDate=created))
            self._note(self.rows[-1])
        elif self.rows:
            row = self.rows[chosen % len(self.rows)]
            if verb == "delete":
                self.history[row["id"]][-1].until = self.now
                self.rows.remove(row)
            elif verb == "rename":
                self._change(row, self._new_address())
            elif verb == "spoil":
                self._change(row, f"user {row['id']} has no address")
            elif verb == "swap":
                other = self.rows[(chosen + 1) % len(self.rows)]
                address = row["email"]
                self._change(row, other["email"])
                self._change(other, address)

    def users_of(self, generation: Generation) -> list[bytes]:
        if not generation.published:
            return []
        return list(snapshot_of(self.world.store, generation).lines())

    def line_at(self, user_id: int, line: bytes, since: float) -> bool:
        """Return whether ``line`` was true of a user at some instant from ``since`` on."""
        return any(seen.line == line and seen.until >= since for seen in self.history[user_id])

    def _before_call(self) -> None:
        self.world.clock.now += CALL_SECONDS
        for op in next(self.meanwhile, ()):
            self.do(op)

    def _new_address(self) -> str:
        self.addresses += 1
        return f"new{self.addresses}+{CLIENT}@example.com"

    def _change(self, row: User, email: str) -> None:
        changed = row | {"email": email}
        self.rows[self.rows.index(row)] = changed
        self.history[row["id"]][-1].until = self.now
        self._note(changed)

    def _note(self, row: User) -> None:
        self.history.setdefault(row["id"], []).append(Version(canonical(row), self.now))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens before a revalidation, what during it, and whether it is of named users."""

    pause: float
    before: Sequence[Op]
    during: Sequence[Sequence[Op]]
    named: int | None


CHANGES = st.tuples(
    st.sampled_from(["create", "delete", "rename", "swap", "spoil"]), st.integers(0, 30)
)
LOOK_UPS = st.tuples(st.sampled_from(["find", "get"]), st.integers(0, 30))
STEPS = st.lists(
    st.builds(
        Step,
        pause=st.sampled_from([20.0, 200.0, 200.0]),
        before=st.lists(CHANGES | LOOK_UPS, max_size=8),
        during=st.lists(st.lists(CHANGES, max_size=2), max_size=6),
        named=st.none() | st.none() | st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
)
WINDOWS = st.sampled_from([Window(max_limit=4, max_offset=4), Window(max_limit=3, max_offset=2)])
LIMITS = st.sampled_from([0, 2, 100, 100])


def live(
    observer: type[Observer], window: Window, max_adopted: int, users: int, steps: Sequence[Step]
) -> None:
    """Let the steps happen, and check what each revalidation made of them."""
    world = World(
        window=window, observer=observer, max_adopted=max_adopted, origin=FakeOrigin(rows=[])
    )
    model = Model(world)
    for _ in range(users):
        model.do(("create", 0))
    world.revalidate()
    for step in steps:
        world.clock.now += step.pause
        for verb, chosen in step.before:
            if verb in {"find", "get"}:
                look_up(model, verb, chosen)
            else:
                model.do((verb, chosen))
        revalidate(model, step)


def look_up(model: Model, verb: str, chosen: int) -> None:
    """Ask for a user, and check that the answer was true when it says that it was seen."""
    if not model.rows:
        return
    row = model.rows[chosen % len(model.rows)]
    asked = UserKeys(ids=[row["id"]]) if verb == "get" else UserKeys(addresses=[row["email"]])

    found = model.world.look_up(asked)

    for line in found.lines:
        assert model.line_at(json.loads(line)["id"], line, found.observed_at or 0)


def revalidate(model: Model, step: Step) -> None:
    """Revalidate while the origin changes, and check what was published."""
    world, wanted = model.world, None
    if step.named is not None and model.rows:
        wanted = UserKeys(ids=[model.rows[step.named % len(model.rows)]["id"]])
    old, at_start = world.head, model.alive
    expected = surely_seen(model, wanted)
    claim = world.revalidation.claim(old, holder="me", wanted=wanted)
    if not isinstance(claim, Claim):
        return
    model.meanwhile = iter(step.during)

    outcome = world.run(claim, wanted=wanted)

    model.meanwhile = iter(())
    if isinstance(outcome, Failed):
        assert world.head.generation.digest == old.generation.digest
        return
    lines = model.users_of(world.head.generation)
    known = {json.loads(line)["id"]: line for line in lines}
    assert list(known) == sorted(known), "out of order"
    assert len(known) == len(lines) == world.head.generation.users, "duplicates"
    assert not (expected & model.alive) - known.keys(), "lost users"
    check_honest(model, known)
    if world.head.generation.complete and wanted is None:
        assert known.keys() >= at_start & model.alive, "incomplete"
    check_changes(model, old, known)


def surely_seen(model: Model, wanted: UserKeys | None) -> set[int]:
    """Return who must be in the next generation unless deleted until then."""
    world = model.world
    expected = {json.loads(line)["id"] for line in model.users_of(world.head.generation)}
    if wanted is not None:
        full = (
            world.head.generation.adopted >= world.max_adopted
            and not world.head.generation.complete
        )
        return expected if full else expected | set(wanted.ids)
    expected |= {row["id"] for row in model.rows[: world.window.size]}
    room = world.max_adopted - world.head.generation.adopted
    return expected | (world.lookups.ids if len(world.lookups.ids) <= room else set())


def check_honest(model: Model, known: Users) -> None:
    """Check that each user was once as published, and no earlier than the head says."""
    head = model.world.head
    assert NOW <= head.generation.oldest_observation <= head.generation.swept_at
    for user_id, line in known.items():
        adopted = head.generation.window_last_id and user_id > head.generation.window_last_id
        assert model.line_at(user_id, line, 0), "never true"
        # Of those deleted in the window, some may not have been confirmed yet.
        if adopted or user_id in model.alive:
            since = head.generation.oldest_observation if adopted else head.generation.swept_at
            assert model.line_at(user_id, line, since), "older than told"


def check_changes(model: Model, old: Head, known: Users) -> None:
    """Check that the changes lead from the old generation to the new one, and are true."""
    store, new = model.world.store, model.world.head
    before = store.generation(CLIENT, old.generation.number)
    after = store.generation(CLIENT, new.generation.number)
    assert before is not None
    assert after is not None
    replayed = {json.loads(line)["id"]: line for line in model.users_of(before)}
    for change in diff.changes(snapshot_of(store, before), snapshot_of(store, after)):
        if change.after is None:
            assert change.user_id not in model.alive, "false deletion"
            assert replayed.pop(change.user_id) == change.before
            continue
        assert replayed.get(change.user_id) == change.before
        replayed[change.user_id] = change.after
        if change.before is None:
            created = model.history[change.user_id][0].since >= before.swept_at
            assert change.kind == ("created" if created else "discovered")
    assert replayed == known


@given(window=WINDOWS, max_adopted=LIMITS, users=st.integers(0, 14), steps=STEPS)
@settings(max_examples=400)
def test_no_sweep_lies(window: Window, max_adopted: int, users: int, steps: Sequence[Step]) -> None:
    live(Observer, window, max_adopted, users, steps)


@pytest.mark.parametrize("broken", [ForwardObserver, TrustingObserver])
def test_a_sweep_that_can_lie_is_found_out(broken: type[Observer]) -> None:
    @given(window=WINDOWS, max_adopted=LIMITS, users=st.integers(0, 14), steps=STEPS)
    @settings(
        max_examples=5_000,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    def no_sweep_lies(window: Window, max_adopted: int, users: int, steps: Sequence[Step]) -> None:
        live(broken, window, max_adopted, users, steps)

    with pytest.raises(AssertionError, match=r"lost users|false deletion"):
        no_sweep_lies()
