"""The day the origin ends: what a frozen deployment still answers, and for how long."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.integration.service import CLIENT, Service, running_service

YEAR = 365 * 86_400
DAY = 86_400


@pytest.fixture
def frozen(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Yield a service that knows 501 of 620 users, and has no origin any more."""
    with running_service(aws, users=620) as service:
        service.refresh()
        assert service.get(f"/users/{service.origin.users(CLIENT)[-1]['id']}").status == 200
        service.let_pass(11)
        service.refresh()
        monkeypatch.setenv("FROZEN_MODE", "true")
        service.forget()
        service.origin.stop()
        service.origin.clear_calls()
        yield service


def test_everybody_is_there_a_year_later_with_the_age_said(frozen: Service) -> None:
    frozen.let_pass(YEAR)

    listed, last = frozen.get("/users?limit=250"), frozen.get("/users?limit=250&offset=500")
    filtered = frozen.get("/users?timeZone=Asia/Tokyo&sort=-name")
    one = frozen.get(f"/users/{listed.ids[0]}")

    assert (len(listed.ids), len(last.ids)) == (250, 1)
    assert filtered.ids
    assert one.status == 200
    assert int(listed.headers["Age"]) >= YEAR
    assert listed.cache_status.endswith("; detail=frozen")


def test_the_schedule_keeps_what_is_served_from_expiring(frozen: Service) -> None:
    client, table = frozen.table.client, frozen.table.name
    frozen.let_pass(20 * DAY)
    for item in _expiring(frozen):
        left = int(item["expires_at"]["N"]) - 20 * DAY
        client.put_item(TableName=table, Item={**item, "expires_at": {"N": str(left)}})

    frozen.refresh()
    # What DynamoDB would drop by now, had another three weeks gone by.
    gone = [
        item
        for item in _expiring(frozen)
        if int(item["expires_at"]["N"]) < frozen.clock.now + 21 * DAY
    ]
    for item in gone:
        client.delete_item(TableName=table, Key={key: item[key] for key in ("pk", "sk")})
    frozen.forget()

    assert gone
    windows = [frozen.get(f"/users?limit=250&offset={offset}") for offset in (0, 250, 500)]
    assert [len(window.ids) for window in windows] == [250, 250, 1]


def test_who_is_not_known_is_said_not_to_have_been_asked_for(frozen: Service) -> None:
    known = frozen.get("/users?limit=1").ids[0]

    listed = frozen.get(f"/users?ids={known},999999999")
    single = frozen.get("/users/999999999")

    assert listed.ids == [known]
    assert (listed.body["notFound"], listed.body["notAsked"]) == ([], [999999999])
    assert single.status == 404


def test_what_needs_the_origin_is_refused_and_the_rest_goes_on(frozen: Service) -> None:
    refused = frozen.send("POST", "/cache/refresh?wait=true")
    wished = frozen.get("/users?limit=1", {"Cache-Control": "no-cache"})

    assert (refused.status, frozen.get("/cache").status) == (503, 200)
    assert frozen.get("/cache/changes?since=1").status == 200
    assert wished.status == 200
    assert frozen.origin.calls == []


def _expiring(service: Service) -> list[dict[str, dict[str, str]]]:
    return [dict(item) for item in service.table.items() if "expires_at" in item]
