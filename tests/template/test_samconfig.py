"""samconfig.toml: each environment is a stack of its own, with parameters the template knows."""

import tomllib
from pathlib import Path

import pytest

from dev import ROOT
from dev.deploy.local_aws import DIRECTORY, HOST_OF_CONTAINERS
from tests.template.stack import Json, Stack

CONFIG: Json = tomllib.loads(Path(ROOT, "samconfig.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = [name for name in CONFIG if name != "version"]


def test_each_environment_is_a_stack_of_its_own() -> None:
    stacks = [CONFIG[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]

    assert ENVIRONMENTS == ["default", "staging", "prod"]
    assert len(set(stacks)) == len(stacks)


@pytest.mark.parametrize("command", ["local_invoke", "local_start_api", "local_start_lambda"])
def test_sam_local_runs_what_make_local_aws_writes(command: str) -> None:
    options = CONFIG["default"][command]["parameters"]

    assert Path(ROOT, options["template_file"]) == DIRECTORY / "template.yaml"
    assert Path(ROOT, options["env_vars"]) == DIRECTORY / "env.json"
    assert options["add_host"] == [f"{HOST_OF_CONTAINERS}:host-gateway"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_sets_only_parameters_that_the_template_has(environment: str) -> None:
    deploy = CONFIG[environment]["deploy"]["parameters"]
    overrides = dict(text.split("=", 1) for text in deploy.get("parameter_overrides", []))

    stack = Stack(**overrides)

    assert stack.parameters.items() >= overrides.items()
    assert deploy["capabilities"] == ["CAPABILITY_IAM"]
