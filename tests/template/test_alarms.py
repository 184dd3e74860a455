"""Alarms: what they watch, and whom they tell."""

import re
from pathlib import Path

import pytest

from dev import ROOT
from tests.template.stack import Stack

STACK = Stack()
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def test_errors_old_answers_late_changes_and_lost_invocations_are_watched() -> None:
    watched = {
        (alarm["Namespace"], alarm["MetricName"], str(alarm["Dimensions"][0]["Value"]))
        for alarm in ALARMS.values()
    }

    assert watched == {
        ("AWS/Lambda", "Errors", "{'Ref': 'ApiFunction'}"),
        ("AWS/Lambda", "Errors", "{'Ref': 'RefreshFunction'}"),
        ("AWS/Lambda", "Throttles", "{'Ref': 'RefreshFunction'}"),
        ("AWS/Lambda", "Errors", "{'Ref': 'ChangesFunction'}"),
        ("AWS/Lambda", "IteratorAge", "{'Ref': 'ChangesFunction'}"),
        ("AWS/ApiGateway", "5XXError", "{'Ref': 'AWS::StackName'}"),
        ("ManagedUsersProxy", "AgeServed", "{'Ref': 'AWS::StackName'}"),
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "{'Fn::GetAtt': ['DeadLetters', 'QueueName']}",
        ),
    }


def test_the_age_alarm_looks_where_the_functions_write() -> None:
    alarm = STACK.properties("AgeServedAlarm")
    variables = STACK.properties("ApiFunction")["Environment"]["Variables"]

    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [
        {"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}
    ]


def test_the_age_alarm_waits_until_revalidation_must_have_failed() -> None:
    parameters = STACK.parameters
    still_normal = int(parameters["FreshSeconds"]) + int(parameters["StaleWhileRevalidateSeconds"])

    assert int(parameters["AgeAlarmSeconds"]) > still_normal
    assert STACK.properties("AgeServedAlarm")["Threshold"] == parameters["AgeAlarmSeconds"]


def test_the_changes_alarm_goes_off_long_before_a_record_is_given_up() -> None:
    alarm = STACK.properties("ChangesAgeAlarm")
    (mapping,) = STACK.of_type("AWS::Lambda::EventSourceMapping").values()
    noticed_after = alarm["Threshold"] // 1000 + alarm["EvaluationPeriods"] * alarm["Period"]

    # IteratorAge is in milliseconds.
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 600_000)
    assert noticed_after * 10 < mapping["MaximumRecordAgeInSeconds"]


def test_an_api_without_callers_is_not_an_alarm() -> None:
    assert {alarm["TreatMissingData"] for alarm in ALARMS.values()} == {"notBreaching"}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_whoever_is_given(name: str) -> None:
    told = Stack(AlarmTopicArn=TOPIC, AlarmEmail="on-call@example.org").properties(name)

    assert ALARMS[name]["AlarmActions"] == []
    assert told["AlarmActions"] == told["OKActions"] == [TOPIC, {"Ref": "AlarmTopic"}]


def test_an_address_gets_a_topic_of_its_own() -> None:
    topic = Stack(AlarmEmail="on-call@example.org").properties("AlarmTopic")

    assert "AlarmTopic" not in STACK.resources
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "on-call@example.org"}]


def test_a_deployment_is_taken_back_for_crashes_of_every_function_and_nothing_else() -> None:
    text = Path(ROOT, "docs/sam.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"contains\(\[(.+?)\], LogicalResourceId\)", text)
    triggers = re.findall(r"'(\w+)'", listed)
    minutes = int(re.findall(r"MonitoringTimeInMinutes\\*\": ([1-9]\d*)", text)[0])

    watched = [ALARMS[name] for name in triggers]
    # The origin's failing crashes nothing, but makes 5xx and old answers.
    assert {alarm["MetricName"] for alarm in watched} == {"Errors"}
    functions = [alarm["Dimensions"][0]["Value"]["Ref"] for alarm in watched]
    assert sorted(functions) == sorted(STACK.of_type("AWS::Lambda::Function"))
    assert all(alarm["Period"] * alarm["DatapointsToAlarm"] < minutes * 60 for alarm in watched)
