"""Every trigger's event in ``events/`` runs through its handler; events out of shape do too."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from dev.local.settings import DEMO_CALCOM_WEBHOOK_SECRET
from tests.integration.service import CLIENT, Json, Service, running_service

EVENTS = ROOT / "events"
EXAMPLE_CLIENT = "clxdemo0000000000000000001"


def load(path: Path) -> Json:
    return json.loads(path.read_text(encoding="utf-8"))


def events_with(member: str, beginning: str = "") -> list[str]:
    """Return the files of events with ``member``, whose text starts with ``beginning``."""
    events = {path.name: load(path) for path in sorted(EVENTS.glob("*.json"))}
    told = {name: event[member] for name, event in events.items() if member in event}
    return [name for name, text in told.items() if text.startswith(beginning)]


# What an HTTP API sends is answered in another form: test_http_api.py.
REQUESTS = [name for name in events_with("httpMethod") if "http-api" not in name]
REFRESHES = events_with("action", "refresh")


@pytest.fixture
def example(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, clients={EXAMPLE_CLIENT: "key"}, users=120) as running:
        said = {"key": "key", "webhookSecret": DEMO_CALCOM_WEBHOOK_SECRET}
        running.put_secret({EXAMPLE_CLIENT: said})
        yield running


@pytest.mark.parametrize("name", REQUESTS)
def test_an_example_request_is_answered(example: Service, name: str) -> None:
    # What most callers meet: somebody else has asked before.
    example.refresh()

    answer = example.handle(load(EVENTS / name))

    assert answer.status == (202 if name == "webhook.json" else 200)
    if answer.response.body:
        assert answer.body["status"] == "success"


@pytest.mark.parametrize("name", REFRESHES)
def test_an_example_event_is_worked_off(example: Service, name: str) -> None:
    result = example.refresh(load(EVENTS / name))

    told = result["results"][0] if "results" in result else result
    expected = "superseded" if "lease" in name else "published"
    assert (told["clientId"], told["outcome"]) == (EXAMPLE_CLIENT, expected)


def test_example_hints_are_worked_off(example: Service) -> None:
    example.refresh()
    example.handle(load(EVENTS / "webhook.json"))

    result = example.refresh(load(EVENTS / "hints.json"))

    done = {"outcome": "done", "asked": 1, "dropped": 0}
    assert result == {"clientId": EXAMPLE_CLIENT, **done}
    assert example.next_invocation() == load(EVENTS / "hints.json")


def test_an_example_erasure_of_somebody_who_is_gone_is_done(example: Service) -> None:
    example.refresh()

    result = example.refresh(load(EVENTS / "erase.json"))

    done = {"outcome": "erased", "generations": 0, "pages": 0}
    assert result == {"clientId": EXAMPLE_CLIENT, **done}


def test_there_is_an_example_for_each_trigger() -> None:
    assert len(REQUESTS) >= 6
    assert len(REFRESHES) >= 3


NULLS = dict.fromkeys(
    (
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
        "requestContext",
    )
)
LIST = {"httpMethod": "GET", "path": f"/oauth-clients/{CLIENT}/users"}


@pytest.fixture(scope="module")
def warm(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        running.refresh()
        yield running


@pytest.mark.parametrize(
    ("event", "count"),
    [
        (LIST, 3),
        (LIST | NULLS, 3),
        (LIST | {"path": f"/v2/oauth-clients/{CLIENT}/users"}, 3),
        (LIST | {"path": f"/v2/oauth-clients/{CLIENT}/users/"}, 3),
        (LIST | {"queryStringParameters": {"limit": "2"}}, 2),
        (LIST | {"queryStringParameters": {"limit": None}}, 3),
        (LIST | {"multiValueQueryStringParameters": {"limit": ["1", "2"]}}, 1),
        (LIST | {"multiValueQueryStringParameters": {"limit": None}}, 3),
        (LIST | {"multiValueQueryStringParameters": {"limit": []}}, 3),
        (
            LIST
            | {
                "queryStringParameters": {"limit": "9"},
                "multiValueQueryStringParameters": {"limit": ["2", "9"]},
            },
            2,
        ),
        (LIST | {"headers": {"Cache-Control": "only-if-cached"}}, 3),
        (LIST | {"headers": {"If-None-Match": None}}, 3),
        (LIST | {"requestContext": {"requestId": None}}, 3),
        (LIST | {"requestContext": "text"}, 3),
    ],
)
def test_a_list_in_any_form_of_event_is_answered(
    warm: Service, event: Mapping[str, Json], count: int
) -> None:
    assert len(warm.handle(event).ids) == count


def test_single_valued_headers_alone_are_read(warm: Service) -> None:
    tag = warm.get().headers["ETag"]

    answer = warm.handle(LIST | NULLS | {"headers": {"if-NONE-match": tag}})

    assert answer.status == 304


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({}, 404),
        (NULLS | {"httpMethod": None, "path": None}, 404),
        ({"httpMethod": "GET"}, 404),
        ({"path": LIST["path"]}, 405),
        (LIST | {"httpMethod": "get"}, 405),
        (LIST | {"path": "/oauth-clients//users"}, 404),
        (LIST | {"path": "/oauth-clients/a b/users"}, 404),
        (LIST | {"path": f"/oauth-clients/{'x' * 65}/users"}, 404),
        (LIST | {"path": f"/oauth-clients/{CLIENT}/users/1/2"}, 404),
        (LIST | {"path": f"/oauth-clients/{CLIENT}/users/%31"}, 400),
        (LIST | {"path": f"/oauth-clients/{CLIENT}/users/\u0661"}, 400),
        (LIST | {"queryStringParameters": {"\ud800": "x"}}, 400),
        (LIST | {"queryStringParameters": {"timeZone": "\ud800"}}, 400),
    ],
)
def test_an_event_that_makes_no_sense_gets_the_envelope(
    warm: Service, event: Mapping[str, Json], status: int
) -> None:
    answer = warm.handle(event)

    assert answer.status == status
    assert answer.body["status"] == "error"
    assert answer.body["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "event",
    [{"action": None}, {"action": "other"}, {"action": "refresh"}, {"clientId": CLIENT}],
)
def test_a_refresh_event_that_makes_no_sense_fails_for_the_dead_letter_queue(
    warm: Service, event: Mapping[str, Json]
) -> None:
    with pytest.raises(ValueError, match=r"action must be|clientId must be"):
        warm.refresh(event)


def test_a_refresh_of_a_client_that_is_not_configured_is_reported(warm: Service) -> None:
    result = warm.refresh({"action": "refresh", "clientId": "unknown"})

    assert (result["outcome"], result["error"]) == ("failed", "NotFoundError")
