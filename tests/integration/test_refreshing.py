"""The schedule and forced refreshes: when the origin is asked, and what a caller is told."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.service import CLIENT, REVALIDATE_AGE, SECRET, Service, running_service

OTHER = "clxsample0000000000000002"


def test_a_change_at_the_origin_is_visible_after_the_schedule_ran(service: Service) -> None:
    user_id = service.get().ids[0]
    service.origin.update(CLIENT, user_id, name="Renamed")

    result = service.refresh()

    assert result["results"][0]["outcome"] == "published"
    service.forget()
    answer = service.get()
    assert answer.body["data"][0]["name"] == "Renamed"
    assert "; hit; " in answer.cache_status


def test_the_schedule_fills_a_cold_cache(service: Service) -> None:
    service.refresh()

    assert "; hit; " in service.get().cache_status


def test_the_schedule_keeps_what_is_stored_fresh(service: Service) -> None:
    service.get()
    service.let_pass(REVALIDATE_AGE)

    service.refresh()

    answer = service.get()
    assert int(answer.headers["Age"]) <= 2
    assert service.invocations.empty()


def test_a_reader_whose_memory_is_a_moment_old_starts_nothing(service: Service) -> None:
    service.get()
    service.let_pass(REVALIDATE_AGE)
    remembered = service.get(headers={"Cache-Control": "only-if-cached"})
    service.refresh()

    answer = service.get()

    assert "; detail=stale-while-revalidate" in remembered.cache_status
    assert len(answer.ids) == 3
    assert service.head()["lease_token"] == 2
    assert service.invocations.empty()


@pytest.fixture
def two_clients(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, clients={CLIENT: SECRET, OTHER: "other-key"}) as running:
        yield running


def test_the_schedule_refreshes_several_clients_in_one_invocation(two_clients: Service) -> None:
    told = two_clients.refresh()

    assert two_clients.invocations.empty()
    assert (told["clients"], told["elsewhere"], told["failed"]) == (2, 0, [])
    assert {result["clientId"] for result in told["results"]} == {CLIENT, OTHER}
    assert [result["outcome"] for result in told["results"]] == ["published", "published"]


def test_one_failing_client_does_not_hold_up_another(two_clients: Service) -> None:
    two_clients.origin.faults = [Fault("status", status=503, match=OTHER)]

    told = two_clients.refresh()

    outcomes = {result["clientId"]: result["outcome"] for result in told["results"]}
    assert outcomes == {CLIENT: "published", OTHER: "failed"}


def test_clients_never_see_each_others_users(two_clients: Service) -> None:
    paths = [f"/v2/oauth-clients/{client}/users" for client in (CLIENT, OTHER)]

    answers = [two_clients.get(path) for path in paths]

    assert [answer.body["data"] for answer in answers] == [
        two_clients.origin.users(client) for client in (CLIENT, OTHER)
    ]
    foreign = f"{paths[1]}/{answers[0].ids[0]}"
    assert two_clients.get(foreign).status in {200, 404}
    assert answers[0].headers["ETag"] != answers[1].headers["ETag"]


def test_a_refresh_that_waits_tells_what_it_did(service: Service) -> None:
    user_id = service.get().ids[0]
    unchanged = service.send("POST", "/cache/refresh?wait=true")
    service.origin.update(CLIENT, user_id, name="Renamed")
    service.let_pass(11)

    published = service.send("POST", "/cache/refresh?wait=true")

    assert unchanged.body["data"] == {"outcome": "unchanged", "generation": 1, "calls": 1}
    assert published.body["data"] == {"outcome": "published", "generation": 2, "calls": 1}
    assert service.get(f"/users/{user_id}").body["data"]["name"] == "Renamed"


def test_a_refresh_that_waits_works_on_a_cold_client(service: Service) -> None:
    answer = service.send("POST", "/cache/refresh?wait=true")

    assert answer.body["data"] == {"outcome": "published", "generation": 1, "calls": 2}


def test_a_refresh_that_does_not_wait_is_accepted_and_done_elsewhere(service: Service) -> None:
    user_id = service.get().ids[0]
    service.origin.update(CLIENT, user_id, name="Renamed")

    answer = service.send("POST", "/cache/refresh")

    assert answer.status == 202
    assert int(answer.headers["Retry-After"]) >= 1
    assert service.refresh(service.next_invocation())["outcome"] == "published"
    assert service.get(f"/users/{user_id}").body["data"]["name"] == "Renamed"


def test_a_refresh_within_the_floor_waits_for_its_end(service: Service) -> None:
    service.send("POST", "/cache/refresh?wait=true")
    service.let_pass(9)

    answer = service.send("POST", "/cache/refresh?wait=true")

    assert answer.body["data"]["outcome"] == "unchanged"
    calls = service.origin.calls
    assert calls[-1].time - calls[-2].time > 9.5


def test_a_refresh_without_time_to_wait_for_the_floor_is_refused(service: Service) -> None:
    service.send("POST", "/cache/refresh?wait=true")
    service.origin.clear_calls()

    answer = service.send("POST", "/cache/refresh?wait=true", seconds=5)

    assert answer.status == 503
    assert 7 <= int(answer.headers["Retry-After"]) <= 12
    assert service.origin.calls == []


def test_an_older_wish_is_met_by_a_newer_sweep(service: Service) -> None:
    service.send("POST", "/cache/refresh")
    service.get()
    service.origin.clear_calls()

    result = service.refresh(service.next_invocation())

    assert result["outcome"] == "joined"
    assert service.origin.calls == []


@pytest.mark.parametrize("query", ["?wait=yes", "?wait", "?now=true", "?wait=true&wait=false"])
def test_a_refresh_with_a_bad_parameter_is_refused(service: Service, query: str) -> None:
    answer = service.send("POST", f"/cache/refresh{query}")

    assert answer.status == 400
    assert service.origin.calls == []
