"""Sweeps: whatever is created or deleted between two calls, no live user is hidden."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from lib.errors import OriginError
from lib.revalidation.window import Window, expected_calls, sweep
from lib.users.document import canonical

SMALL = Window(max_limit=5, max_offset=5)


@dataclass
class Directory:
    """Ids paged by position; ``meanwhile`` gives what happens before each call but the first."""

    ids: list[int]
    meanwhile: Iterator[Callable[["Directory"], object]] = field(default_factory=lambda: iter(()))
    asked: list[tuple[int, int]] = field(default_factory=list)
    new_ids: Iterator[int] = field(default_factory=lambda: count(1000))

    def __call__(self, offset: int, limit: int) -> Sequence[bytes]:
        if self.asked:
            next(self.meanwhile, lambda _: None)(self)
        self.asked.append((offset, limit))
        return [
            canonical({"id": n, "seen": len(self.asked)}) for n in self.ids[offset : offset + limit]
        ]


@pytest.mark.parametrize(
    ("last_users", "window", "calls"),
    [
        (-1, Window(), 2),
        (0, Window(), 1),
        (199, Window(), 1),
        (200, Window(), 2),
        (500, Window(), 2),
        (99, Window(max_limit=100, max_offset=250), 1),
        (100, Window(max_limit=100, max_offset=250), 4),
        (300, Window(max_limit=250, max_offset=0), 1),
    ],
)
def test_a_small_directory_is_expected_to_take_one_call(
    last_users: int, window: Window, calls: int
) -> None:
    assert expected_calls(window, last_users=last_users) == calls


@pytest.mark.parametrize(
    ("window", "offsets", "size"),
    [
        (Window(), (250, 0), 500),
        (Window(max_limit=100, max_offset=250), (250, 200, 100, 0), 350),
        (Window(max_limit=250, max_offset=0), (0,), 250),
        (Window(max_limit=1, max_offset=2), (2, 1, 0), 3),
        (Window(max_limit=100, max_offset=50), (50, 0), 150),
    ],
)
def test_the_window_is_covered_from_its_far_end(
    window: Window, offsets: tuple[int, ...], size: int
) -> None:
    assert (window.offsets, window.size) == (offsets, size)


@pytest.mark.parametrize(
    ("users", "last_users", "asked"),
    [
        (4, 4, [(0, 5)]),
        (5, 4, [(0, 5), (5, 5), (0, 5)]),
        (4, 5, [(5, 5), (0, 5)]),
        (4, -1, [(5, 5), (0, 5)]),
        (12, 10, [(5, 5), (0, 5)]),
    ],
)
def test_calls_go_backward_unless_one_is_likely_to_do(
    users: int, last_users: int, asked: list[tuple[int, int]]
) -> None:
    directory = Directory(list(range(1, users + 1)))

    found = sweep(directory, SMALL, last_users=last_users)

    assert directory.asked == asked
    assert list(found.users) == list(range(1, min(users, 10) + 1))


@pytest.mark.parametrize(
    ("users", "complete"), [(0, True), (4, True), (5, True), (9, True), (10, False), (11, False)]
)
def test_a_full_window_is_not_known_to_be_all(users: int, *, complete: bool) -> None:
    found = sweep(Directory(list(range(1, users + 1))), SMALL, last_users=-1)

    assert found.complete is complete


def test_a_deletion_between_two_calls_does_not_make_a_full_window_look_complete() -> None:
    directory = Directory(list(range(1, 13)), iter([lambda d: d.ids.remove(1)]))

    found = sweep(directory, SMALL, last_users=-1)

    assert list(found.users) == list(range(2, 11))
    assert not found.complete


def test_of_a_user_seen_twice_the_later_sight_counts() -> None:
    directory = Directory(list(range(1, 11)), iter([lambda d: d.ids.remove(1)]))

    found = sweep(directory, SMALL, last_users=-1)

    assert json.loads(found.users[6])["seen"] == 2
    assert json.loads(found.users[7])["seen"] == 1


@pytest.mark.parametrize("ids", [[1, 1], [2, 1], [1, 3, 2]])
def test_rows_that_do_not_rise_fail_the_sweep(ids: list[int]) -> None:
    with pytest.raises(OriginError) as caught:
        sweep(Directory(ids), SMALL, last_users=1)

    assert caught.value.reason == "rows-out-of-order"


def test_windows_that_do_not_follow_each_other_fail_the_sweep() -> None:
    directory = Directory([1, 2, 3, 4, 8, 5, 6, 7])

    with pytest.raises(OriginError) as caught:
        sweep(directory, SMALL, last_users=-1)

    assert caught.value.reason == "windows-out-of-order"


def create(directory: Directory) -> None:
    """Add a user, whose id is higher than any before, deleted ones included."""
    directory.ids.append(next(directory.new_ids))


def delete_at(position: int) -> Callable[[Directory], None]:
    """Delete the user at ``position``, counted round and round."""

    def delete(directory: Directory) -> None:
        if directory.ids:
            del directory.ids[position % len(directory.ids)]

    return delete


def one_after_the_other(steps: list[Callable[[Directory], None]]) -> Callable[[Directory], None]:
    """Do all of ``steps``."""

    def run(directory: Directory) -> None:
        for step in steps:
            step(directory)

    return run


STEPS = st.lists(st.just(create) | st.integers(0, 30).map(delete_at), max_size=4)
WINDOWS = st.builds(
    lambda limit, offset: Window(max_limit=limit, max_offset=min(offset, 11 * limit)),
    st.integers(1, 6),
    st.integers(0, 14),
)


@given(
    st.integers(0, 25),
    st.lists(STEPS.map(one_after_the_other), max_size=12),
    WINDOWS,
    st.integers(-1, 6),
)
def test_whatever_happens_between_calls_a_user_alive_throughout_is_found(
    users: int, meanwhile: list[Callable[[Directory], None]], window: Window, last_users: int
) -> None:
    before = list(range(1, users + 1))
    directory = Directory(list(before), iter(meanwhile))

    try:
        found = sweep(directory, window, last_users=last_users)
    except OriginError:
        # A sweep that fails hides nobody.
        reject()

    throughout = set(before) & set(directory.ids)
    assert throughout & set(before[: window.size]) <= found.users.keys()
    assert list(found.users) == sorted(found.users)
    if found.complete:
        assert throughout <= found.users.keys()


@given(st.integers(0, 25), WINDOWS, st.integers(-1, 6))
def test_undisturbed_a_sweep_finds_the_window_and_no_more(
    users: int, window: Window, last_users: int
) -> None:
    found = sweep(Directory(list(range(users))), window, last_users=last_users)

    assert list(found.users) == list(range(min(users, window.size)))
    assert found.complete is (users < window.size)
