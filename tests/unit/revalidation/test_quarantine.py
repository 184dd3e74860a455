"""Which losses are believed at once, and which only the second time."""

import pytest

from lib.directory.head import Head
from lib.revalidation.quarantine import SAMPLE, WAIT_SECONDS, doubt
from tests.fakes import CLIENT, NOW


def lost(count: int) -> set[int]:
    """Return the ids of ``count`` lost users."""
    return set(range(1, count + 1))


@pytest.mark.parametrize(
    ("users", "count", "doubted"),
    [
        (0, 0, False),
        (1, 1, True),
        (6, 5, False),
        (6, 6, True),
        (20, 5, False),
        (20, 6, True),
        (59, 6, True),
        (60, 6, False),
        (60, 7, True),
        (500, 50, False),
        (500, 51, True),
        (500, 500, True),
    ],
)
def test_more_than_five_and_a_tenth_or_everybody_is_doubted(
    users: int, count: int, *, doubted: bool
) -> None:
    head = Head(client_id=CLIENT, users=users)

    found = doubt(head, lost=lost(count), left=users - count, now=NOW)

    assert (found is not None) is doubted


def test_users_lost_and_as_many_found_are_doubted_by_the_lost_alone() -> None:
    head = Head(client_id=CLIENT, users=20)

    assert doubt(head, lost=lost(6), left=20, now=NOW) is not None
    assert doubt(head, lost=lost(5), left=20, now=NOW) is None


@pytest.mark.parametrize(("left", "doubted"), [(15, False), (14, True), (0, True)])
def test_where_the_lost_are_not_known_their_number_counts(left: int, *, doubted: bool) -> None:
    head = Head(client_id=CLIENT, users=20)

    found = doubt(head, lost=(), left=left, now=NOW)

    assert (found is not None) is doubted


@pytest.mark.parametrize(
    ("seen_before", "same", "since", "ripe"),
    [
        (WAIT_SECONDS, True, NOW - WAIT_SECONDS, True),
        (WAIT_SECONDS - 1, True, NOW - WAIT_SECONDS + 1, False),
        (WAIT_SECONDS, False, NOW, False),
    ],
)
def test_a_doubt_ripens_while_the_loss_stays_the_same(
    seen_before: int, since: float, *, same: bool, ripe: bool
) -> None:
    first = doubt(Head(client_id=CLIENT, users=20), lost=lost(8), left=12, now=NOW)
    assert first is not None
    head = Head(
        client_id=CLIENT,
        users=20,
        quarantine=first.loss if same else "another",
        quarantined_at=NOW - seen_before,
    )

    found = doubt(head, lost=lost(8), left=12, now=NOW)

    assert found is not None
    assert (found.since, found.ripe) == (since, ripe)


@pytest.mark.parametrize(
    ("count", "sample"),
    [
        (7, [1, 2, 3, 4, 5, 6, 7]),
        (10, list(range(1, 11))),
        (11, [1, 3, 5, 7, 9, 11]),
        (100, [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]),
    ],
)
def test_a_sample_is_spread_over_all_that_were_lost(count: int, sample: list[int]) -> None:
    found = doubt(Head(client_id=CLIENT, users=count), lost=lost(count), left=0, now=NOW)

    assert found is not None
    assert found.sample == sample


@pytest.mark.parametrize("count", range(1, 500, 7))
def test_no_sample_is_larger_than_ten(count: int) -> None:
    found = doubt(Head(client_id=CLIENT, users=count), lost=lost(count), left=0, now=NOW)

    assert found is not None
    assert 0 < len(found.sample) <= SAMPLE
