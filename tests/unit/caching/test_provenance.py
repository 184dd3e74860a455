"""What each way of coming by an answer says in header fields, for each policy and age."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.caching.freshness import FreshnessPolicy
from lib.caching.provenance import (
    Collapsed,
    FailedOver,
    Forwarded,
    Forwarding,
    Hit,
    Provenance,
    Validators,
    age,
    cache_status,
    fields,
    of_error,
    resting_on,
)
from lib.errors import (
    GoneError,
    InvalidRequestError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginBlockedError,
    OriginError,
    OriginTimeoutError,
    Reason,
    ServiceError,
    StoreError,
    UnexpectedError,
)
from tests.fakes import NOW

MINUTE = FreshnessPolicy(max_age=60, stale_while_revalidate=30, stale_if_error=600)
NEVER = FreshnessPolicy(max_age=0, stale_while_revalidate=0, stale_if_error=0)
POLICIES = {
    "minute": (MINUTE, "private, max-age=60, stale-while-revalidate=30, stale-if-error=600"),
    "never": (NEVER, "private, max-age=0, stale-while-revalidate=0, stale-if-error=0"),
}
TAG = 'W/"1-abc"'


def hit(seconds: float, detail: str | None = None) -> Hit:
    return Hit(observed_at=NOW - seconds, detail=detail)


def swept(seconds: float, *, oldest: float | None = None) -> Forwarded:
    """Return a sweep made for this request ``seconds`` ago, with users ``oldest`` seconds old."""
    observed_at = NOW - (seconds if oldest is None else oldest)
    return Forwarded(fwd="stale", observed_at=observed_at, asked_at=NOW - seconds)


def looked_up(seconds: float, *, received: int | None = 200, stored: bool = True) -> Forwarded:
    """Return a look-up that was made for this request, beside a snapshot ``seconds`` old."""
    return Forwarded(
        fwd="miss",
        observed_at=NOW - seconds,
        asked_at=None,
        received=received,
        stored=stored,
        detail="look-up",
    )


def failed(seconds: float, received: int | None) -> FailedOver:
    return FailedOver(
        fwd="request", observed_at=NOW - seconds, received=received, detail="origin-error"
    )


CASES: list[tuple[Provenance, str, str, int | None]] = [
    # How it came by, the policy, Cache-Status without the name, Age.
    (hit(0), "minute", "hit; ttl=60", 0),
    (hit(0.9), "minute", "hit; ttl=60", 0),
    (hit(59.9), "minute", "hit; ttl=1", 59),
    (hit(60, "stale-while-revalidate"), "minute", "hit; ttl=0; detail=stale-while-revalidate", 60),
    (hit(661, "frozen"), "minute", "hit; ttl=-601; detail=frozen", 661),
    (hit(5, "pinned"), "never", "hit; ttl=-5; detail=pinned", 5),
    # Clocks differ: what was seen in the future is just seen.
    (hit(-7), "minute", "hit; ttl=60", 0),
    (swept(0), "minute", "fwd=stale; fwd-status=200; stored", None),
    (swept(9.5), "minute", "fwd=stale; fwd-status=200; stored", None),
    (swept(9.5), "never", "fwd=stale; fwd-status=200; stored", None),
    (swept(2, oldest=300), "minute", "fwd=stale; fwd-status=200; stored", 300),
    (looked_up(0), "minute", "fwd=miss; fwd-status=200; stored; detail=look-up", 0),
    (looked_up(61), "minute", "fwd=miss; fwd-status=200; stored; detail=look-up", 61),
    (
        looked_up(7, received=503, stored=False),
        "minute",
        "fwd=miss; fwd-status=503; detail=look-up",
        7,
    ),
    (looked_up(7, received=None, stored=False), "minute", "fwd=miss; detail=look-up", 7),
    (failed(10, 500), "minute", "fwd=request; fwd-status=500; ttl=50; detail=origin-error", 10),
    (failed(90, None), "minute", "fwd=request; ttl=-30; detail=origin-error", 90),
    (failed(1, 429), "never", "fwd=request; fwd-status=429; ttl=-1; detail=origin-error", 1),
    (Collapsed(fwd="uri-miss", observed_at=NOW - 3), "minute", "fwd=uri-miss; collapsed", 3),
    (Collapsed(fwd="request", observed_at=NOW), "never", "fwd=request; collapsed", 0),
]


@pytest.mark.parametrize(("came_by", "policy", "status", "seconds"), CASES)
def test_how_an_answer_came_by_is_told_in_its_header_fields(
    came_by: Provenance, policy: str, status: str, seconds: int | None
) -> None:
    rules, control = POLICIES[policy]

    told = fields(came_by, Validators(etag=TAG, modified_at=int(NOW) - 700), rules, now=NOW)

    expected = {
        "Cache-Status": f"managed-users; {status}",
        "Cache-Control": control,
        "ETag": TAG,
        "Vary": "Accept-Encoding",
        "Last-Modified": formatdate(NOW - 700, usegmt=True),
    }
    assert told == expected | ({} if seconds is None else {"Age": str(seconds)})


def test_an_answer_of_a_generation_that_never_changes_is_asked_for_all_the_same() -> None:
    validators = Validators(etag=TAG, modified_at=int(NOW), pinned=True)

    told = fields(hit(7, "pinned"), validators, MINUTE, now=NOW)

    assert told["Cache-Control"] == "private, no-cache"
    assert (told["ETag"], told["Age"]) == (TAG, "7")


@pytest.mark.parametrize(
    ("modified_at", "told"), [(None, None), (-700, -700), (0, 0), (1, 0), (2, 0)]
)
def test_an_answer_is_never_modified_later_than_it_is_given(
    modified_at: int | None, told: int | None
) -> None:
    validators = Validators(
        etag=TAG, modified_at=None if modified_at is None else int(NOW) + modified_at
    )

    given_fields = fields(hit(0), validators, MINUTE, now=NOW + 0.9)

    expected = None if told is None else formatdate(NOW + told, usegmt=True)
    assert given_fields.get("Last-Modified") == expected


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OnlyIfCachedError("nothing"), "managed-users; detail=only-if-cached"),
        (
            OriginError("shape", reason=Reason.WRONG_SHAPE, received=200),
            "managed-users; fwd=uri-miss; fwd-status=200; detail=wrong-shape",
        ),
        (
            OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT),
            "managed-users; fwd=uri-miss; detail=origin-timeout",
        ),
        (
            OriginBlockedError("blocked", reset_seconds=30),
            "managed-users; fwd=uri-miss; fwd-status=429; detail=origin-blocked",
        ),
        (
            NotAskedError("wait", reason=Reason.ORIGIN_BACKOFF),
            "managed-users; detail=origin-backoff",
        ),
        (
            StoreError("down", reason=Reason.STORE_UNREACHABLE),
            "managed-users; detail=store-unreachable",
        ),
        (UnexpectedError(), "managed-users; detail=unexpected"),
        (NotFoundError("nobody"), None),
        (InvalidRequestError("bad"), None),
        (GoneError("gone"), None),
        (ServiceError("fault"), None),
    ],
)
def test_an_error_tells_of_the_cache_where_that_had_a_say(
    error: ServiceError, status: str | None
) -> None:
    told = of_error(error)

    assert (None if told is None else str(told)) == status


INSTANTS = st.floats(NOW - 1000, NOW + 5)
FORWARDINGS: st.SearchStrategy[Forwarding] = st.sampled_from(["uri-miss", "stale", "request"])
WAYS: st.SearchStrategy[Provenance] = st.one_of(
    st.builds(Hit, observed_at=INSTANTS, detail=st.none() | st.just("look-up")),
    st.builds(Forwarded, fwd=FORWARDINGS, observed_at=INSTANTS, asked_at=st.none() | INSTANTS),
    st.builds(
        FailedOver,
        fwd=FORWARDINGS,
        observed_at=INSTANTS,
        received=st.none() | st.just(500),
        detail=st.just("stale-if-error"),
    ),
    st.builds(Collapsed, fwd=FORWARDINGS, observed_at=INSTANTS),
)


@given(WAYS, INSTANTS)
def test_an_older_observation_makes_an_answer_older_and_a_younger_one_changes_nothing(
    came_by: Provenance, seen_at: float
) -> None:
    told = resting_on(came_by, seen_at)

    assert type(told) is type(came_by)
    assert told.observed_at == min(came_by.observed_at, seen_at)
    assert resting_on(told, came_by.observed_at) == told


@given(WAYS)
def test_only_an_answer_that_is_all_the_origins_own_has_no_age(came_by: Provenance) -> None:
    own = (
        isinstance(came_by, Forwarded)
        and came_by.asked_at is not None
        and came_by.observed_at >= came_by.asked_at
    )

    seconds = age(came_by, now=NOW)

    assert (seconds is None) is own
    assert seconds is None or seconds == max(0, int(NOW - came_by.observed_at))


@given(WAYS)
def test_an_answer_is_a_hit_or_was_forwarded_and_never_both(came_by: Provenance) -> None:
    status = cache_status(came_by, MINUTE, now=NOW)

    text = str(status)
    assert ("hit" in text.split("; ")) is (status.fwd is None)
    assert ("fwd=" in text) is (not isinstance(came_by, Hit))
    assert status.ttl is None or status.ttl == 60 - max(0, int(NOW - came_by.observed_at))
