"""One person erased on an operator's order: nothing that is kept names him, nobody else is lost."""

import json
import zlib
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import refresh
from tests.integration.asking import post
from tests.integration.service import (
    CLIENT,
    Json,
    Service,
    running_service,
)

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
CANARY = "canary-of-a-person"
HOUR = 3600


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=25) as running:
        yield running


def published(service: Service) -> None:
    assert service.refresh(SCHEDULED)["outcome"] == "published"
    service.clock.now += HOUR


def somebody_who_is_gone(service: Service) -> int:
    """Return the id of somebody who was there, changed and was deleted, amid other changes."""
    ids = [user["id"] for user in service.origin.users(CLIENT)]
    published(service)
    for bio in (f"{CANARY} 1", f"{CANARY} 2"):
        service.origin.update(CLIENT, ids[3], bio=bio, name=CANARY)
        published(service)
    service.origin.update(CLIENT, ids[4], name="Another")
    published(service)
    service.origin.delete(CLIENT, ids[3])
    published(service)
    service.origin.update(CLIENT, ids[4], name="Another one")
    published(service)
    return int(ids[3])


def erased(service: Service, user_id: int, **members: Json) -> Json:
    event = {"action": "erase", "clientId": CLIENT, "userId": user_id, **members}
    return refresh.handler(event, service.context(60))


def texts(service: Service) -> Iterator[bytes]:
    """Yield everything that the table holds, as it can be read."""
    for item in service.items():
        for typed in item.values():
            yield from _readable(typed)


def _readable(typed: Mapping[str, Any]) -> Iterator[bytes]:
    for value in typed.values():
        yield value if isinstance(value, bytes) else json.dumps(value).encode()
        try:
            yield zlib.decompress(value)
        except (TypeError, zlib.error):
            continue


def holds(service: Service, text: str) -> bool:
    return any(text.encode() in each for each in texts(service))


def test_nothing_that_is_kept_names_him_and_the_newest_stays_as_it_is(service: Service) -> None:
    user_id = somebody_who_is_gone(service)
    newest = service.get("/users?limit=250")
    assert holds(service, CANARY)
    assert service.get(f"/users/{user_id}?asOf=3").body["data"]["name"] == CANARY

    done = erased(service, user_id)
    service.clock.now += 60

    assert done == {"clientId": CLIENT, "generations": 4, "pages": 4, "outcome": "erased"}
    assert not holds(service, CANARY)
    assert not holds(service, f'"id":{user_id},')
    assert {service.get(f"/users?asOf={n}").status for n in (1, 2, 3, 4)} == {410}
    assert service.get(f"/users/{user_id}?asOf=5").status == 404
    assert service.get("/cache/changes?since=4").status == 410
    assert service.get("/cache/changes?since=5").status == 200
    assert service.get("/users?limit=250").body == newest.body
    assert erased(service, user_id)["generations"] == 0


def test_no_event_of_the_feed_names_him_and_who_was_behind_starts_over(service: Service) -> None:
    user_id = somebody_who_is_gone(service)
    told = service.get("/events?after=1&include=values&limit=1")

    erased(service, user_id)
    service.clock.now += 60
    behind = service.get("/events?after=1&include=values")
    afresh = service.get("/events?include=values")

    assert CANARY in json.dumps(told.body)
    assert behind.status == 410
    assert [event["type"].split(".")[-2] for event in afresh.body["data"]] == ["baseline"]


def test_whom_a_look_up_found_is_forgotten_there(service: Service) -> None:
    user_id = somebody_who_is_gone(service)
    created = service.origin.create(CLIENT)
    service.origin.update(CLIENT, created["id"], name=CANARY)
    assert post(service, "/users/lookup", {"emails": [created["email"]]}).ids == [created["id"]]
    service.origin.delete(CLIENT, created["id"])
    service.refresh(SCHEDULED)
    service.clock.now += HOUR

    erased(service, user_id)
    assert holds(service, CANARY)
    erased(service, created["id"])

    assert not holds(service, CANARY)


def test_who_is_still_there_is_refused_in_a_sentence(service: Service) -> None:
    published(service)
    user_id = service.origin.users(CLIENT)[0]["id"]
    before = sorted(map(str, service.items()))

    with pytest.raises(ValueError, match="he is in the newest generation, 1"):
        erased(service, user_id)

    assert sorted(map(str, service.items())) == before


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"userId": None}, "userId must be"),
        ({"userId": "7"}, "userId must be"),
        ({"userId": 0}, "userId must be"),
        ({"userId": True}, "userId must be"),
        ({"userId": 2**31}, "userId must be"),
        ({"from": -1}, "from must be"),
        ({"from": "1"}, "from must be"),
        ({"clientId": "a b"}, "clientId must be"),
        ({"clientId": "clxstranger00000000000001"}, "clientId must be of a client"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    service: Service, members: Json, said: str
) -> None:
    published(service)
    event = {"action": "erase", "clientId": CLIENT, "userId": 7} | members

    with pytest.raises(ValueError, match=said):
        refresh.handler(event, service.context())


def test_no_line_tells_whom_it_was_about(service: Service, log: StringIO) -> None:
    user_id = somebody_who_is_gone(service)
    before = len(log.getvalue())

    erased(service, user_id)

    lines = [json.loads(line) for line in log.getvalue()[before:].splitlines()]
    assert [line["message"] for line in lines] == ["erased"]
    assert not any(user_id in line.values() for line in lines)
