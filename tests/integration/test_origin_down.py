"""The origin fails: what callers get at each age of what is stored, and when it is asked again."""

import re
from collections.abc import Callable, Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from dev.origin.faults import Kind
from lib.directory.head import LEASE_SECONDS
from tests.integration.service import (
    CLIENT,
    ERROR_AGE,
    EXPIRED_AGE,
    HURRIED_SECONDS,
    REVALIDATE_AGE,
    Answer,
    Service,
    running_service,
)

BACKOFF_SECONDS = 60
"""Longer than the first pauses after a failure, as long as the longest."""


@pytest.fixture
def stored(service: Service) -> Service:
    """The service with three users stored."""
    service.get()
    service.origin.clear_calls()
    return service


@pytest.fixture(scope="module")
def reused(aws: EmbeddedAws) -> Iterator[Service]:
    """A service for tests that begin with nothing stored, and do not mind what was before."""
    with running_service(aws) as running:
        yield running


def aged(service: Service, seconds: int) -> Answer:
    service.let_pass(seconds)
    return service.get()


def test_what_is_fresh_is_served_while_the_origin_is_stopped(stored: Service) -> None:
    stored.origin.stop()

    answer = aged(stored, 100)

    assert re.fullmatch(r"managed-users; hit; ttl=20", answer.cache_status)
    assert len(answer.ids) == 3


def test_stale_readers_are_answered_at_once_and_start_one_revalidation(stored: Service) -> None:
    stored.origin.stop()
    stored.let_pass(REVALIDATE_AGE)

    answers = [stored.get() for _ in range(5)]

    status = r"managed-users; hit; ttl=-1\d; detail=stale-while-revalidate"
    assert all(re.fullmatch(status, answer.cache_status) for answer in answers)
    claim = stored.next_invocation()
    assert (claim["action"], claim["clientId"]) == ("refresh", CLIENT)
    assert claim["lease"]["token"] == stored.head()["lease_token"] == 2
    assert stored.invocations.empty()


def test_a_claim_that_was_handed_over_revalidates_once(stored: Service) -> None:
    changed = stored.origin.update(CLIENT, stored.get().ids[0], name="Renamed")
    aged(stored, REVALIDATE_AGE)
    claim = stored.next_invocation()

    first, second = stored.refresh(claim), stored.refresh(claim)

    assert (first["outcome"], second["outcome"]) == ("published", "superseded")
    assert len(stored.origin.calls) == 1
    stored.forget()
    assert stored.get().body["data"][0] == changed


def test_a_claim_that_got_lost_is_made_again_when_its_lease_is_over(stored: Service) -> None:
    aged(stored, REVALIDATE_AGE)
    lost = stored.next_invocation()

    aged(stored, LEASE_SECONDS + BACKOFF_SECONDS)

    claim = stored.next_invocation()
    assert claim["lease"]["token"] == lost["lease"]["token"] + 1
    assert stored.refresh(lost)["outcome"] == "superseded"
    assert stored.refresh(claim)["outcome"] == "unchanged"


def test_an_answering_origin_is_waited_for_when_data_is_too_stale(stored: Service) -> None:
    answer = aged(stored, ERROR_AGE)

    assert answer.cache_status == "managed-users; fwd=stale; fwd-status=200; stored"
    assert "Age" not in answer.headers


@pytest.mark.parametrize(
    ("fail", "received"),
    [
        (lambda origin: origin.stop(), ""),
        (lambda origin: setattr(origin, "faults", [Fault("reset")]), ""),
        (lambda origin: setattr(origin, "faults", [Fault("status", status=503)]), "503"),
        (lambda origin: setattr(origin, "faults", [Fault("status", status=401)]), "401"),
        (lambda origin: setattr(origin, "faults", [Fault("wrong_shape")]), "200"),
    ],
)
def test_the_first_failure_is_told_and_later_readers_do_not_wait(
    stored: Service, fail: Callable[[object], object], received: str
) -> None:
    fail(stored.origin)

    first = aged(stored, ERROR_AGE)
    stored.origin.clear_calls()
    stored.forget()
    later = stored.get()

    told = f"; fwd-status={received}" if received else ""
    pattern = rf"managed-users; fwd=stale{told}; ttl=-\d+; detail=stale-if-error"
    assert re.fullmatch(pattern, first.cache_status)
    assert re.fullmatch(r"managed-users; hit; ttl=-\d+; detail=origin-backoff", later.cache_status)
    assert len(first.ids) == len(later.ids) == 3
    assert int(later.headers["Age"]) >= ERROR_AGE
    assert stored.origin.calls == []
    assert stored.invocations.empty()


