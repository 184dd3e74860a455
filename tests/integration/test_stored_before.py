"""Tables as the version before numbered formats left them: everything in them goes on.

``stored_items`` holds real ones: of a directory past the origin's window, with users adopted,
waiting and looked up; of one whose last sweep lost a third and was quarantined, as large losses
were then; and of one whose manifest is too long for the head, read by somebody who took the lease
and handed it over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import changes
from tests.integration import stored
from tests.integration.asking import follow, post
from tests.integration.relay import Relay
from tests.integration.service import (
    CLIENT,
    ERROR_AGE,
    REVALIDATE_AGE,
    Json,
    Service,
    running_service,
)

FILES = Path(__file__).parent / "stored_items"
WINDOW = 10
NOBODY = 999_999


@dataclass(frozen=True)
class Before:
    """A service over a table of then, and which of the origin's users that knows."""

    service: Service
    known: list[Json]
    events: Relay

    @property
    def ids(self) -> list[int]:
        return [user["id"] for user in self.known]

    def head(self) -> dict[str, Any]:
        return self.service.head()


@pytest.fixture(scope="module")
def events(aws: EmbeddedAws) -> Iterator[Relay]:
    aws.create_bus("before")
    with Relay(aws.endpoint) as relay:
        yield relay


@pytest.fixture(params=["past_the_window", "quarantined", "leased"])
def before(request: pytest.FixtureRequest, aws: EmbeddedAws, events: Relay) -> Iterator[Before]:
    items, users = stored.read(FILES / f"{request.param}.json")
    past = request.param == "past_the_window"
    # The window of that table is small, so that the file is.
    window = str(WINDOW // 2) if past else "250"
    with running_service(
        aws,
        ORIGIN_MAX_LIMIT=window,
        ORIGIN_MAX_OFFSET=window,
        EVENT_BUS_NAME="before",
        AWS_ENDPOINT_URL_EVENTBRIDGE=events.url,
    ) as service:
        service.origin.replace(CLIENT, users)
        items.put(service)
        events.calls.clear()
        # The twelfth of them was adopted.
        known = [*users[:WINDOW], users[11]] if past else users
        yield Before(service, known, events)


def test_everybody_is_listed_with_everything(before: Before) -> None:
    listed = before.service.get("/users?limit=250")

    assert (listed.status, listed.body["data"]) == (200, before.known)
    assert listed.headers["X-Total-Count"] == str(len(before.known))


def test_everybody_is_found_by_id_and_by_every_name(before: Before) -> None:
    service = before.service
    first, last = before.known[0], before.known[-1]
    named = next(user for user in before.known if user["username"])

    assert [service.get(f"/users/{user['id']}").body["data"] for user in (first, last)] == [
        first,
        last,
    ]
    assert post(service, "/users/lookup", {"ids": before.ids}).ids == before.ids
    assert post(service, "/users/lookup", {"emails": [last["email"]]}).ids == [last["id"]]
    assert service.get(f"/users?usernames={named['username']}").ids == [named["id"]]


def test_who_is_not_known_is_looked_up(before: Before) -> None:
    service, users = before.service, before.service.origin.users(CLIENT)
    everybody = [user["id"] for user in users]

    answer = post(service, "/users/lookup", {"ids": [*everybody, NOBODY]})

    assert answer.ids == everybody
    assert [*answer.body["notFound"], *answer.body.get("notAsked", ())] == [NOBODY]


def test_what_changed_since_then_is_told(before: Before) -> None:
    told = before.service.get("/cache/changes?since=1").body["data"]

    assert before.known[0]["name"] == "Renamed" or before.known[3]["name"] == "Renamed"
    assert [(each["id"], each["fields"]) for each in told["updated"]] == [
        (user["id"], ["name"]) for user in before.known if user["name"] == "Renamed"
    ]
    assert told["deleted"] == []


def test_a_traversal_sees_everybody_once(before: Before) -> None:
    windows = list(follow(before.service, "/users?limit=4"))

    assert [user_id for window in windows for user_id in window.ids] == before.ids


def test_its_state_is_told(before: Before) -> None:
    cache = before.service.get("/cache")

    assert cache.status == 200
    assert cache.body["data"]["users"] == len(before.known)
    assert cache.body["data"]["generation"] == before.head()["generation"]


def test_what_was_not_announced_is(before: Before) -> None:
    newest = before.head()["generation"]

    announced = announce(before.service)

    assert announced == {"batchItemFailures": []}
    assert before.head()["announced"] == newest
    assert before.events.calls


@pytest.mark.parametrize("age", [0, REVALIDATE_AGE, ERROR_AGE])
def test_the_next_publication_has_a_format_and_nobody_is_missed(before: Before, age: int) -> None:
    service, number = before.service, before.head()["generation"]
    created = service.origin.create(CLIENT, id=1)
    # Whatever held, or held off, is over then.
    service.let_pass(60 + age)

    read = service.get("/users?limit=250")
    service.let_pass(60)
    service.refresh()
    service.forget()

    assert read.status == 200
    assert service.get(f"/users/{created['id']}").body["data"] == created
    assert set(service.get("/users?limit=250").ids) >= {created["id"], *before.ids[: WINDOW - 1]}
    head = before.head()
    assert (head["format"], head["generation"]) == (1, number + 1)
    (manifest,) = (item for item in service.items() if item["sk"]["S"] == f"gen#{number + 1}")
    assert manifest["format"] == {"N": "1"}
    assert service.get("/cache").body["data"]["lastError"] is None
    assert service.get(f"/cache/changes?since={number}").body["data"]["created"] == [1]


def test_it_is_served_while_the_origin_is_down(before: Before) -> None:
    before.service.origin.stop()
    before.service.let_pass(ERROR_AGE)

    assert before.service.get("/users?limit=250").ids == before.ids


def test_a_refresh_that_is_waited_for_is_done(before: Before) -> None:
    before.service.let_pass(60)

    done = before.service.send("POST", "/cache/refresh?wait=true")

    assert (done.status, done.body["data"]["outcome"]) == (200, "unchanged")


@pytest.mark.parametrize("before", ["quarantined"], indirect=True)
def test_a_quarantine_of_then_ends_with_the_next_sweep(before: Before) -> None:
    service = before.service
    service.let_pass(60)

    service.refresh()

    assert service.get("/cache").body["data"]["lastError"] is None
    assert service.get("/users?limit=250").ids == before.ids


@pytest.mark.parametrize("before", ["leased"], indirect=True)
def test_a_lease_that_was_handed_over_then_is_used(before: Before) -> None:
    head = before.head()
    lease = {
        "holder": head["lease_holder"],
        "token": head["lease_token"],
        "expiresAt": head["lease_expires_at"],
    }

    done = before.service.refresh({"action": "refresh", "clientId": CLIENT, "lease": lease})

    assert done["outcome"] == "unchanged"


def announce(service: Service) -> Json:
    key = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "gen#1"}}
    record = {"dynamodb": {"Keys": key, "SequenceNumber": "1"}}
    return changes.handler({"Records": [record]}, service.context())
