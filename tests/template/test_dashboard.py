"""The dashboard: it shows metrics that there are, of this stack."""

import json
import re
from pathlib import Path

from tests.template.stack import GIVEN_TABLE, Stack

RUNBOOK = Path(__file__).resolve().parents[2] / "docs/runbook.md"
TEXT, NAMES = Stack().properties("Dashboard")["DashboardBody"]["Fn::Sub"]
BODY = json.loads(TEXT)
METRICS = [metric for each in BODY["widgets"] for metric in each["properties"]["metrics"]]


def test_every_metric_of_ours_is_documented_and_most_are_shown() -> None:
    documented = set(re.findall(r"`([A-Z][A-Za-z]+)`", RUNBOOK.read_text().split("## Metrics")[1]))
    shown = {name for namespace, name, *_ in METRICS if namespace == "ManagedUsersProxy"}

    stale_reasons = {name for name in shown if name.startswith("Stale")}
    assert shown - stale_reasons <= documented
    assert {"Hit", "AgeServed", "OriginCalls", "BudgetLeft", "Blocked", "Changes"} <= shown


def test_metrics_are_those_of_the_stack() -> None:
    for namespace, _, dimension, value, *_ in METRICS:
        if namespace == "ManagedUsersProxy":
            assert (dimension, value) == ("service", "${AWS::StackName}")
        assert value.startswith("${")


def test_a_given_table_is_shown_instead_of_an_own_one() -> None:
    stack = Stack(**GIVEN_TABLE)
    _, names = stack.properties("Dashboard")["DashboardBody"]["Fn::Sub"]

    assert NAMES["Table"] == {"Ref": "Table"}
    assert names == NAMES | {"Table": GIVEN_TABLE["TableName"]}


def test_an_http_api_is_shown_by_its_own_metrics_and_dimension() -> None:
    _, names = Stack(ApiAccess="iam-http").properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    (api,) = (
        each["properties"] for each in BODY["widgets"] if each["properties"]["title"] == "API"
    )

    assert [metric[:4] for metric in api["metrics"]] == [
        ["AWS/ApiGateway", metric, "${ApiDimension}", "${ApiName}"]
        for metric in ("Count", "${Api4xx}", "${Api5xx}", "Latency")
    ]
    assert names == NAMES | {
        "ApiDimension": "ApiId",
        "ApiName": {"Ref": "HttpApi"},
        "Api4xx": "4xx",
        "Api5xx": "5xx",
    }
    assert (NAMES["ApiDimension"], NAMES["ApiName"]) == ("ApiName", {"Ref": "AWS::StackName"})
    assert (NAMES["Api4xx"], NAMES["Api5xx"]) == ("4XXError", "5XXError")


def test_widgets_do_not_overlap() -> None:
    places = [(each["x"], each["y"]) for each in BODY["widgets"]]

    assert len(set(places)) == len(places)
    assert all(x + 8 <= 24 for x, _ in places)
