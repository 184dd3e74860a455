"""Fresh when a caller needs it, whichever of four worker processes answers."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from lib.directory.head import FORCED_FLOOR_SECONDS
from tests.integration.service import FRESH
from tests.integration.stack import Caller
from tests.patience import wait_until

WORKERS = 4
AT_ONCE = 8 * WORKERS
NO_CACHE = {"Cache-Control": "no-cache"}
# A client a test, so that no test meets what another left in the workers' memory.
CLIENTS = {f"clxgenerations0000000000{number}": f"key-{number}" for number in range(9)}


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
    """Return a caller of a client of whom every worker remembers generation 1."""
    caller = Caller(stack, next(unused_clients))
    caller.get()
    in_parallel(caller, "/users?limit=1")
    caller.origin.clear_calls()
    return caller


def in_parallel(
    caller: Caller, path: str, headers: dict[str, str] | None = None
) -> list[requests.Response]:
    """Return the answers to requests at the same time, enough to reach every worker."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: caller.get(path, headers), range(AT_ONCE)))


def first_id(caller: Caller) -> int:
    return int(caller.origin.users(caller.client_id)[0]["id"])


def rename(caller: Caller) -> int:
    user_id = first_id(caller)
    caller.origin.update(caller.client_id, user_id, name="Renamed")
    return user_id


def generation(caller: Caller) -> int:
    return int(caller.table.head(caller.client_id)["generation"])


def names(answers: list[requests.Response]) -> Counter[str]:
    return Counter(answer.json()["data"]["name"] for answer in answers)


def test_every_worker_answers_from_the_generation_asked_for_or_a_later_one(caller: Caller) -> None:
    user_id = rename(caller)
    caller.send("POST", "/cache/refresh")
    wait_until(lambda: generation(caller) == 2)

    # At once: what a worker remembers of the head is up to a second old.
    answers = in_parallel(caller, f"/users/{user_id}?min_generation=2")

    assert names(answers) == {"Renamed": AT_ONCE}
    assert caller.list_calls() == 1


def test_the_generation_told_by_a_refresh_can_be_asked_for_everywhere(caller: Caller) -> None:
    user_id = rename(caller)

    told = caller.send("POST", "/cache/refresh?wait=true").json()["data"]
    answers = in_parallel(caller, f"/users/{user_id}?min_generation={told['generation']}")

    assert told == {"outcome": "published", "generation": 2, "calls": 1}
    assert names(answers) == {"Renamed": AT_ONCE}


def test_readers_of_the_next_generation_wait_for_it(caller: Caller) -> None:
    user_id = rename(caller)

    with ThreadPoolExecutor(WORKERS - 1) as pool:
        waiting = [
            pool.submit(caller.get, f"/users/{user_id}?min_generation=2")
            for _ in range(WORKERS - 1)
        ]
        caller.send("POST", "/cache/refresh")
        answers = [answer.result() for answer in waiting]

    # On a machine that needs two seconds for a sweep, some are told to come again.
    late = [answer for answer in answers if answer.status_code == 503]
    assert names([answer for answer in answers if answer not in late]).keys() <= {"Renamed"}
    assert all("detail=generation-awaited" in answer.headers["Cache-Status"] for answer in late)


@pytest.mark.real_seconds
def test_a_generation_that_does_not_come_is_a_503(caller: Caller) -> None:
    answer = caller.get("/users?min_generation=2")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "detail=generation-awaited" in answer.headers["Cache-Status"]
    assert caller.list_calls() == 0


def test_a_generation_that_nobody_can_have_been_told_of_is_refused_at_once(caller: Caller) -> None:
    answers = in_parallel(caller, "/users?min_generation=3")

    assert {answer.status_code for answer in answers} == {400}


def test_many_who_want_fresh_data_cost_one_sweep_and_then_the_floor_holds(caller: Caller) -> None:
    user_id = rename(caller)

    answers = in_parallel(caller, "/users?limit=250", NO_CACHE)
    later = in_parallel(caller, "/users?limit=250", NO_CACHE)

    fresh = [
        next(user["name"] for user in answer.json()["data"] if user["id"] == user_id)
        for answer in answers
        if "detail=" not in answer.headers["Cache-Status"]
    ]
    assert fresh
    assert set(fresh) == {"Renamed"}
    assert caller.list_calls() == 1
    assert all("detail=refresh-floor" in answer.headers["Cache-Status"] for answer in later)


@pytest.mark.real_seconds
def test_a_forced_refresh_waits_for_the_end_of_the_floor(caller: Caller) -> None:
    first = caller.send("POST", "/cache/refresh?wait=true").json()["data"]
    # Not all of the ten seconds, which nobody wants to sit through.
    caller.let_pass(FORCED_FLOOR_SECONDS - 1)
    first_at = caller.table.head(caller.client_id)["forced_at"]
    user_id = rename(caller)

    second = caller.send("POST", "/cache/refresh?wait=true").json()["data"]

    second_at = caller.table.head(caller.client_id)["forced_at"]
    assert (first["outcome"], second["outcome"]) == ("unchanged", "published")
    assert second_at - first_at >= FORCED_FLOOR_SECONDS
    assert names([caller.get(f"/users/{user_id}")]) == {"Renamed": 1}


def test_a_fresh_answer_about_one_user_asks_for_that_user_alone_and_reaches_all(
    caller: Caller,
) -> None:
    user_id = rename(caller)

    fresh = caller.get(f"/users/{user_id}", NO_CACHE)
    told = generation(caller)
    answers = in_parallel(caller, f"/users/{user_id}?min_generation={told}")

    assert fresh.json()["data"]["name"] == "Renamed"
    assert told == 2
    assert names(answers) == {"Renamed": AT_ONCE}
    assert len(caller.origin.calls) == 1
    assert caller.list_calls() == len(
        [call for call in caller.origin.calls if "emails" in call.query]
    )


def test_a_fresh_answer_about_one_user_makes_nothing_else_look_fresher(caller: Caller) -> None:
    caller.let_pass(FRESH - 20)
    user_id = rename(caller)

    caller.get(f"/users/{user_id}", NO_CACHE)
    wait_until(lambda: caller.get(f"/users/{user_id}").json()["data"]["name"] == "Renamed")
    listed = in_parallel(caller, "/users?min_generation=2")

    assert {answer.status_code for answer in listed} == {200}
    assert min(int(answer.headers["Age"]) for answer in listed) >= FRESH - 20
