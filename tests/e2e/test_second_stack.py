"""A second stack, of as long a name as CloudFormation allows, takes over the table of the first."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev import ROOT
from dev.deploy.deployment import ARCHITECTURE, Deployment
from dev.local.embedded_aws import EmbeddedAws
from dev.origin import OriginDouble
from lib.revalidation.schedule import BATCH
from tests.e2e.calls import Json, caller_who_may, send
from tests.e2e.conftest import CLIENT, SECRETS

pytestmark = pytest.mark.e2e
NAME = f"managed-users-{'a' * 114}"
assert len(NAME) == 128
USERS = f"/v2/oauth-clients/{CLIENT}/users"
_SECONDS = 180


@dataclass(frozen=True)
class Second:
    """The second stack: what it says of itself, and how it is called."""

    deployment: Deployment
    outputs: Mapping[str, str]

    @property
    def aws(self) -> EmbeddedAws:
        """The AWS of both stacks."""
        return self.deployment.aws

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"{self.aws.endpoint}/_aws/execute-api/{self.outputs['ApiId']}"

    def invoke(self, function: str, event: Json) -> Json:
        """Return the result of the function that the output ``function`` names."""
        functions: Any = self.aws.client("lambda")
        answer = functions.invoke(FunctionName=self.outputs[function], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def second(deployment: Deployment, built: Path, origin: OriginDouble) -> Iterator[Second]:
    """Return a stack that is given the first one's table and secret; it is removed afterwards."""
    assert send(deployment, "GET", USERS).status_code == 200
    first = deployment.outputs
    parameters = {
        "Architecture": ARCHITECTURE,
        "CalApiUrl": origin.url,
        "TableName": first["TableName"],
        "TableStreamArn": first["TableStreamArn"],
        "SecretArn": first["SecretArn"],
        "CallerAccountIds": "111111111111",
        "CallerOrganizationId": "o-a1b2c3d4e5",
    }
    done = subprocess.run(  # noqa: S603 - the command is SAM CLI.
        [
            *(os.environ["SAM"], "deploy", "--template-file", str(built / "template.yaml")),
            *("--stack-name", NAME, "--no-confirm-changeset", "--no-progressbar"),
            *("--config-file", str(ROOT / "samconfig.toml"), "--parameter-overrides"),
            *(f"{name}={value}" for name, value in parameters.items()),
        ],
        cwd=ROOT,
        env=deployment.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    formation: Any = deployment.aws.client("cloudformation")
    (stack,) = formation.describe_stacks(StackName=NAME)["Stacks"]
    yield Second(deployment, {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]})
    _remove(deployment)


def _remove(deployment: Deployment) -> None:
    formation: Any = deployment.aws.client("cloudformation")
    formation.delete_stack(StackName=NAME)
    formation.get_waiter("stack_delete_complete").wait(
        StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def test_it_answers_from_the_table_it_was_given(second: Second) -> None:
    event = json.loads(Path(ROOT, "events/list-users.json").read_text(encoding="utf-8"))

    result = second.invoke("ApiFunctionName", event)

    assert second.outputs["TableName"] == second.deployment.outputs["TableName"]
    assert result["statusCode"] == 200
    assert result["headers"]["Cache-Status"].startswith("managed-users; hit")


def test_its_functions_have_names_that_fit_and_the_refresh_function_finds_itself(
    second: Second,
) -> None:
    names = [second.outputs[f"{kind}FunctionName"] for kind in ("Api", "Refresh", "Changes")]

    # More clients than one invocation takes on are handed to another one of the same function.
    many = SECRETS | {f"clxmany{number:018}": "key" for number in range(BATCH)}
    secrets: Any = second.aws.client("secretsmanager")
    try:
        secrets.put_secret_value(
            SecretId=second.outputs["SecretArn"], SecretString=json.dumps(many)
        )
        done = second.invoke("RefreshFunctionName", {"action": "refresh-all"})
    finally:
        secrets.put_secret_value(
            SecretId=second.outputs["SecretArn"], SecretString=json.dumps(SECRETS)
        )

    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= 64
    assert (done["clients"], done["failed"]) == (len(many), [])
    assert done["elsewhere"] > 0


def test_callers_elsewhere_change_nothing_for_those_of_the_account(second: Second) -> None:
    allowed = caller_who_may(second, "allowed", f"GET/oauth-clients/{CLIENT}/*")
    without_a_policy = caller_who_may(second, "stranger", "GET/openapi.json")

    answers = [send(second, "GET", USERS, caller=who) for who in (allowed, without_a_policy, None)]

    assert [answer.status_code for answer in answers] == [200, 403, 403]


def test_what_is_kept_outlives_it(second: Second) -> None:
    _remove(second.deployment)

    tables: Any = second.aws.client("dynamodb")
    table = tables.describe_table(TableName=second.outputs["TableName"])["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert send(second.deployment, "GET", USERS).status_code == 200
