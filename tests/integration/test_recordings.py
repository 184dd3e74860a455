"""The service answers what the origin answered, apart from the listed differences.

Every recorded exchange about users that carries a good secret is sent to the service with that
state of the origin behind it. ``known_differences.json`` lists what is meant to differ, and why.
The recordings are those that the contract test of the origin double replays.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import plain_users
from tests.integration.service import Answer, Service, running_service
from tests.recordings import CLIENT, CLIENTS, EXCHANGES, MISSING, Exchange

if not EXCHANGES:
    pytest.skip(MISSING, allow_module_level=True)

LISTED = json.loads(Path(__file__).with_name("known_differences.json").read_text(encoding="utf-8"))
NOT_A_PLATFORM = "clnotplatform000000000000"
DIFFERENCES: dict[str, Exchange] = {entry["exchange"]: entry for entry in LISTED}


def has_a_good_secret(exchange: Exchange) -> bool:
    path = exchange["request"]["path"].split("?")[0].split("/")
    client = path[3] if path[2] == "oauth-clients" else CLIENT
    sent: str | None = exchange["request"]["headers"].get("x-cal-secret-key")
    return sent is not None and sent == CLIENTS.get(client)


def replayed(*, different: bool) -> list[Any]:
    """Return the exchanges to send, ordered so that the origin's state seldom changes."""
    chosen = [
        exchange
        for exchange in EXCHANGES
        if has_a_good_secret(exchange) and (exchange["name"] in DIFFERENCES) is different
    ]
    chosen.sort(key=lambda exchange: int(exchange["users"]))
    return [pytest.param(exchange, id=exchange["name"]) for exchange in chosen]


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, clients=CLIENTS, users=0, not_platform=[NOT_A_PLATFORM]) as running:
        yield running


def ask(service: Service, exchange: Exchange) -> Answer:
    request, users = exchange["request"], plain_users(CLIENT, exchange["users"])
    if service.origin.users(CLIENT) != users:
        service.origin.replace(CLIENT, users)
        service.delete_head(CLIENT)
    return service.send(request["method"], request["path"], request["headers"])


@pytest.mark.parametrize("exchange", replayed(different=False))
def test_a_recorded_request_gets_the_recorded_answer(service: Service, exchange: Exchange) -> None:
    recorded = exchange["response"]

    answer = ask(service, exchange)

    assert answer.status == recorded["status"]
    assert told(answer) == told_by_origin(exchange)


@pytest.mark.parametrize("exchange", replayed(different=True))
def test_a_listed_difference_is_as_listed(service: Service, exchange: Exchange) -> None:
    listed = DIFFERENCES[exchange["name"]]

    answer = ask(service, exchange)

    assert answer.status == listed["status"]
    if "ids" in listed:
        assert answer.ids == listed["ids"]
    else:
        assert answer.error["code"] == listed["code"]
    assert told(answer) != told_by_origin(exchange), "no longer a difference"


def test_every_listed_difference_was_recorded() -> None:
    names = {exchange["name"] for exchange in EXCHANGES}

    assert names >= DIFFERENCES.keys()


def told(answer: Answer) -> object:
    """Return what a caller reads: the data or the error, None where there is no body."""
    return told_in(answer.body) if answer.response.body else None


def told_by_origin(exchange: Exchange) -> object:
    recorded = exchange["response"]["body"]
    return None if recorded is None else told_in(recorded)


def told_in(body: Mapping[str, Any]) -> object:
    return body["data"] if body["status"] == "success" else body["error"]
