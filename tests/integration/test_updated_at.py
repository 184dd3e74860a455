"""Since when users are as they are, as callers and listeners are told it."""

import json
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers.wiring import wiring
from lib.directory import diff
from lib.directory.snapshot import snapshot_of
from lib.events.event import EventFormat
from lib.users.dates import iso_date
from tests.integration.service import CLIENT, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
HOUR = 3600


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=25, UPDATED_AT="true") as running:
        running.refresh()
        running.clock.now += HOUR
        yield running


def change(service: Service) -> tuple[int, int, str]:
    """Rename a user and create one; return their ids, and when the sweep began that saw it."""
    renamed = service.origin.users(CLIENT)[3]["id"]
    service.origin.update(CLIENT, renamed, name="Another")
    created = service.origin.create(CLIENT)["id"]
    assert service.refresh(SCHEDULED)["outcome"] == "published"
    swept = service.head()["swept_at"]
    service.clock.now += HOUR
    service.forget()
    return renamed, created, iso_date(swept)


def test_who_changed_is_found_since_then_and_sorted_first(service: Service) -> None:
    before = service.get("/users?limit=250").body["data"]
    renamed, created, date = change(service)
    latest = service.get("/users?sort=-updatedAt&limit=3&fields=id,updatedAt").body["data"]

    assert not any("updatedAt" in user for user in before)
    assert latest == [
        {"id": renamed, "updatedAt": date},
        {"id": created, "updatedAt": date},
        {"id": before[0]["id"]},
    ]
    assert service.get(f"/users?changedSince={date}").ids == [renamed, created]
    assert service.get(f"/users/{renamed}").body["data"]["updatedAt"] == date
    assert service.get(f"/users?changedSince={iso_date(service.clock.now)}").ids == []


def test_a_stamp_is_in_no_change_s_fields_and_of_none_the_only_reason(service: Service) -> None:
    renamed, created, _ = change(service)
    told = service.get("/cache/changes?since=1").body["data"]
    old, new = (wiring().store.generation(CLIENT, number) for number in (1, 2))
    assert old
    assert new
    found = diff.changes(*(snapshot_of(wiring().store, one) for one in (old, new)))
    events = [EventFormat(with_values=True).changed(one, old=old, new=new) for one in found]

    assert told["updated"] == [{"id": renamed, "fields": ["name"]}]
    assert told["created"] == [created]
    assert [json.loads(json.dumps(event))["data"]["fields"] for event in events] == [["name"], []]


def test_an_unchanged_sweep_publishes_nothing_and_tells_who_has_it_so(service: Service) -> None:
    change(service)
    tag = service.get("/users").headers["ETag"]

    outcome = service.refresh(SCHEDULED)["outcome"]

    assert outcome == "unchanged"
    assert service.get("/users", {"If-None-Match": tag}).status == 304


def test_without_stamps_nothing_is_asked_by_them(aws: EmbeddedAws) -> None:
    with running_service(aws, users=3) as service:
        service.refresh()

        answer = service.get("/users?changedSince=2026-01-01")

    assert (answer.status, answer.error["code"]) == (400, "BadRequestException")
    assert "UpdatedAt" in answer.error["message"]
