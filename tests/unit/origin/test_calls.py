"""The calls of one run: counted before they are made, and asked twice at most."""

import pytest

from lib.errors import (
    NotAskedError,
    OriginAuthError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
    StoreError,
)
from lib.origin.calls import OriginCalls
from lib.origin.rate_limit import RateLimit
from lib.users.bounds import MAX_BYTES
from lib.users.document import omitted_from
from tests.fakes import CLIENT, NOW, Clock, FakeOrigin, FakeSecrets, FakeStore, users

REFUSED = OriginAuthError(
    "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=401
)
FAILED = OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=500)


class Fixture:
    """A run's calls over fakes."""

    def __init__(self, *, reserved: int = 2, jitter: float = 0.5, seconds: float = 20) -> None:
        self.clock = Clock()
        self.store = FakeStore()
        self.origin = FakeOrigin(rows=users([1, 2, 3]))
        self.secrets = FakeSecrets()
        self.calls = OriginCalls(
            client_id=CLIENT,
            reserved=reserved,
            deadline=NOW + seconds,
            origin=self.origin,
            credentials=self.secrets,
            store=self.store,
            time=self.clock.time(lambda: jitter),
        )

    def rotate_on_next_call(self) -> None:
        """Let the secret have a new version by the time the origin refuses the old one."""

        def rotate() -> None:
            self.secrets.keys[CLIENT], self.secrets.version = "key2", "v2"

        self.origin.before_call = rotate


def test_the_secret_is_fetched_once_for_all_calls() -> None:
    fixture = Fixture()

    fixture.calls.users(0, 2)
    fixture.calls.user(3)

    assert fixture.secrets.fetched == [None]
    assert fixture.origin.calls == ["list 0+2 key1", "get 3 key1"]


def test_calls_paid_for_at_the_claim_are_not_counted_again() -> None:
    fixture = Fixture(reserved=2)

    fixture.calls.users(0, 2)
    fixture.calls.users(2, 2)

    assert fixture.store.writes == {}
    assert fixture.calls.made == 2


def test_a_call_beyond_those_is_counted_before_it_is_made() -> None:
    fixture = Fixture(reserved=0)
    counted: list[int] = []
    fixture.origin.before_call = lambda: counted.append(fixture.store.peek().counters.calls)

    fixture.calls.users(0, 2)

    assert counted == [1]


