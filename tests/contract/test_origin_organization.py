"""An organization's list, by the adapter and by hand, as its contract has it.

Nothing of it was recorded at the origin: what the double answers is what was read of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from dev.origin import Fault, Limits, Organization, Organizations, OriginDouble, plain_users
from lib.errors import OriginAuthError, OriginBlockedError, OriginError, OriginTimeoutError
from lib.origin.client import Answer, Origin
from lib.origin.credential import Credential, SecretKey
from lib.users.document import USER_FIELDS
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from tests.contract.origin_double_client import connect, get, ids, shown
from tests.fakes import NOW, Clock

CLIENT, OTHER = "clientid1", "clientid2"
RIGHT = Credential(SecretKey("right"), "v1")
DEADLINE = NOW + 20
LIST = "/v2/organizations/7/users"
HEADERS = {"x-cal-client-id": CLIENT, "x-cal-secret-key": "right"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[OriginDouble]:
    with OriginDouble({CLIENT: "right", OTHER: "right"}, users=0, clock=clock) as running:
        running.replace(CLIENT, plain_users(CLIENT, 9))
        staff = plain_users(OTHER, 12)[9:]
        running.organizations = Organizations(
            [
                Organization(organization_id=7, clients=[CLIENT], members=staff),
                Organization(organization_id=8, clients=[OTHER]),
            ]
        )
        yield running


@pytest.fixture
def origin(double: OriginDouble, clock: Clock) -> Origin:
    return Origin(f"{double.url}/v2", max_rows=250, clock=clock, hiding=NOTHING_HIDDEN)


@pytest.fixture
def connection(double: OriginDouble) -> Iterator[HTTPConnection]:
    with closing(connect(double)) as opened:
        yield opened


def failure(origin: Origin, organization_id: int = 7) -> OriginError:
    """Ask for a list, which must fail, and return the error."""
    with pytest.raises(OriginError) as caught:
        origin.list_members(organization_id, CLIENT, RIGHT, skip=0, take=1000, deadline=DEADLINE)
    return caught.value


def test_members_come_with_the_fields_of_managed_users_and_no_others(origin: Origin) -> None:
    answer = origin.list_members(7, CLIENT, RIGHT, skip=0, take=1000, deadline=DEADLINE)

    assert [row["id"] for row in shown(answer.data)] == list(range(1, 13))
    assert {name for row in shown(answer.data) for name in row} == set(USER_FIELDS)
    assert shown(answer.data[:9]) == plain_users(CLIENT, 9)
    assert answer.rate_limit is not None


def test_what_is_hidden_does_not_enter_by_any_call(double: OriginDouble, clock: Clock) -> None:
    hiding = HidingPolicy(fields=frozenset({"bio"}), metadata_keys=frozenset({"plan"}))
    origin = Origin(f"{double.url}/v2", max_rows=250, clock=clock, hiding=hiding, max_bytes=10**6)
    row = plain_users(CLIENT, 1)[0] | {"bio": "canary", "metadata": {"plan": "canary", "kept": 1}}
    double.replace(CLIENT, [row])

    calls: list[Callable[[], Answer[Any]]] = [
        lambda: origin.list_users(CLIENT, RIGHT, offset=0, limit=250, deadline=DEADLINE),
        lambda: origin.find_users(CLIENT, RIGHT, emails=[row["email"]], deadline=DEADLINE),
        lambda: origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE),
    ]
    entered = [*(line for call in calls * 2 for line in call().data)]
    entered.append(origin.get_user(CLIENT, RIGHT, 1, deadline=DEADLINE).data)

    assert len(entered) == 7
    assert not any(b"canary" in line for line in entered)
    assert {frozenset(shown(line)) for line in entered} == {frozenset(row.keys() - {"bio"})}


def test_a_list_told_again_is_what_it_was_and_a_changed_one_is_not(
    double: OriginDouble, clock: Clock
) -> None:
    origin = Origin(
        f"{double.url}/v2", max_rows=250, clock=clock, hiding=NOTHING_HIDDEN, max_bytes=10**6
    )

    def listed(take: int = 1000) -> Answer[Sequence[bytes]]:
        return origin.list_members(7, CLIENT, RIGHT, skip=0, take=take, deadline=DEADLINE)

    first, again = listed(), listed()
    double.update(CLIENT, 3, name="Changed")
    changed = listed()

    assert list(first.data) == list(again.data)
    assert again.rate_limit is not None
    assert [user["name"] for user in shown(changed.data)][2] == "Changed"
    assert list(changed.data)[3:] == list(first.data)[3:]


def test_null_metadata_is_none(origin: Origin) -> None:
    assert "metadata" not in plain_users(CLIENT, 9)[1]

    answer = origin.list_members(7, CLIENT, RIGHT, skip=1, take=1, deadline=DEADLINE)

    assert "metadata" not in shown(answer.data[0])


def test_a_call_names_both_headers_and_always_take(origin: Origin, double: OriginDouble) -> None:
    origin.list_members(7, CLIENT, RIGHT, skip=5, take=3, deadline=DEADLINE)

    (call,) = double.member_calls(7)
    assert (call.path, call.query) == (LIST, "skip=5&take=3")
    assert {"x-cal-client-id", "x-cal-secret-key"} <= call.headers


@pytest.mark.parametrize("organization_id", [8, 9])
def test_another_organization_is_a_403(origin: Origin, organization_id: int) -> None:
    error = failure(origin, organization_id)

    assert isinstance(error, OriginAuthError)
    assert error.received == 403


def test_an_origin_without_organizations_is_a_404(origin: Origin, double: OriginDouble) -> None:
    double.organizations = Organizations()

    error = failure(origin)

    assert error.received == 404
    assert not isinstance(error, OriginAuthError)


def test_a_cancelled_plan_is_noticed_after_five_minutes(
    origin: Origin, double: OriginDouble, clock: Clock
) -> None:
    origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE)
    double.organizations[7].has_plan = False

    clock.now += 299
    origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE + 300)
    clock.now += 1
    with pytest.raises(OriginAuthError):
        origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE + 300)
    double.organizations[7].has_plan = True
    origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE + 300)


def test_members_and_users_are_counted_together(origin: Origin, double: OriginDouble) -> None:
    double.limits = Limits(client=2)

    origin.list_users(CLIENT, RIGHT, offset=0, limit=1, deadline=DEADLINE)
    origin.list_members(7, CLIENT, RIGHT, skip=0, take=1, deadline=DEADLINE)

    assert isinstance(failure(origin), OriginBlockedError)


def test_more_rows_than_asked_for_are_no_page(origin: Origin, double: OriginDouble) -> None:
    double.faults = [Fault("wrong_shape", shape="null_row")]

    assert failure(origin).received == 200


@pytest.mark.real_seconds
def test_a_page_that_does_not_come_is_a_timeout(
    origin: Origin, double: OriginDouble, clock: Clock
) -> None:
    double.faults = [Fault("hang", match="take=1000")]

    with pytest.raises(OriginTimeoutError):
        origin.list_members(7, CLIENT, RIGHT, skip=0, take=1000, deadline=clock.now + 0.3)
    rows = origin.list_members(7, CLIENT, RIGHT, skip=0, take=500, deadline=DEADLINE).data
    assert len(rows) == 12


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("take=1000&skip=0", 200),
        ("take=10abc", 200),
        ("take=0", 400),
        ("take=1001", 400),
        ("take=", 400),
        ("skip=", 400),
        ("skip=-1", 400),
        ("skip=1000000", 200),
        ("emails=a,b@example.com", 400),
    ],
)
def test_the_double_reads_parameters_as_the_origin_does(
    connection: HTTPConnection, query: str, status: int
) -> None:
    assert get(connection, f"{LIST}?{query}", headers=HEADERS)[0] == status


def test_the_double_finds_addresses_as_they_are_stored(connection: HTTPConnection) -> None:
    stored = f"user4%2B{CLIENT}@example.com"

    found = get(connection, f"{LIST}?emails={stored}&emails=user4@example.com", headers=HEADERS)

    assert ids(found) == [4]


@pytest.mark.parametrize("missing", ["x-cal-client-id", "x-cal-secret-key"])
def test_the_double_wants_both_headers(connection: HTTPConnection, missing: str) -> None:
    headers = {name: text for name, text in HEADERS.items() if name != missing}

    assert get(connection, LIST, headers=headers)[0] == 401


def test_whom_the_list_lacks_is_found_by_id(
    connection: HTTPConnection, double: OriginDouble
) -> None:
    double.organizations[7].lacking = frozenset({4})

    assert 4 not in ids(get(connection, f"{LIST}?take=1000", headers=HEADERS))
    path = f"/v2/oauth-clients/{CLIENT}/users/4"
    assert get(connection, path, headers=HEADERS)[0] == 200