def test_after_a_failure_readers_start_probes_once_the_pause_is_over(stored: Service) -> None:
    stored.origin.faults = [Fault("reset", times=2)]
    aged(stored, ERROR_AGE)

    answer = aged(stored, BACKOFF_SECONDS)

    assert answer.cache_status.endswith("; detail=origin-backoff")
    assert stored.refresh(stored.next_invocation())["outcome"] == "unchanged"
    stored.forget()
    assert re.fullmatch(r"managed-users; hit; ttl=1[12]\d", stored.get().cache_status)


def test_no_cache_and_refresh_do_not_ask_a_failing_origin(stored: Service) -> None:
    stored.origin.faults = [Fault("reset")]
    aged(stored, ERROR_AGE)
    stored.origin.clear_calls()

    read = stored.get(headers={"Cache-Control": "no-cache"})
    refreshes = [stored.send("POST", f"/cache/refresh{query}") for query in ("", "?wait=true")]

    assert read.cache_status.endswith("; detail=origin-backoff")
    assert [answer.status for answer in refreshes] == [503, 503]
    assert all(1 <= int(answer.headers["Retry-After"]) <= 8 for answer in refreshes)
    assert stored.origin.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset"),
        Fault("reset_mid_body"),
        Fault("truncate"),
        Fault("status", status=500),
        Fault("status", status=401),
        Fault("status", status=403),
        Fault("status", status=404),
        Fault("html"),
        Fault("html", status=200),
        Fault("redirect"),
        Fault("oversize"),
        Fault("status_error_200"),
        *(Fault("wrong_shape", shape=shape) for shape in ("null", "no_data", "array", "text_id")),
        Fault("wrong_shape", shape="null_row"),
        Fault("duplicate_ids"),
        Fault("unordered_ids"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status or ''} {fault.shape}",
)
def test_an_unusable_answer_is_502_and_then_503_when_nothing_is_stored(
    reused: Service, fault: Fault
) -> None:
    reused.table.delete_head(CLIENT)
    reused.origin.faults = [fault]

    first = reused.get()
    reused.origin.clear_calls()
    second = reused.get()

    assert (first.status, first.error["code"]) == (502, "BadGatewayException")
    assert first.cache_status.startswith("managed-users; fwd=uri-miss; ")
    assert first.headers["Cache-Control"] == "no-store"
    assert (second.status, second.error["code"]) == (503, "ServiceUnavailableException")
    assert second.cache_status == "managed-users; detail=origin-backoff"
    assert 1 <= int(second.headers["Retry-After"]) <= 8
    assert reused.origin.calls == []


@pytest.mark.real_seconds
@pytest.mark.parametrize(
    "fault",
    [
        Fault("hang"),
        Fault("delay", seconds=30),
        Fault("slow_drip"),
        Fault("drip_headers", seconds=0.05),
    ],
)
def test_no_answer_in_time_is_504(reused: Service, fault: Fault) -> None:
    reused.table.delete_head(CLIENT)
    reused.origin.faults = [fault]

    answer = reused.get(seconds=HURRIED_SECONDS)

    assert (answer.status, answer.error["code"]) == (504, "GatewayTimeoutException")


@pytest.mark.real_seconds
@pytest.mark.parametrize("kind", ["hang", "slow_drip", "drip_headers"])
def test_an_answer_that_never_ends_leaves_readers_what_is_stored(
    stored: Service, kind: Kind
) -> None:
    stored.origin.faults = [Fault(kind, seconds=0.1)]
    stored.let_pass(ERROR_AGE)

    answer = stored.get(seconds=HURRIED_SECONDS)

    assert answer.cache_status.endswith("; detail=stale-if-error")
    assert len(answer.ids) == 3
    assert stored.head()["last_error"] == "origin-timeout"


