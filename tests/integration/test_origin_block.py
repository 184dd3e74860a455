"""The origin blocks with 429: nobody calls it until the block is over, whatever is asked."""

import re
from collections.abc import Callable, Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from dev.origin.faults import Kind
from tests.integration.service import CLIENT, ERROR_AGE, REVALIDATE_AGE, Service, running_service

type Ask = Callable[[Service], object]


def block(service: Service) -> None:
    """Let the origin block for longer than a test takes."""
    service.table.change_head(CLIENT, blocked_until=service.clock.now + 200)
    service.forget()


def read_at(service: Service, seconds: int) -> None:
    service.let_pass(seconds)
    block(service)
    service.get()


ASKED: dict[str, Ask] = {
    "a stale read": lambda service: service.get(),
    "a read that is too stale": lambda service: read_at(service, ERROR_AGE),
    "no-cache": lambda service: service.get(headers={"Cache-Control": "no-cache"}),
    "max-age=0": lambda service: service.get(headers={"Cache-Control": "max-age=0"}),
    "min-fresh": lambda service: service.get(headers={"Cache-Control": "min-fresh=100"}),
    "a refresh": lambda service: service.send("POST", "/cache/refresh"),
    "a refresh that waits": lambda service: service.send("POST", "/cache/refresh?wait=true"),
    "the schedule": lambda service: service.refresh(),
    "a refresh event": lambda service: service.refresh(
        {"action": "refresh", "clientId": CLIENT, "requestedAt": service.clock.now}
    ),
}


@pytest.fixture
def blocked(service: Service) -> Service:
    """The service with three stale users stored; its last revalidation met a block."""
    service.get()
    service.let_pass(REVALIDATE_AGE)
    service.origin.faults = [Fault("status", status=429, times=1)]
    service.refresh()
    assert [call.status for call in service.origin.calls[-1:]] == [429]
    service.origin.clear_calls()
    return service


@pytest.fixture(scope="module")
def blocked_for_long(aws: EmbeddedAws) -> Iterator[Service]:
    """The service with three stale users stored."""
    with running_service(aws) as running:
        running.get()
        running.let_pass(REVALIDATE_AGE)
        running.origin.clear_calls()
        yield running


@pytest.mark.parametrize("asked", ASKED)
def test_no_call_reaches_the_origin_during_a_block(blocked_for_long: Service, asked: str) -> None:
    block(blocked_for_long)

    ASKED[asked](blocked_for_long)

    assert blocked_for_long.origin.calls == []
    assert blocked_for_long.invocations.empty()


def test_a_claim_made_before_the_block_makes_no_call_either(service: Service) -> None:
    service.get()
    service.let_pass(REVALIDATE_AGE)
    service.get()
    claim = service.next_invocation()
    # Whoever held the lease before, and was late, has met the block meanwhile.
    service.table.change_head(CLIENT, blocked_until=service.clock.now + 60)
    service.origin.clear_calls()

    service.refresh(claim)

    assert service.origin.calls == []


def test_readers_are_told_of_the_block_once_data_is_too_stale(blocked: Service) -> None:
    soon = blocked.get()
    # As if the block had come at the end of stale-while-revalidate.
    blocked.table.change_head(CLIENT, swept_at=blocked.clock.now - ERROR_AGE)
    blocked.forget()

    later = blocked.get()

    assert soon.cache_status.endswith("; detail=stale-while-revalidate")
    assert later.cache_status.endswith("; detail=origin-blocked")
    assert len(later.ids) == 3


def test_nothing_stored_and_a_block_is_503_until_it_is_over(service: Service) -> None:
    service.origin.faults = [Fault("status", status=429, times=1)]

    answers = [service.get(), service.get()]

    assert [answer.status for answer in answers] == [503, 503]
    assert all(55 <= int(answer.headers["Retry-After"]) <= 87 for answer in answers)
    assert len(service.origin.calls) == 1


@pytest.mark.parametrize("kind", ["status", "html"])
def test_the_origin_is_left_alone_as_its_retry_after_says_for_four_minutes_at_most(
    service: Service, kind: Kind
) -> None:
    service.get()
    service.let_pass(REVALIDATE_AGE)
    service.origin.faults = [Fault(kind, status=429, retry_after="86400", times=1)]
    service.refresh()
    service.origin.clear_calls()

    results = service.refresh()["results"]
    for seconds in (120, 110, 15):
        service.let_pass(seconds)
        results += service.refresh()["results"]

    assert [result["outcome"] for result in results] == [*["skipped"] * 3, "unchanged"]
    assert len(service.origin.calls) == 1


def test_status_tells_until_when_the_origin_blocks(blocked: Service) -> None:
    data = blocked.get("/cache").body["data"]

    assert data["lastError"] == "origin-blocked"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["blockedUntil"])


def test_the_origin_is_asked_again_when_the_block_is_over(blocked: Service) -> None:
    blocked.let_pass(75)

    answer = blocked.get(headers={"Cache-Control": "no-cache"})

    assert answer.cache_status == "managed-users; fwd=request; fwd-status=200; stored"
    assert [call.status for call in blocked.origin.calls] == [200]


def test_a_nearly_used_up_limit_is_left_to_others_until_it_is_reset(service: Service) -> None:
    service.get()
    service.table.change_head(CLIENT, rate_remaining=10)
    service.origin.clear_calls()

    refused = service.send("POST", "/cache/refresh?wait=true")
    service.let_pass(61)
    allowed = service.send("POST", "/cache/refresh?wait=true")

    assert (refused.status, allowed.status) == (503, 200)
    assert len(service.origin.calls) == 1


def test_of_strangers_a_stale_directory_tells_nothing_during_a_block(blocked: Service) -> None:
    stranger = blocked.get("/users/999999")
    listed = blocked.get("/users?emails=nobody@example.com")

    assert (stranger.status, stranger.cache_status) == (503, "managed-users; detail=origin-blocked")
    assert 1 <= int(stranger.headers["Retry-After"]) <= 74
    assert (listed.status, listed.body["notFound"]) == (200, [])
    assert listed.body["notAsked"] == ["nobody@example.com"]
    assert blocked.origin.calls == []


def test_of_strangers_a_fresh_and_complete_directory_tells_that_they_are_nobody(
    service: Service,
) -> None:
    service.get()
    block(service)

    assert service.get("/users/999999").status == 404
    assert service.get("/users?emails=nobody@example.com").body["notFound"] == [
        "nobody@example.com"
    ]
