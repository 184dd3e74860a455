"""Alarms: what they watch, and whom they tell."""

import re
from pathlib import Path

import pytest

from dev import ROOT
from tests.cloudwatch import in_alarm
from tests.template.stack import Stack

URL = "https://hooks.example.org/users"
STACK = Stack(WebhookUrl=URL)
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
OURS = {name: alarm for name, alarm in ALARMS.items() if alarm["Namespace"] == "ManagedUsersProxy"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def test_everything_that_goes_wrong_unseen_is_watched() -> None:
    watched = {
        (alarm["Namespace"], alarm["MetricName"], str(alarm["Dimensions"][0]["Value"]))
        for alarm in ALARMS.values()
    }
    ours = {metric for namespace, metric, _ in watched if namespace == "ManagedUsersProxy"}

    assert ours == {
        "LateClients",
        "LateAnnouncements",
        "RevalidationFailed",
        "RefreshFailed",
        "HandoverFailed",
        "SecretNotRenewed",
    }
    assert {each for each in watched if each[0] != "ManagedUsersProxy"} == {
        ("AWS/Lambda", "Errors", "{'Ref': 'ApiFunction'}"),
        ("AWS/Lambda", "Errors", "{'Ref': 'RefreshFunction'}"),
        ("AWS/Lambda", "Throttles", "{'Ref': 'RefreshFunction'}"),
        ("AWS/Lambda", "Errors", "{'Ref': 'ChangesFunction'}"),
        ("AWS/Lambda", "Errors", "{'Ref': 'DeliveriesFunction'}"),
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesNotVisible",
            "{'Fn::GetAtt': ['Deliveries', 'QueueName']}",
        ),
        ("AWS/ApiGateway", "5XXError", "{'Ref': 'AWS::StackName'}"),
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "{'Fn::GetAtt': ['DeadLetters', 'QueueName']}",
        ),
    }


def test_the_answers_of_an_http_api_are_watched_by_its_own_metric() -> None:
    rest = STACK.properties("Api5xxAlarm")
    http = Stack(ApiAccess="iam-http").properties("Api5xxAlarm")

    assert rest["MetricName"] == "5XXError"
    assert rest["Dimensions"] == [
        {"Name": "ApiName", "Value": {"Ref": "AWS::StackName"}},
        {"Name": "Stage", "Value": {"Ref": "Apiv2Stage"}},
    ]
    assert http == rest | {
        "MetricName": "5xx",
        "Dimensions": [
            {"Name": "ApiId", "Value": {"Ref": "HttpApi"}},
            {"Name": "Stage", "Value": {"Ref": "HttpApiStage"}},
        ],
    }


@pytest.mark.parametrize("name", OURS)
def test_an_alarm_of_ours_looks_where_the_functions_write(name: str) -> None:
    variables = STACK.properties("RefreshFunction")["Environment"]["Variables"]

    assert OURS[name]["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert OURS[name]["Dimensions"] == [
        {"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}
    ]


def test_what_is_late_is_older_than_readers_are_served_without_a_failure() -> None:
    parameters = STACK.parameters
    still_normal = int(parameters["FreshSeconds"]) + int(parameters["StaleWhileRevalidateSeconds"])

    assert int(parameters["AgeAlarmSeconds"]) > still_normal


def test_only_a_silent_schedule_is_an_alarm_an_api_without_callers_is_none() -> None:
    breaching = {name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"}

    assert breaching == {"LateClientsAlarm"}


def test_nothing_is_late_where_nothing_is_revalidated() -> None:
    frozen = Stack(FrozenMode="true", WebhookUrl=URL).of_type("AWS::CloudWatch::Alarm")

    assert ALARMS.keys() - frozen.keys() == {"LateClientsAlarm", "RevalidationFailedAlarm"}


@pytest.mark.parametrize("minutes", ["1 minute", "2 minutes", "60 minutes"])
def test_a_period_is_long_enough_for_a_run_of_the_schedule(minutes: str) -> None:
    stack = Stack(ScheduleExpression=f"rate({minutes})")
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    by_schedule = ("LateClientsAlarm", "LateAnnouncementsAlarm", "RevalidationFailedAlarm")

    for name in by_schedule:
        assert int(alarms[name]["Period"]) >= 60 * int(minutes.split(maxsplit=1)[0])
        assert int(alarms[name]["Period"]) * int(alarms[name]["EvaluationPeriods"]) <= 86_400


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_whoever_is_given(name: str) -> None:
    told = Stack(WebhookUrl=URL, AlarmTopicArn=TOPIC, AlarmEmail="on-call@example.org").properties(
        name
    )

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


PER_MINUTE = {
    # What AWS sends in the incident, and on a healthy day: nothing, or this.
    "ApiErrorsAlarm": ([1], []),
    "RefreshErrorsAlarm": ([1], [0]),
    "ChangesErrorsAlarm": ([1], []),
    "DeliveriesErrorsAlarm": ([1], []),
    "RefreshThrottlesAlarm": ([2], [0]),
    "Api5xxAlarm": ([0, 1, 0, 0, 1], [0] * 40 + [1]),
    "DeadLettersAlarm": ([1], [0]),
}


@pytest.mark.parametrize("name", PER_MINUTE)
def test_an_alarm_on_what_aws_measures_goes_off_in_its_incident_and_ends(name: str) -> None:
    assert PER_MINUTE.keys() == ALARMS.keys() - OURS.keys() - {"DeliveriesWaitingAlarm"}
    incident, healthy = PER_MINUTE[name]
    sent: dict[int, list[float]] = {minute: list(healthy) for minute in range(90)}
    sent |= {minute: list(incident) for minute in range(30, 40)}

    on = [minute for minute in range(15, 90) if in_alarm(ALARMS[name], sent, minute=minute)]

    assert on == list(range(on[0], on[-1] + 1))
    assert 30 <= on[0] <= 33
    assert 39 <= on[-1] <= 50


@pytest.mark.parametrize("name", [name for name in PER_MINUTE if name != "DeadLettersAlarm"])
def test_one_bad_minute_is_no_alarm(name: str) -> None:
    incident, _ = PER_MINUTE[name]

    assert not any(in_alarm(ALARMS[name], {30: incident}, minute=minute) for minute in range(60))


def test_events_that_wait_for_a_quarter_of_an_hour_are_an_alarm_until_they_are_delivered() -> None:
    alarm = ALARMS["DeliveriesWaitingAlarm"]
    # A receiver that is down for an hour, and whose last event comes again within another.
    sent = {minute: [3.0] for minute in range(30, 90)} | {
        minute: [0.0] for minute in range(90, 120)
    }

    on = [minute for minute in range(120) if in_alarm(alarm, sent, minute=minute)]

    assert on == list(range(44, 90))


def test_events_that_are_delivered_within_minutes_are_no_alarm() -> None:
    alarm = ALARMS["DeliveriesWaitingAlarm"]
    # Under way in every other minute; and a receiver that was down for ten.
    busy = {minute: [float(minute % 2)] for minute in range(60)}
    short = {minute: [5.0] for minute in range(20, 30)} | {30: [0.0]}

    assert not any(in_alarm(alarm, busy | short, minute=minute) for minute in range(60))
