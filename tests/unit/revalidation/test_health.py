"""How failures, pauses, blocks and doubts begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory.head import LEASE_SECONDS, LONGEST_PAUSE_SECONDS, SKEW_SECONDS, Health
from lib.errors import (
    BrokenSnapshotError,
    LeaseLostError,
    NotAskedError,
    NotFoundError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    Reason,
    SecretError,
    ServiceError,
    StoreError,
    UnexpectedError,
)
from lib.origin import budget
from lib.revalidation.health import as_seen, failed, succeeded
from tests.fakes import NOW, head_with

FAILURES: list[tuple[ServiceError, Reason]] = [
    (OriginServerError("down", reason=Reason.ORIGIN_5XX, received=503), Reason.ORIGIN_5XX),
    (OriginAuthError("refused", reason=Reason.ORIGIN_AUTH, received=401), Reason.ORIGIN_AUTH),
    (OriginError("odd", reason=Reason.WRONG_SHAPE, received=200), Reason.WRONG_SHAPE),
    (NotAskedError("late", reason=Reason.OUT_OF_TIME), Reason.OUT_OF_TIME),
    (SecretError("none", reason=Reason.SECRET_MISSING), Reason.SECRET_MISSING),
    (StoreError("down", reason=Reason.STORE_THROTTLED), Reason.STORE_THROTTLED),
    (BrokenSnapshotError("torn", reason=Reason.BROKEN_PAGE), Reason.BROKEN_PAGE),
    (LeaseLostError("lost", reason=Reason.LEASE_LOST), Reason.LEASE_LOST),
    (UnexpectedError(), Reason.UNEXPECTED),
    (NotFoundError("OAuth client not found."), Reason.CLIENT_NOT_CONFIGURED),
]


@pytest.mark.parametrize(("error", "reason"), FAILURES)
def test_every_failure_has_a_reason_and_a_pause(error: ServiceError, reason: Reason) -> None:
    health = failed(Health(), error, now=NOW, jitter=0)

    assert health == Health(last_error=reason, failures=1, retry_at=NOW + 5)


@pytest.mark.parametrize(
    ("before", "jitter", "pause"),
    [(0, 0, 5), (1, 0, 10), (2, 0, 20), (3, 0.5, 44), (4, 1, 60), (5, 0, 60), (99, 1, 60)],
)
def test_pauses_double_up_to_a_minute(before: int, jitter: float, pause: float) -> None:
    error = OriginServerError("down", reason=Reason.ORIGIN_5XX)

    health = failed(Health(failures=before), error, now=NOW, jitter=jitter)

    assert (health.failures, health.retry_at) == (before + 1, NOW + pause)


@pytest.mark.parametrize(("until", "told"), [(0, NOW + 31), (NOW + 30, NOW + 31), (NOW + 90,) * 2])
def test_a_block_lasts_as_long_as_the_origin_says_and_pauses_nobody_besides(
    until: float, told: float
) -> None:
    error = OriginBlockedError("blocked", reset_seconds=30)

    health = failed(Health(blocked_until=until), error, now=NOW, jitter=1)

    assert health == Health(last_error=Reason.ORIGIN_BLOCKED, failures=1, blocked_until=told)


def test_a_failure_leaves_a_doubt_and_a_block_as_they_are() -> None:
    before = Health(blocked_until=NOW + 9, doubted_since=NOW - 9, retry_at=NOW + 70)

    health = failed(before, UnexpectedError(), now=NOW, jitter=0)

    assert health == Health(
        last_error=Reason.UNEXPECTED,
        failures=1,
        blocked_until=NOW + 9,
        retry_at=NOW + 70,
        doubted_since=NOW - 9,
    )


@pytest.mark.parametrize("doubted_since", [0, NOW - 30])
def test_a_sweep_ends_a_row_of_failures_and_no_pause(doubted_since: float) -> None:
    before = Health(
        last_error="origin-5xx",
        failures=3,
        blocked_until=NOW + 9,
        retry_at=NOW + 5,
        doubted_since=1,
    )

    health = succeeded(before, doubted_since=doubted_since)

    assert health == Health(blocked_until=NOW + 9, retry_at=NOW + 5, doubted_since=doubted_since)


@pytest.mark.parametrize(
    ("holder", "expires_at", "lapsed"),
    [
        ("", NOW - 1, False),
        ("", 0, False),
        ("me", NOW + 0.001, False),
        ("me", NOW + LEASE_SECONDS, False),
        ("me", NOW, True),
        ("me", NOW - 3600, True),
    ],
)
def test_a_holder_who_is_late_has_failed(holder: str, expires_at: float, *, lapsed: bool) -> None:
    head = head_with(
        lease_holder=holder or None, lease_expires_at=expires_at, failures=1, last_error="deadline"
    )

    health = as_seen(head, now=NOW)

    if lapsed:
        assert (health.last_error, health.failures) == (Reason.LEASE_LAPSED, 2)
        assert health.retry_at == expires_at + 10
    else:
        assert health == head.health


def test_a_holder_with_a_wrong_clock_has_failed_and_pauses_nobody() -> None:
    far = NOW + LEASE_SECONDS + SKEW_SECONDS + 1
    head = head_with(lease_holder="ahead", lease_expires_at=far, retry_at=NOW + 3)

    health = as_seen(head, now=NOW)

    assert health == Health(last_error=Reason.LEASE_LAPSED, failures=1, retry_at=NOW + 3)


KNOWN = st.builds(
    Health,
    last_error=st.sampled_from(["", "origin-5xx"]),
    failures=st.integers(0, 9),
    blocked_until=st.just(0) | st.floats(NOW - 100, NOW + LONGEST_PAUSE_SECONDS),
    retry_at=st.just(0) | st.floats(NOW - 100, NOW + 60),
    doubted_since=st.just(0) | st.floats(NOW - 100, NOW),
)
ERRORS = st.sampled_from([error for error, _ in FAILURES]) | st.builds(
    OriginBlockedError, st.just("blocked"), reset_seconds=st.integers(0, 120)
)


@given(KNOWN, ERRORS, st.floats(0, 1))
def test_no_failure_passes_unnoted_and_no_pause_gets_shorter(
    known: Health, error: ServiceError, jitter: float
) -> None:
    health = failed(known, error, now=NOW, jitter=jitter)

    assert health.last_error
    assert health.failures == known.failures + 1
    assert health.retry_at >= known.retry_at
    assert health.blocked_until >= known.blocked_until
    assert budget.pause(health, now=NOW) is not None
    assert budget.pause(health, now=NOW + LONGEST_PAUSE_SECONDS) is None
    assert succeeded(health, doubted_since=0).failures == 0
