"""Who is asked for before it counts as deleted, and how adopted users keep their turn.

Addresses here are long enough for a few users to fill a call.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.directory.head import Head, updated
from lib.errors import NotAskedError, OriginBlockedError, OriginError, OriginServerError, Reason
from lib.origin.batches import batches_of
from lib.revalidation.head_updates import counted
from lib.revalidation.reconcile import (
    MAX_CONFIRMATIONS,
    Loss,
    Reconciled,
    Reconciliation,
    Rotation,
    incomplete_reason,
)
from lib.revalidation.window import Sweep
from lib.users.address import is_address
from lib.users.document import OMITTED, canonical
from lib.users.keys import Observation
from tests.fakes import CLIENT, NOW, User, head_with, user

PER_CALL = 23
"""How many of the addresses here fit into one call."""

type Users = dict[int, bytes]


def row(user_id: int, **changes: object) -> User:
    return user(user_id, email=f"{user_id:06}@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'v' * 60}.com") | (
        changes
    )


def lines(rows: Iterable[User]) -> Users:
    return {each["id"]: canonical(each) for each in rows}


WHOLE = lines([row(1), row(2)])
CUT = lines([row(1), row(2) | {OMITTED: ["bio"]}])


def broken(*, pause: int | None = None) -> OriginServerError:
    return OriginServerError(
        "the origin answered 500",
        reason=Reason.ORIGIN_5XX,
        received=500,
        retry_after_seconds=pause,
    )


@dataclass
class Origin:
    """The calls of one sweep; the first ``allowed`` are, and after ``in_time`` time is short.

    Whoever asks for one of ``poisoned`` by id gets ``error``; so does, if it ``finds`` nobody any
    more, whoever asks by address.
    """

    rows: dict[int, User]
    allowed: int = 1000
    in_time: int = 1000
    poisoned: Collection[int] = ()
    finds: bool = True
    error: OriginError = field(default_factory=broken)
    found: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def batches[K](self, stored: Mapping[K, str]) -> Iterator[dict[K, str]]:
        asked = {key: text if is_address(text) else "" for key, text in stored.items()}
        return batches_of(asked, most=250)

    def find(self, addresses: Iterable[str]) -> list[bytes]:
        asked = set(filter(None, addresses))
        if not asked:
            return []
        self._count()
        self.found.append(len(asked))
        if not self.finds:
            raise self.error
        rows = self.rows.values()
        return [canonical(each) for each in rows if each["email"] in asked]

    def user(self, user_id: int) -> bytes | None:
        self._count()
        self.asked.append(user_id)
        if user_id in self.poisoned:
            raise self.error
        found = self.rows.get(user_id)
        return canonical(found) if found else None

    def hurried(self) -> bool:
        return len(self.found) + len(self.asked) >= self.in_time

    def _count(self) -> None:
        if len(self.found) + len(self.asked) == self.allowed:
            raise NotAskedError("over budget", reason=Reason.ORIGIN_BUDGET)


def take(  # noqa: PLR0913 - each test changes one of them
    origin: Origin,
    *,
    base: Users,
    seen: Users,
    complete: bool = False,
    pending: dict[int, Observation] | None = None,
    head: Head | None = None,
    loss: Loss = Loss.TO_CONFIRM,
    max_batches: int = 20,
    max_adopted: int = 1000,
    now: float = NOW,
) -> Reconciled:
    """Return what is known after a window that showed ``seen``."""
    taker = Reconciliation(
        calls=origin,
        max_batches=max_batches,
        max_adopted=max_adopted,
        now=now,
    )
    return taker.reconcile(
        head or head_with(CLIENT, swept_at=NOW - 200),
        Sweep(seen, complete),
        base=base,
        pending=pending or {},
        loss=loss,
    )


def origin_of(ids: Collection[int], *, allowed: int = 1000, in_time: int = 1000) -> Origin:
    return Origin({user_id: row(user_id) for user_id in ids}, allowed=allowed, in_time=in_time)


def known(ids: Iterable[int]) -> Users:
    return lines(row(user_id) for user_id in sorted(ids))


def test_the_missing_are_asked_for_by_address_at_once_and_then_by_id() -> None:
    origin = origin_of({1, 2, 3})
    origin.rows[3] = row(3, email="new@example.com")

    reconciled = take(origin, base=known({1, 2, 3, 4}), seen=known({1}), complete=True)

    assert reconciled.users == lines(origin.rows.values())
    assert (origin.found, sorted(origin.asked)) == ([3], [3, 4])
    assert not reconciled.reason


def test_only_so_many_are_asked_for_by_id_and_the_others_stay() -> None:
    origin = origin_of({1})
    base = known(range(1, 31))

    reconciled = take(origin, base=base, seen=known({1}), complete=True)

    assert origin.found == [PER_CALL]
    assert len(set(origin.asked)) == MAX_CONFIRMATIONS
    assert reconciled.users.keys() == base.keys() - set(origin.asked)
    assert reconciled.reason == "unconfirmed-deletions"
    assert reconciled.unconfirmed_since == NOW - 200


def test_who_may_be_gone_for_several_sweeps_was_seen_before_the_first() -> None:
    head = head_with(CLIENT, swept_at=NOW - 200, unconfirmed_since=NOW - 900)

    reconciled = take(
        origin_of({1}, allowed=0), base=known({1, 2}), seen=known({1}), complete=True, head=head
    )

    assert reconciled.unconfirmed_since == NOW - 900


@pytest.mark.parametrize(("missing", "since"), [(2, NOW - 200), (3, NOW - 900)])
def test_who_may_be_gone_was_seen_when_he_was_last_asked_for(missing: int, since: float) -> None:
    head = head_with(
        CLIENT,
        swept_at=NOW - 200,
        users=3,
        adopted=1,
        adopted_seen_at=NOW - 900,
        window_last_id=2,
    )
    base = known({1, 2, 3})
    seen = {user_id: line for user_id, line in base.items() if user_id != missing}

    reconciled = take(
        origin_of({1}), base=base, seen=seen, complete=True, head=head, loss=Loss.DOUBTED
    )

    assert reconciled.unconfirmed_since == since


def test_who_stayed_unconfirmed_is_confirmed_by_later_sweeps() -> None:
    base = known(range(1, 31))

    first = take(origin_of({1}), base=base, seen=known({1}), complete=True)
    second = take(origin_of({1}), base=first.users, seen=known({1}), complete=True)

    assert list(second.users) == [1]
    assert not second.reason
    assert second.unconfirmed_since == 0


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"allowed": 0}, 3),
        ({"allowed": 1}, 3),
        ({"allowed": 2}, 2),
        ({"in_time": 1}, 3),
        ({"in_time": 3}, 1),
    ],
)
def test_where_budget_or_time_end_the_rest_stays(limits: dict[str, int], left: int) -> None:
    origin = origin_of({1}, **limits)

    reconciled = take(origin, base=known({1, 2, 3, 4}), seen=known({1}), complete=True)

    assert reconciled.users.keys() == {1, 2, 3, 4} - set(origin.asked)
    assert len(reconciled.users) == 1 + left
    assert reconciled.reason == "unconfirmed-deletions"


def test_a_user_for_whom_the_origin_fails_stays_and_keeps_nobody_else() -> None:
    origin = Origin({1: row(1)}, poisoned={3})

    reconciled = take(origin, base=known({1, 2, 3, 4}), seen=known({1}), complete=True)

    assert sorted(origin.asked) == [2, 3, 4]
    assert list(reconciled.users) == [1, 3]
    assert reconciled.reason == "unconfirmed-deletions"


def test_if_the_origin_finds_nobody_by_address_all_are_asked_for_by_id() -> None:
    origin = Origin({1: row(1), 3: row(3)}, finds=False)

    reconciled = take(origin, base=known({1, 2, 3}), seen=known({1}), complete=True)

    assert sorted(origin.asked) == [2, 3]
    assert list(reconciled.users) == [1, 3]


@pytest.mark.parametrize(("error", "asked"), [(broken(), 3), (broken(pause=5), 1)])
def test_an_origin_that_goes_on_failing_or_wants_a_pause_is_left_alone(
    error: OriginError, asked: int
) -> None:
    base = known(range(1, 8))
    origin = Origin({1: row(1)}, poisoned=base.keys(), error=error)

    reconciled = take(origin, base=base, seen=known({1}), complete=True)

    assert len(origin.asked) == asked
    assert reconciled.users == base


@pytest.mark.parametrize(("poisoned", "finds"), [({2}, True), ((), False)])
def test_a_block_ends_the_sweep(poisoned: Collection[int], *, finds: bool) -> None:
    blocked = OriginBlockedError("the origin blocks", reset_seconds=60)
    origin = Origin({1: row(1)}, poisoned=poisoned, finds=finds, error=blocked)

    with pytest.raises(OriginBlockedError):
        take(origin, base=known({1, 2}), seen=known({1}), complete=True)


def test_those_nobody_can_be_sure_of_do_not_keep_others_from_being_asked_for() -> None:
    base, poisoned = known(range(1, 2 * MAX_CONFIRMATIONS + 2)), {2, 3, 4, 5}

    for token in range(8):
        head = head_with(CLIENT, swept_at=NOW - 200, lease_token=token)
        origin = Origin({1: row(1)}, poisoned=poisoned)
        base = take(origin, base=base, seen=known({1}), complete=True, head=head).users

    assert base.keys() == {1} | poisoned


def test_of_adopted_users_one_for_whom_the_origin_fails_keeps_the_age_and_nobody_else() -> None:
    base = known({1, 7, 8, 9})
    head = head_with(CLIENT, swept_at=NOW - 1, adopted=3, adopted_seen_at=NOW - 900)
    renamed = {id_: row(id_, email=f"new{id_}@example.com", name="New") for id_ in (7, 8, 9)}
    origin = Origin({1: row(1), **renamed}, poisoned={8})

    reconciled = take(origin, base=base, seen=known({1}), head=head)

    assert origin.asked == [7, 8, 9]
    assert reconciled.users == base | lines([renamed[7], renamed[9]])
    assert reconciled.rotation == Rotation(seen_at=NOW - 900)


def test_a_confirmed_loss_is_not_asked_about_again() -> None:
    origin = origin_of({1})

    reconciled = take(
        origin, base=known(range(1, 31)), seen=known({1}), complete=True, loss=Loss.BELIEVED
    )

    assert list(reconciled.users) == [1]
    assert (origin.found, origin.asked) == ([], [])


def test_a_full_window_says_nothing_of_users_past_it() -> None:
    origin = origin_of({1, 2, 7})

    reconciled = take(origin, base=known({1, 2, 7}), seen=known({1, 2}))

    assert (list(reconciled.users), reconciled.adopted) == ([1, 2, 7], 1)
    assert (origin.found, origin.asked) == ([1], [])
    assert reconciled.reason == "window-full"


def test_an_adopted_user_whose_address_changed_is_asked_for_by_id() -> None:
    origin = origin_of({1, 8})
    origin.rows[8] = row(8, email="new@example.com")

    reconciled = take(origin, base=known({1, 7, 8}), seen=known({1}))

    assert reconciled.users == lines(origin.rows.values())
    assert origin.asked == [7, 8]


def test_two_who_swapped_addresses_are_both_found_by_them() -> None:
    origin = origin_of({1})
    origin.rows |= {
        7: row(7) | {"email": row(8)["email"]},
        8: row(8) | {"email": row(7)["email"]},
    }

    reconciled = take(origin, base=known({1, 7, 8}), seen=known({1}))

    assert reconciled.users == lines(origin.rows.values())
    assert origin.asked == []


def test_users_whose_address_is_none_to_the_origin_are_asked_for_by_id_in_their_turn() -> None:
    origin = origin_of({1, 7})
    origin.rows[9] = row(9, email="no address", name="renamed")
    base = known({1, 7}) | lines([row(8, email=""), row(9, email="no address")])

    reconciled = take(origin, base=base, seen=known({1}))

    assert reconciled.users == lines(origin.rows.values())
    assert (origin.found, origin.asked) == ([1], [8, 9])
    assert reconciled.rotation.seen_at == NOW


def test_a_user_who_moved_into_the_window_is_no_longer_adopted() -> None:
    origin = origin_of({2, 7})

    reconciled = take(
        origin,
        base=known({1, 2, 7}),
        seen=known({2, 7}),
        head=head_with(CLIENT, swept_at=NOW - 200, adopted=1, adopted_seen_at=NOW - 500),
    )

    assert (list(reconciled.users), reconciled.adopted) == ([2, 7], 0)
    assert reconciled.rotation.seen_at == 0


def test_waiting_users_past_the_window_are_adopted_as_old_as_they_are() -> None:
    waiting = {
        user_id: Observation(canonical(row(user_id)), NOW - user_id) for user_id in (2, 40, 30)
    }

    reconciled = take(origin_of({1, 3}), base={}, seen=known({1, 3}), pending=waiting)

    assert list(reconciled.users) == [1, 3, 30, 40]
    assert (reconciled.adopted, reconciled.rotation.seen_at) == (2, NOW - 40)


def test_nobody_is_adopted_into_a_complete_directory() -> None:
    waiting = {9: Observation(canonical(row(9)), NOW)}

    reconciled = take(origin_of({1}), base={}, seen=known({1}), complete=True, pending=waiting)

    assert (list(reconciled.users), reconciled.adopted) == ([1], 0)


def test_who_has_just_been_found_deleted_is_not_adopted_for_an_older_look_up() -> None:
    waiting = {9: Observation(canonical(row(9)), NOW - 100)}

    reconciled = take(origin_of({1}), base=known({1, 9}), seen=known({1}), pending=waiting)

    assert list(reconciled.users) == [1]


@pytest.mark.parametrize("waits", [{7, 8, 9}, {7, 8}, set()])
def test_the_adoption_limit_is_told_whether_or_not_somebody_waits(waits: set[int]) -> None:
    waiting = {user_id: Observation(canonical(row(user_id)), NOW) for user_id in waits}
    base = known({1}) if waits else known({1, 7, 8})

    reconciled = take(
        origin_of({1, 7, 8, 9}), base=base, seen=known({1}), pending=waiting, max_adopted=2
    )

    assert list(reconciled.users) == [1, 7, 8]
    assert reconciled.reason == "adoption-limit"


def test_adopted_users_over_a_lowered_limit_stay() -> None:
    reconciled = take(origin_of(range(10)), base=known(range(10)), seen=known({0}), max_adopted=2)

    assert len(reconciled.users) == 10


@given(
    users=st.integers(1, 120),
    max_batches=st.integers(1, 4),
    deleted=st.sets(st.integers(2, 121), max_size=30),
)
@settings(max_examples=60)
def test_each_adopted_user_is_asked_for_again_within_the_sweeps_it_takes(
    users: int, max_batches: int, deleted: set[int]
) -> None:
    base = known(range(1, users + 2))
    head, asked, sweeps = head_with(CLIENT, swept_at=NOW), 0, 0
    batches = -(-users // PER_CALL)
    slack = -(-len(deleted) // MAX_CONFIRMATIONS) - 1 if deleted else 0

    while not asked or head.cycle_began_at:
        sweeps += 1
        origin = origin_of(base.keys() - deleted)
        found = Sweep(known({1}), complete=False)
        reconciled = take(origin, base=base, seen=found.users, head=head, max_batches=max_batches)
        head = updated(head, counted(reconciled, found))
        base, asked = reconciled.users, asked + sum(origin.found)
        assert len(origin.found) <= max_batches
        assert len(origin.asked) <= MAX_CONFIRMATIONS
        assert sweeps <= -(-batches // max_batches) + max(0, slack)

    assert base.keys() == set(range(1, users + 2)) - deleted


def test_where_time_is_short_after_a_call_the_next_sweep_goes_on_there() -> None:
    base = known(range(1, 2 * PER_CALL + 2))
    origin = origin_of(base.keys(), in_time=1)
    head = head_with(CLIENT, swept_at=NOW - 1, adopted=len(base) - 1, adopted_seen_at=NOW - 900)

    reconciled = take(origin, base=base, seen=known({1}), head=head)

    assert origin.found == [PER_CALL]
    assert reconciled.users == base
    assert reconciled.rotation == Rotation(next_id=PER_CALL + 2, began_at=NOW, seen_at=NOW - 900)


def test_a_cycle_goes_on_where_the_last_sweep_of_it_ended() -> None:
    base = known(range(1, 2 * PER_CALL + 2))
    head = head_with(
        CLIENT,
        swept_at=NOW - 60,
        adopted=len(base) - 1,
        adopted_seen_at=NOW - 900,
        rotation_id=PER_CALL + 2,
        cycle_began_at=NOW - 60,
    )
    origin = origin_of(base.keys())

    reconciled = take(origin, base=base, seen=known({1}), head=head)

    assert origin.found == [PER_CALL]
    assert reconciled.rotation == Rotation(seen_at=NOW - 60)


def test_of_too_many_who_lost_their_address_the_next_sweep_asks_for_the_first_unasked() -> None:
    base = known(range(1, MAX_CONFIRMATIONS + 4))
    origin = origin_of({1})
    origin.rows |= {
        user_id: row(user_id, email="new@example.com") for user_id in base if user_id > 1
    }
    head = head_with(CLIENT, swept_at=NOW - 1, adopted=len(base) - 1, adopted_seen_at=NOW - 900)

    reconciled = take(origin, base=base, seen=known({1}), head=head)

    assert origin.asked == list(range(2, MAX_CONFIRMATIONS + 2))
    assert reconciled.rotation.next_id == MAX_CONFIRMATIONS + 2


def test_without_calls_for_it_nobody_is_asked_for_again_and_the_age_grows() -> None:
    head = head_with(CLIENT, swept_at=NOW - 1, adopted=1, adopted_seen_at=NOW - 900)

    reconciled = take(origin_of({1}), base=known({1, 7}), seen=known({1}), head=head, max_batches=0)

    assert list(reconciled.users) == [1, 7]
    assert reconciled.rotation.seen_at == NOW - 900


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to users past the window before a sweep, and how far that sweep gets."""

    renamed: set[int]
    deleted: set[int]
    spoiled: set[int]
    found: set[int]
    found_before: int
    allowed: int
    in_time: int
    poisoned: set[int]
    finds: bool