def test_a_call_that_the_budget_refuses_is_not_made() -> None:
    fixture = Fixture(reserved=0, jitter=0)
    fixture.store.put_head(calls=72, calls_minute=int(NOW // 60))

    with pytest.raises(NotAskedError) as caught:
        fixture.calls.users(0, 2)

    assert (caught.value.reason, caught.value.until) == ("origin-budget", NOW + 120)
    assert fixture.origin.calls == []


def test_a_block_noted_by_others_stops_further_calls() -> None:
    fixture = Fixture(reserved=1, jitter=0)
    fixture.calls.users(0, 2)
    fixture.store.put_head(blocked_until=NOW + 30)

    with pytest.raises(NotAskedError) as caught:
        fixture.calls.users(2, 2)

    assert (caught.value.reason, caught.value.until) == ("origin-blocked", NOW + 30)


def test_a_count_that_others_changed_meanwhile_is_taken_again() -> None:
    fixture = Fixture(reserved=0)
    interfered: list[str] = []

    def interfere(method: str) -> None:
        if method == "reserve" and not interfered:
            interfered.append(method)
            fixture.store.put_head(calls=10, calls_minute=int(NOW // 60))

    fixture.store.before = interfere

    fixture.calls.users(0, 2)

    assert fixture.store.peek().counters.calls == 11
    assert fixture.store.calls["reserve"] == 2


def test_a_count_that_cannot_be_written_stops_the_call() -> None:
    fixture = Fixture(reserved=0)
    fixture.store.fail("reserve")

    with pytest.raises(StoreError):
        fixture.calls.user(1)

    assert fixture.origin.calls == []


def test_a_refused_key_is_replaced_by_a_newer_one_and_asked_with_once() -> None:
    fixture = Fixture()
    fixture.origin.errors = [REFUSED]
    fixture.rotate_on_next_call()

    rows = fixture.calls.users(0, 2)

    assert len(rows) == 2
    assert fixture.origin.calls == ["list 0+2 key1", "list 0+2 key2"]
    assert fixture.secrets.fetched == [None, "v1"]


def test_a_refused_key_that_is_still_the_newest_is_not_asked_with_again() -> None:
    fixture = Fixture()
    fixture.origin.errors = [REFUSED]

    with pytest.raises(OriginAuthError):
        fixture.calls.users(0, 2)

    assert fixture.origin.calls == ["list 0+2 key1"]
    assert fixture.secrets.fetched == [None, "v1"]


def test_a_second_key_that_is_refused_too_is_the_end() -> None:
    fixture = Fixture()
    fixture.origin.errors = [REFUSED, REFUSED]
    fixture.rotate_on_next_call()

    with pytest.raises(OriginAuthError):
        fixture.calls.users(0, 2)

    assert len(fixture.origin.calls) == 2


def test_the_newer_key_is_used_from_then_on() -> None:
    fixture = Fixture(reserved=3)
    fixture.origin.errors = [REFUSED]
    fixture.rotate_on_next_call()

    fixture.calls.users(0, 2)
    fixture.calls.user(3)

    assert fixture.origin.calls[-1] == "get 3 key2"


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 0.125), (0.5, 0.25), (1.0, 0.375)])
def test_a_failed_call_is_made_once_more_after_a_jittered_pause(
    jitter: float, pause: float
) -> None:
    fixture = Fixture(jitter=jitter)
    fixture.origin.errors = [FAILED]

    rows = fixture.calls.users(0, 2)

    assert len(rows) == 2
    assert fixture.clock.slept == [pause]
    assert fixture.calls.made == 2


def test_a_call_that_fails_twice_is_the_end() -> None:
    fixture = Fixture()
    fixture.origin.errors = [FAILED, FAILED]

    with pytest.raises(OriginServerError):
        fixture.calls.users(0, 2)

    assert len(fixture.origin.calls) == 2


@pytest.mark.parametrize(("told", "tries"), [(None, 2), (0, 2), (1, 1), (900, 1)])
def test_an_origin_that_wants_to_be_left_alone_is_not_asked_once_more(
    told: int | None, tries: int
) -> None:
    fixture = Fixture()
    failed = OriginServerError(
        "failed", reason=Reason.ORIGIN_5XX, received=503, retry_after_seconds=told
    )
    fixture.origin.errors = [failed, failed]

    with pytest.raises(OriginServerError):
        fixture.calls.users(0, 2)

    assert len(fixture.origin.calls) == tries


def test_a_second_try_is_counted_too() -> None:
    fixture = Fixture(reserved=1)
    fixture.origin.errors = [FAILED]

    fixture.calls.users(0, 2)

    assert fixture.store.peek().counters.calls == 1


@pytest.mark.parametrize(("seconds", "tries"), [(0.25, 1), (0.26, 2)])
def test_no_second_try_begins_at_or_after_the_deadline(seconds: float, tries: int) -> None:
    fixture = Fixture(seconds=seconds, jitter=0.5)
    fixture.origin.errors = [FAILED, FAILED]

    with pytest.raises(OriginServerError):
        fixture.calls.users(0, 2)

    assert len(fixture.origin.calls) == tries


def test_the_limit_last_told_is_kept() -> None:
    fixture = Fixture(reserved=3)
    told = RateLimit(limit=500, remaining=499, reset_at=NOW + 60)
    fixture.origin.rate_limit = told
    fixture.calls.users(0, 2)
    fixture.origin.rate_limit = None

    fixture.calls.users(2, 2)

    assert fixture.calls.rate_limit == told


def test_what_is_too_much_does_not_enter_by_any_call_and_is_noted() -> None:
    fixture = Fixture(reserved=4)
    address = fixture.origin.rows[1]["email"]
    for row in fixture.origin.rows[:2]:
        row["name"] = "x" * MAX_BYTES

    entered = [
        *fixture.calls.users(0, 1),
        *fixture.calls.find([address]),
        fixture.calls.user(2) or b"",
        fixture.calls.user(3) or b"",
    ]

    assert [omitted_from(line) for line in entered] == [("name",)] * 3 + [()]
    assert fixture.calls.omitted == {1: ("name",), 2: ("name",)}


def test_further_calls_come_out_of_the_look_ups_share_as_far_as_it_goes() -> None:
    fixture = Fixture(reserved=0)

    assert fixture.calls.afford(0) == 0
    assert fixture.calls.afford(10) == 10
    assert fixture.calls.afford(100) == 14
    assert fixture.calls.afford(1) == 0
    assert fixture.calls.reserved == 24
    assert fixture.store.peek().counters.lookups == 24


@pytest.mark.parametrize(
    "head",
    [
        {"retry_at": NOW + 5},
        {"blocked_until": NOW + 5},
        {"rate_limit": 100, "rate_remaining": 39, "rate_reset_at": NOW + 5},
    ],
)
def test_none_are_made_while_the_origin_is_not_to_be_asked(head: dict[str, float]) -> None:
    fixture = Fixture(reserved=0)
    fixture.store.put_head(**head)

    assert fixture.calls.afford(10) == 0
    assert fixture.store.writes == {}


def test_whoever_counts_calls_meanwhile_is_counted_in() -> None:
    fixture = Fixture(reserved=0)

    def count(name: str) -> None:
        if name == "reserve" and fixture.store.calls["reserve"] == 1:
            fixture.store.put_head(calls=20, lookups=20, calls_minute=int(NOW // 60))

    fixture.store.before = count

    assert fixture.calls.afford(10) == 4


def test_all_that_is_before_a_page_of_members_is_paid_for_at_once() -> None:
    fixture = Fixture(reserved=1)

    for skip in (6, 4, 2, 0):
        fixture.calls.members(7, skip, 2)

    assert fixture.store.calls["reserve"] == 1
    assert (fixture.calls.made, fixture.calls.reserved) == (4, 4)
    assert fixture.store.peek().counters.lookups == 0


def test_of_a_longer_list_as_much_is_paid_for_as_the_budget_has() -> None:
    fixture = Fixture(reserved=0)
    fixture.store.put_head(calls=70, calls_minute=int(NOW // 60))

    fixture.calls.members(7, 20, 2)
    fixture.calls.members(7, 18, 2)

    assert fixture.calls.reserved == 2
    with pytest.raises(NotAskedError) as caught:
        fixture.calls.members(7, 16, 2)
    assert caught.value.reason == "origin-budget"


def test_a_page_of_members_that_came_too_late_is_not_asked_for_again() -> None:
    fixture = Fixture()
    fixture.origin.errors = [OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT)]

    with pytest.raises(OriginTimeoutError):
        fixture.calls.members(7, 0, 1000)

    assert fixture.calls.made == 1


def test_a_page_of_members_that_failed_is() -> None:
    fixture = Fixture()
    fixture.origin.errors = [FAILED]

    assert len(fixture.calls.members(7, 0, 1000)) == 3
    assert fixture.calls.made == 2


def test_time_is_gained_only_when_it_is_short_and_no_longer_than_the_run() -> None:
    fixture = Fixture(seconds=14)
    renewed: list[float] = []

    def renew() -> float:
        renewed.append(fixture.clock.now)
        return fixture.clock.now + 14

    fixture.calls.renew, fixture.calls.ends_at = renew, NOW + 30
    for _ in range(5):
        fixture.calls.gain_time()
        fixture.clock.now += 5

    assert renewed == [NOW + 5, NOW + 10, NOW + 15, NOW + 20][: len(renewed)]
    assert len(renewed) >= 2
    assert fixture.calls.deadline == NOW + 30
    assert fixture.calls.has_time(5)
    assert not fixture.calls.has_time(6)


def test_without_a_lease_of_its_own_no_time_is_gained() -> None:
    fixture = Fixture(seconds=5)

    fixture.calls.gain_time()

    assert fixture.calls.deadline == NOW + 5
