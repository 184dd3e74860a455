"""The directory as it was: what was answered then is answered again, from what is stored."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.users.dates import iso_date
from tests.integration.asking import follow, link, post
from tests.integration.service import CLIENT, Answer, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
HOUR = 3600
QUESTIONS = (
    "limit=250",
    "q=e&sort=-name&limit=5",
    "sort=-createdDate&limit=3&offset=2&fields=id,name",
    "usernames=nobody",
)


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=25) as running:
        yield running


def asked(service: Service, suffix: str = "") -> list[Answer]:
    """Return the answers to everything that is asked here, with ``suffix`` behind each question."""
    lists = [service.get(f"/users?{question}{suffix}") for question in QUESTIONS]
    user_id = service.get("/users?limit=1").ids[0]
    return [*lists, service.get(f"/users/{user_id}?{suffix.removeprefix('&')}")]


def test_what_was_answered_is_answered_again_by_date_and_by_number(service: Service) -> None:
    told: list[tuple[str, int, list[Answer]]] = []
    first = min(user["id"] for user in service.origin.users(CLIENT))
    for turn in range(4):
        service.origin.update(CLIENT, first, name=f"Name {turn}")
        service.origin.create(CLIENT)
        service.refresh(SCHEDULED)
        service.clock.now += HOUR
        service.refresh(SCHEDULED)
        number = int(service.head()["generation"])
        told.append((iso_date(service.clock.now), number, asked(service)))
    service.forget()
    service.origin.clear_calls()

    again = [
        (asked(service, f"&asOf={date}"), asked(service, f"&asOf={number}"), was)
        for date, number, was in told
    ]

    for by_date, by_number, was in again:
        for answers in (by_date, by_number):
            assert [answer.response.body for answer in answers] == [
                answer.response.body for answer in was
            ]
            assert [answer.headers["ETag"] for answer in answers] == [
                answer.headers["ETag"] for answer in was
            ]
    assert len({answers[0].response.body for answers, _, _ in again}) == len(told)
    assert service.origin.calls == []


def test_who_was_deleted_is_found_as_of_then_and_followed_to_the_end(service: Service) -> None:
    service.refresh()
    gone = service.origin.users(CLIENT)[3]
    service.clock.now += HOUR
    service.origin.delete(CLIENT, gone["id"])
    service.refresh(SCHEDULED)
    service.forget()

    seen = [id_ for answer in follow(service, "/users?limit=10&asOf=1") for id_ in answer.ids]
    named = post(service, "/users/lookup?asOf=1", {"emails": [gone["email"], "x@example.com"]})

    assert gone["id"] in seen
    assert len(seen) == 25
    assert named.ids == [gone["id"]]
    assert named.body["notFound"] == ["x@example.com"]
    assert service.get(f"/users/{gone['id']}?asOf=1").body["data"]["name"] == gone["name"]
    assert service.get(f"/users/{gone['id']}").status == 404


def test_what_is_gone_is_said_to_be_and_where_to_start_again(service: Service) -> None:
    service.refresh()

    answer = service.get("/users?limit=10&asOf=2001-01-01")

    assert (answer.status, answer.error["code"]) == (410, "GoneException")
    assert service.get(link(answer, "first") or "").status == 200


@pytest.mark.parametrize(
    "wrong", ["asOf=0", "asOf=9", "asOf=yesterday", "asOf=9999-01-01", "asOf=1&min_generation=1"]
)
def test_what_makes_no_sense_is_a_400_that_says_why(service: Service, wrong: str) -> None:
    service.refresh()

    lists, alone = service.get(f"/users?{wrong}"), service.get(f"/users/1?{wrong}")

    assert (lists.status, alone.status) == (400, 400)
    assert "asOf" in lists.error["message"]


def test_how_old_the_past_is_is_no_metric_of_the_service(
    aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_service(aws, users=3, POWERTOOLS_METRICS_DISABLED="false") as service:
        service.refresh()
        service.clock.now += HOUR
        service.refresh(SCHEDULED)
        capsys.readouterr()

        service.get("/users")
        newest = capsys.readouterr().out
        service.get("/users?asOf=1")
        past = capsys.readouterr().out

    assert '"AgeServed"' in newest
    assert '"Hit"' in past
    assert '"AgeServed"' not in past
