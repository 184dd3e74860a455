"""The examples of docs/how-to/call-it.md do what they say, run as a reader would run them."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.local.settings import DEMO_CLIENTS
from dev.local.stack import LocalStack
from tests.e2e import programs
from tests.e2e.calls import OWNER, Json
from tests.e2e.conftest import CLIENT
from tests.e2e.signatures import SignatureGate

pytestmark = pytest.mark.e2e
DOCUMENT = Path(ROOT, "docs/how-to/call-it.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^## ([^\n]+)$(.*?)^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _examples(*languages: str) -> dict[str, str]:
    return {
        heading: text
        for heading, _, language, text in _EXAMPLE.findall(DOCUMENT)
        if language in languages
    }


EXAMPLES = _examples("sh", "js", "py")


@pytest.fixture
def local(local_stack: LocalStack) -> dict[str, str]:
    """Return the variables that lead an example to the local run."""
    (client,) = DEMO_CLIENTS
    return {"API": local_stack.url, "CLIENT": client}


@pytest.fixture
def deployed(deployment: Deployment) -> Iterator[dict[str, str]]:
    """Return the variables that lead an example that signs to the deployment."""
    with SignatureGate(deployment, caller=OWNER) as gate:
        yield {
            "API": gate.url,
            "CLIENT": CLIENT,
            "AWS_REGION": deployment.aws.region,
            "AWS_ACCESS_KEY_ID": OWNER.access_key,
            "AWS_SECRET_ACCESS_KEY": OWNER.secret_key,
        }


def _shell(text: str, variables: Mapping[str, str], folder: Path) -> str:
    return programs.run("bash", "-euo", "pipefail", "-c", text, folder=folder, variables=variables)


def _node(text: str, variables: Mapping[str, str], folder: Path) -> list[str]:
    Path(folder, "example.mjs").write_text(text, encoding="utf-8")
    printed = programs.run("node", "example.mjs", folder=folder, variables=variables)
    return printed.splitlines()


def _objects(printed: str) -> list[Json]:
    """Return the JSON objects in ``printed``, whatever stands around them."""
    decoder, found, at = json.JSONDecoder(), [], printed.find("{")
    while at >= 0:
        value, end = decoder.raw_decode(printed, at)
        found.append(value)
        at = printed.find("{", end)
    return found


def test_every_example_is_run_here() -> None:
    assert EXAMPLES.keys() == {
        *("curl", "curl, a webhook", "curl, signed"),
        *("Python", "Node", "Node, signed"),
    }


def test_curl_lists_revalidates_and_looks_up(local: dict[str, str], tmp_path: Path) -> None:
    printed = _shell(EXAMPLES["curl"], local, tmp_path)

    listed, looked_up = _objects(printed)
    assert [user.keys() for user in listed["data"]] == [{"id", "timeZone"}] * 2
    assert {user["timeZone"] for user in listed["data"]} <= {"Europe/London", "Europe/Dublin"}
    assert re.findall(r"^\d{3}$", printed, re.MULTILINE) == ["200", "304"]
    # The file of the first answer is still there after the second, which had no body.
    assert len(json.loads(Path(tmp_path, "users.json").read_text(encoding="utf-8"))["data"]) == 120
    assert looked_up["notFound"] == [f"nobody+{local['CLIENT']}@example.com"]


def test_curl_sends_a_webhook(local: dict[str, str], tmp_path: Path) -> None:
    (answer,) = _objects(_shell(EXAMPLES["curl, a webhook"], local, tmp_path))

    assert answer["data"] == {"outcome": "accepted", "users": 1}


def test_curl_with_another_webhook_secret_is_refused(local: dict[str, str], tmp_path: Path) -> None:
    wrong = local | {"CAL_WEBHOOK_SECRET": "another"}

    with pytest.raises(AssertionError, match="403"):
        _shell(EXAMPLES["curl, a webhook"], wrong, tmp_path)


@pytest.mark.parametrize("session", [{}, {"AWS_SESSION_TOKEN": "a-token"}], ids=["user", "session"])
def test_curl_signs_for_a_deployment(
    deployed: dict[str, str], session: dict[str, str], tmp_path: Path
) -> None:
    printed = _shell(EXAMPLES["curl, signed"], deployed | session, tmp_path)

    listed, status, swept = _objects(printed)
    first, second = listed["data"]
    assert first.keys() == {"id", "name"}
    assert first["id"] > second["id"]
    assert status["data"]["users"] >= 120
    assert swept["data"]["generation"] >= status["data"]["generation"]


def test_curl_with_another_secret_stays_out(deployed: dict[str, str], tmp_path: Path) -> None:
    wrong = deployed | {"AWS_SECRET_ACCESS_KEY": "another"}

    with pytest.raises(AssertionError, match="403"):
        _shell(EXAMPLES["curl, signed"], wrong, tmp_path)


@pytest.mark.parametrize("where", ["local", "deployed"])
def test_python_lists_and_looks_up(
    request: pytest.FixtureRequest, where: str, tmp_path: Path
) -> None:
    variables = request.getfixturevalue(where)

    printed = programs.run(
        sys.executable, "-c", EXAMPLES["Python"], folder=tmp_path, variables=variables
    )

    *users, missing, rest = printed.splitlines()
    assert users
    assert {user.split()[1] for user in users} <= {"Europe/London", "Europe/Dublin"}
    assert "999999999" in missing
    assert rest == "120 ['nobody@example.com']"


def test_node_revalidates_and_walks_through_everybody(
    local: dict[str, str], tmp_path: Path
) -> None:
    first, second, everybody = _node(EXAMPLES["Node"], local, tmp_path)

    status, count, cache_status = first.split(" ", 2)
    assert (status, int(count) > 0) == ("200", True)
    assert cache_status.startswith("managed-users; ")
    assert second.startswith(f"304 {count} managed-users; hit; ttl=")
    assert everybody == "120"


def test_node_signs_for_a_deployment(deployed: dict[str, str], tmp_path: Path) -> None:
    programs.install("aws4fetch@1.0.20", folder=tmp_path)

    assert _node(EXAMPLES["Node, signed"], deployed, tmp_path) == ["200 2"]
