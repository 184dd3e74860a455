"""The whole directory from an organization's list: swept, told apart, refused, gone on with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault, Organization, Organizations, User, demo_members, demo_users
from tests.integration.asking import follow
from tests.integration.service import CLIENT, Json, Service, running_service

ORGANIZATION = 4711
SCHEDULED = {"action": "refresh", "clientId": CLIENT}
MINUTE = 60
LIST = f"/organizations/{ORGANIZATION}/"


@contextmanager
def organized(aws: EmbeddedAws, *, users: int, others: int = 9) -> Iterator[Service]:
    """Run a service whose client's organization has ``others`` in it besides."""
    taken = [user["id"] for user in demo_users(CLIENT, users)]
    organization = Organization(
        organization_id=ORGANIZATION, clients=[CLIENT], members=demo_members(taken, others)
    )
    with running_service(aws, users=users) as service:
        service.origin.organizations = Organizations([organization])
        service.name_organization(ORGANIZATION)
        yield service


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service whose origin has 620 users of ours, all of them known."""
    with organized(aws, users=620) as running:
        settle(running)
        running.origin.clear_calls()
        yield running


def sweep(service: Service, *, seconds: float = 60) -> Json:
    service.let_pass(MINUTE)
    return service.refresh(SCHEDULED, seconds=seconds)


def settle(service: Service) -> None:
    """Sweep until everybody is known."""
    for _ in range(4):
        sweep(service)
    assert known(service) == ours(service)


def known(service: Service) -> list[User]:
    """Return all users as a traversal by cursor sees them."""
    return [row for page in follow(service, "/users?limit=250") for row in page.body["data"]]


def ours(service: Service) -> list[User]:
    return service.origin.users(CLIENT)


def ids(users: Sequence[User]) -> list[int]:
    return [user["id"] for user in users]


def cache(service: Service) -> Json:
    return service.get("/cache").body["data"]


def calls(service: Service) -> list[str]:
    return [f"{call.path}?{call.query}" for call in service.origin.calls]


def the_organization(service: Service) -> Organization:
    return service.origin.organizations[ORGANIZATION]


def test_everybody_past_the_window_is_known_and_nobody_else_ever(aws: EmbeddedAws) -> None:
    with organized(aws, users=620) as service:
        seen: list[User] = []
        for _ in range(3):
            sweep(service)
            seen += known(service)
        told = cache(service)

        assert known(service) == ours(service)
    everybody = ids(ours(service))
    assert {user["id"] for user in seen} <= set(everybody)
    assert (told["complete"], told["users"], told["incompleteReason"]) == (True, 620, None)
    assert told["organization"] == {
        "inUse": True,
        "reason": None,
        "retryAt": None,
        "undecided": 0,
    }


def test_until_it_is_known_whose_a_member_is_he_is_left_out_and_that_is_said(
    aws: EmbeddedAws,
) -> None:
    with organized(aws, users=300, others=200) as service:
        sweep(service)
        first = cache(service)
        sweep(service)
        sweep(service)
        last = cache(service)

    assert (first["complete"], first["incompleteReason"]) == (False, "members-undecided")
    assert first["organization"]["undecided"] > 0
    assert (last["complete"], last["users"], last["organization"]["undecided"]) == (True, 300, 0)


def test_an_unchanged_sweep_asks_for_pages_and_an_anchor_alone(service: Service) -> None:
    result = sweep(service)

    assert (result["outcome"], result["calls"]) == ("unchanged", 2)
    assert len(service.origin.member_calls(ORGANIZATION)) == 1


def test_ten_thousand_users_take_twelve_calls(aws: EmbeddedAws) -> None:
    with organized(aws, users=10_000, others=40) as service:
        settle(service)
        service.origin.clear_calls()

        result = sweep(service)

        assert (result["outcome"], result["users"]) == ("unchanged", 10_000)
        assert len(service.origin.calls) <= 12


def test_what_changes_past_the_window_is_seen_by_the_next_sweep(service: Service) -> None:
    *_, last = ours(service)
    service.origin.update(CLIENT, last["id"], name="Renamed")
    service.origin.delete(CLIENT, ours(service)[-2]["id"])
    new = service.origin.create(CLIENT)

    result = sweep(service)

    assert result["outcome"] == "published"
    assert known(service) == ours(service)
    assert known(service)[-1] == new


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ([Fault("status", status=403, match=LIST)], "organization-refused"),
        ([Fault("status", status=404, match=LIST)], "organization-refused"),
        ([Fault("empty_list", match=LIST)], "organization-empty"),
        ([Fault("unordered_ids", match=LIST)], "organization-unusable"),
        ([Fault("duplicate_ids", match=LIST)], "organization-unusable"),
        ([Fault("wrong_shape", match=LIST)], "organization-unusable"),
        ([Fault("status", status=500, match=LIST)], "organization-failing"),
        ([Fault("lose_third", match=LIST)], "organization-anchor"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].kind,
)
def test_a_list_that_cannot_be_used_leaves_everybody_listed(
    service: Service, log: StringIO, refusal: list[Fault], reason: str
) -> None:
    service.origin.faults = refusal

    results = [sweep(service) for _ in range(3)]
    told = cache(service)

    assert {result["outcome"] for result in results} <= {"published", "unchanged"}
    assert known(service) == ours(service)
    assert (told["organization"]["inUse"], told["organization"]["reason"]) == (False, reason)
    assert log.getvalue().count("organization not listed") == 1
    assert len(service.origin.member_calls(ORGANIZATION)) <= 6

    service.origin.faults = []
    service.let_pass(3600)
    sweep(service)
    assert cache(service)["organization"]["inUse"] is True
    assert cache(service)["complete"] is True
    assert log.getvalue().count("organization listed") == 1


def test_the_wrong_organization_shrinks_nothing(service: Service) -> None:
    service.name_organization(1)

    for _ in range(3):
        sweep(service)

    assert known(service) == ours(service)
    assert cache(service)["organization"]["reason"] == "organization-refused"
    service.name_organization(ORGANIZATION)
    service.let_pass(400)
    sweep(service)
    assert cache(service)["organization"]["inUse"] is True
