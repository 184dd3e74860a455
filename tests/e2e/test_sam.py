"""SAM CLI's own commands work with this template, its environments and its events."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.deploy.lambda_runtime import Json, LambdaRuntime, copy_runtime_packages, environment_of
from dev.deploy.local_aws import HOST_OF_CONTAINERS, LocalAws
from dev.local.settings import API_HANDLER, CHANGES_HANDLER, REFRESH_HANDLER, LocalSettings
from dev.template.literals import function_environment

pytestmark = pytest.mark.e2e
HANDLERS = {
    "ApiFunction": API_HANDLER,
    "RefreshFunction": REFRESH_HANDLER,
    "ChangesFunction": CHANGES_HANDLER,
}
_SECONDS = 120


def _sam(*arguments: str, environment: Mapping[str, str]) -> str:
    """Return what ``sam`` prints about a run that must succeed."""
    done = subprocess.run(  # noqa: S603 - the command is SAM CLI.
        [os.environ["SAM"], *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _event(name: str) -> Json:
    return json.loads(Path(ROOT, "events", f"{name}.json").read_text(encoding="utf-8"))


def test_the_template_is_valid_without_an_account() -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    region = {"AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0"}

    told = _sam("validate", "--lint", environment=own | region)

    assert "is a valid SAM Template" in told


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("staging", {"LogRetentionDays": "7", "PointInTimeRecovery": "false"}),
        ("prod", {"LogRetentionDays": "90", "RefreshConcurrency": "10"}),
    ],
)
def test_an_environment_of_samconfig_becomes_a_change_set_of_its_own_stack(
    deployment: Deployment, built: Path, name: str, expected: dict[str, str]
) -> None:
    settings = ("--config-file", str(ROOT / "samconfig.toml"), "--config-env", name)
    template = ("--template-file", str(built / "template.yaml"))
    unattended = ("--no-confirm-changeset", "--no-execute-changeset", "--no-progressbar")
    formation: Any = deployment.aws.client("cloudformation")
    stack = f"managed-users-{name}"

    _sam("deploy", *template, *settings, *unattended, environment=deployment.environment)

    (listed,) = formation.list_change_sets(StackName=stack)["Summaries"]
    made = formation.describe_change_set(StackName=stack, ChangeSetName=listed["ChangeSetName"])
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in made["Parameters"]}
    assert parameters.items() >= expected.items()


def test_a_deployed_function_is_invoked_and_its_log_read(deployment: Deployment) -> None:
    stack = ("--stack-name", "managed-users")
    event = ("--event-file", "events/cache-status.json")

    told = _sam(
        "remote", "invoke", "ApiFunction", *stack, *event, environment=deployment.environment
    )
    logged = _sam("logs", "-n", "ApiFunction", *stack, environment=deployment.environment)

    assert '"statusCode": 200' in told
    assert '"message": "request"' in logged


@pytest.fixture(scope="module")
def local_aws(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Return what `make local-aws` starts."""
    directory = tmp_path_factory.mktemp("sam-local")
    with LocalAws(LocalSettings(), built=built, directory=directory) as running:
        yield running


def _variables(local_aws: LocalAws) -> dict[str, str]:
    written = json.loads(local_aws.variables.read_text(encoding="utf-8"))
    variables: dict[str, str] = written["Parameters"]
    return variables


def test_sam_local_is_told_addresses_that_are_valid_in_a_container(local_aws: LocalAws) -> None:
    variables = _variables(local_aws)

    addresses = {name: value for name, value in variables.items() if value.startswith("http")}

    assert addresses.keys() == {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "CAL_API_URL"}
    assert all(value.startswith(f"http://{HOST_OF_CONTAINERS}:") for value in addresses.values())


def test_the_template_of_sam_local_declares_every_variable_and_finds_the_code(
    local_aws: LocalAws,
) -> None:
    # sam local ignores variables that a template does not declare.
    template = yaml.safe_load(local_aws.template.read_text(encoding="utf-8"))

    declared = template["Globals"]["Function"]["Environment"]["Variables"].keys()
    functions = {name: template["Resources"][name]["Properties"] for name in HANDLERS}

    assert _variables(local_aws).keys() <= declared
    assert {name: function["Handler"] for name, function in functions.items()} == HANDLERS
    assert all(Path(function["CodeUri"], "handlers").is_dir() for function in functions.values())


@pytest.fixture(scope="module")
def runtimes(
    local_aws: LocalAws, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LambdaRuntime]]:
    """Return each function with the variables that `sam local` would set, but no container."""
    packages = tmp_path_factory.mktemp("runtime")
    copy_runtime_packages(packages)
    here = {
        name: value.replace(HOST_OF_CONTAINERS, "127.0.0.1")
        for name, value in _variables(local_aws).items()
    }
    with ExitStack() as running:
        started = {}
        for name, handler in HANDLERS.items():
            artifact = (built / name).resolve()
            variables = function_environment(handler) | here
            variables["PYTHONPATH"] = f"{artifact}:{packages}"
            configuration = {
                "FunctionName": name,
                "MemorySize": 512,
                "Timeout": 60,
                "Environment": {"Variables": variables},
            }
            runtime = LambdaRuntime(
                sam=Path(os.environ["SAM"]),
                artifact=artifact,
                handler=handler,
                environment=environment_of(configuration),
            )
            started[name] = running.enter_context(runtime)
        yield started


def test_the_variables_of_sam_local_are_all_that_the_functions_need(
    runtimes: dict[str, LambdaRuntime],
) -> None:
    listed = runtimes["ApiFunction"].invoke(_event("list-users"))
    swept = runtimes["RefreshFunction"].invoke(_event("schedule"))
    replayed = runtimes["ChangesFunction"].invoke(_event("replay"))

    assert (listed["statusCode"], len(json.loads(listed["body"])["data"])) == (200, 10)
    assert (swept["clients"], swept.get("failed", [])) == (1, [])
    assert replayed["events"] > 0
