"""Users whose address does not name their client: made long ago, or changed by themselves.

They are listed, looked up and adopted as all others are, and nobody else is the worse for them.
"""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import User
from tests.integration.service import CLIENT, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
MINUTES = 180
"""So many seconds that no call of before counts any more."""


@pytest.fixture
def full(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service whose origin has one user more than it lists."""
    with running_service(aws, users=501) as service:
        assert service.refresh(SCHEDULED)["outcome"] == "published"
        yield service


def give_own_address(service: Service, position: int) -> User:
    """Let the user at ``position`` change his own address, and return him."""
    users = service.origin.users(CLIENT)
    users[position] |= {"email": f"own{position}@example.org"}
    service.origin.replace(CLIENT, users)
    return users[position]


def test_the_last_user_s_own_address_spoils_no_list(aws: EmbeddedAws) -> None:
    with running_service(aws, users=251) as service:
        own = give_own_address(service, 250)

        answer = service.get("/users?limit=50&offset=250")

        assert answer.body["data"] == [own]


def test_a_user_past_the_window_is_looked_up_by_id_and_holds_nobody_off(full: Service) -> None:
    own = give_own_address(full, 500)

    answer = full.get(f"/users/{own['id']}")

    assert answer.body["data"] == own
    assert "retry_at" not in full.head()


def adopt_and_give_own_address(service: Service) -> User:
    """Let the user past the window be adopted, and then change his own address."""
    service.get(f"/users/{service.origin.users(CLIENT)[500]['id']}")
    service.let_pass(MINUTES)
    service.refresh(SCHEDULED)
    own = give_own_address(service, 500)
    service.let_pass(MINUTES)
    assert service.refresh(SCHEDULED)["outcome"] == "published"
    return own


def test_an_adopted_user_who_changes_his_address_fails_no_sweep(full: Service) -> None:
    own = adopt_and_give_own_address(full)

    full.forget()
    full.origin.clear_calls()
    assert full.get(f"/users?emails={own['email']}").body["data"] == [own]
    assert full.get(f"/users/{own['id']}").body["data"] == own
    assert full.origin.calls == []


@pytest.mark.parametrize("match", ["exact", "folded"])
def test_users_are_found_by_the_address_they_have_and_by_it_without_suffix(
    service: Service, match: str
) -> None:
    own = give_own_address(service, 0)
    suffixed = service.origin.users(CLIENT)[1]
    unsuffixed = suffixed["email"].replace(f"+{CLIENT}", "")
    asked = [own["email"], suffixed["email"].replace("+", "%2B"), unsuffixed]

    found = [service.get(f"/users?emails={email}&email_match={match}").body for email in asked]

    assert [body["data"] for body in found] == [[own], [suffixed], [suffixed]]
    assert [body["notFound"] for body in found] == [[], [], []]


def test_of_two_users_with_one_address_the_origin_s_own_is_found(service: Service) -> None:
    users = service.origin.users(CLIENT)
    users[0] |= {"email": users[1]["email"].replace(f"+{CLIENT}", "")}
    service.origin.replace(CLIENT, users)

    answer = service.get(f"/users?emails={users[0]['email']}")

    assert answer.body["data"] == [users[1]]


def test_no_cache_asks_anew_for_a_user_whose_address_has_no_suffix(full: Service) -> None:
    own = adopt_and_give_own_address(full)
    full.let_pass(MINUTES)
    renamed = full.origin.users(CLIENT)
    renamed[500] |= {"name": "Renamed"}
    full.origin.replace(CLIENT, renamed)

    answer = full.get(f"/users?emails={own['email']}", headers={"Cache-Control": "no-cache"})

    assert answer.body["data"] == [renamed[500]]


def test_an_address_that_its_suffix_makes_too_long_is_asked_for_without_it(full: Service) -> None:
    users = full.origin.users(CLIENT)
    local = "x" * 60
    users[500] |= {"email": f"{local}+{CLIENT}@example.org"}
    full.origin.replace(CLIENT, users)

    short = full.get(f"/users?emails={local}@example.org")

    assert short.body["data"] == [users[500]]
