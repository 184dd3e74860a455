"""What a revalidation says: one log line, a set of metrics, and no text of a caller's."""

import json
from collections.abc import Iterator
from copy import replace
from io import StringIO
from logging import StreamHandler
from typing import Any

import pytest

from handlers import observing
from handlers.observing import MAX_TOLD, report_mended
from handlers.reporting import describe, report_handover_failure, report_revalidation
from handlers.version import VERSION
from lib.errors import (
    InvalidRequestError,
    OriginBlockedError,
    OriginError,
    OriginTimeoutError,
    Reason,
    ServiceError,
    UnavailableError,
)
from lib.revalidation.outcomes import Failed, Outcome, Published, Unchanged
from tests.fakes import CLIENT
from tests.world import World

UNUSABLE = OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)


class Log:
    """The lines that were logged."""

    def __init__(self) -> None:
        self.stream = StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines as they were written."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    (handler,) = observing.logger.handlers
    assert isinstance(handler, StreamHandler)
    before = handler.setStream(log.stream)
    yield log
    handler.setStream(before or log.stream)


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    observing.metrics.clear_metrics()
    yield
    observing.metrics.clear_metrics()


def run(world: World) -> Outcome:
    """Run one revalidation as it is wired."""
    reported = replace(world.revalidation, report=report_revalidation)
    return reported.run(world.claim(), deadline=world.clock.now + 20)


def counted() -> dict[str, float]:
    """Return the metrics added so far, with the sum of each."""
    return {name: sum(each["Value"]) for name, each in observing.metrics.metric_set.items()}


def test_a_run_is_one_line_and_one_set_of_metrics(log: Log) -> None:
    world = World()

    outcome = run(world)

    (line,) = log.lines
    assert isinstance(outcome, Published)
    assert (line["message"], line["level"]) == ("revalidation", "INFO")
    expected = {
        "client_id": CLIENT,
        "lease_token": 1,
        "outcome": "published",
        "calls": 2,
        "generation": 1,
        "users": 20,
        "complete": True,
    }
    assert expected.items() <= line.items()
    metrics = counted()
    assert metrics.pop("RevalidationDuration") >= 0
    assert metrics == {"OriginCalls": 2, "Users": 20, "BudgetLeft": 70, "Doubted": 0}


def test_every_line_says_which_build_wrote_it(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    run(World())
    observing.flush()
    observing.count(Hit=1)
    observing.write_request({"method": "GET"})

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["version"] for line in log.lines} == {VERSION}
    assert [line["version"] for line in metrics] == [VERSION, VERSION]


def test_a_failed_run_is_a_warning_and_counted(log: Log) -> None:
    world = World()
    world.origin.errors = [UNUSABLE]

    outcome = run(world)

    (line,) = log.lines
    assert isinstance(outcome, Failed)
    assert (line["level"], line["outcome"], line["reason"]) == ("WARNING", "failed", "wrong-shape")
    assert counted()["RevalidationFailed"] == 1
    assert counted()["Blocked"] == 0


def test_a_blocked_run_is_counted_as_such() -> None:
    world = World()
    world.origin.errors = [OriginBlockedError("429", reset_seconds=60)]

    run(world)

    assert (counted()["RevalidationFailed"], counted()["Blocked"]) == (1, 1)


@pytest.mark.parametrize(
    ("detail", "name"),
    [
        ("stale-while-revalidate", "StaleWhileRevalidate"),
        ("stale-if-error", "StaleIfError"),
        ("origin-blocked", "StaleOriginBlocked"),
        ("frozen", "StaleFrozen"),
    ],
)
def test_a_stale_answer_is_counted_with_its_reason(detail: str, name: str) -> None:
    observing.count_stale(detail)

    assert counted() == {"Stale": 1, name: 1}


def test_a_stale_answer_without_a_reason_is_counted_once() -> None:
    observing.count_stale(None)

    assert counted() == {"Stale": 1}


