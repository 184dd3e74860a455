"""What a snapshot may be used for, by its age, the policy and the caller's directives."""

from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.caching.freshness import Freshness, FreshnessPolicy, Plan, acceptable, age_of, assess, plan
from lib.caching.headers import RequestDirectives

POLICY = FreshnessPolicy(max_age=60, stale_while_revalidate=30, stale_if_error=600)
FROZEN = replace(POLICY, frozen=True)


@pytest.mark.parametrize(
    ("age", "freshness"),
    [
        (0, Freshness.FRESH),
        (59, Freshness.FRESH),
        (60, Freshness.STALE_WHILE_REVALIDATE),
        (89, Freshness.STALE_WHILE_REVALIDATE),
        (90, Freshness.STALE_IF_ERROR),
        (659, Freshness.STALE_IF_ERROR),
        (660, Freshness.EXPIRED),
    ],
)
def test_each_window_ends_where_the_next_begins(age: int, freshness: Freshness) -> None:
    assert assess(POLICY, age=age) is freshness


@pytest.mark.parametrize(
    ("stale_while_revalidate", "stale_if_error", "valid"),
    [(30, 30, True), (0, 0, True), (31, 30, False)],
)
def test_stale_if_error_is_at_least_as_long_as_stale_while_revalidate(
    stale_while_revalidate: int, stale_if_error: int, *, valid: bool
) -> None:
    try:
        FreshnessPolicy(
            max_age=60,
            stale_while_revalidate=stale_while_revalidate,
            stale_if_error=stale_if_error,
        )
        accepted = True
    except ValueError:
        accepted = False

    assert accepted is valid


@pytest.mark.parametrize(
    ("swept_at", "age"), [(100, 0), (100.9, 0), (99.1, 0), (99, 1), (40.5, 59), (500, 0)]
)
def test_an_age_is_in_whole_seconds_and_never_negative(swept_at: float, age: int) -> None:
    assert age_of(swept_at, now=100) == age


@pytest.mark.parametrize(
    ("age", "failing", "expected"),
    [
        (None, False, Plan.FETCH),
        (None, True, Plan.FETCH),
        (0, False, Plan.SERVE),
        (59, True, Plan.SERVE),
        (60, False, Plan.SERVE_AND_REVALIDATE),
        (89, True, Plan.SERVE_AND_REVALIDATE),
        (90, False, Plan.REVALIDATE),
        (90, True, Plan.SERVE_AND_REVALIDATE),
        (659, False, Plan.REVALIDATE),
        (659, True, Plan.SERVE_AND_REVALIDATE),
        (660, False, Plan.FETCH),
        (660, True, Plan.FETCH),
    ],
)
def test_without_directives_age_and_failure_decide(
    age: int | None, expected: Plan, *, failing: bool
) -> None:
    assert plan(POLICY, RequestDirectives(), age=age, failing=failing) is expected


@pytest.mark.parametrize(
    ("control", "age", "expected"),
    [
        ("no-cache", 0, Plan.REVALIDATE),
        ("no-cache", 60, Plan.REVALIDATE),
        ("no-cache", 660, Plan.FETCH),
        ("max-age=10", 10, Plan.SERVE),
        ("max-age=10", 11, Plan.REVALIDATE),
        ("max-age=100", 59, Plan.SERVE),
        ("max-age=100", 60, Plan.REVALIDATE),
        ("max-age=100, max-stale=5", 65, Plan.SERVE_AND_REVALIDATE),
        ("max-age=100, max-stale=5", 66, Plan.REVALIDATE),
        ("max-age=64, max-stale=5", 65, Plan.REVALIDATE),
        ("min-fresh=20", 40, Plan.SERVE),
        ("min-fresh=20", 41, Plan.REVALIDATE),
        ("min-fresh=61", 0, Plan.REVALIDATE),
        ("min-fresh=0", 60, Plan.SERVE_AND_REVALIDATE),
        ("min-fresh=0", 61, Plan.REVALIDATE),
        ("max-stale=30", 90, Plan.SERVE_AND_REVALIDATE),
        ("max-stale=30", 91, Plan.REVALIDATE),
        ("max-stale", 659, Plan.SERVE_AND_REVALIDATE),
        ("max-stale", 660, Plan.FETCH),
        ("max-stale=0", 75, Plan.SERVE_AND_REVALIDATE),
        ("only-if-cached", 0, Plan.SERVE),
        ("only-if-cached", 89, Plan.SERVE),
        ("only-if-cached", 90, Plan.REFUSE),
        ("only-if-cached", 660, Plan.REFUSE),
        ("only-if-cached, max-stale", 659, Plan.SERVE),
        ("only-if-cached, no-cache", 0, Plan.REFUSE),
        ("only-if-cached, max-age=10", 11, Plan.REFUSE),
        ("no-store", 0, Plan.SERVE),
        ("no-store", 90, Plan.REVALIDATE),
    ],
)
def test_the_strictest_directive_decides(control: str, age: int, expected: Plan) -> None:
    directives = RequestDirectives.parse(control)

    assert plan(POLICY, directives, age=age, failing=False) is expected


