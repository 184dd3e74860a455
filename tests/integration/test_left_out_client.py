"""A client that is left out of the secret for a while, and put back: it is not forgotten."""

from collections.abc import Callable

import pytest

from tests.integration.service import CLIENT, ERROR_AGE, REVALIDATE_AGE, SECRET, Answer, Service

OTHER = "clxanother000000000000000"
SCHEDULE_SECONDS = 60

WAYS: dict[str, Callable[[Service], object]] = {
    "the schedule": lambda service: service.refresh(),
    "a read": lambda service: service.get(),
    "a read of one user": lambda service: service.get("/users/1001"),
    "a refresh": lambda service: service.send("POST", "/cache/refresh?wait=true"),
    "a refresh event": lambda service: service.refresh({"action": "refresh", "clientId": CLIENT}),
}


@pytest.fixture
def left_out(service: Service) -> Service:
    """The service after a sweep that found its client left out of the secret."""
    service.get()
    service.put_secret({OTHER: "another-key"})
    service.let_pass(REVALIDATE_AGE)
    service.refresh({"action": "refresh", "clientId": CLIENT})
    assert service.head()["last_error"] == "client-not-configured"
    return service


def put_back(service: Service) -> None:
    service.put_secret({CLIENT: SECRET, OTHER: "another-key"})


def test_while_it_is_left_out_its_users_are_not_served(left_out: Service) -> None:
    assert left_out.get().status == 404
    assert left_out.send("POST", "/cache/refresh").status == 404


def test_the_reason_is_told_meanwhile(left_out: Service) -> None:
    state = left_out.get("/cache")

    assert (state.status, state.body["data"]["lastError"]) == (200, "client-not-configured")


def test_put_back_it_is_served_at_once_and_fresh_within_a_period_of_the_schedule(
    left_out: Service,
) -> None:
    put_back(left_out)
    left_out.forget()

    at_once = left_out.get()
    left_out.let_pass(SCHEDULE_SECONDS)
    swept = left_out.refresh({"action": "refresh", "clientId": CLIENT})
    after = left_out.get()

    assert at_once.cache_status.endswith("; detail=stale-while-revalidate")
    assert swept["outcome"] == "unchanged"
    assert after.cache_status.startswith("managed-users; hit; ttl=1")
    assert left_out.get("/cache").body["data"]["lastError"] is None


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_leads_out_of_it(left_out: Service, way: str) -> None:
    put_back(left_out)
    left_out.let_pass(ERROR_AGE)

    WAYS[way](left_out)
    while not left_out.invocations.empty():
        left_out.refresh(left_out.next_invocation())
    left_out.forget()

    answer: Answer = left_out.get()
    assert answer.status == 200
    assert "last_error" not in left_out.head()
