"""Webhooks over HTTP, to the whole running stack: who is booked is known, and a flood is cheap."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from dev.local.settings import DEMO_CALCOM_WEBHOOK_SECRET, LocalSettings
from dev.local.stack import LocalStack
from lib.origin import budget
from tests.fakes import head_with
from tests.integration.stack import PARALLEL, Caller
from tests.patience import wait_until

CLIENT = "clxbooked0000000000000001"


@pytest.fixture
def caller() -> Iterator[Caller]:
    settings = LocalSettings(port=0, users=40, clients={CLIENT: "key"}, schedule_seconds=3600)
    with LocalStack(settings) as stack:
        caller = Caller(stack, CLIENT)
        assert caller.get().ok
        yield caller


def book(caller: Caller, *hosts: int) -> requests.Response:
    """Send what Cal.com does when these hosts get a booking."""
    payload = {"team": {"members": [{"id": user_id} for user_id in hosts]}}
    body = json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": payload}).encode()
    secret = DEMO_CALCOM_WEBHOOK_SECRET.encode()
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return caller.send("POST", "/webhook", {"X-Cal-Signature-256": signature}, body)


def listed(caller: Caller) -> set[int]:
    answer = caller.get("/users?limit=250", {"Cache-Control": "only-if-cached"})
    return {user["id"] for user in answer.json()["data"]}


def test_who_gets_a_booking_is_soon_listed_though_nobody_swept(caller: Caller) -> None:
    user_id = caller.origin.create(CLIENT)["id"]
    sweeps = caller.list_calls()

    answer = book(caller, user_id)

    assert (answer.status_code, answer.json()["data"]["outcome"]) == (202, "accepted")
    wait_until(lambda: user_id in listed(caller))
    assert caller.list_calls() == sweeps


def test_a_flood_costs_the_origin_half_of_the_look_ups_share_at_most(caller: Caller) -> None:
    new = [caller.origin.create(CLIENT)["id"] for _ in range(3)]
    known = sorted(listed(caller))
    before = len(caller.origin.calls)

    with ThreadPoolExecutor(PARALLEL) as pool:
        hosts = [*new, *known, *new] * 5
        answers = list(pool.map(lambda user_id: book(caller, user_id), hosts))
    wait_until(lambda: set(new) <= listed(caller))

    assert {answer.status_code for answer in answers} == {202}
    share = budget.remaining_for_hints(head_with(CLIENT, rate_limit=500).counters, now=0)
    assert len(caller.origin.calls) - before <= share
    assert not [line for line in caller.stack.log_lines if "Traceback" in line]
