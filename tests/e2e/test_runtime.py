"""Each function under the real Lambda runtime, for every event in events/."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from dev import ROOT
from dev.deploy.deployment import ARCHITECTURE, Deployment
from dev.deploy.lambda_runtime import Json, LambdaRuntime, copy_runtime_packages, environment_of
from dev.local.settings import DELIVERIES_HANDLER
from tests.e2e.conftest import CLIENT
from tests.http_api import Received

pytestmark = pytest.mark.e2e
HANDLERS = {"DeliveriesFunction": DELIVERIES_HANDLER}
# Nobody listens there, and there is no secret.
WEBHOOK = {
    "WEBHOOK_URL": "http://127.0.0.1:1/",
    "SIGNING_SECRET_ID": "none",
    "DELIVERIES_QUEUE_URL": "http://127.0.0.1/000000000000/none",
    "DEAD_LETTERS_URL": "http://127.0.0.1/000000000000/none",
}
type Check = Callable[[Json], bool]


@pytest.fixture(scope="module")
def runtimes(
    deployment: Deployment, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LambdaRuntime]]:
    """Return one running environment of each deployed function, by the function's logical id."""
    packages = tmp_path_factory.mktemp("runtime")
    copy_runtime_packages(packages)
    functions: Any = deployment.aws.client("lambda")
    with ExitStack() as running:
        started = {}
        for name in ("ApiFunction", "RefreshFunction", "ChangesFunction", "DeliveriesFunction"):
            # This stack has no webhook; its function gets what the changes function has, and more.
            there = "ChangesFunction" if name == "DeliveriesFunction" else name
            deployed = deployment.outputs[f"{there}Name"]
            configuration = functions.get_function_configuration(FunctionName=deployed)
            artifact = (built / name).resolve()
            environment = environment_of(configuration) | deployment.aws.environment | WEBHOOK
            environment["PYTHONPATH"] = f"{artifact}:{packages}"
            runtime = LambdaRuntime(
                sam=Path(os.environ["SAM"]),
                artifact=artifact,
                handler=HANDLERS.get(name, configuration["Handler"]),
                environment=environment,
            )
            started[name] = running.enter_context(runtime)
        yield started


def test_an_artifact_for_another_processor_says_so_in_the_log(
    deployment: Deployment, built: Path, tmp_path: Path
) -> None:
    functions: Any = deployment.aws.client("lambda")
    deployed = deployment.outputs["RefreshFunctionName"]
    configuration = functions.get_function_configuration(FunctionName=deployed)
    artifact, packages, log = tmp_path / "artifact", tmp_path / "runtime", tmp_path / "log"
    shutil.copytree(built / "RefreshFunction", artifact)
    other = "x86_64" if ARCHITECTURE == "arm64" else "arm64"
    (artifact / "architecture").write_text(f"{other}\n")
    copy_runtime_packages(packages)
    environment = environment_of(configuration) | {"PYTHONPATH": f"{artifact}:{packages}"}

    with (
        log.open("wb") as output,
        LambdaRuntime(
            sam=Path(os.environ["SAM"]),
            artifact=artifact,
            handler=configuration["Handler"],
            environment=environment,
            output=output.fileno(),
        ) as runtime,
        # How Lambda's emulator answers if a function does not get as far as to be invoked.
        pytest.raises(requests.HTTPError, match="502"),
    ):
        runtime.invoke({"action": "refresh-all"})

    told = f"[ERROR] RuntimeError: This artifact was built for {other}, and the function runs on "
    assert told in log.read_text(encoding="utf-8")


def _answers(status: int, *, rows: int | None = None) -> Check:
    def check(result: Json) -> bool:
        if rows is not None and len(Received(result).body["data"]) != rows:
            return False
        return bool(result["statusCode"] == status)

    return check


CASES: dict[str, tuple[str, Check]] = {
    "list-users": ("ApiFunction", _answers(200, rows=10)),
    "list-users-http-api": (
        "ApiFunction",
        lambda result: _answers(200, rows=10)(result) and result["isBase64Encoded"],
    ),
    "list-users-by-email": ("ApiFunction", _answers(200, rows=2)),
    "get-user": ("ApiFunction", _answers(200)),
    "head-users": ("ApiFunction", lambda result: _answers(200)(result) and not result["body"]),
    "cache-status": ("ApiFunction", _answers(200)),
    "look-users-up": ("ApiFunction", _answers(200, rows=2)),
    "cache-refresh": ("ApiFunction", _answers(200)),
    "list-changes": ("ApiFunction", _answers(200)),
    # Of a deployment whose client has no webhook secret.
    "webhook": ("ApiFunction", _answers(404)),
    "hints": ("RefreshFunction", lambda result: result["outcome"] == "done"),
    "erase": ("RefreshFunction", lambda result: result["outcome"] == "erased"),
    "list-events": ("ApiFunction", _answers(200)),
    "list-pages": ("ApiFunction", _answers(200)),
    "schedule": (
        "RefreshFunction",
        lambda result: (result["clients"], result["failed"]) == (2, []),
    ),
    "refresh-client": (
        "RefreshFunction",
        lambda result: (result["clientId"], result["outcome"]) == (CLIENT, "joined"),
    ),
    "refresh-with-lease": (
        "RefreshFunction",
        lambda result: result == {"clientId": CLIENT, "outcome": "superseded"},
    ),
    "generation-published": (
        "ChangesFunction",
        lambda result: result == {"batchItemFailures": []},
    ),
    "announce": ("ChangesFunction", lambda result: result["outcome"] == "announced"),
    "replay": ("ChangesFunction", lambda result: result["events"] > 0),
    "deliver": ("DeliveriesFunction", lambda result: len(result["batchItemFailures"]) == 1),
}


def test_there_is_a_case_for_every_event() -> None:
    assert {path.stem for path in Path(ROOT, "events").glob("*.json")} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_event_is_handled(runtimes: dict[str, LambdaRuntime], name: str) -> None:
    event = json.loads(Path(ROOT, "events", f"{name}.json").read_text(encoding="utf-8"))
    function, expected = CASES[name]

    result = runtimes[function].invoke(event)

    assert "errorType" not in result
    assert expected(result), result
