"""Several worker processes, as Lambda environments would be, behind real HTTP."""

from collections.abc import Iterator

import pytest

from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from dev.origin import Fault
from lib.origin.backoff import PAUSE_SECONDS
from tests.integration.service import ERROR_AGE, REVALIDATE_AGE
from tests.integration.stack import Caller
from tests.patience import wait_until

WORKERS = 8
# A client a test, so that no test meets what another left in the workers' memory.
CLIENTS = {f"clxparallel000000000000{number}": f"key-{number}" for number in range(7)}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    settings = LocalSettings(port=0, workers=WORKERS, clients=CLIENTS, schedule_seconds=3600)
    with LocalStack(settings) as running:
        yield running


@pytest.fixture(scope="module")
def unused_clients() -> Iterator[str]:
    return iter(CLIENTS)


@pytest.fixture
def caller(stack: LocalStack, unused_clients: Iterator[str]) -> Caller:
    return Caller(stack, next(unused_clients))


def test_many_cold_requests_at_once_cost_one_sweep(caller: Caller) -> None:
    answers = caller.get_in_parallel("/users?limit=250")

    assert {answer.status_code for answer in answers} == {200}
    assert all(len(answer.json()["data"]) == 120 for answer in answers)
    assert 1 <= caller.list_calls() <= 2
    told = " ".join(answer.headers["Cache-Status"] for answer in answers)
    assert told.count("; stored") == 1


def test_many_requests_at_once_when_data_is_too_stale_cost_one_sweep(caller: Caller) -> None:
    caller.get()
    caller.let_pass(ERROR_AGE)
    caller.origin.clear_calls()

    answers = caller.get_in_parallel()

    assert {answer.status_code for answer in answers} == {200}
    assert caller.list_calls() == 1
    assert caller.table.head(caller.client_id)["lease_token"] == 2


def test_many_stale_readers_at_once_start_one_revalidation_elsewhere(caller: Caller) -> None:
    before = caller.get().json()
    caller.let_pass(REVALIDATE_AGE)
    swept_at = caller.table.head(caller.client_id)["swept_at"]
    caller.origin.clear_calls()

    answers = caller.get_in_parallel()

    wait_until(lambda: caller.table.head(caller.client_id)["swept_at"] > swept_at)
    assert all("; hit; " in answer.headers["Cache-Status"] for answer in answers)
    assert all(answer.json() == before for answer in answers)
    assert caller.list_calls() == 1


def test_many_requests_at_once_in_an_outage_cost_one_sweep(caller: Caller) -> None:
    before = caller.get().json()
    caller.let_pass(ERROR_AGE)
    caller.origin.clear_calls()
    caller.origin.faults = [Fault("status", status=503, match=caller.client_id)]

    first, later = caller.get_in_parallel(), caller.get_in_parallel()
    caller.origin.faults = []

    # The call and its retry; then nobody asks until the pause is over.
    asked_at = [call.time for call in caller.origin.list_calls(caller.client_id)]
    tries = zip(asked_at[1::2], asked_at[2::2], strict=False)
    assert len(asked_at) >= 2
    assert all(again - failed >= PAUSE_SECONDS[0] for failed, again in tries)
    assert all(answer.json() == before for answer in first + later)
    told = [answer.headers["Cache-Status"] for answer in first]
    assert sum("; fwd=stale; fwd-status=503; " in status for status in told) == 1
    assert all("; hit; " in answer.headers["Cache-Status"] for answer in later)


def test_many_refreshes_at_once_cost_one_sweep(caller: Caller) -> None:
    caller.get()
    caller.origin.clear_calls()

    answers = caller.get_in_parallel("/users?limit=1")
    refreshed = [caller.send("POST", "/cache/refresh") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.status_code for answer in refreshed} == {202}
    wait_until(lambda: "forced_at" in caller.table.head(caller.client_id))
    wait_until(lambda: "lease_holder" not in caller.table.head(caller.client_id))
    assert caller.list_calls() == 1


def test_after_a_refresh_that_waited_every_worker_shows_the_change(caller: Caller) -> None:
    rounds = 3 * WORKERS
    user_id = caller.get().json()["data"][0]["id"]
    for _ in range(rounds):
        caller.get()
    caller.origin.update(caller.client_id, user_id, name="Renamed")

    refreshed = caller.send("POST", "/cache/refresh?wait=true")
    answers = [caller.get(f"/users/{user_id}") for _ in range(rounds)]

    assert refreshed.json()["data"]["outcome"] == "published"
    assert [answer.json()["data"]["name"] for answer in answers] == ["Renamed"] * rounds


def test_a_refresh_without_waiting_reaches_every_worker_soon(caller: Caller) -> None:
    user_id = caller.get().json()["data"][0]["id"]
    caller.origin.delete(caller.client_id, user_id)

    accepted = caller.send("POST", "/cache/refresh")

    assert accepted.status_code == 202
    wait_until(
        lambda: {caller.get(f"/users/{user_id}").status_code for _ in range(2 * WORKERS)} == {404}
    )
