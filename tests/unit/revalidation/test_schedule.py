"""Who is revalidated when, and who is late."""

import pytest

from lib.directory.head import Head, Value
from lib.revalidation.schedule import (
    BATCH,
    IDLE_AFTER_SECONDS,
    LARGE_USERS,
    NOTED_SECONDS,
    Schedule,
    oldest,
)
from tests.fakes import CLIENT, NOW, head_with

SCHEDULE = Schedule(every=60, idle=600, tolerance=900)
HOUR = 3600


def stored(client_id: str = CLIENT, **values: float) -> Head:
    """Return the head of a client that something is stored of, read a moment ago."""
    read_now = {"generation": 1, "swept_at": NOW, "read_at": NOW}
    return head_with(client_id, **(read_now | values))


@pytest.mark.parametrize(
    ("unread", "interval"),
    [
        (0, 60),
        (IDLE_AFTER_SECONDS, 60),
        (IDLE_AFTER_SECONDS + 600, 60),
        (IDLE_AFTER_SECONDS + 1_200, 120),
        (IDLE_AFTER_SECONDS + 6_000, 600),
        (30 * 24 * HOUR, 600),
        (-5, 60),
        (-HOUR, 60),
    ],
)
def test_who_is_not_read_for_an_hour_waits_longer_and_longer(unread: int, interval: int) -> None:
    assert SCHEDULE.interval(stored(read_at=NOW - unread), now=NOW) == interval


def test_whoever_was_never_read_is_idle() -> None:
    assert SCHEDULE.interval(stored(read_at=0), now=NOW) == 600


@pytest.mark.parametrize("idle", [0, 30, 60])
def test_without_an_idle_interval_nobody_is_idle(idle: int) -> None:
    schedule = Schedule(every=60, idle=idle, tolerance=900)

    assert schedule.interval(stored(read_at=0), now=NOW) == 60
    assert not schedule.unnoted(stored(read_at=0), now=NOW)


@pytest.mark.parametrize("age", [0, 5, 60, 500])
def test_who_is_read_is_due_at_every_run(age: int) -> None:
    assert SCHEDULE.due(stored(swept_at=NOW - age), now=NOW)


@pytest.mark.parametrize(("age", "due"), [(0, False), (540, False), (570, True), (700, True)])
def test_who_is_not_is_due_when_the_interval_is_over(age: int, *, due: bool) -> None:
    assert SCHEDULE.due(stored(read_at=0, swept_at=NOW - age), now=NOW) is due


@pytest.mark.parametrize(
    "trouble", [{"doubted_since": NOW - 10}, {"last_error": "origin-5xx"}, {"swept_at": NOW + HOUR}]
)
def test_in_trouble_everybody_is_due(trouble: dict[str, Value]) -> None:
    idle: dict[str, Value] = {"generation": 1, "read_at": 0, "swept_at": NOW}

    assert not SCHEDULE.due(head_with(CLIENT, **idle), now=NOW)
    assert SCHEDULE.due(head_with(CLIENT, **(idle | trouble)), now=NOW)


def test_what_was_never_stored_is_due_and_late_once_it_failed() -> None:
    assert SCHEDULE.due(head_with(CLIENT), now=NOW)
    assert not SCHEDULE.late(head_with(CLIENT), now=NOW)
    assert SCHEDULE.late(head_with(CLIENT, failures=1), now=NOW)


@pytest.mark.parametrize(
    ("read_at", "age", "late"),
    [(NOW, 960, False), (NOW, 961, True), (0, 1_500, False), (0, 1_501, True)],
)
def test_late_is_who_is_much_older_than_he_should_be(
    read_at: float, age: int, *, late: bool
) -> None:
    assert SCHEDULE.late(stored(read_at=read_at, swept_at=NOW - age), now=NOW) is late


@pytest.mark.parametrize(
    ("ago", "unnoted"),
    [(0, False), (NOTED_SECONDS - 1, False), (NOTED_SECONDS, True), (-900, False)],
)
def test_a_read_is_noted_every_ten_minutes(ago: int, *, unnoted: bool) -> None:
    assert SCHEDULE.unnoted(stored(read_at=NOW - ago), now=NOW) is unnoted


def test_one_invocation_takes_on_the_oldest_and_a_large_directory_has_one_for_itself() -> None:
    small = [stored(f"c{n:02}", swept_at=NOW - n) for n in range(BATCH + 1)]
    large = stored("large", users=LARGE_USERS + 1, swept_at=NOW - HOUR)
    idle = stored("idle", read_at=0)

    first, second, alone = SCHEDULE.batches([*small, large, idle], now=NOW)

    assert first == tuple(f"c{n:02}" for n in range(BATCH, 0, -1))
    assert second == ("c00",)
    assert alone == ("large",)


def test_the_oldest_is_of_those_who_are_read() -> None:
    heads = [
        stored("a", swept_at=NOW - 70),
        stored("b", swept_at=NOW - 50),
        stored("idle", swept_at=NOW - 500, read_at=0),
        head_with("new"),
    ]

    assert oldest(heads, SCHEDULE, now=NOW) == 70
    assert oldest([], SCHEDULE, now=NOW) == 0