def test_an_interim_answer_is_not_taken_for_the_answer(service: Service) -> None:
    service.origin.faults = [Fault("early_hints")]

    assert len(service.get().ids) == 3


def test_a_stopped_origin_is_502_when_nothing_is_stored(service: Service) -> None:
    service.origin.stop()

    assert service.get().status == 502


def test_nothing_stored_and_somebody_elses_sweep_that_takes_too_long_is_503(
    service: Service,
) -> None:
    service.table.change_head(
        CLIENT, lease_token=1, lease_expires_at=service.clock.now + LEASE_SECONDS
    )

    answer = service.get(seconds=4)

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailableException")
    assert answer.cache_status == "managed-users; detail=lease-held"
    assert 10 <= int(answer.headers["Retry-After"]) <= 18
    assert service.origin.calls == []


def test_what_is_older_than_stale_if_error_is_not_served(stored: Service) -> None:
    stored.origin.faults = [Fault("reset")]

    assert aged(stored, EXPIRED_AGE).status == 502


def test_a_short_fault_is_asked_over_once(service: Service) -> None:
    service.origin.faults = [Fault("status", status=500, times=1)]

    assert service.get().status == 200
    assert [call.status for call in service.origin.calls] == [500, 200, 200]


def test_an_origin_that_wants_to_be_left_alone_is_not_asked_over(service: Service) -> None:
    service.origin.faults = [Fault("status", status=503, retry_after="30")]

    assert service.get().status == 502
    assert [call.status for call in service.origin.calls] == [503]


@pytest.mark.parametrize("fault", [Fault("challenge"), Fault("html", status=403)])
def test_a_page_of_the_edge_is_no_wrong_secret(stored: Service, fault: Fault) -> None:
    stored.origin.faults = [fault]
    stored.let_pass(ERROR_AGE)

    answer = stored.get()

    assert answer.cache_status.startswith("managed-users; fwd=stale; fwd-status=403; ")
    assert len(answer.ids) == 3
    assert stored.head()["last_error"] == "origin-challenge"


def test_a_cold_client_is_served_without_a_restart_once_the_origin_is_back(
    service: Service,
) -> None:
    service.origin.stop()
    service.get()
    service.origin.start()
    service.let_pass(BACKOFF_SECONDS, same_environment=True)

    answer = service.get()

    assert answer.cache_status == "managed-users; fwd=uri-miss; fwd-status=200; stored"


def test_a_refresh_gets_new_data_without_a_restart_once_the_origin_is_back(
    stored: Service,
) -> None:
    stored.origin.stop()
    aged(stored, ERROR_AGE)
    refused = stored.send("POST", "/cache/refresh?wait=true")
    stored.origin.start()
    changed = stored.origin.update(CLIENT, stored.get().ids[0], name="Renamed")
    stored.let_pass(int(refused.headers["Retry-After"]), same_environment=True)

    refreshed = stored.send("POST", "/cache/refresh?wait=true")

    assert refused.status == 503
    assert refreshed.body["data"] == {"outcome": "published", "generation": 2, "calls": 1}
    assert stored.get().body["data"][0] == changed


def test_however_often_it_failed_the_origin_is_asked_again_within_a_minute(
    stored: Service,
) -> None:
    stored.origin.faults = [Fault("status", status=503)]
    pauses = []

    for _ in range(7):
        assert stored.refresh()["results"][0]["outcome"] == "failed"
        pauses.append(round(stored.head()["retry_at"] - stored.clock.now, 2))
        stored.let_pass(BACKOFF_SECONDS, same_environment=True)

    assert pauses[0] < 7
    assert max(pauses) <= 60
    assert pauses[-1] > 30


def test_an_origin_that_speaks_no_tls_is_one_that_cannot_be_reached(
    stored: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAL_API_URL", stored.origin.url.replace("http:", "https:"))

    stale = aged(stored, ERROR_AGE)
    stored.delete_head()
    stored.forget()
    cold = stored.get()

    assert (stale.status, len(stale.ids)) == (200, 3)
    assert stale.cache_status.endswith("; detail=stale-if-error")
    assert (cold.status, cold.error["code"]) == (502, "BadGatewayException")
    assert stored.origin.calls == []