IDS = st.integers(2, 90)
TURNS = st.builds(
    Turn,
    renamed=st.sets(IDS, max_size=30),
    deleted=st.sets(IDS, max_size=30),
    spoiled=st.sets(IDS, max_size=4),
    found=st.sets(IDS, max_size=40),
    found_before=st.sampled_from([1, 50, 350]),
    allowed=st.sampled_from([0, 3, 12, 40, 40, 40]),
    in_time=st.sampled_from([2, 10, 40, 40, 40]),
    poisoned=st.just(set[int]()) | st.sets(IDS, max_size=4),
    finds=st.sampled_from([True, True, True, False]),
)


@given(turns=st.lists(TURNS, min_size=1, max_size=12), max_batches=st.integers(1, 3))
@settings(max_examples=200)
def test_the_age_of_adopted_users_is_never_younger_than_any_of_them(
    turns: Sequence[Turn], max_batches: int
) -> None:
    rows = {user_id: row(user_id) for user_id in range(1, 91)}
    true_until: dict[bytes, float] = {}
    head, base, now = head_with(CLIENT, swept_at=NOW), known({1}), NOW

    def change(user_id: int, changed: User | None) -> None:
        if user_id in rows:
            true_until[canonical(rows.pop(user_id))] = now
            if changed is not None:
                rows[user_id] = changed

    for number, turn in enumerate(turns):
        now += 100
        waiting = {
            user_id: Observation(canonical(rows[user_id]), now - turn.found_before)
            for user_id in turn.found & rows.keys()
            if rows[user_id]["name"] == f"N{user_id}"
        }
        now += 100
        for user_id in turn.renamed:
            change(user_id, row(user_id, email=f"{number}-{row(user_id)['email']}", name="new"))
        for user_id in turn.spoiled:
            change(user_id, row(user_id, email=f"none {number}", name="new"))
        for user_id in turn.deleted:
            change(user_id, None)
        now += 100
        origin = Origin(
            dict(rows),
            allowed=turn.allowed,
            in_time=turn.in_time,
            poisoned=turn.poisoned,
            finds=turn.finds,
        )
        found = Sweep(known({1}), complete=False)

        reconciled = take(
            origin,
            base=base,
            seen=found.users,
            head=head,
            pending=waiting,
            max_batches=max_batches,
            now=now,
        )

        head = updated(head, counted(reconciled, found) | {"swept_at": now})
        base = reconciled.users
        assert head.generation.oldest_observation <= now
        for user_id, line in base.items():
            assert true_until.get(line, now) >= head.generation.oldest_observation, user_id
            assert user_id in rows or line in true_until


@pytest.mark.parametrize(
    ("complete", "unconfirmed", "full", "users", "reason"),
    [
        (True, False, True, WHOLE, ""),
        (True, False, True, CUT, "fields-omitted"),
        (True, True, True, CUT, "unconfirmed-deletions"),
        (False, False, False, CUT, "window-full"),
        (False, True, False, WHOLE, "unconfirmed-deletions"),
        (False, True, True, CUT, "unconfirmed-deletions"),
        (False, False, True, CUT, "adoption-limit"),
    ],
)
def test_the_least_ordinary_reason_is_told(
    *, complete: bool, unconfirmed: bool, full: bool, users: Users, reason: str
) -> None:
    told = incomplete_reason(complete=complete, unconfirmed=unconfirmed, full=full, users=users)

    assert told == reason
