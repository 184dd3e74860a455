"""The stack with ``InboundWebhooks=true``, deployed by SAM CLI, with IAM enforced."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from tests.e2e.calls import send
from tests.e2e.conftest import CLIENT, COLD_CLIENT, SECRETS
from tests.patience import wait_until

pytestmark = pytest.mark.e2e
WEBHOOK_SECRET = "canary-webhook-secret-90b1"
USERS = f"/v2/oauth-clients/{CLIENT}/users"
WEBHOOK = f"/v2/oauth-clients/{CLIENT}/webhook"


@pytest.fixture(scope="module", params=["iam", "iam-http"])
def receiving(
    request: pytest.FixtureRequest, built: Path, origin: OriginDouble
) -> Iterator[Deployment]:
    """Return the deployed stack, in an AWS of its own."""
    clients = {
        CLIENT: {"key": SECRETS[CLIENT], "webhookSecret": WEBHOOK_SECRET},
        COLD_CLIENT: SECRETS[COLD_CLIENT],
    }
    with Deployment(
        sam=os.environ["SAM"],
        built=built,
        clients=clients,
        CalApiUrl=origin.url,
        ApiAccess=request.param,
        InboundWebhooks="true",
    ) as deployed:
        yield deployed


def test_one_route_is_open_and_all_others_are_signed(receiving: Deployment) -> None:
    webhook = send(receiving, "POST", WEBHOOK, caller=None, body=b"{}")
    others = [
        send(receiving, "GET", USERS, caller=None),
        send(receiving, "POST", f"{USERS}/lookup", caller=None),
        send(receiving, "POST", f"/v2/oauth-clients/{CLIENT}/cache/refresh", caller=None),
    ]

    # The emulated HTTP API sends payload 2.0, which is as far as it gets (see test_http_api.py).
    assert webhook.json()["error"]["message"].startswith(
        ("The signature of the webhook is not valid.", "This function answers a REST API")
    )
    assert {answer.status_code for answer in others} == {403}


def test_who_gets_a_booking_is_soon_listed(receiving: Deployment, origin: OriginDouble) -> None:
    of_rest: Any = receiving.aws.client("apigateway")
    if not of_rest.get_rest_apis()["items"]:
        pytest.skip("the emulated HTTP API sends payload 2.0 (see test_http_api.py)")
    assert send(receiving, "GET", USERS).status_code == 200
    user_id = origin.create(CLIENT)["id"]
    payload: Any = {"organizer": {"id": user_id}}
    body = json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": payload}).encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()

    answer = send(
        receiving,
        "POST",
        WEBHOOK,
        caller=None,
        headers={"X-Cal-Signature-256": signature, "Content-Type": "application/json"},
        body=body,
    )

    def listed() -> bool:
        users = send(
            receiving, "GET", f"{USERS}?ids={user_id}", headers={"Cache-Control": "only-if-cached"}
        )
        return bool(users.json()["data"])

    assert (answer.status_code, answer.json()["data"]["users"]) == (202, 1)
    wait_until(listed)
