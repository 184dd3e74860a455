"""Change events: what wakes the function, where events go, and what becomes of failures."""

import json
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.table_stream import passes
from tests.template.stack import GIVEN_TABLE, Stack

STACK = Stack()
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
