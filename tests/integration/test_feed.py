"""``GET …/events``: the events that are pushed, for who prefers to ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers.wiring import wiring
from lib.aws import items
from lib.events.announcer import Announcing
from lib.events.event import Event
from tests.integration.service import CLIENT, Answer, Json, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}


@pytest.fixture
def ids(service: Service) -> list[int]:
    """Return the ids of the three users of generation 1."""
    service.refresh(SCHEDULED)
    return [user["id"] for user in service.origin.users(CLIENT)]


def events(service: Service, query: str = "", **headers: str) -> Answer:
    return service.get(f"/events?{query}", headers=headers)


def publish(service: Service) -> None:
    assert service.refresh(SCHEDULED)["outcome"] == "published"


def pushed(service: Service) -> list[Event]:
    """Return all events as the changes function sends them."""
    sent: list[Event] = []
    announcing = Announcing(history=wiring().history, send=sent.extend)
    wiring().store.mark_announced(CLIENT, 0, seen=service.head().get("announced", 0))
    announcing.catch_up(CLIENT)
    return sent


def followed(service: Service, after: str, query: str = "") -> Iterator[Json]:
    """Yield every event after a place."""
    while True:
        answer = events(service, f"after={after}{query}")
        assert answer.status == 200, answer.body
        yield from answer.body["data"]
        after = answer.body["pagination"]["cursor"]
        if not answer.body["pagination"]["hasMore"]:
            return


def change(service: Service, ids: list[int]) -> None:
    service.origin.update(CLIENT, ids[0], name="Renamed", metadata={"plan": "pro"})
    service.origin.delete(CLIENT, ids[1])
    publish(service)
    service.origin.create(CLIENT)
    publish(service)


def test_the_feed_is_what_is_pushed(service: Service, ids: list[int]) -> None:
    change(service, ids)

    told = list(followed(service, "0", "&limit=1"))

    assert told == pushed(service)
    kinds = [event["type"].split(".")[-2] for event in told]
    assert kinds == ["baseline", "updated", "deleted", "created"]


def test_who_has_nothing_is_told_where_to_start_and_goes_on_from_there(
    service: Service, ids: list[int]
) -> None:
    start = events(service)
    (baseline,) = start.body["data"]
    everybody = service.get(f"/users?min_generation={baseline['data']['generation']}&limit=250")
    change(service, ids)

    told = list(followed(service, start.body["pagination"]["cursor"]))

    assert baseline["data"]["users"] == len(everybody.body["data"]) == 3
    assert [event["data"]["generation"] for event in told] == [2, 2, 3]


@pytest.mark.usefixtures("ids")
def test_nothing_new_is_a_304(service: Service) -> None:
    cursor = events(service).body["pagination"]["cursor"]
    first = events(service, f"after={cursor}")

    again = events(service, f"after={cursor}", **{"If-None-Match": first.headers["ETag"]})

    assert (first.status, first.body["data"]) == (200, [])
    assert first.body["pagination"]["cursor"] == cursor
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status, again.response.body) == (304, b"")


def test_with_values_one_answer_brings_a_copy_up_to_date(service: Service, ids: list[int]) -> None:
    copy = {user["id"]: user for user in service.get("/users").body["data"]}
    change(service, ids)

    for event in followed(service, "1", "&include=values"):
        data = event["data"]
        copy.pop(data["userId"], None)
        if data["after"] is not None:
            copy[data["userId"]] = data["after"]

    assert copy == {user["id"]: user for user in service.get("/users").body["data"]}


def test_what_is_no_longer_kept_is_gone_and_the_link_starts_again(
    service: Service, ids: list[int]
) -> None:
    cursor = events(service).body["pagination"]["cursor"]
    change(service, ids)
    first = items.encode({"pk": f"client#{CLIENT}", "sk": "gen#1"})
    service.table.client.delete_item(TableName=service.table.name, Key=first)
    service.forget()

    gone = events(service, f"after={cursor}&limit=5")
    again = events(service, "limit=5")

    assert (gone.status, gone.error["code"]) == (410, "GoneException")
    assert gone.headers["Link"] == '<?limit=5>; rel="first"'
    assert [event["data"]["generation"] for event in again.body["data"]] == [3]


@pytest.mark.usefixtures("ids")
def test_after_the_head_was_lost_no_cursor_from_before_goes_on(service: Service) -> None:
    cursor = events(service).body["pagination"]["cursor"]
    head = items.encode({"pk": f"client#{CLIENT}", "sk": "head"})
    service.table.client.delete_item(TableName=service.table.name, Key=head)
    service.forget()
    service.origin.create(CLIENT)
    publish(service)

    gone = events(service, f"after={cursor}")

    assert gone.status == 410
    assert [event["type"].split(".")[-2] for event in events(service).body["data"]] == ["baseline"]


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    "query", ["after=", "after=x", "after=9", "limit=0", "limit=1001", "include=all", "since=1"]
)
def test_what_makes_no_sense_is_refused(service: Service, query: str) -> None:
    assert events(service, query).status == 400


def test_before_anything_is_published_the_feed_is_empty_and_has_a_place(service: Service) -> None:
    start = events(service)
    service.refresh(SCHEDULED)

    told = list(followed(service, start.body["pagination"]["cursor"]))

    assert (start.status, start.body["data"]) == (200, [])
    assert [event["type"].split(".")[-2] for event in told] == ["baseline"]


def test_a_client_that_is_not_configured_has_no_events(aws: EmbeddedAws) -> None:
    with running_service(aws) as service:
        answer = service.get("/v2/oauth-clients/unknown/events")

    assert answer.status == 404


@pytest.mark.usefixtures("ids")
def test_events_can_only_be_read(service: Service) -> None:
    answer = service.send("POST", "/events")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_tells_what_get_does(service: Service, ids: list[int]) -> None:
    change(service, ids)

    got: Any = events(service, "after=1")
    head = service.send("HEAD", "/events?after=1")

    assert (head.status, head.response.body) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]
