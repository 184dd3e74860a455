"""The page about benchmarks says what the kept runs found, and the runs found all that is promised.

Nothing is measured here.
"""

import json
import re

import pytest

from bench import cost, machine, report, results
from bench.meter import item_bytes
from bench.results import BOUNDS, RESULTS, Found, Row, rows_of
from dev import ROOT
from tests.template.stack import Stack

PAGE = report.FILE.read_text(encoding="utf-8")
RUNS = results.load()
_BEFORE_INTERVALS = ("name", "value", "unit", "peer", "ratio")


def test_the_page_is_what_the_runs_and_the_template_make_of_it() -> None:
    assert report.page(RUNS) == PAGE, "write it anew: make bench BENCH_OPTIONS=--report"


def test_a_promise_without_a_figure_in_any_run_says_so() -> None:
    measured = {name for run in RUNS for name in rows_of(run)}
    unmeasured = re.findall(r"^\| `(\w+)` \| ≤ \S+ \| not measured yet", PAGE, re.MULTILINE)

    assert unmeasured == [name for name in BOUNDS if name not in measured]


def test_the_results_are_those_of_the_newest_run() -> None:
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))

    assert rows == RUNS[-1]["rows"]
    assert {*map(tuple, rows)} <= {tuple(Row.__dataclass_fields__), _BEFORE_INTERVALS}


def test_a_ratio_is_value_to_peer_and_absolute_figures_have_none() -> None:
    rows = rows_of(RUNS[-1]).values()

    assert [row for row in rows if (row.peer is None) != (row.ratio is None)] == []
    for row in rows:
        if row.low is not None and row.high is not None:
            assert row.low <= row.told <= row.high
        elif row.peer is not None:
            assert row.ratio == pytest.approx(row.value / row.peer, rel=0.01)


def test_what_is_missed_is_explained_and_nothing_else() -> None:
    promises = PAGE.split("## How it is measured")[0]

    assert re.findall(r"^- `(\w+)`: ", promises, re.MULTILINE) == report.missed(RUNS)


def test_every_plot_of_the_page_is_there() -> None:
    plots = re.findall(r"\]\((benchmarks/\w+\.svg)\)", PAGE)

    assert len(plots) == 4
    assert all((ROOT / "docs" / plot).stat().st_size > 1_000 for plot in plots)


def test_a_missed_promise_is_marked() -> None:
    run = RUNS[-1]
    slow = Row("cold_vs_floor", 200, "ms", 100, 2.0)
    rows = [row for row in run["rows"] if row["name"] != slow.name]
    slower = {
        **run,
        "rows": [*rows, {name: getattr(slow, name) for name in Row.__dataclass_fields__}],
    }

    assert "cold_vs_floor" in report.missed([slower])
    assert re.search(r"`cold_vs_floor` \| ≤ 0\.75 \| 2 \*\*missed\*\*", report.page([slower]))


def test_a_run_keeps_four_digits_and_the_quartiles() -> None:
    found = Found()

    median = found.sample("some_ms", [4, 1, 3, 2, 5])
    found.compare("some_vs_other", 1.23456, 2.0, "ms")

    assert median == 3
    assert found.spreads["some_ms"] == [1, 1.5, 3, 4.5, 5]
    assert found.rows["some_vs_other"] == Row("some_vs_other", 1.235, "ms", 2.0, 0.6173)


def test_a_ratio_of_pairs_is_the_median_of_theirs_and_a_promise_is_held_to_its_upper_end() -> None:
    found = Found()

    found.pair("some_vs_other", [1, 2, 3, 4, 50], [1, 1, 1, 1, 10], "ms")

    row = found.rows["some_vs_other"]
    assert (row.value, row.peer, row.ratio) == (3, 1, 3)
    assert (row.low, row.high, row.upper) == (1, 5, 5)


def test_a_busy_machine_is_told_from_a_quiet_one() -> None:
    busy = machine.judge(load=3.4, stolen=0.11, waited=1.7)

    assert machine.judge(load=0.2, stolen=0.01, waited=1.02) == []
    assert busy == [
        "load average of 3.40 a core",
        "11% of the time stolen by the host",
        "a loop takes 1.70 times its processor time",
    ]


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "é"}}, 4),
        ({"n": {"N": "12345"}}, 5),
        ({"b": {"B": b"123"}}, 4),
        ({"flag": {"BOOL": True}}, 5),
        ({"ids": {"NS": ["1", "22"]}}, 8),
        ({"list": {"L": [{"S": "ab"}]}}, 10),
        ({"map": {"M": {"k": {"S": "v"}}}}, 9),
        ({}, 0),
    ],
)
def test_an_items_size_counts_names_and_values_by_type(
    item: dict[str, dict[str, object]], size: int
) -> None:
    assert item_bytes(item) == size


