"""The stack that SAM CLI deploys from template.yaml, called over HTTP, with IAM enforced."""

import json
import time
from typing import Any

import pytest
import requests
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from tests.e2e.calls import Json, caller_who_may, eventually, send
from tests.e2e.conftest import CANARY, CLIENT, COLD_CLIENT
from tests.integration.service import FRESH, REVALIDATE_AGE, Table
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.e2e
SCHEDULE_SECONDS = 60
USERS = f"/v2/oauth-clients/{CLIENT}/users"
CACHE = f"/v2/oauth-clients/{CLIENT}/cache"


def _generation(deployment: Deployment) -> int:
    """Return the generation that is served; asking changes nothing."""
    generation: int = send(deployment, "GET", CACHE).json()["data"]["generation"]
    return generation


@pytest.fixture
def generation(deployment: Deployment) -> int:
    """Return the generation of a sweep that ended after this was called, seen by all readers."""
    assert send(deployment, "GET", USERS).status_code == 200
    swept = send(deployment, "POST", f"{CACHE}/refresh?wait=true")
    generation: int = swept.json()["data"]["generation"]
    return generation


def _is_fresh(answer: requests.Response) -> bool:
    return int(answer.headers.get("Age", "0")) < FRESH


def test_the_first_list_asks_the_origin_and_the_second_is_a_hit(
    deployment: Deployment, origin: OriginDouble
) -> None:
    path = f"/v2/oauth-clients/{COLD_CLIENT}/users?limit=10"

    first = send(deployment, "GET", path)
    second = send(deployment, "GET", path)
    third = send(deployment, "GET", path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.status_code == 200
    assert first.headers["Cache-Status"] == "managed-users; fwd=uri-miss; fwd-status=200; stored"
    assert [user["id"] for user in first.json()["data"]] == [
        user["id"] for user in origin.users(COLD_CLIENT)[:10]
    ]
    assert second.headers["Cache-Status"].startswith("managed-users; hit; ttl=")
    assert second.json() == first.json()
    assert (third.status_code, third.text) == (304, "")
    assert len(origin.list_calls(COLD_CLIENT)) <= 2


def test_every_route_answers(deployment: Deployment, origin: OriginDouble) -> None:
    user = origin.users(CLIENT)[5]
    address = user["email"].replace("+", "%2B")

    listed = send(deployment, "HEAD", USERS)
    by_id = send(deployment, "GET", f"{USERS}/{user['id']}")
    by_address = send(deployment, "GET", f"{USERS}?emails={address}")
    status = send(deployment, "GET", CACHE)

    assert (listed.status_code, listed.headers["X-Total-Count"]) == (200, "120")
    assert by_id.json()["data"] == user
    assert by_address.json()["data"] == [user]
    assert status.json()["data"]["users"] == 120


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", USERS, "GET, HEAD"),
        ("DELETE", f"{USERS}/1001", "GET, HEAD"),
        ("PATCH", CACHE, "GET, HEAD"),
        ("GET", f"{CACHE}/refresh", "POST"),
    ],
)
def test_a_method_that_is_not_offered_is_405(
    deployment: Deployment, method: str, path: str, allow: str
) -> None:
    answer = send(deployment, method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert answer.json()["status"] == "error"


def test_an_unknown_client_is_404(deployment: Deployment) -> None:
    answer = send(deployment, "GET", "/v2/oauth-clients/nobody/users")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NotFoundException"


@pytest.mark.parametrize(
    "caller", [None, Credentials("AKIAUNKNOWN", "unknown")], ids=["unsigned", "unknown"]
)
def test_a_caller_whom_iam_does_not_know_stays_out(
    deployment: Deployment, caller: Credentials | None
) -> None:
    assert send(deployment, "GET", USERS, caller=caller).status_code == 403


def test_iam_can_give_a_caller_one_client_and_no_refresh(deployment: Deployment) -> None:
    reader = caller_who_may(deployment, "reader", f"GET/oauth-clients/{CLIENT}/*")

    answers = [
        send(deployment, "GET", USERS, caller=reader),
        send(deployment, "GET", f"/v2/oauth-clients/{COLD_CLIENT}/users", caller=reader),
        send(deployment, "POST", f"{CACHE}/refresh", caller=reader),
    ]

    assert [answer.status_code for answer in answers] == [200, 403, 403]


def test_a_refresh_is_accepted_and_done_by_another_invocation(
    deployment: Deployment, origin: OriginDouble, generation: int
) -> None:
    created = origin.create(CLIENT)

    answer = send(deployment, "POST", f"{CACHE}/refresh")
    now = eventually(lambda: _generation(deployment), lambda seen: seen > generation)
    found = send(deployment, "GET", f"{USERS}/{created['id']}")
    origin.delete(CLIENT, created["id"])

    assert answer.status_code == 202
    assert now > generation
    assert found.json()["data"]["id"] == created["id"]


@pytest.mark.usefixtures("generation")
def test_a_stale_answer_comes_at_once_and_is_renewed_by_another_invocation(
    deployment: Deployment,
) -> None:
    table = Table(deployment.aws.client("dynamodb"), deployment.outputs["TableName"])

    def read_when_stale() -> requests.Response:
        # The schedule may renew it at any moment, and an environment remembers for a second.
        if table.head(CLIENT)["swept_at"] > time.time() - FRESH:
            table.let_pass(CLIENT, REVALIDATE_AGE)
        return send(deployment, "GET", USERS)

    stale = eventually(
        read_when_stale,
        lambda answer: "stale-while-revalidate" in answer.headers["Cache-Status"],
    )
    renewed = eventually(lambda: send(deployment, "GET", USERS), _is_fresh)

    assert stale.status_code == 200
    assert int(stale.headers["Age"]) >= FRESH
    assert renewed.headers["Cache-Status"].startswith("managed-users; hit; ttl=")


def test_an_event_that_makes_no_sense_ends_in_the_dead_letter_queue(
    deployment: Deployment,
) -> None:
    functions, queues = deployment.aws.client("lambda"), deployment.aws.client("sqs")

    _invoke(functions, deployment.outputs["RefreshFunctionName"], {"action": "nonsense"})
    message = _receive(queues, deployment)

    assert json.loads(message["Body"])["requestPayload"] == {"action": "nonsense"}


def test_dead_letters_are_refused_to_whoever_speaks_no_tls(deployment: Deployment) -> None:
    queues: Any = deployment.aws.client("sqs")
    url = deployment.dead_letters_url

    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": deployment.dead_letters_policy})
    try:
        with pytest.raises(ClientError, match="AccessDenied"):
            queues.receive_message(QueueUrl=url)
    finally:
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def _invoke(functions: Any, name: str, event: Json) -> None:  # noqa: ANN401 - a boto3 client.
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))


