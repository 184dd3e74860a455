"""The origin's adapter, over sockets: what it accepts, and what each failure becomes."""

from collections.abc import Iterator
from copy import replace
from traceback import TracebackException

import pytest

from dev.origin import Fault, Limits, OriginDouble, plain_users
from dev.origin.faults import Kind
from lib.errors import (
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
)
from lib.origin.client import Origin
from lib.origin.credential import Credential, SecretKey
from lib.users.hiding import NOTHING_HIDDEN
from tests.contract.origin_double_client import shown
from tests.fakes import NOW, Clock

CLIENT = "clientid1"
RIGHT = Credential(SecretKey("right"), "v1")
DEADLINE = NOW + 20
CANARIES = ["canary@example.com"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[OriginDouble]:
    with OriginDouble({CLIENT: "right"}, users=0, clock=clock) as running:
        running.replace(CLIENT, plain_users(CLIENT, 9))
        yield running


@pytest.fixture
def origin(double: OriginDouble, clock: Clock) -> Origin:
    return Origin(f"{double.url}/v2", max_rows=250, clock=clock, hiding=NOTHING_HIDDEN)


def failure(origin: Origin, *, deadline: float = DEADLINE) -> OriginError:
    """Ask for a list, which must fail, and return the error."""
    with pytest.raises(OriginError) as caught:
        origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=deadline)
    return caught.value


def failure_of_one(origin: Origin, user_id: int) -> OriginError:
    """Ask for one user, which must fail, and return the error."""
    with pytest.raises(OriginError) as caught:
        origin.get_user(CLIENT, RIGHT, user_id, deadline=DEADLINE)
    return caught.value


def test_a_window_of_users_comes_with_the_rate_limit(origin: Origin, clock: Clock) -> None:
    answer = origin.list_users(CLIENT, RIGHT, offset=2, limit=3, deadline=DEADLINE)

    assert [row["id"] for row in shown(answer.data)] == [3, 4, 5]
    assert shown(answer.data[0]) == plain_users(CLIENT, 9)[2]
    assert answer.rate_limit is not None
    assert (answer.rate_limit.limit, answer.rate_limit.remaining) == (500, 499)
    assert clock.now < answer.rate_limit.reset_at <= clock.now + 60


def test_a_call_names_window_client_and_secret_and_nothing_of_ours(
    origin: Origin, double: OriginDouble
) -> None:
    origin.list_users(CLIENT, RIGHT, offset=250, limit=250, deadline=DEADLINE)

    (call,) = double.calls
    assert (call.path, call.query) == (f"/v2/oauth-clients/{CLIENT}/users", "limit=250&offset=250")
    assert {"x-cal-client-id", "x-cal-secret-key"} <= call.headers
    assert not {"authorization", "cookie"} & call.headers


def test_past_the_end_there_are_no_users(origin: Origin) -> None:
    answer = origin.list_users(CLIENT, RIGHT, offset=9, limit=250, deadline=DEADLINE)

    assert answer.data == []


def test_one_user_is_found_by_id(origin: Origin) -> None:
    answer = origin.get_user(CLIENT, RIGHT, 4, deadline=DEADLINE)

    assert shown(answer.data) == plain_users(CLIENT, 9)[3]


def test_a_user_that_the_origin_says_is_not_there_is_none(origin: Origin) -> None:
    answer = origin.get_user(CLIENT, RIGHT, 99, deadline=DEADLINE)

    assert answer.data is None
    assert answer.rate_limit is not None


def test_a_404_of_the_edge_is_no_missing_user(origin: Origin, double: OriginDouble) -> None:
    double.faults = [Fault("html", status=404)]

    error = failure_of_one(origin, 99)

    assert (error.reason, error.received) == ("not-json", 404)


def test_a_404_that_is_not_about_the_user_is_no_missing_user(
    origin: Origin, double: OriginDouble
) -> None:
    double.faults = [Fault("status", status=404)]

    error = failure_of_one(origin, 99)

    assert error.reason == "origin-not-found"


def test_a_404_for_a_list_is_a_failure(origin: Origin, double: OriginDouble) -> None:
    double.faults = [Fault("status", status=404)]

    error = failure(origin)

    assert (error.reason, error.received) == ("origin-status", 404)


