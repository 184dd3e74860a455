"""SAM CLI's own commands work with this template, its environments and its events."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.deploy.lambda_runtime import Json, LambdaRuntime, copy_runtime_packages
from dev.deploy.local_aws import DIRECTORY, HOST_OF_CONTAINERS, LOOPBACK, address_of
from dev.local.settings import API_HANDLER, CHANGES_HANDLER, REFRESH_HANDLER

pytestmark = pytest.mark.e2e
HANDLERS = {
    "ApiFunction": API_HANDLER,
    "RefreshFunction": REFRESH_HANDLER,
    "ChangesFunction": CHANGES_HANDLER,
}
# What a machine has on which nothing of AWS is configured.
BARE = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "SAM_CLI_TELEMETRY": "0",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
}
# Run by SAM CLI's own Python: what it would set in the containers of a template's functions.
_VARIABLES = """
import json, sys
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
template, values, *functions = sys.argv[1:]
stacks, _ = SamLocalStackProvider.get_stacks(template)
provider = SamFunctionProvider(stacks)
runner = LocalLambdaRunner(None, provider, ".", ".", env_vars_values=json.load(open(values)))
told = {name: runner._make_env_vars(provider.get(name)).resolve() for name in functions}
json.dump(told, sys.stdout)
"""
_SECONDS = 120


def _documented(heading: str) -> list[list[str]]:
    """Return the commands below a heading of docs/sam.md, one list for each block."""
    text = Path(ROOT, "docs/sam.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.DOTALL | re.MULTILINE)
    return [[line.partition("  #")[0].strip() for line in block.splitlines()] for block in blocks]


def _run_sam(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the command is SAM CLI.
        [os.environ["SAM"], *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _sam(*arguments: str, environment: Mapping[str, str]) -> str:
    """Return what ``sam`` prints about a run that must succeed."""
    done = _run_sam(*arguments, environment=environment)
    assert done.returncode == 0, done.stdout
    return done.stdout


def _event(name: str) -> Json:
    return json.loads(Path(ROOT, "events", f"{name}.json").read_text(encoding="utf-8"))


def test_the_template_is_valid_without_an_account() -> None:
    command = _documented("Build and check")[0][0]
    sam, *arguments = shlex.split(command)

    told = _sam(*arguments, environment=BARE)

    assert sam == "sam"
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


def test_a_deployed_function_is_invoked_and_its_log_read_as_documented(
    deployment: Deployment,
) -> None:
    export, invoke = _documented("Deploy to this machine")[1]
    exported = dict(pair.split("=", 1) for pair in export.removeprefix("export ").split())
    exported["AWS_ENDPOINT_URL"] = deployment.aws.endpoint
    stack = ("--stack-name", "managed-users")

    told = _sam(*shlex.split(invoke)[1:], environment=BARE | exported)
    logged = _sam("logs", "-n", "ApiFunction", *stack, environment=BARE | exported)

    assert '"statusCode": 200' in told
    assert '"message": "request"' in logged


@pytest.fixture(scope="module")
def printed(built: Path) -> Iterator[list[str]]:
    """Return what `make local-aws` prints, while it runs; its build is there already."""
    environment = BARE | {"BUILT": str(built), "BIND": LOOPBACK}
    command = [sys.executable, "-m", "dev.deploy.local_aws"]
    with subprocess.Popen(  # noqa: S603 - a module of this repository.
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line.strip())
            if line.startswith("ready "):
                break
        yield lines
        process.terminate()


def test_two_commands_are_enough_and_the_first_prints_the_second(printed: list[str]) -> None:
    first, *others = _documented("Run the functions in Lambda's image")

    assert printed[-1].startswith("ready ")
    assert first == ["make local-aws"]
    assert [line for line in printed if line.startswith("sam ")] == others[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere containers reach loopback")
def test_the_bridge_of_an_engine_is_found_by_its_name() -> None:
    assert address_of("lo") == LOOPBACK
    assert address_of("no-such-bridge") is None


@pytest.mark.parametrize("command", _documented("Run the functions in Lambda's image")[1])
@pytest.mark.usefixtures("printed")
def test_sam_local_takes_what_is_documented_as_far_as_its_container_engine(command: str) -> None:
    done = _run_sam(*shlex.split(command)[1:], environment=BARE)

    assert "Running AWS SAM projects locally requires a container runtime" in done.stdout


@pytest.fixture(scope="module")
def variables(printed: list[str]) -> dict[str, dict[str, str]]:
    """Return the variables of each function's container, as SAM CLI itself puts them together."""
    assert printed
    files = [str(DIRECTORY / name) for name in ("template.yaml", "env.json")]
    done = subprocess.run(  # noqa: S603 - SAM CLI's Python.
        [Path(os.environ["SAM"]).with_name("python"), "-c", _VARIABLES, *files, *HANDLERS],
        cwd=ROOT,
        env=BARE,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_SECONDS,
    )
    told: dict[str, dict[str, str]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("function", HANDLERS)
def test_a_container_is_told_addresses_that_are_valid_in_it(
    variables: dict[str, dict[str, str]], function: str
) -> None:
    told = variables[function]

    addresses = {name: value for name, value in told.items() if value.startswith("http")}

    assert addresses.keys() == {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "CAL_API_URL"}
    assert all(value.startswith(f"http://{HOST_OF_CONTAINERS}:") for value in addresses.values())
    assert (told["AWS_REGION"], told["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SESSION_TOKEN"]) == ("local", "")


@pytest.mark.usefixtures("printed")
def test_the_template_of_sam_local_finds_the_code() -> None:
    template = yaml.safe_load(Path(DIRECTORY, "template.yaml").read_text(encoding="utf-8"))

    functions = {name: template["Resources"][name]["Properties"] for name in HANDLERS}

    assert {name: function["Handler"] for name, function in functions.items()} == HANDLERS
    assert all(Path(function["CodeUri"], "handlers").is_dir() for function in functions.values())


@pytest.fixture(scope="module")
def runtimes(
    variables: dict[str, dict[str, str]], built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LambdaRuntime]]:
    """Return each function with the variables that its container would have, and no container."""
    packages = tmp_path_factory.mktemp("runtime")
    copy_runtime_packages(packages)
    with ExitStack() as running:
        started = {}
        for name, handler in HANDLERS.items():
            artifact = (built / name).resolve()
            here = {
                variable: value.replace(HOST_OF_CONTAINERS, LOOPBACK)
                for variable, value in variables[name].items()
            }
            runtime = LambdaRuntime(
                sam=Path(os.environ["SAM"]),
                artifact=artifact,
                handler=handler,
                environment=here | {"PATH": os.defpath, "PYTHONPATH": f"{artifact}:{packages}"},
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