def _receive(queues: Any, deployment: Deployment) -> Json:  # noqa: ANN401 - a boto3 client.
    received = queues.receive_message(QueueUrl=deployment.dead_letters_url, WaitTimeSeconds=10)
    (message,) = received["Messages"]
    return message


def test_the_schedule_fetches_what_changed(
    deployment: Deployment, origin: OriginDouble, generation: int
) -> None:
    created = origin.create(CLIENT)

    now = eventually(
        lambda: _generation(deployment),
        lambda seen: seen > generation,
        seconds=SCHEDULE_SECONDS + PATIENCE_SECONDS,
    )
    origin.delete(CLIENT, created["id"])

    assert now > generation


def test_logs_hold_metrics_but_no_secret_and_no_address(
    deployment: Deployment, origin: OriginDouble
) -> None:
    address = origin.users(CLIENT)[7]["email"].replace("+", "%2B")
    assert send(deployment, "GET", f"{USERS}?emails={address}").status_code == 200
    assert send(deployment, "GET", f"{USERS}?emails=not-an-address@").status_code == 400

    lines = _log_lines(deployment)

    metrics = [json.loads(line) for line in lines if line.startswith("{") and '"_aws"' in line]
    assert {"AgeServed", "OriginCalls"} <= {name for metric in metrics for name in metric}
    assert {metric["service"] for metric in metrics} == {"managed-users"}
    assert [line for line in lines if CANARY in line or "@" in line] == []


def _log_lines(deployment: Deployment) -> list[str]:
    logs: Any = deployment.aws.client("logs")
    pages = logs.get_paginator("filter_log_events")
    return [
        line.strip()
        for function in ("api", "refresh", "changes")
        for page in pages.paginate(logGroupName=f"/aws/lambda/managed-users-{function}")
        for event in page["events"]
        for line in event["message"].splitlines()
    ]
