"""Worker processes of the local stack answer as Lambda environments do, and are replaced."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dev.local.embedded_aws import EmbeddedAws
from dev.local.lambda_api import LambdaApi
from dev.local.settings import process_environment
from dev.local.workers import Failure, Function, Result, WorkerPool, WorkerStartError
from tests.patience import PATIENCE_SECONDS

HANG_SECONDS = 1.5
"""After which a handler that hangs is given up; it is really waited for."""


@contextmanager
def running_pool(
    *,
    size: int = 1,
    spare: int = 0,
    timeout_seconds: float = PATIENCE_SECONDS,
    handler: str = "tests.integration.sample_handlers.handler",
    lines: SimpleQueue[str] | None = None,
) -> Iterator[WorkerPool]:
    printed = lines or SimpleQueue()
    function = Function(
        name="sample",
        handler=handler,
        timeout_seconds=timeout_seconds,
        memory_megabytes=128,
        environment=process_environment(),
    )
    pool = WorkerPool(function, size=size, spare=spare, print_line=printed.put)
    try:
        pool.start()
        pool.wait_ready()
        yield pool
    finally:
        pool.stop()


def value_of(outcome: Result | Failure) -> dict[str, Any]:
    assert isinstance(outcome, Result), outcome
    value: dict[str, Any] = outcome.value
    return value


def test_a_handler_gets_a_context_like_lambdas() -> None:
    with running_pool() as pool:
        first = value_of(pool.invoke({"do": "answer"}))
        second = value_of(pool.invoke({"do": "answer"}))

    assert first["function"] == "sample"
    assert first["arn"].endswith(":function:sample")
    assert 0 < first["remaining"] <= PATIENCE_SECONDS * 1000
    assert first["request_id"] != second["request_id"]
    assert first["text"] == "é"


def test_what_is_deployed_answers_from_the_next_event_on() -> None:
    with running_pool() as pool:
        before = value_of(pool.invoke({"do": "answer"}))
        pool.deploy(CLOCK_AHEAD_SECONDS="86400")
        after, again = (value_of(pool.invoke({"do": "answer"})) for _ in range(2))

    assert before["pid"] != after["pid"] == again["pid"]
    assert after["time"] - before["time"] >= 86_400


def test_events_go_round_all_workers() -> None:
    with running_pool(size=3) as pool:
        pids = {value_of(pool.invoke({"do": "answer"}))["pid"] for _ in range(3)}

    assert len(pids) == 3


@pytest.mark.real_seconds
def test_spare_workers_start_only_when_the_others_are_busy() -> None:
    lines: SimpleQueue[str] = SimpleQueue()
    with (
        running_pool(size=1, spare=1, timeout_seconds=HANG_SECONDS, lines=lines) as pool,
        ThreadPoolExecutor(max_workers=1) as threads,
    ):
        first = value_of(pool.invoke({"do": "answer"}))["pid"]
        again = value_of(pool.invoke({"do": "answer"}))["pid"]
        hanging = threads.submit(pool.invoke, {"do": "hang"})
        lines.get(timeout=PATIENCE_SECONDS)
        other = value_of(pool.invoke({"do": "answer"}))["pid"]
        outcome = hanging.result()

    assert first == again != other
    assert outcome is Failure.TIMED_OUT


@pytest.mark.parametrize(
    ("do", "failure"),
    [
        ("die", Failure.DIED),
        ("raise", Failure.HANDLER_ERROR),
        ("unserializable", Failure.HANDLER_ERROR),
        ("big", Failure.TOO_LARGE),
        pytest.param("hang", Failure.TIMED_OUT, marks=pytest.mark.real_seconds),
    ],
)
def test_a_failure_is_that_events_alone(do: str, failure: Failure) -> None:
    with running_pool(timeout_seconds=HANG_SECONDS if do == "hang" else PATIENCE_SECONDS) as pool:
        failed = pool.invoke({"do": do})
        next_one = pool.invoke({"do": "answer"})

    assert failed is failure
    assert value_of(next_one)["function"] == "sample"


def test_a_worker_that_died_while_idle_fails_no_event() -> None:
    with running_pool() as pool:
        victim = value_of(pool.invoke({"do": "answer"}))["pid"]
        watch = os.pidfd_open(victim)
        os.kill(victim, signal.SIGKILL)
        os.waitid(os.P_PIDFD, watch, os.WEXITED | os.WNOWAIT)
        os.close(watch)
        successor = value_of(pool.invoke({"do": "answer"}))["pid"]

    assert successor != victim


@pytest.mark.real_seconds
def test_what_a_handler_prints_is_passed_on() -> None:
    lines: SimpleQueue[str] = SimpleQueue()
    with running_pool(lines=lines, timeout_seconds=HANG_SECONDS) as pool:
        pool.invoke({"do": "hang"})

        line = lines.get(timeout=PATIENCE_SECONDS)

    assert line == "hanging"


def test_a_handler_that_cannot_be_imported_fails_the_start() -> None:
    with (
        pytest.raises(WorkerStartError, match=r"tests\.no_such_module\.handler"),
        running_pool(handler="tests.no_such_module.handler"),
    ):
        pytest.fail("the pool started")


@contextmanager
def running_lambda_api(functions: dict[str, Any]) -> Iterator[Any]:
    api = LambdaApi()
    api.start(functions)
    client = boto3.client(
        "lambda",
        endpoint_url=api.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    try:
        yield client
    finally:
        client.close()
        api.stop()


def test_an_asynchronous_invocation_is_accepted_and_runs() -> None:
    events: SimpleQueue[object] = SimpleQueue()
    with running_lambda_api({"refresh": events.put}) as client:
        answer = client.invoke(
            FunctionName="refresh", InvocationType="Event", Payload=b'{"action":"x"}'
        )

        event = events.get(timeout=PATIENCE_SECONDS)

    assert answer["StatusCode"] == 202
    assert event == {"action": "x"}


def test_a_synchronous_invocation_returns_the_result_or_the_failure() -> None:
    outcomes = {"good": lambda _: Result({"a": 1}), "bad": lambda _: Failure.DIED}
    with running_lambda_api(outcomes) as client:
        good = client.invoke(FunctionName="good")
        bad = client.invoke(FunctionName="bad")

    assert good["Payload"].read() == b'{"a": 1}'
    assert bad["FunctionError"] == "Unhandled"


def test_an_unknown_function_is_not_found() -> None:
    with (
        running_lambda_api({}) as client,
        pytest.raises(ClientError, match="ResourceNotFoundException"),
    ):
        client.invoke(FunctionName="other", InvocationType="Event")


def test_the_embedded_aws_holds_the_templates_table_and_the_newest_secret() -> None:
    with EmbeddedAws() as aws:
        aws.create_table("users")
        aws.create_table("users")
        aws.put_secret("clients", {"a": "old"})
        aws.put_secret("clients", {"a": "new"})
        table = aws.client("dynamodb").describe_table(TableName="users")["Table"]
        ttl = aws.client("dynamodb").describe_time_to_live(TableName="users")
        secret = aws.client("secretsmanager").get_secret_value(SecretId="clients")

    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert table["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"
    assert ttl["TimeToLiveDescription"].get("AttributeName") == "expires_at"
    assert secret["SecretString"] == '{"a": "new"}'
