"""A sweep that lost too many users is not believed until a second one agrees."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest

from dev.embedded_aws import EmbeddedAws
from dev.origin_double import Fault
from tests.integration.service import CLIENT, ERROR_AGE, REVALIDATE_AGE, Service, running_service

REFRESH = {"action": "refresh", "clientId": CLIENT}
USERS = 30


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=USERS) as running:
        running.get()
        running.let_pass(REVALIDATE_AGE)
        yield running


@pytest.mark.parametrize("kind", ["empty_list", "lose_third"])
def test_a_list_that_lost_many_users_is_quarantined_and_the_old_one_served(
    service: Service, kind: Literal["empty_list", "lose_third"]
) -> None:
    service.origin.faults = [Fault(kind)]

    result = service.refresh(REFRESH)
    service.let_pass(1)
    soon = service.get()

    assert (result["outcome"], result["reason"]) == ("failed", "quarantined")
    assert len(soon.ids) == USERS
    assert soon.cache_status.endswith("; detail=stale-while-revalidate")
    assert service.get("/cache").body["data"]["lastError"] == "quarantined"


def test_a_reader_that_waited_and_those_after_it_are_told(service: Service) -> None:
    service.origin.faults = [Fault("empty_list")]
    service.let_pass(ERROR_AGE)
    waited = service.get()
    service.origin.clear_calls()

    after = service.get()

    assert re.search(r"fwd=stale; ttl=-\d+; detail=stale-if-error$", waited.cache_status)
    assert re.search(r"hit; ttl=-\d+; detail=quarantined$", after.cache_status)
    assert len(waited.ids) == len(after.ids) == USERS
    assert service.origin.calls == []


def test_a_real_loss_is_accepted_by_a_second_sweep_a_minute_later(service: Service) -> None:
    kept = service.origin.users(CLIENT)[10:]
    service.origin.replace(CLIENT, kept)
    service.refresh(REFRESH)
    early = service.refresh(REFRESH)
    service.let_pass(61)

    later = service.refresh(REFRESH)

    assert (early["outcome"], early["reason"]) == ("skipped", "quarantined")
    assert (later["outcome"], later["users"]) == ("published", 20)
    assert service.get().ids == [user["id"] for user in kept]
    assert "quarantine" not in service.head()


def test_users_who_are_still_found_one_by_one_keep_the_list_in_quarantine(
    service: Service,
) -> None:
    service.origin.faults = [Fault("lose_third")]
    service.refresh(REFRESH)
    service.let_pass(61)
    service.origin.clear_calls()

    result = service.refresh(REFRESH)

    assert (result["outcome"], result["reason"]) == ("failed", "quarantined")
    assert any(call.user_id for call in service.origin.calls)
    assert len(service.get().ids) == USERS


def test_an_empty_list_is_accepted_when_everybody_is_really_gone(service: Service) -> None:
    service.origin.replace(CLIENT, [])
    service.refresh(REFRESH)
    service.let_pass(61)

    service.refresh(REFRESH)

    assert service.get().ids == []


def test_a_fault_that_passes_ends_the_quarantine(service: Service) -> None:
    service.origin.faults = [Fault("lose_third")]
    service.refresh(REFRESH)
    service.origin.faults = []
    # A pause as after any failure: five seconds and up to a fifth of that.
    service.let_pass(6)

    result = service.refresh(REFRESH)

    assert result["outcome"] == "unchanged"
    assert service.get("/cache").body["data"]["lastError"] is None


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
