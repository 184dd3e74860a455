"""A sweep that lost too many users: they stay listed until each is known to be gone."""

from collections.abc import Iterator
from typing import Literal

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.service import CLIENT, REVALIDATE_AGE, Service, running_service

REFRESH = {"action": "refresh", "clientId": CLIENT}
USERS = 30


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=USERS) as running:
        running.get()
        running.let_pass(REVALIDATE_AGE)
        yield running


@pytest.mark.parametrize("kind", ["empty_list", "lose_third"])
def test_a_list_that_lost_many_users_is_doubted_and_they_stay_listed(
    service: Service, kind: Literal["empty_list", "lose_third"]
) -> None:
    service.origin.faults = [Fault(kind)]

    result = service.refresh(REFRESH)
    service.let_pass(1)
    answer = service.get()

    state = service.get("/cache").body["data"]
    assert result["outcome"] == "published"
    assert len(answer.ids) == USERS
    assert answer.body["pagination"]["incompleteReason"] == "unconfirmed-deletions"
    assert int(answer.headers["Age"]) >= REVALIDATE_AGE
    assert (state["lastError"], state["retryAt"]) == (None, None)
    assert service.get(f"/users/{answer.ids[-1]}").status == 200


def test_a_real_loss_is_accepted_a_minute_later(service: Service) -> None:
    kept = service.origin.users(CLIENT)[10:]
    service.origin.replace(CLIENT, kept)
    service.refresh(REFRESH)
    early = service.refresh(REFRESH)
    service.let_pass(61)

    later = service.refresh(REFRESH)

    assert (early["outcome"], early["users"]) == ("unchanged", USERS)
    assert (later["outcome"], later["users"]) == ("published", 20)
    assert service.get().ids == [user["id"] for user in kept]
    service.refresh(REFRESH)
    assert "doubted_since" not in service.head()


def test_sign_ups_updates_and_look_ups_go_on_during_a_doubt(service: Service) -> None:
    everybody = service.origin.users(CLIENT)
    service.origin.replace(CLIENT, everybody[10:])
    service.refresh(REFRESH)
    new = everybody[-1] | {"id": everybody[-1]["id"] + 1, "email": f"new+{CLIENT}@example.com"}
    service.origin.replace(CLIENT, [everybody[10] | {"name": "Changed"}, *everybody[11:], new])

    service.refresh(REFRESH)

    assert len(service.get().ids) == USERS + 1
    assert service.get(f"/users/{everybody[10]['id']}").body["data"]["name"] == "Changed"
    assert service.get(f"/users/{new['id']}").status == 200
    assert service.get(f"/users/{everybody[0]['id']}").status == 200


def test_users_who_are_still_found_one_by_one_are_never_deleted(service: Service) -> None:
    service.origin.faults = [Fault("lose_third")]
    service.refresh(REFRESH)
    for _ in range(3):
        service.let_pass(61)
        service.refresh(REFRESH)

    assert any(call.user_id for call in service.origin.calls)
    assert len(service.get().ids) == USERS


def test_an_origin_that_fails_for_single_users_keeps_nobody_from_being_listed(
    service: Service,
) -> None:
    everybody = service.origin.users(CLIENT)
    service.origin.replace(CLIENT, everybody[10:])
    service.origin.faults = [Fault("status", status=500, match="/users/")]
    service.refresh(REFRESH)
    service.let_pass(61)
    new = service.origin.create(CLIENT)

    later = service.refresh(REFRESH)

    assert (later["outcome"], later["users"]) == ("published", USERS + 1)
    assert service.get(f"/users/{new['id']}").status == 200
    assert service.get().body["pagination"]["incompleteReason"] == "unconfirmed-deletions"
    service.origin.faults = []
    service.refresh(REFRESH)
    service.let_pass(1)
    assert service.get().ids == [*(user["id"] for user in everybody[10:]), new["id"]]


def test_an_empty_list_is_accepted_when_everybody_is_really_gone(service: Service) -> None:
    service.origin.replace(CLIENT, [])
    for _ in range(3):
        service.refresh(REFRESH)
        service.let_pass(61)

    assert service.get().ids == []


def test_an_operator_can_say_that_a_loss_is_true(service: Service) -> None:
    service.origin.replace(CLIENT, [])
    service.refresh(REFRESH)

    believed = service.send("POST", "/cache/refresh?wait=true&believe=true")

    assert (believed.status, believed.body["data"]["outcome"]) == (200, "published")
    assert service.get().ids == []
    assert service.get().body["pagination"]["complete"] is True


def test_a_fault_that_passes_ends_the_doubt(service: Service) -> None:
    service.origin.faults = [Fault("lose_third")]
    service.refresh(REFRESH)
    service.origin.faults = []

    result = service.refresh(REFRESH)

    answer = service.get()
    assert (result["outcome"], result["complete"]) == ("published", True)
    assert int(answer.headers["Age"]) < REVALIDATE_AGE
    assert answer.body["pagination"]["incompleteReason"] is None


def test_a_few_users_may_go_at_once(service: Service) -> None:
    service.origin.replace(CLIENT, service.origin.users(CLIENT)[5:])

    assert service.refresh(REFRESH)["outcome"] == "published"


def test_a_first_list_may_be_empty(aws: EmbeddedAws) -> None:
    with running_service(aws, users=0) as service:
        answer = service.get()

    assert answer.ids == []
    assert answer.body["pagination"]["complete"] is True


def test_answers_are_as_old_as_those_who_may_be_gone(aws: EmbeddedAws) -> None:
    with running_service(aws, users=300) as service:
        service.refresh(REFRESH)
        service.let_pass(100)
        # More than one sweep may ask for one by one.
        service.origin.replace(CLIENT, service.origin.users(CLIENT)[25:])
        service.refresh(REFRESH)
        doubtful = service.get("/users?limit=1")
        filtered = service.get("/users?locale=en&limit=1")
        state = service.get("/cache").body["data"]
        service.let_pass(11)
        service.refresh(REFRESH)
        sure = service.get("/users?limit=1")

    assert doubtful.body["pagination"]["incompleteReason"] == "unconfirmed-deletions"
    assert int(doubtful.headers["Age"]) >= 100
    assert int(filtered.headers["Age"]) >= 100
    assert (state["age"] < 10, state["oldestObservationAge"] >= 100) == (True, True)
    assert sure.body["pagination"]["complete"] is True
    assert int(sure.headers["Age"]) < 10