@pytest.mark.parametrize(
    ("control", "age", "expected"),
    [
        ("only-if-cached", 90, Plan.SERVE),
        ("no-cache", 0, Plan.REVALIDATE),
        ("max-age=10", 90, Plan.REVALIDATE),
    ],
)
def test_while_the_origin_fails_only_the_callers_own_demand_makes_a_reader_ask(
    control: str, age: int, expected: Plan
) -> None:
    directives = RequestDirectives.parse(control)

    assert plan(POLICY, directives, age=age, failing=True) is expected


@pytest.mark.parametrize("control", ["", "no-cache", "max-age=0", "min-fresh=61", "only-if-cached"])
@pytest.mark.parametrize("age", [0, 60, 660, 10**9])
def test_frozen_whatever_is_stored_is_served(control: str, age: int) -> None:
    directives = RequestDirectives.parse(control)

    assert plan(FROZEN, directives, age=age, failing=True) is Plan.SERVE


@pytest.mark.parametrize(
    ("control", "expected"), [("", Plan.FETCH), ("only-if-cached", Plan.REFUSE)]
)
def test_frozen_with_nothing_stored_there_is_nothing_to_serve(control: str, expected: Plan) -> None:
    directives = RequestDirectives.parse(control)

    assert plan(FROZEN, directives, age=None, failing=False) is expected


SECONDS = st.integers(0, 2000)
DIRECTIVES = st.builds(
    RequestDirectives,
    no_cache=st.booleans(),
    only_if_cached=st.booleans(),
    max_age=st.none() | SECONDS,
    min_fresh=st.none() | SECONDS,
    max_stale=st.none() | SECONDS,
)
POLICIES = st.builds(
    lambda fresh, stale, more, frozen: FreshnessPolicy(
        max_age=fresh, stale_while_revalidate=stale, stale_if_error=stale + more, frozen=frozen
    ),
    SECONDS,
    SECONDS,
    SECONDS,
    st.booleans(),
)


@given(POLICIES, DIRECTIVES, st.none() | st.integers(0, 10_000), st.booleans())
def test_every_question_has_a_plan_that_keeps_the_promises(
    policy: FreshnessPolicy,
    directives: RequestDirectives,
    age: int | None,
    failing: bool,  # noqa: FBT001 - drawn by position
) -> None:
    planned = plan(policy, directives, age=age, failing=failing)

    usable = age is not None and (policy.frozen or assess(policy, age=age) is not Freshness.EXPIRED)
    asks = planned in {Plan.FETCH, Plan.REVALIDATE, Plan.SERVE_AND_REVALIDATE}
    assert (planned in {Plan.FETCH, Plan.REFUSE}) or usable
    assert not (asks and directives.only_if_cached)
    assert planned is not Plan.FETCH or not usable
    assert planned is not Plan.SERVE_AND_REVALIDATE or age is None or age >= policy.max_age
    if planned is Plan.REVALIDATE and failing and age is not None:
        assert not acceptable(policy, directives, age=age)
