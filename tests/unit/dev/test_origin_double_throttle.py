"""The rate limit: whose calls count together, when a block starts, and how one renews itself."""

from dataclasses import dataclass

import pytest

from dev.origin import Fault, Limits, OriginDouble, Request
from dev.origin.answers import Answer
from dev.origin.throttle import Bucket, Throttle

LIST = "/v2/oauth-clients/client/users"


@dataclass
class Clock:
    """A clock that moves when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def origin(clock: Clock) -> OriginDouble:
    return OriginDouble({"client": "secret"}, users=3, clock=clock)


def ask(origin: OriginDouble, target: str = LIST, ip: str = "127.0.0.1", **headers: str) -> Answer:
    sent = {"x-cal-secret-key": "secret"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    request = Request(method="GET", target=target, headers=sent, ip=ip)
    return origin.answer(request).answer


def rate(answer: Answer) -> tuple[int, int, int]:
    """Return limit, remaining calls and seconds left."""
    limit, remaining, reset = (
        int(answer.headers[f"X-RateLimit-{name}-Default"])
        for name in ("Limit", "Remaining", "Reset")
    )
    return limit, remaining, reset


def test_each_answer_says_what_is_left_and_how_many_seconds_the_window_lasts(
    origin: OriginDouble, clock: Clock
) -> None:
    first = rate(ask(origin))
    clock.now += 20.5
    second = rate(ask(origin))
    clock.now += 39.5
    in_the_next_window = rate(ask(origin))

    assert (first, second, in_the_next_window) == ((120, 119, 60), (120, 118, 40), (120, 119, 60))


@pytest.mark.parametrize(
    ("first", "second", "remaining"),
    [
        pytest.param({}, {}, (120, 118), id="one address"),
        pytest.param({}, {"ip": "127.0.0.2"}, (120, 119), id="two addresses"),
        pytest.param(
            {"x_cal_client_id": "a"},
            {"x_cal_client_id": "a", "ip": "127.0.0.2"},
            (500, 498),
            id="one client id",
        ),
        pytest.param(
            {"x_cal_client_id": "a"}, {"x_cal_client_id": "b"}, (500, 499), id="two client ids"
        ),
        pytest.param(
            {"authorization": "a", "x_cal_client_id": "a"},
            {"authorization": "a", "x_cal_client_id": "b"},
            (120, 118),
            id="one authorization",
        ),
        pytest.param({}, {"x_cal_secret_key": "other"}, (120, 118), id="the secret is not seen"),
    ],
)
def test_calls_are_counted_by_authorization_else_client_id_else_address(
    origin: OriginDouble,
    first: dict[str, str],
    second: dict[str, str],
    remaining: tuple[int, int],
) -> None:
    ask(origin, **first)

    assert rate(ask(origin, **second))[:2] == remaining


@pytest.mark.parametrize("target", [LIST + "?limit=0", LIST + "/99", "/v2/oauth-clients/x/users"])
def test_refused_calls_count(origin: OriginDouble, target: str) -> None:
    refused = ask(origin, target)

    assert refused.status >= 400
    assert rate(ask(origin)) == (120, 118, 60)


def test_the_call_above_the_limit_is_blocked_for_a_minute(
    origin: OriginDouble, clock: Clock
) -> None:
    served = [ask(origin).status for _ in range(120)]
    clock.now += 50
    blocked = ask(origin)
    clock.now += 59
    still_blocked = ask(origin)
    clock.now += 1
    served_again = ask(origin)

    assert set(served) == {200}
    assert (blocked.status, rate(blocked)) == (429, (120, 0, 60))
    assert (still_blocked.status, rate(still_blocked)) == (429, (120, 0, 1))
    assert served_again.status == 200


def test_a_blocked_call_is_told_so_before_its_secret_is_looked_at(origin: OriginDouble) -> None:
    origin.limits = Limits(ip=0)

    answer = ask(origin, LIST + "?limit=1", x_cal_secret_key="wrong")

    message = "CustomThrottlerGuard - Too many requests. Please try again later."
    assert answer.status == 429
    assert "Retry-After" not in answer.headers
    assert answer.body.decode() == (
        '{"status":"error","timestamp":"1970-01-01T00:16:40.000Z",'
        '"path":"/v2/oauth-clients/client/users?limit=1","error":{"code":"ThrottlerException",'
        f'"message":"{message}","details":"{message}"}}}}'
    )


def test_calls_while_blocked_fill_the_next_window_and_block_again() -> None:
    throttle = Throttle(Limits())
    bucket = Bucket("ip", 5)

    verdicts = [throttle.hit(bucket, now=second) for second in range(1, 110)]

    assert [verdict.blocked for verdict in verdicts].index(True) == 5
    assert [verdict.blocked for verdict in verdicts].count(False) == 5


def test_a_caller_that_pauses_for_the_block_recovers() -> None:
    throttle = Throttle(Limits())
    bucket = Bucket("ip", 5)
    blocked = [throttle.hit(bucket, now=0) for _ in range(6)][-1]

    recovered = throttle.hit(bucket, now=blocked.reset_seconds)

    assert blocked.blocked
    assert (recovered.blocked, recovered.remaining) == (False, 4)


def test_a_429_fault_blocks_the_bucket_it_hits_and_no_other(
    origin: OriginDouble, clock: Clock
) -> None:
    origin.faults = [Fault("status", status=429, times=1)]

    blocked = ask(origin, x_cal_client_id="client")
    still_blocked = ask(origin, x_cal_client_id="client")
    other_bucket = ask(origin)
    clock.now += 60
    free_again = ask(origin, x_cal_client_id="client")

    statuses = [answer.status for answer in (blocked, still_blocked, other_bucket, free_again)]
    assert statuses == [429, 429, 200, 200]


def test_new_limits_lift_all_blocks(origin: OriginDouble) -> None:
    origin.limits = Limits(ip=1)
    assert [ask(origin).status for _ in range(2)] == [200, 429]

    origin.limits = Limits(ip=7)

    assert rate(ask(origin)) == (7, 6, 60)