@pytest.mark.parametrize(
    ("fault", "reason", "received"),
    [
        (Fault("redirect"), "origin-status", 302),
        (Fault("redirect", status=308), "origin-status", 308),
        (Fault("html", status=200), "not-json", 200),
        (Fault("oversize"), "too-large", 200),
        (Fault("status_error_200"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="null"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="no_data"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="array"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="other_container"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="null_row"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="no_id"), "wrong-shape", 200),
        (Fault("wrong_shape", shape="text_id"), "wrong-shape", 200),
        (Fault("status", status=400), "origin-status", 400),
        (Fault("status", status=418), "origin-status", 418),
    ],
)
def test_an_answer_that_cannot_be_used_is_never_asked_for_again(
    origin: Origin, double: OriginDouble, fault: Fault, reason: str, received: int
) -> None:
    double.faults = [fault]

    error = failure(origin)

    assert type(error) is OriginError
    assert (error.reason, error.received) == (reason, received)
    assert len(double.calls) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status_error_200"),
        Fault("wrong_shape", shape="null"),
        Fault("wrong_shape", shape="no_data"),
        Fault("wrong_shape", shape="array"),
        Fault("wrong_shape", shape="other_container"),
        Fault("wrong_shape", shape="text_id"),
    ],
)
def test_one_user_of_the_wrong_shape_is_a_failure(
    origin: Origin, double: OriginDouble, fault: Fault
) -> None:
    double.faults = [fault]

    error = failure_of_one(origin, 4)

    assert error.reason == "wrong-shape"


def test_users_are_taken_whatever_address_they_gave_themselves(
    origin: Origin, double: OriginDouble
) -> None:
    users = [user | {"email": f"own{user['id']}@example.org"} for user in plain_users(CLIENT, 3)]
    double.replace(CLIENT, users)

    listed = origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=DEADLINE)
    single = origin.get_user(CLIENT, RIGHT, 2, deadline=DEADLINE)

    assert (shown(listed.data), shown(single.data)) == (users, users[1])


@pytest.mark.parametrize(
    ("fault", "reason", "received"),
    [
        (Fault("status", status=500), "origin-5xx", 500),
        (Fault("status", status=503), "origin-5xx", 503),
        (Fault("html", status=502), "origin-5xx", 502),
        (Fault("reset"), "origin-connection", None),
        (Fault("reset_mid_body"), "origin-connection", None),
        (Fault("truncate"), "origin-connection", None),
    ],
)
def test_a_failing_origin_or_connection_may_be_asked_once_more_but_not_here(
    origin: Origin, double: OriginDouble, fault: Fault, reason: str, received: int | None
) -> None:
    double.faults = [fault]

    error = failure(origin)

    assert type(error) is OriginServerError
    assert (error.reason, error.received) == (reason, received)
    assert len(double.calls) == 1


def test_an_origin_that_does_not_listen_is_a_failing_connection(
    origin: Origin, double: OriginDouble
) -> None:
    double.stop()

    error = failure(origin)

    assert (error.reason, error.received) == ("origin-connection", None)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_told_apart(
    origin: Origin, double: OriginDouble, status: int
) -> None:
    double.faults = [Fault("status", status=status)]

    error = failure(origin)

    assert isinstance(error, OriginAuthError)
    assert (error.reason, error.received) == ("origin-auth", status)


def test_a_wrong_key_is_in_no_text_of_the_error(origin: Origin) -> None:
    wrong = Credential(SecretKey("canary-key"), "v1")

    with pytest.raises(OriginAuthError) as caught:
        origin.list_users(CLIENT, wrong, offset=0, limit=250, deadline=DEADLINE)

    trace = TracebackException.from_exception(caught.value, capture_locals=True)
    assert "canary-key" not in "".join(trace.format())


def test_a_block_tells_how_long_it_lasts(origin: Origin, double: OriginDouble) -> None:
    double.limits = Limits(client=1, block_seconds=37)
    origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=DEADLINE)

    error = failure(origin)

    assert isinstance(error, OriginBlockedError)
    assert error.received == 429
    assert error.reset_seconds == 37


