"""The census: who is asked for before it counts as deleted, and how adopted users keep their turn.

Addresses here are long enough for a few users to fill a call.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.directory.head import Head
from lib.errors import NotAskedError
from lib.revalidation.head_updates import apply, counted
from lib.revalidation.reconcile import (
    MAX_CONFIRMATIONS,
    Census,
    CensusTaker,
    FoundUser,
    incomplete_reason,
)
from lib.revalidation.window import Sweep
from lib.users.document import canonical
from tests.fakes import CLIENT, NOW, User, user

PER_CALL = 23
"""How many of the addresses here fit into one call."""

type Users = dict[int, bytes]


def row(user_id: int, **changes: object) -> User:
    return user(user_id, email=f"{user_id:06}@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'v' * 60}.com") | (
        changes
    )


def lines(rows: Iterable[User]) -> Users:
    return {each["id"]: canonical(each) for each in rows}


@dataclass
class Origin:
    """The calls of one sweep; the first ``allowed`` are, and after ``in_time`` time is short."""

    rows: dict[int, User]
    allowed: int = 1000
    in_time: int = 1000
    found: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def find_rows(self, emails: Sequence[str]) -> list[User]:
        self._count()
        self.found.append(len(emails))
        assert all(emails), "the origin refuses this call"
        return [each for each in self.rows.values() if each["email"] in set(emails)]

    def user(self, user_id: int) -> User | None:
        self._count()
        self.asked.append(user_id)
        return self.rows.get(user_id)

    def hurried(self) -> bool:
        return len(self.found) + len(self.asked) >= self.in_time

    def _count(self) -> None:
        if len(self.found) + len(self.asked) == self.allowed:
            raise NotAskedError("over budget", reason="origin-budget", retry_after=1)


def take(  # noqa: PLR0913 - each test changes one of them
    origin: Origin,
    *,
    base: Users,
    seen: Users,
    complete: bool = False,
    waiting: dict[int, FoundUser] | None = None,
    head: Head | None = None,
    loss_confirmed: bool = False,
    max_batches: int = 20,
    max_adopted: int = 1000,
    now: float = NOW,
) -> Census:
    """Return the census of a window that showed ``seen``."""
    taker = CensusTaker(
        calls=origin,
        show=lambda each: each,
        max_batches=max_batches,
        max_adopted=max_adopted,
        now=now,
    )
    return taker.take(
        head or Head(client_id=CLIENT, swept_at=NOW - 200),
        Sweep(seen, complete),
        base=base,
        waiting=waiting or {},
        loss_confirmed=loss_confirmed,
    )


def origin_of(ids: Collection[int], *, allowed: int = 1000, in_time: int = 1000) -> Origin:
    return Origin({user_id: row(user_id) for user_id in ids}, allowed=allowed, in_time=in_time)


def known(ids: Iterable[int]) -> Users:
    return lines(row(user_id) for user_id in sorted(ids))


def test_the_missing_are_asked_for_by_address_at_once_and_then_by_id() -> None:
    origin = origin_of({1, 2, 3})
    origin.rows[3] = row(3, email="new@example.com")

    census = take(origin, base=known({1, 2, 3, 4}), seen=known({1}), complete=True)

    assert census.users == lines(origin.rows.values())
    assert (origin.found, origin.asked) == ([3], [3, 4])
    assert (census.complete, census.reason) == (True, "")


def test_only_so_many_are_asked_for_by_id_and_the_others_stay() -> None:
    origin = origin_of({1})
    base = known(range(1, 31))

    census = take(origin, base=base, seen=known({1}), complete=True)

    assert origin.found == [PER_CALL]
    assert origin.asked == list(range(2, 2 + MAX_CONFIRMATIONS))
    assert list(census.users) == [1, *range(2 + MAX_CONFIRMATIONS, 31)]
    assert (census.complete, census.reason) == (False, "unconfirmed-deletions")
    assert census.unconfirmed_since == NOW - 200


def test_who_may_be_gone_for_several_sweeps_was_seen_before_the_first() -> None:
    head = Head(client_id=CLIENT, swept_at=NOW - 200, unconfirmed_since=NOW - 900)

    census = take(
        origin_of({1}, allowed=0), base=known({1, 2}), seen=known({1}), complete=True, head=head
    )

    assert census.unconfirmed_since == NOW - 900


def test_who_stayed_unconfirmed_is_confirmed_by_later_sweeps() -> None:
    base = known(range(1, 31))

    first = take(origin_of({1}), base=base, seen=known({1}), complete=True)
    second = take(origin_of({1}), base=first.users, seen=known({1}), complete=True)

    assert list(second.users) == [1]
    assert second.complete
    assert second.unconfirmed_since == 0


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"allowed": 0}, {2, 3, 4}),
        ({"allowed": 1}, {2, 3, 4}),
        ({"allowed": 2}, {3, 4}),
        ({"in_time": 1}, {2, 3, 4}),
        ({"in_time": 3}, {4}),
    ],
)
def test_where_budget_or_time_end_the_rest_stays(limits: dict[str, int], left: set[int]) -> None:
    origin = origin_of({1}, **limits)

    census = take(origin, base=known({1, 2, 3, 4}), seen=known({1}), complete=True)

    assert census.users.keys() == {1} | left
    assert census.reason == "unconfirmed-deletions"


def test_a_confirmed_loss_is_not_asked_about_again() -> None:
    origin = origin_of({1})

    census = take(
        origin, base=known(range(1, 31)), seen=known({1}), complete=True, loss_confirmed=True
    )

    assert list(census.users) == [1]
    assert (origin.found, origin.asked) == ([], [])


def test_a_full_window_says_nothing_of_users_past_it() -> None:
    origin = origin_of({1, 2, 7})

    census = take(origin, base=known({1, 2, 7}), seen=known({1, 2}))

    assert (list(census.users), census.adopted) == ([1, 2, 7], 1)
    assert (origin.found, origin.asked) == ([1], [])
    assert (census.complete, census.reason) == (False, "window-full")


def test_an_adopted_user_whose_address_changed_is_asked_for_by_id() -> None:
    origin = origin_of({1, 8})
    origin.rows[8] = row(8, email="new@example.com")

    census = take(origin, base=known({1, 7, 8}), seen=known({1}))

    assert census.users == lines(origin.rows.values())
    assert origin.asked == [7, 8]


def test_two_who_swapped_addresses_are_both_found_by_them() -> None:
    origin = origin_of({1})
    origin.rows |= {
        7: row(7) | {"email": row(8)["email"]},
        8: row(8) | {"email": row(7)["email"]},
    }

    census = take(origin, base=known({1, 7, 8}), seen=known({1}))

    assert census.users == lines(origin.rows.values())
    assert origin.asked == []


def test_users_whose_address_is_none_to_the_origin_are_asked_for_by_id_in_their_turn() -> None:
    origin = origin_of({1, 7})
    origin.rows[9] = row(9, email="no address", name="renamed")
    base = known({1, 7}) | lines([row(8, email=""), row(9, email="no address")])

    census = take(origin, base=base, seen=known({1}))

    assert census.users == lines(origin.rows.values())
    assert (origin.found, origin.asked) == ([1], [8, 9])
    assert census.rotation.seen_at == NOW


def test_a_user_who_moved_into_the_window_is_no_longer_adopted() -> None:
    origin = origin_of({2, 7})

    census = take(
        origin,
        base=known({1, 2, 7}),
        seen=known({2, 7}),
        head=Head(client_id=CLIENT, swept_at=NOW - 200, adopted=1, adopted_seen_at=NOW - 500),
    )

    assert (list(census.users), census.adopted) == ([2, 7], 0)
    assert census.rotation.seen_at == 0


def test_waiting_users_past_the_window_are_adopted_as_old_as_they_are() -> None:
    waiting = {
        user_id: FoundUser(canonical(row(user_id)), NOW - user_id) for user_id in (2, 40, 30)
    }

    census = take(origin_of({1, 3}), base={}, seen=known({1, 3}), waiting=waiting)

    assert list(census.users) == [1, 3, 30, 40]
    assert (census.adopted, census.rotation.seen_at) == (2, NOW - 40)


def test_nobody_is_adopted_into_a_complete_directory() -> None:
    waiting = {9: FoundUser(canonical(row(9)), NOW)}

    census = take(origin_of({1}), base={}, seen=known({1}), complete=True, waiting=waiting)

    assert (list(census.users), census.adopted) == ([1], 0)


def test_who_has_just_been_found_deleted_is_not_adopted_for_an_older_look_up() -> None:
    waiting = {9: FoundUser(canonical(row(9)), NOW - 100)}

    census = take(origin_of({1}), base=known({1, 9}), seen=known({1}), waiting=waiting)

    assert list(census.users) == [1]


@pytest.mark.parametrize("waits", [{7, 8, 9}, {7, 8}, set()])
def test_the_adoption_limit_is_told_whether_or_not_somebody_waits(waits: set[int]) -> None:
    waiting = {user_id: FoundUser(canonical(row(user_id)), NOW) for user_id in waits}
    base = known({1}) if waits else known({1, 7, 8})

    census = take(
        origin_of({1, 7, 8, 9}), base=base, seen=known({1}), waiting=waiting, max_adopted=2
    )

    assert list(census.users) == [1, 7, 8]
    assert census.reason == "adoption-limit"


def test_adopted_users_over_a_lowered_limit_stay() -> None:
    census = take(origin_of(range(10)), base=known(range(10)), seen=known({0}), max_adopted=2)

    assert len(census.users) == 10


@given(
    users=st.integers(1, 120),
    max_batches=st.integers(1, 4),
    deleted=st.sets(st.integers(2, 121), max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_each_adopted_user_is_asked_for_again_within_the_sweeps_it_takes(
    users: int, max_batches: int, deleted: set[int]
) -> None:
    base = known(range(1, users + 2))
    head, asked, sweeps = Head(client_id=CLIENT, swept_at=NOW), 0, 0
    batches = -(-users // PER_CALL)
    slack = -(-len(deleted) // MAX_CONFIRMATIONS) - 1 if deleted else 0

    while not asked or head.cycle_began_at:
        sweeps += 1
        origin = origin_of(base.keys() - deleted)
        found = Sweep(known({1}), complete=False)
        census = take(origin, base=base, seen=found.users, head=head, max_batches=max_batches)
        head = apply(head, counted(census, found))
        base, asked = census.users, asked + sum(origin.found)
        assert len(origin.found) <= max_batches
        assert len(origin.asked) <= MAX_CONFIRMATIONS
        assert sweeps <= -(-batches // max_batches) + max(0, slack)

    assert base.keys() == set(range(1, users + 2)) - deleted


def test_without_calls_for_it_nobody_is_asked_for_again_and_the_age_grows() -> None:
    head = Head(client_id=CLIENT, swept_at=NOW - 1, adopted=1, adopted_seen_at=NOW - 900)

    census = take(origin_of({1}), base=known({1, 7}), seen=known({1}), head=head, max_batches=0)

    assert list(census.users) == [1, 7]
    assert census.rotation.seen_at == NOW - 900


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
)


@given(turns=st.lists(TURNS, min_size=1, max_size=12), max_batches=st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_the_age_of_adopted_users_is_never_younger_than_any_of_them(
    turns: Sequence[Turn], max_batches: int
) -> None:
    rows = {user_id: row(user_id) for user_id in range(1, 91)}
    true_until: dict[bytes, float] = {}
    head, base, now = Head(client_id=CLIENT, swept_at=NOW), known({1}), NOW

    def change(user_id: int, changed: User | None) -> None:
        if user_id in rows:
            true_until[canonical(rows.pop(user_id))] = now
            if changed is not None:
                rows[user_id] = changed

    for number, turn in enumerate(turns):
        now += 100
        waiting = {
            user_id: FoundUser(canonical(rows[user_id]), now - turn.found_before)
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
        origin = Origin(dict(rows), allowed=turn.allowed, in_time=turn.in_time)
        found = Sweep(known({1}), complete=False)

        census = take(
            origin,
            base=base,
            seen=found.users,
            head=head,
            waiting=waiting,
            max_batches=max_batches,
            now=now,
        )

        head = apply(head, counted(census, found) | {"swept_at": now})
        base = census.users
        assert head.oldest_observation <= now
        for user_id, line in base.items():
            assert true_until.get(line, now) >= head.oldest_observation, user_id
            assert user_id in rows or line in true_until


@pytest.mark.parametrize(
    ("complete", "unconfirmed", "full", "reason"),
    [
        (True, False, True, ""),
        (True, True, True, "unconfirmed-deletions"),
        (False, False, False, "window-full"),
        (False, True, False, "unconfirmed-deletions"),
        (False, True, True, "adoption-limit"),
    ],
)
def test_the_least_ordinary_reason_is_told(
    *, complete: bool, unconfirmed: bool, full: bool, reason: str
) -> None:
    assert incomplete_reason(complete=complete, unconfirmed=unconfirmed, full=full) == reason