def test_a_fault_of_ours_is_an_error_with_its_traceback(log: Log) -> None:
    world = World()
    world.origin.errors = [RecursionError("canary")]

    run(world)

    (line,) = log.lines
    assert (line["level"], line["reason"], line["fault"]) == (
        "ERROR",
        "unexpected",
        "RecursionError",
    )
    assert line["frames"][-1].startswith("fakes.py:")
    assert "canary" not in log.stream.getvalue()
    assert counted()["RevalidationFailed"] == 1


def test_a_hand_over_that_failed_is_told(log: Log) -> None:
    report_handover_failure(CLIENT, UnavailableError("no event", reason=Reason.INVOKE_FAILED))

    (line,) = log.lines
    assert (line["client_id"], line["reason"]) == (CLIENT, "invoke-failed")
    assert counted() == {"HandoverFailed": 1}


def test_an_outcome_is_described_by_what_came_of_it() -> None:
    head = World().head

    assert describe(Published(head, 2))["outcome"] == "published"
    assert describe(Unchanged(head, 1))["outcome"] == "unchanged"
    assert describe(Failed(UNUSABLE, 1))["outcome"] == "failed"


def test_fields_that_were_too_much_are_told_by_id_of_so_many_users_and_no_more() -> None:
    head = World().head

    everybody = dict.fromkeys(range(MAX_TOLD + 1), ("bio",))

    told = describe(Published(head, 2, omitted={7: ("bio", "name")}))
    many = describe(Unchanged(head, 2, omitted=everybody))

    assert told["fields_omitted"] == {"7": ["bio", "name"]}
    assert len(many["fields_omitted"]) == MAX_TOLD
    assert "fields_omitted" not in describe(Unchanged(head, 2))


def test_a_head_that_was_mended_is_told_with_the_names_of_what_was_wrong(log: Log) -> None:
    report_mended(CLIENT, frozenset({"users", "calls"}))

    (line,) = log.lines
    assert (line["client_id"], line["reason"]) == (CLIENT, "broken-head")
    assert line["attributes"] == ["calls", "users"]


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (UNUSABLE, {"error": "OriginError", "reason": "wrong-shape", "received": 200}),
        (
            OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT),
            {"error": "OriginTimeoutError", "reason": "origin-timeout", "received": None},
        ),
        (
            InvalidRequestError("Invalid email canary@example.com"),
            {"error": "InvalidRequestError", "reason": "BadRequestException", "received": None},
        ),
    ],
)
def test_an_error_is_described_without_its_message(
    error: ServiceError, described: dict[str, object]
) -> None:
    assert observing.describe_error(error) == described


def test_metrics_are_written_once_and_only_if_there_are_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    observing.flush()
    nothing = capsys.readouterr().out
    namespace, observing.metrics.namespace = observing.metrics.namespace, "Test"
    observing.count(Hit=1, Stale=0)
    observing.seconds(AgeServed=7)
    observing.flush()
    observing.flush()
    observing.metrics.namespace = namespace

    (written,) = capsys.readouterr().out.splitlines()
    assert nothing == ""
    assert {"Hit": [1.0], "Stale": [0.0], "AgeServed": [7.0]}.items() <= json.loads(written).items()


def test_a_requests_line_carries_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    namespace, observing.metrics.namespace = observing.metrics.namespace, "Test"
    observing.count(Hit=1)
    observing.write_request({"status": 200, "request_id": "r1"})
    observing.metrics.namespace = namespace

    (written,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert {"message": "request", "level": "INFO", "status": 200, "request_id": "r1"}.items() <= (
        written.items()
    )
    assert written["Hit"] == [1.0]
    assert written["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "Hit", "Unit": "Count"}]


def test_a_request_without_metrics_has_its_line_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO", logger=observing.logger.name):
        observing.write_request({"status": 404, "request_id": "r1"})

    assert [(record.message, vars(record)["status"]) for record in caplog.records] == [
        ("request", 404)
    ]