@pytest.mark.parametrize(("block_seconds", "taken"), [(2, 2), (121, 120), (2e9, 60)])
def test_a_block_that_is_too_long_to_believe_is_cut(
    origin: Origin, double: OriginDouble, block_seconds: float, taken: int
) -> None:
    double.limits = Limits(client=0, block_seconds=block_seconds)

    error = failure(origin)

    assert isinstance(error, OriginBlockedError)
    assert error.reset_seconds == taken


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("delay", seconds=30)])
def test_an_origin_that_does_not_answer_in_time_is_given_up(
    origin: Origin, double: OriginDouble, fault: Fault
) -> None:
    double.faults = [fault]

    error = failure(origin, deadline=NOW + 0.2)

    assert isinstance(error, OriginTimeoutError)
    assert (error.reason, error.status) == ("origin-timeout", 504)


@pytest.mark.parametrize("kind", ["slow_drip", "drip_headers"])
def test_a_drip_of_bytes_cannot_outlive_the_deadline(
    origin: Origin, double: OriginDouble, kind: Kind
) -> None:
    # Each byte comes in time; all of them would take minutes.
    double.faults = [Fault(kind, seconds=0.05)]

    error = failure(origin, deadline=NOW + 0.3)

    assert isinstance(error, OriginTimeoutError)
    assert error.reason == "origin-timeout"


def test_an_answer_in_time_is_whole_however_it_comes(origin: Origin, double: OriginDouble) -> None:
    double.replace(CLIENT, plain_users(CLIENT, 1))
    double.faults = [Fault("delay", seconds=0.1), Fault("slow_drip", seconds=0.0001)]

    answer = origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=DEADLINE)

    assert shown(answer.data) == plain_users(CLIENT, 1)


def test_nobody_is_taken_for_absent_because_another_is_told_twice(
    origin: Origin, double: OriginDouble
) -> None:
    double.faults = [Fault("duplicate_ids")]
    emails = [user["email"] for user in plain_users(CLIENT, 2)]

    with pytest.raises(OriginError) as caught:
        origin.find_users(CLIENT, RIGHT, emails=emails, deadline=DEADLINE)

    assert caught.value.reason == "rows-out-of-order"


def test_an_interim_answer_is_not_the_answer(origin: Origin, double: OriginDouble) -> None:
    double.faults = [Fault("early_hints"), Fault("early_hints")]

    single = origin.get_user(CLIENT, RIGHT, 4, deadline=DEADLINE)
    absent = origin.get_user(CLIENT, RIGHT, 99, deadline=DEADLINE)

    assert (shown(single.data), absent.data) == (plain_users(CLIENT, 9)[3], None)


@pytest.mark.parametrize("deadline", [NOW, NOW - 5])
def test_with_no_time_left_nobody_is_asked(
    origin: Origin, double: OriginDouble, deadline: float
) -> None:
    error = failure(origin, deadline=deadline)

    assert isinstance(error, OriginTimeoutError)
    assert error.reason == "deadline"
    assert double.calls == []


@pytest.mark.parametrize("fault", [Fault("html"), Fault("wrong_shape"), Fault("truncate")])
def test_after_a_failure_the_next_call_works(
    origin: Origin, double: OriginDouble, fault: Fault
) -> None:
    double.faults = [replace(fault, times=1)]
    failure(origin)

    answer = origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=DEADLINE)

    assert len(answer.data) == 9


@pytest.mark.parametrize(
    "fault", [Fault("status_error_200"), Fault("wrong_shape", shape="text_id")]
)
def test_no_text_of_an_answer_is_in_the_error(
    origin: Origin, double: OriginDouble, fault: Fault
) -> None:
    double.faults = [fault]

    error = failure(origin)

    chain = [error, error.__cause__, error.__context__]
    assert all("example.com" not in repr(each) for each in chain)


@pytest.mark.parametrize(
    ("fault", "deadline"),
    [
        (Fault("reset"), DEADLINE),
        (Fault("truncate"), DEADLINE),
        (Fault("hang"), NOW + 0.2),
        (Fault("drip_headers"), NOW + 0.2),
        (Fault("html"), DEADLINE),
        (Fault("html", status=200), DEADLINE),
        (Fault("oversize"), DEADLINE),
        (Fault("wrong_shape"), DEADLINE),
    ],
)
def test_no_address_that_was_asked_for_is_in_the_error_or_in_what_led_to_it(
    origin: Origin, double: OriginDouble, fault: Fault, deadline: float
) -> None:
    double.faults = [fault]

    with pytest.raises(OriginError) as caught:
        origin.find_users(CLIENT, RIGHT, emails=CANARIES, deadline=deadline)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    printed = "".join(TracebackException.from_exception(caught.value).format())
    assert "canary" not in printed
