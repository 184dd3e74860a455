"""Change events: what wakes the function, where events go, and what becomes of failures."""

import json
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.table_stream import passes
from lib.events.event import PREFIX
from tests.template.stack import GIVEN_TABLE, Json, Stack

URL = "https://hooks.example.org/users"
STACK = Stack()
WEBHOOK = Stack(WebhookUrl=URL, WebhookKey="key")
(MAPPING,) = STACK.of_type("AWS::Lambda::EventSourceMapping").values()
FILTER = json.loads(MAPPING["FilterCriteria"]["Filters"][0]["Pattern"])
DEAD_LETTERS = {"Fn::GetAtt": ["DeadLetters", "Arn"]}


def test_the_table_s_stream_wakes_the_changes_function_from_its_beginning() -> None:
    assert MAPPING["FunctionName"] == {"Ref": "ChangesFunction"}
    assert MAPPING["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert MAPPING["StartingPosition"] == "TRIM_HORIZON"
    # More at a time would walk the same generations side by side and send everything twice.
    assert "ParallelizationFactor" not in MAPPING


def test_the_stream_of_a_given_table_wakes_it_instead() -> None:
    (mapping,) = Stack(**GIVEN_TABLE).of_type("AWS::Lambda::EventSourceMapping").values()

    assert mapping == MAPPING | {"EventSourceArn": GIVEN_TABLE["TableStreamArn"]}


@pytest.mark.parametrize(
    ("name", "sort_key", "wakes"),
    [
        ("INSERT", "gen#1", True),
        ("INSERT", "gen#12", True),
        ("MODIFY", "gen#1", False),
        ("REMOVE", "gen#1", False),
        ("INSERT", "head", False),
        ("INSERT", "page", False),
        ("INSERT", "index", False),
        ("INSERT", "lookup", False),
    ],
)
def test_only_a_new_manifest_wakes_it(name: str, sort_key: str, *, wakes: bool) -> None:
    record = {"eventName": name, "dynamodb": {"Keys": {"sk": {"S": sort_key}}}}

    assert len(MAPPING["FilterCriteria"]["Filters"]) == 1
    assert passes(FILTER, record) is wakes


def test_the_example_event_is_one_that_wakes_it() -> None:
    path = Path(ROOT, "events/generation-published.json")
    records = json.loads(path.read_text(encoding="utf-8"))["Records"]

    assert records
    assert all(passes(FILTER, record) for record in records)


def test_a_failing_record_is_retried_alone_within_bounds_and_then_kept() -> None:
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert MAPPING["BisectBatchOnFunctionError"] is True
    assert MAPPING["MaximumRetryAttempts"] == 10
    # A stream forgets its records after a day.
    assert 0 < MAPPING["MaximumRecordAgeInSeconds"] <= 24 * 3600
    assert MAPPING["DestinationConfig"] == {"OnFailure": {"Destination": DEAD_LETTERS}}


def test_events_go_to_a_bus_of_the_stack() -> None:
    variables = STACK.properties("ChangesFunction")["Environment"]["Variables"]

    assert variables["EVENT_BUS_NAME"] == {"Ref": "EventBus"}
    assert STACK.properties("EventBus")["Name"] == {"Ref": "AWS::StackName"}


def test_by_default_events_hold_no_values_and_stripe_s_id_is_hidden() -> None:
    variables = STACK.properties("ChangesFunction")["Environment"]["Variables"]
    asked = Stack(EventValues="true").properties("ChangesFunction")["Environment"]["Variables"]

    assert (variables["EVENT_VALUES"], asked["EVENT_VALUES"]) == ("false", "true")
    assert variables["HIDDEN_METADATA_KEYS"] == "stripeCustomerId"


def test_a_webhook_exists_only_where_asked_for() -> None:
    made = {name for name in WEBHOOK.resources if name not in STACK.resources}

    assert made == {
        "WebhookConnection",
        "WebhookDestination",
        "WebhookRole",
        "WebhookRule",
    }


def test_the_webhook_posts_to_the_given_url_with_the_given_key() -> None:
    destination = WEBHOOK.properties("WebhookDestination")
    connection = WEBHOOK.properties("WebhookConnection")

    assert (destination["HttpMethod"], destination["InvocationEndpoint"]) == ("POST", URL)
    assert destination["ConnectionArn"] == {"Fn::GetAtt": ["WebhookConnection", "Arn"]}
    assert connection["AuthorizationType"] == "API_KEY"
    assert connection["AuthParameters"] == {
        "ApiKeyAuthParameters": {"ApiKeyName": "X-Webhook-Key", "ApiKeyValue": "key"}
    }


def test_the_webhook_gets_this_service_s_events_as_they_are() -> None:
    rule = WEBHOOK.properties("WebhookRule")
    (target,) = rule["Targets"]

    assert rule["EventBusName"] == {"Ref": "EventBus"}
    assert rule["EventPattern"] == {"source": [PREFIX]}
    assert target["Arn"] == {"Fn::GetAtt": ["WebhookDestination", "Arn"]}
    assert target["RoleArn"] == {"Fn::GetAtt": ["WebhookRole", "Arn"]}
    assert target["InputPath"] == "$.detail"
    assert target["HttpParameters"] == {
        "HeaderParameters": {"Content-Type": "application/cloudevents+json"}
    }


def test_what_the_receiver_does_not_take_is_sent_for_as_long_as_it_may_be_and_then_kept() -> None:
    (target,) = WEBHOOK.properties("WebhookRule")["Targets"]

    # The most that EventBridge allows; with fewer attempts they would end before the day does.
    assert target["RetryPolicy"] == {
        "MaximumRetryAttempts": 185,
        "MaximumEventAgeInSeconds": 24 * 3600,
    }
    assert target["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}


def test_the_webhook_s_key_is_never_shown() -> None:
    assert STACK.template["Parameters"]["WebhookKey"]["NoEcho"] is True
    assert not [
        output for output in STACK.template["Outputs"].values() if "WebhookKey" in str(output)
    ]


def test_only_the_webhook_s_rule_may_add_to_the_dead_letters_by_the_queue_s_policy() -> None:
    policy = WEBHOOK.properties("DeadLettersPolicy")
    allowed = _allowing(WEBHOOK)

    assert policy["Queues"] == [{"Ref": "DeadLetters"}]
    assert allowed == [
        {
            "Sid": "Webhook",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": DEAD_LETTERS,
            "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["WebhookRule", "Arn"]}}},
        }
    ]
    assert _allowing(STACK) == []


def _allowing(stack: Stack) -> list[Json]:
    statements = stack.properties("DeadLettersPolicy")["PolicyDocument"]["Statement"]
    return [statement for statement in statements if statement["Effect"] == "Allow"]


def test_a_queue_has_one_policy_since_a_second_would_write_over_it() -> None:
    assert WEBHOOK.of_type("AWS::SQS::QueuePolicy").keys() == {"DeadLettersPolicy"}
