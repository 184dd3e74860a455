"""The functions: environment, limits, asynchronous invocation, schedule."""

import json
import re
from pathlib import Path

import pytest

from dev import ROOT
from dev.template.translation import source
from lib.deliveries.receiver import ANSWER_SECONDS
from lib.directory.head import LEASE_SECONDS
from lib.revalidation.schedule import Schedule
from lib.settings import OF_DELIVERIES, OF_REFRESH, VARIABLES, Settings
from tests.template.stack import Stack

URL = "https://hooks.example.org/users"
STACK = Stack(WebhookUrl=URL)
FUNCTIONS = STACK.of_type("AWS::Lambda::Function")
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def test_there_is_one_function_for_each_handler() -> None:
    declared = {function["Handler"] for function in FUNCTIONS.values()}
    modules = {
        path.stem
        for path in Path(ROOT, "src/handlers").glob("*.py")
        if re.search(r"^(def )?handler\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert declared == {f"handlers.{module}.handler" for module in modules}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_is_what_settings_read(name: str) -> None:
    variables = FUNCTIONS[name]["Environment"]["Variables"]
    # Lambda tells the refresh function its own name, and the changes function invokes nobody.
    told = set() if name == "ApiFunction" else {"REFRESH_FUNCTION_NAME"}

    of_its_own = {
        "RefreshFunction": OF_REFRESH,
        "DeliveriesFunction": OF_DELIVERIES,
    }
    expected = VARIABLES | POWERTOOLS | of_its_own.get(name, frozenset())
    assert variables.keys() == expected - told


def test_settings_accept_the_defaults_of_the_template() -> None:
    variables = Stack().properties("ApiFunction")["Environment"]["Variables"]
    plain = {name: str(value) for name, value in variables.items()}

    settings = Settings.from_env(plain)

    assert settings.policy.max_age == 120
    assert settings.schedule == Schedule(every=60, idle=600, tolerance=900)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_metrics_of_two_stacks_do_not_mix(name: str) -> None:
    variables = FUNCTIONS[name]["Environment"]["Variables"]

    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "ManagedUsersProxy"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_the_project_s_python_on_arm_by_default(name: str) -> None:
    version = Path(ROOT, ".python-version").read_text(encoding="utf-8").strip()

    assert FUNCTIONS[name]["Runtime"] == f"python{version}"
    assert FUNCTIONS[name]["Architectures"] == ["arm64"]
    assert Stack(WebhookUrl=URL, Architecture="x86_64").properties(name)["Architectures"] == [
        "x86_64"
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_traced_by_lambda_only_where_asked_for(name: str) -> None:
    assert FUNCTIONS[name]["TracingConfig"] == {"Mode": "PassThrough"}
    assert Stack(WebhookUrl=URL, Tracing="true").properties(name)["TracingConfig"] == {
        "Mode": "Active"
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_where_retention_is_set(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]

    assert STACK.properties(group)["RetentionInDays"] == "30"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lambda_filters_nothing_that_a_function_prints(name: str) -> None:
    # docs/adr/0019: a higher level would drop the metrics, which are lines of level INFO.
    as_json = Stack(WebhookUrl=URL, LogFormat="JSON").properties(name)["LoggingConfig"]

    assert FUNCTIONS[name]["LoggingConfig"].keys() == {"LogGroup", "LogFormat"}
    assert FUNCTIONS[name]["LoggingConfig"]["LogFormat"] == "Text"
    assert (as_json["LogFormat"], as_json["ApplicationLogLevel"]) == ("JSON", "INFO")
    assert as_json["SystemLogLevel"] == "WARN"


def test_a_lease_ends_before_its_holder_can_be_killed() -> None:
    timeouts = {name: function["Timeout"] for name, function in FUNCTIONS.items()}

    assert timeouts.pop("DeliveriesFunction") > ANSWER_SECONDS
    assert timeouts == {"ApiFunction": 29, "RefreshFunction": 60, "ChangesFunction": 60}
    assert min(timeouts.values()) > LEASE_SECONDS


def test_nobody_is_idle_where_a_webhook_listens_to_all() -> None:
    for function in FUNCTIONS.values():
        assert function["Environment"]["Variables"]["IDLE_REVALIDATION_SECONDS"] == "0"


def test_whoever_reads_after_any_silence_is_answered_at_once() -> None:
    variables = Stack().properties("ApiFunction")["Environment"]["Variables"]
    settings = Settings.from_env({name: str(value) for name, value in variables.items()})
    policy, schedule = settings.policy, settings.schedule

    # A sweep takes less than a run's period to begin and to end.
    assert schedule.idle + schedule.every < policy.max_age + policy.stale_while_revalidate


def test_a_failed_asynchronous_invocation_is_kept_and_not_repeated() -> None:
    configurations = STACK.of_type("AWS::Lambda::EventInvokeConfig").values()

    invoked = sorted(each["FunctionName"]["Ref"] for each in configurations)
    assert invoked == ["ChangesFunction", "RefreshFunction"]
    for configuration in configurations:
        assert configuration["MaximumRetryAttempts"] == 0
        assert configuration["MaximumEventAgeInSeconds"] == 60
        assert configuration["DestinationConfig"] == {
            "OnFailure": {"Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
        }


def test_the_refresh_function_knows_the_changes_function() -> None:
    variables = FUNCTIONS["RefreshFunction"]["Environment"]["Variables"]

    assert variables["CHANGES_FUNCTION_NAME"] == {"Ref": "ChangesFunction"}


def test_concurrency_is_reserved_only_where_asked_for() -> None:
    reserved = Stack(RefreshConcurrency="5").properties("RefreshFunction")

    assert "ReservedConcurrentExecutions" not in FUNCTIONS["RefreshFunction"]
    assert reserved["ReservedConcurrentExecutions"] == "5"
    assert "ReservedConcurrentExecutions" not in FUNCTIONS["ApiFunction"]


def test_functions_join_a_vpc_only_where_asked_for() -> None:
    inside = Stack(WebhookUrl=URL, SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")

    for name, function in FUNCTIONS.items():
        assert "VpcConfig" not in function
        assert inside.properties(name)["VpcConfig"] == {
            "SubnetIds": ["subnet-1", "subnet-2"],
            "SecurityGroupIds": ["sg-1"],
        }


def test_the_schedule_revalidates_all_clients_every_minute() -> None:
    schedule = STACK.properties("Schedule")
    target = schedule["Target"]

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert target["Arn"] == {"Fn::GetAtt": ["RefreshFunction", "Arn"]}
    assert json.loads(target["Input"]) == {"action": "refresh-all"}
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}


def test_the_api_function_is_told_which_function_revalidates() -> None:
    variables = FUNCTIONS["ApiFunction"]["Environment"]["Variables"]

    assert variables["REFRESH_FUNCTION_NAME"] == {"Ref": "RefreshFunction"}


def test_the_makefile_builds_every_function() -> None:
    functions = {
        name: body["Metadata"]
        for name, body in source()["Resources"].items()
        if body["Type"] == "AWS::Serverless::Function"
    }
    makefile = Path(ROOT, "Makefile").read_text(encoding="utf-8")

    for name, metadata in functions.items():
        assert metadata["BuildMethod"] == "makefile"
        assert f"build-{name}" in makefile
