"""Whom the schedule revalidates when, through the handlers: who is read, who is idle, and many."""

from collections import Counter
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from lib.revalidation.schedule import BATCH
from tests.integration.service import CLIENT, SECRET, Service, running_service

HOUR = 3600
MANY = [f"clxmany{n:018}" for n in range(BATCH + 3)]


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, IDLE_REVALIDATION_SECONDS="600") as running:
        yield running


def run(service: Service, *, minutes: int) -> int:
    """Let the schedule run every minute; return how many origin calls that made."""
    before = len(service.origin.calls)
    for _ in range(minutes):
        service.clock.now += 60
        service.refresh()
    return len(service.origin.calls) - before


def test_a_client_whom_nobody_reads_is_asked_for_less_and_less_often(service: Service) -> None:
    service.get()

    calls = [run(service, minutes=60) for _ in range(4)]

    # For an hour as if it were read; then a tenth of the silence, ten minutes at most.
    assert calls[0] == 60
    assert calls[1] in range(20, 32)
    assert calls[2] in range(5, 12)
    assert calls[3] == 6
    assert service.get("/cache").body["data"]["revalidationInterval"] == 600


def test_a_read_ends_that_and_is_answered_at_once_from_what_is_stored(service: Service) -> None:
    service.get()
    run(service, minutes=240)
    service.forget()
    before = len(service.origin.calls)

    answer = service.get()

    assert answer.status == 200
    assert len(service.origin.calls) == before
    assert int(answer.headers["Age"]) <= 600 + 60
    assert service.get("/cache").body["data"]["revalidationInterval"] == 60
    assert run(service, minutes=60) == 60


@pytest.mark.parametrize(
    "path", ["/users?limit=1", "/cache/changes?since=1", "/events", "/users/1001"]
)
def test_every_question_about_users_is_a_read(service: Service, path: str) -> None:
    service.refresh()
    before = service.head().get("read_at")

    service.get(path)

    assert before is None
    assert service.head()["read_at"] == pytest.approx(service.clock.now, abs=1)


def test_whoever_watches_the_cache_reads_nobody(service: Service) -> None:
    service.refresh()

    service.get("/cache")

    assert "read_at" not in service.head()


def test_a_reader_is_noted_once_in_ten_minutes(service: Service) -> None:
    noted = set()
    for _ in range(30):
        service.get()
        noted.add(service.head()["read_at"])
        service.let_pass(60, same_environment=True)
        service.refresh()

    assert len(noted) == 3


def test_a_client_that_is_failing_is_asked_for_at_every_run(service: Service) -> None:
    service.get()
    run(service, minutes=240)
    service.origin.faults = [Fault("status", status=503)]
    run(service, minutes=15)

    # The pause after failures is a minute at most, a little more than a run's.
    assert run(service, minutes=10) >= 5


def test_an_idle_client_keeps_what_is_stored(service: Service) -> None:
    service.get()
    for _ in range(40):
        service.clock.now += 24 * HOUR
        service.refresh()

    assert service.get(headers={"Cache-Control": "only-if-cached"}).status == 200


@pytest.fixture
def many(aws: EmbeddedAws) -> Iterator[Service]:
    keys = dict.fromkeys([CLIENT, *MANY], SECRET)
    with running_service(aws, clients=keys, IDLE_REVALIDATION_SECONDS="600") as running:
        yield running


def test_many_clients_share_invocations(many: Service) -> None:
    first = many.refresh()
    event = many.next_invocation()
    second = many.refresh(event)

    assert many.invocations.empty()
    assert first["clients"] == len(MANY) + 1
    assert (len(first["results"]), first["elsewhere"], first["failed"]) == (BATCH, 4, [])
    results = [*first["results"], *second["results"]]
    assert {result["clientId"] for result in results} == {CLIENT, *MANY}
    assert {result["outcome"] for result in results} == {"published"}
    # The first window and the one behind it, once for each.
    assert set(Counter(call.path for call in many.origin.calls).values()) == {2}


def test_who_is_read_by_nobody_takes_no_invocation(many: Service) -> None:
    many.refresh()
    many.refresh(many.next_invocation())
    many.get()

    many.clock.now += 60
    told = many.refresh()

    assert [result["clientId"] for result in told["results"]] == [CLIENT]
    assert many.invocations.empty()


def test_a_run_begins_no_sweep_that_it_has_no_time_for(many: Service) -> None:
    told = many.refresh(seconds=10)

    assert {result["outcome"] for result in told["results"]} == {"skipped"}
    assert many.origin.calls == []
    assert many.head() == {}


def test_a_head_of_a_newer_version_or_a_broken_one_holds_up_nobody_else(many: Service) -> None:
    many.refresh()
    many.refresh(many.next_invocation())
    many.table.change_head(CLIENT, format=9)
    many.table.change_head(MANY[0], announced=-7.5)
    many.clock.now += 700

    told = many.refresh()
    outcomes = {result["clientId"]: result["outcome"] for result in told["results"]}

    assert outcomes[CLIENT] == "failed"
    assert set(outcomes.values()) == {"unchanged", "failed"}
    assert Counter(outcomes.values())["failed"] == 1
    assert MANY[0] in outcomes
