"""Change events: CloudEvents 1.0, deterministic ids, and no values unless they are asked for."""

import json
from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.directory.diff import Change, Kind
from lib.events.event import MAX_VALUES_BYTES, PREFIX, Event, EventFormat
from lib.users.document import canonical
from tests.fakes import CLIENT, NOW, generation_with, user

NAMES_ONLY, WITH_VALUES = EventFormat(with_values=False), EventFormat(with_values=True)
OLD = generation_with(CLIENT, generation=6, digest="d6", users=2, complete=True, swept_at=NOW - 60)
NEW = generation_with(CLIENT, generation=7, digest="d7", users=3, complete=True, swept_at=NOW)
BEFORE, AFTER = user(1001), user(1001, name="Ada Lovelace")
RENAMED = Change(
    kind="updated",
    user_id=1001,
    fields=("name",),
    before=canonical(BEFORE),
    after=canonical(AFTER),
)


def renamed(event_format: EventFormat = NAMES_ONLY, **changes: Any) -> Event:  # noqa: ANN401
    return event_format.changed(RENAMED, old=OLD, new=replace(NEW, **changes))


def test_an_update_is_a_cloudevent_that_names_the_user_and_the_changed_fields() -> None:
    event = renamed()

    assert event == {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"/v2/oauth-clients/{CLIENT}",
        "type": f"{PREFIX}.managed-user.updated.v1",
        "subject": "1001",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": {
            "clientId": CLIENT,
            "userId": 1001,
            "generation": 7,
            "previousGeneration": 6,
            "fields": ["name"],
        },
    }


def test_the_time_is_when_the_sweep_that_found_it_began() -> None:
    assert datetime.fromisoformat(renamed()["time"]) == datetime.fromtimestamp(NOW, UTC)


@pytest.mark.parametrize("kind", ["created", "discovered", "deleted"])
def test_each_kind_is_a_type_of_its_own(kind: Kind) -> None:
    event = NAMES_ONLY.changed(Change(kind=kind, user_id=5), old=OLD, new=NEW)

    assert event["type"] == f"{PREFIX}.managed-user.{kind}.v1"
    assert event["data"]["fields"] == []


def test_a_baseline_tells_how_much_there_is_and_has_no_subject() -> None:
    event = NAMES_ONLY.baseline(NEW)

    assert event["type"] == f"{PREFIX}.managed-users.baseline.v1"
    assert "subject" not in event
    assert event["data"] == {
        "clientId": CLIENT,
        "generation": 7,
        "users": 3,
        "complete": True,
        "incompleteReason": None,
    }


def test_a_baseline_of_an_incomplete_directory_says_why() -> None:
    partial = replace(NEW, complete=False, incomplete_reason="origin-window")

    data = WITH_VALUES.baseline(partial)["data"]

    assert (data["complete"], data["incompleteReason"]) == (False, "origin-window")


def test_the_same_change_has_the_same_id_whenever_it_is_told() -> None:
    assert renamed() == renamed()
    assert NAMES_ONLY.baseline(NEW)["id"] == NAMES_ONLY.baseline(NEW)["id"]


@pytest.mark.parametrize(
    "other",
    [
        renamed(number=8),
        renamed(digest="other"),
        renamed(client_id="another"),
        NAMES_ONLY.changed(replace(RENAMED, user_id=1002), old=OLD, new=NEW),
        NAMES_ONLY.changed(replace(RENAMED, kind="deleted"), old=OLD, new=NEW),
        NAMES_ONLY.baseline(NEW),
    ],
    ids=["generation", "digest", "client", "user", "kind", "baseline"],
)
def test_another_change_has_another_id(other: Event) -> None:
    assert other["id"] != renamed()["id"]


def test_whether_values_are_asked_for_does_not_change_the_id() -> None:
    assert renamed(WITH_VALUES)["id"] == renamed()["id"]


def test_without_being_asked_for_no_value_is_in_an_event() -> None:
    text = json.dumps(renamed())

    assert "Ada" not in text
    assert "@" not in text


def test_values_are_the_user_as_it_was_and_is() -> None:
    data = renamed(WITH_VALUES)["data"]

    assert (data["before"], data["after"]) == (BEFORE, AFTER)


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (Change(kind="created", user_id=1001, after=canonical(AFTER)), None, AFTER),
        (Change(kind="discovered", user_id=1001, after=canonical(AFTER)), None, AFTER),
        (Change(kind="deleted", user_id=1001, before=canonical(BEFORE)), BEFORE, None),
    ],
)
def test_where_there_was_or_is_no_user_its_value_is_null(
    change: Change, before: object, after: object
) -> None:
    data = WITH_VALUES.changed(change, old=OLD, new=NEW)["data"]

    assert (data["before"], data["after"]) == (before, after)


@pytest.mark.parametrize(("too_long", "omitted"), [(0, False), (1, True)])
def test_values_that_are_too_long_are_left_out_and_the_event_says_so(
    too_long: int, *, omitted: bool
) -> None:
    shell = len(canonical(user(1001, bio="")))
    long = canonical(user(1001, bio="x" * (MAX_VALUES_BYTES - shell + too_long)))
    change = Change(kind="created", user_id=1001, after=long)

    data = WITH_VALUES.changed(change, old=OLD, new=NEW)["data"]

    assert data.get("valuesOmitted", False) is omitted
    assert ("after" in data) is not omitted
