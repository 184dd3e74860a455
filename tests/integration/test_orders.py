"""Events by hand: what makes no sense is refused with a sentence, and nothing is written for it."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers import changes, refresh
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    SECRET,
    Json,
    Service,
    running_service,
)

STRANGER = "clxstranger00000000000001"
NAN = float("nan")
LEASE: Json = {"holder": "me", "token": 1, "expiresAt": 1_800_000_000.5}


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    aws.create_bus("orders")
    with running_service(aws, EVENT_BUS_NAME="orders") as running:
        running.refresh()
        yield running


def refused(service: Service, function: Any, event: Json) -> str:  # noqa: ANN401 - a handler
    """Return the sentence that an event is refused with, which must have changed nothing."""
    before = sorted(map(str, service.items()))
    with pytest.raises(ValueError, match=r" must | needs ") as caught:
        function.handler(event, service.context())
    assert sorted(map(str, service.items())) == before
    return str(caught.value)


@pytest.mark.parametrize("event", [None, [], ["refresh"], "refresh", 1, True])
@pytest.mark.parametrize("function", [refresh, changes])
def test_what_is_no_object_is_refused(service: Service, function: object, event: Json) -> None:
    assert refused(service, function, event) == "an event must be a JSON object"


IMPOSSIBLE = [None, "", 7, ["x"], {"S": "x"}, "a b", "ada@example.com", "a#b", "x" * 65, "é", "a\n"]


@pytest.mark.parametrize("client_id", IMPOSSIBLE)
@pytest.mark.parametrize(
    ("function", "action"),
    [(refresh, "refresh"), (refresh, "hints"), (changes, "replay"), (changes, "announce")],
)
def test_an_id_that_no_client_can_have_is_refused(
    service: Service, function: object, action: str, client_id: Json
) -> None:
    event = {"action": action, "clientId": client_id, "from": 0}

    assert refused(service, function, event).startswith("clientId must be 1 to 64 letters")


REFRESHES: list[tuple[Json, str]] = [
    ({"lease": None}, "lease must have"),
    ({"lease": "mine"}, "lease must have"),
    ({"lease": {}}, "lease must have"),
    ({"lease": {**LEASE, "holder": 1}}, "lease must have"),
    ({"lease": {**LEASE, "token": "1"}}, "lease must have"),
    ({"lease": {**LEASE, "token": True}}, "lease must have"),
    ({"lease": {**LEASE, "token": 1.5}}, "lease must have"),
    ({"lease": {**LEASE, "expiresAt": "now"}}, "lease must have"),
    ({"lease": {**LEASE, "expiresAt": NAN}}, "lease must have"),
    ({"requestedAt": None}, "requestedAt must be"),
    ({"requestedAt": "2026-11-14"}, "requestedAt must be"),
    ({"requestedAt": True}, "requestedAt must be"),
    ({"requestedAt": NAN}, "requestedAt must be"),
    ({"requestedAt": float("inf")}, "requestedAt must be"),
    ({"requestedAt": -1}, "requestedAt must be"),
    ({"requestedAt": 1_800_000_000_000}, "requestedAt must be"),
    ({"requestedAt": 1, "believe": "true"}, "believe must be"),
    ({"requestedAt": 1, "believe": 1}, "believe must be"),
    ({"clientIds": "x"}, "clientIds must be"),
    ({"clientIds": []}, "clientIds must be"),
    ({"clientIds": [CLIENT, 7]}, "clientId must be"),
]


@pytest.mark.parametrize(("members", "sentence"), REFRESHES)
def test_a_malformed_refresh_is_refused(service: Service, members: Json, sentence: str) -> None:
    event = {"action": "refresh", "clientId": CLIENT, **members}

    assert refused(service, refresh, event).startswith(sentence)


@pytest.mark.parametrize("event", [{}, {"action": "other"}, {"action": ["refresh"]}])
def test_a_refresh_without_an_action_is_refused(service: Service, event: Json) -> None:
    assert refused(service, refresh, event).startswith("action must be")


@pytest.mark.parametrize("start", [None, "1", 1.5, True, -1, NAN, [0]])
def test_a_replay_from_no_generation_is_refused(service: Service, start: Json) -> None:
    event = {"action": "replay", "clientId": CLIENT, "from": start}

    assert refused(service, changes, event).startswith("from must be the number of a generation")


def test_a_replay_without_a_beginning_is_refused(service: Service) -> None:
    sentence = refused(service, changes, {"action": "replay", "clientId": CLIENT})

    assert sentence.startswith("from must be")


@pytest.mark.parametrize("start", [0, 1])
def test_a_replay_of_who_is_not_stored_is_refused(service: Service, start: int) -> None:
    event = {"action": "replay", "clientId": STRANGER, "from": start}

    assert refused(service, changes, event).startswith("clientId must be of a client")


def test_an_announcement_of_who_is_not_stored_writes_nothing(service: Service) -> None:
    before = sorted(map(str, service.items()))

    changes.handler({"action": "announce", "clientId": STRANGER}, service.context())

    assert sorted(map(str, service.items())) == before


@pytest.mark.parametrize("records", [None, {}, "gen#1", 3])
def test_a_batch_that_is_no_list_is_refused(service: Service, records: Json) -> None:
    assert refused(service, changes, {"Records": records}) == "Records must be a list"


def test_hints_of_who_is_in_no_secret_are_not_looked_for(service: Service) -> None:
    before = sorted(map(str, service.items()))

    done = service.refresh({"action": "hints", "clientId": STRANGER})

    assert (done["outcome"], done["message"]) == (
        "failed",
        f"OAuth client with ID {STRANGER} not found.",
    )
    assert sorted(map(str, service.items())) == before


WISHES: list[Json] = [{}, {"requestedAt": 1_700_000_000}, {"lease": LEASE}]


@pytest.mark.parametrize("members", WISHES)
def test_a_refresh_of_who_is_in_no_secret_writes_nothing(service: Service, members: Json) -> None:
    before = sorted(map(str, service.items()))

    done = service.refresh({"action": "refresh", "clientId": STRANGER, **members})

    missing = f"OAuth client with ID {STRANGER} not found."
    expected = ("superseded", None) if "lease" in members else ("failed", missing)
    assert (done["outcome"], done.get("message")) == expected
    assert sorted(map(str, service.items())) == before


def test_who_was_put_into_the_secret_a_moment_ago_is_refreshed(service: Service) -> None:
    service.put_secret({CLIENT: "key", STRANGER: "key"})
    service.forget()

    done = service.refresh({"action": "refresh", "clientId": STRANGER})

    assert done.get("error") != "NotFoundError"


def test_nothing_is_written_for_a_stranger_while_there_is_no_secret(service: Service) -> None:
    service.aws.client("secretsmanager").put_secret_value(
        SecretId=service.secret, SecretString="not json"
    )
    service.forget()
    before = sorted(map(str, service.items()))

    done = service.refresh({"action": "refresh", "clientId": STRANGER})

    assert (done["outcome"], done["reason"]) == ("failed", "secret-malformed")
    assert sorted(map(str, service.items())) == before


def test_the_schedule_passes_over_a_client_that_there_cannot_be(
    service: Service, log: StringIO
) -> None:
    service.put_secret({"a b": "key", "x" * 65: "key", CLIENT: SECRET})
    service.forget()
    service.let_pass(REVALIDATE_AGE)

    done = service.refresh()

    assert [result["clientId"] for result in done["results"]] == [CLIENT]
    assert service.invocations.empty()
    (line,) = [each for each in log.getvalue().splitlines() if "impossible client ids" in each]
    assert (json.loads(line)["count"], "a b" in line) == (2, False)