def test_api_gateway_is_cheaper_beyond_the_first_tier() -> None:
    within = cost.gateway(333e6)
    beyond = cost.gateway(334e6) - within

    assert within == pytest.approx(1_165.50)
    assert beyond == pytest.approx(2.80)


def test_an_http_api_costs_two_sevenths_and_less_beyond_its_first_tier() -> None:
    within = cost.gateway(300e6, cost.HTTP_API_TIERS)
    beyond = cost.gateway(301e6, cost.HTTP_API_TIERS) - within

    assert within == pytest.approx(300)
    assert within == pytest.approx(cost.gateway(300e6) * 2 / 7)
    assert beyond == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("at", "most"),
    [
        (cost.Scenario(rate=100, clients=1, users=500), 400),
        (cost.Scenario(rate=1, clients=100, users=500), 21),
    ],
)
def test_with_an_http_api_a_month_costs_no_more_than_was_wanted(
    at: cost.Scenario, most: float
) -> None:
    rows, given = rows_of(RUNS[-1]), report.defaults()

    rest = cost.ours(at, rows, given)
    http = cost.ours(at, rows, given, over_http_api=True)
    without_platform = cost.ours(at, rows, given, over_http_api=True, platform_bytes=0)

    assert sum(without_platform.values()) <= most
    # The function compresses, and nothing else is different.
    assert http["Lambda"] >= rest["Lambda"]
    assert {name for name in rest if rest[name] != http[name]} <= {"API Gateway", "Lambda"}


def test_what_there_is_whoever_calls_is_counted_in_the_template() -> None:
    everything = Stack(WebhookUrl="https://hooks.example.org/users")
    alarms, metrics = everything.of_type("AWS::CloudWatch::Alarm"), report.metrics()
    watched = {
        alarm["MetricName"]
        for alarm in alarms.values()
        if alarm["Namespace"] == "ManagedUsersProxy"
    }

    assert watched <= metrics
    assert f"{len(alarms)} alarms" in PAGE
    assert f"{len(metrics)} metrics" in PAGE
    assert f"${0.1 * len(alarms) + 0.3 * len(metrics) + 3:.2f} a month" in PAGE


def test_the_parts_of_a_month_grow_with_what_drives_them() -> None:
    rows, given = rows_of(RUNS[-1]), report.defaults()
    small = cost.Scenario(rate=1, clients=1, users=500)
    busy = cost.Scenario(rate=100, clients=1, users=500)
    many = cost.Scenario(rate=1, clients=100, users=500)

    base, at_busy, at_many = (cost.ours(at, rows, given) for at in (small, busy, many))

    assert at_busy["API Gateway"] == pytest.approx(100 * base["API Gateway"])
    assert at_busy["EventBridge"] == base["EventBridge"]
    assert at_many["API Gateway"] == base["API Gateway"]
    assert at_many["DynamoDB"] > 20 * base["DynamoDB"]
    # Side by side they wait together.
    assert 5 * base["Lambda"] < at_many["Lambda"] < 20 * base["Lambda"]


def test_a_hundred_clients_of_whom_five_are_read_cost_hardly_more_than_the_five() -> None:
    rows, given = rows_of(RUNS[-1]), report.defaults()
    five = cost.Scenario(rate=1, clients=5, users=500)
    hundred = cost.Scenario(rate=1, clients=5, users=500, idle=95)

    alone, together = (sum(cost.ours(at, rows, given).values()) for at in (five, hundred))

    assert together < 1.3 * alone


def test_a_peer_that_asks_the_origin_each_time_is_refused_above_its_limit() -> None:
    rows, given = rows_of(RUNS[-1]), report.defaults()

    allowed = {
        rate: cost.peers(cost.Scenario(rate=rate, clients=1, users=500), rows, given)["typical"][1]
        for rate in (1, 100)
    }

    assert allowed == {1: True, 100: False}


def test_a_delivery_costs_what_its_parts_do() -> None:
    # SQS: three requests; Lambda: an invocation, and a fifth of a second in a quarter of a GB.
    assert cost.delivery(256) == pytest.approx(3 * 0.4e-6 + 0.2e-6 + 0.25 * 0.2 * 0.0000133334)
