"""Since when the users of a generation were seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory.generation import Generation
from tests.fakes import CLIENT, NOW, generation_with

SWEPT, ASKED_AGAIN, IN_DOUBT = NOW - 10, NOW - 300, NOW - 900


@pytest.mark.parametrize(
    ("past", "in_doubt", "oldest", "in_window", "beyond"),
    [
        (0, 0, SWEPT, SWEPT, SWEPT),
        (2, 0, ASKED_AGAIN, SWEPT, ASKED_AGAIN),
        (0, IN_DOUBT, IN_DOUBT, IN_DOUBT, IN_DOUBT),
        (2, IN_DOUBT, IN_DOUBT, IN_DOUBT, IN_DOUBT),
        (2, NOW - 100, ASKED_AGAIN, ASKED_AGAIN, ASKED_AGAIN),
    ],
)
def test_who_is_past_the_window_or_among_those_in_doubt_was_seen_earlier(
    past: int, in_doubt: float, oldest: float, in_window: float, beyond: float
) -> None:
    generation = generation_with(
        swept_at=SWEPT,
        adopted=past,
        adopted_seen_at=ASKED_AGAIN,
        unconfirmed_since=in_doubt,
        window_last_id=500,
    )

    assert generation.oldest_observation == oldest
    assert generation.observed_at(500) == in_window
    assert generation.observed_at(501) == beyond


@pytest.mark.parametrize(
    ("reason", "everybody"),
    [("", True), ("fields-omitted", True), ("window-full", False), ("adoption-limit", False)],
)
def test_who_is_not_in_a_directory_that_lacks_fields_alone_is_nobody(
    reason: str, *, everybody: bool
) -> None:
    generation = generation_with(complete=not reason, incomplete_reason=reason)

    assert generation.holds_everybody is everybody


def test_adopted_users_seen_since_the_sweep_make_nobody_younger_than_it() -> None:
    generation = generation_with(swept_at=SWEPT, adopted=1, adopted_seen_at=NOW)

    assert generation.oldest_observation == generation.observed_at(1) == SWEPT


@pytest.mark.parametrize(("number", "published"), [(0, False), (1, True)])
def test_generations_are_counted_from_one(number: int, *, published: bool) -> None:
    assert Generation(client_id=CLIENT, number=number).published is published


@given(
    st.builds(
        Generation,
        client_id=st.just(CLIENT),
        swept_at=st.integers(1, 1000),
        adopted=st.integers(0, 3),
        adopted_seen_at=st.integers(1, 1000),
        unconfirmed_since=st.integers(0, 1000),
        window_last_id=st.integers(0, 10),
    ),
    st.integers(1, 20),
)
def test_nobody_was_seen_before_the_oldest_nor_after_the_sweep(
    generation: Generation, user_id: int
) -> None:
    seen = generation.observed_at(user_id)

    assert generation.oldest_observation <= seen <= generation.swept_at
