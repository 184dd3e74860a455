"""The command line and a real deployment: signatures, the stack's outputs, replay, the doctor."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from tests.e2e.calls import OWNER
from tests.e2e.conftest import CANARY, CLIENT
from tests.e2e.signatures import SignatureGate

PROGRAM = Path(sys.executable).with_name("managed-users")

type Done = subprocess.CompletedProcess[str]


@pytest.fixture
def environment(deployment: Deployment) -> Iterator[dict[str, str]]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with SignatureGate(deployment, caller=OWNER) as gate:
        yield {
            **own,
            **deployment.aws.environment,
            "MANAGED_USERS_URL": f"{gate.url}/v2",
            "MANAGED_USERS_STACK": "managed-users",
            "MANAGED_USERS_REGION": deployment.aws.region,
            "MANAGED_USERS_CLIENT_ID": CLIENT,
        }


def run(environment: dict[str, str], *arguments: str) -> Done:
    return subprocess.run(  # noqa: S603 - the tool itself.
        [PROGRAM, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_requests_are_signed(environment: dict[str, str]) -> None:
    signed = run(environment, "users", "--limit", "3", "--json")
    unsigned = run(environment | {"MANAGED_USERS_REGION": ""}, "users", "--limit", "3")

    assert [signed.returncode, len(json.loads(signed.stdout)["users"])] == [0, 3]
    assert (unsigned.returncode, unsigned.stdout) == (5, "")
    assert "doctor" in unsigned.stderr


# Where AWS has no region of its own here, that of the command is the stack's.
@pytest.mark.parametrize("untold", [set(), {"AWS_REGION", "AWS_DEFAULT_REGION"}])
def test_the_doctor_looks_at_the_whole_stack(environment: dict[str, str], untold: set[str]) -> None:
    told = {name: value for name, value in environment.items() if name not in untold}
    run(told, "users", "--limit", "1")

    done = run(told, "doctor", "--json")

    states = {result["check"]: result["state"] for result in json.loads(done.stdout)}
    assert done.returncode == 0
    assert states["credentials"] == states["secret"] == states["table"] == "ok"
    assert states["alarms"] in {"ok", "warn"}
    assert CANARY not in done.stdout + done.stderr


def test_the_doctor_finds_a_client_that_the_secret_does_not_name(
    environment: dict[str, str],
) -> None:
    done = run(environment | {"MANAGED_USERS_CLIENT_ID": "clxunknown"}, "doctor", "--json")

    told = {result["check"]: result["told"] for result in json.loads(done.stdout)}
    assert done.returncode == 1
    assert told["secret"] == "it does not name this client"


def test_somebody_who_is_gone_is_erased_and_nobody_else(
    environment: dict[str, str], origin: OriginDouble
) -> None:
    user_id = str(origin.create(CLIENT)["id"])
    generation = json.loads(run(environment, "refresh", "--wait", "--json").stdout)["generation"]
    origin.delete(CLIENT, int(user_id))
    assert run(environment, "refresh", "--wait").returncode == 0
    was = run(environment, "get", user_id, "--as-of", str(generation), "--json")

    done = run(environment, "erase", user_id, "--yes", "--json")
    there = run(environment, "erase", str(origin.users(CLIENT)[0]["id"]), "--yes")

    assert json.loads(was.stdout)["user"]["id"] == int(user_id)
    assert json.loads(done.stdout) == {"generations": 1, "pages": 1}
    assert (there.returncode, "newest generation" in there.stderr) == (1, True)


def test_changes_are_announced_again(environment: dict[str, str]) -> None:
    assert run(environment, "refresh", "--wait").returncode == 0

    done = run(environment, "replay", "--from", "0", "--json")
    impossible = run(environment, "replay", "--from", "99999")

    assert json.loads(done.stdout)["events"] >= 1
    assert impossible.returncode == 1
    assert "announced" in impossible.stderr
