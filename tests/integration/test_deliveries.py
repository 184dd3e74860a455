"""The deliveries function by its events: batches of the queue, over a real queue and receiver."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from handlers import deliveries
from tests.integration.delivered import PERSON, SECRET, Deliveries, event, running_deliveries
from tests.integration.receiver import Json

(EXAMPLE,) = json.loads(Path(ROOT, "events/deliver.json").read_text(encoding="utf-8"))["Records"]


@pytest.fixture
def made(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deliveries]:
    with running_deliveries(aws, monkeypatch) as running:
        yield running


def metrics(printed: str) -> dict[str, float]:
    """Return the sum of each metric in what a function printed."""
    told: dict[str, float] = {}
    for line in printed.splitlines():
        record = json.loads(line)
        for directive in record.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                told[metric["Name"]] = sum(record[metric["Name"]])
    return told


def test_a_batch_is_delivered_and_nothing_of_it_left(
    made: Deliveries, capsys: pytest.CaptureFixture[str]
) -> None:
    made.put(event(1), event(2), event(3))

    assert made.handle(*made.receive()) == []

    seen = [made.receiver.next().verified(SECRET)["id"] for _ in range(3)]
    assert sorted(seen) == ["event1", "event2", "event3"]
    assert metrics(capsys.readouterr().out) == {"Delivered": 3}


def test_of_a_batch_only_what_was_not_taken_is_reported_and_hidden(
    made: Deliveries, capsys: pytest.CaptureFixture[str]
) -> None:
    made.put(event(1), event(2))
    records = made.receive()
    made.receiver.statuses.put(503)

    failed = made.handle(*records)

    (refused,) = (
        each for each in (made.receiver.next(), made.receiver.next()) if each.status == 503
    )
    (record,) = (each for each in records if each["messageId"] in failed)
    assert record["body"].encode() == refused.body
    assert metrics(capsys.readouterr().out) == {"Delivered": 1, "DeliveryFailed": 1}


def test_what_is_gone_or_no_event_is_a_dead_letter_and_done_with(
    made: Deliveries, capsys: pytest.CaptureFixture[str]
) -> None:
    made.put(event(1), "no event")
    made.receiver.statuses.put(410)

    assert made.handle(*made.receive()) == []

    letters = {
        letter["Body"]: letter["MessageAttributes"]["REASON"]["StringValue"]
        for letter in made.dead()
    }
    assert letters == {event(1): "receiver-gone", "no event": "no-event"}
    assert metrics(capsys.readouterr().out) == {"DeliveryGivenUp": 2}


def test_what_the_queue_does_not_take_is_left_to_its_own_timeout(
    made: Deliveries, log: StringIO
) -> None:
    made.put(event(1), event(2))
    records = made.receive()
    made.change(DEAD_LETTERS_URL=f"{made.queue}-none", DELIVERIES_QUEUE_URL=f"{made.queue}-none")
    for status in (410, 500):
        made.receiver.statuses.put(status)

    failed = made.handle(*records)

    assert sorted(failed) == sorted(record["messageId"] for record in records)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    unsettled = [line["reason"] for line in lines if line["message"] == "delivery not settled"]
    assert unsettled == ["queue-refused", "queue-refused"]


def test_without_a_secret_nothing_is_sent_and_everything_comes_again(
    made: Deliveries, log: StringIO
) -> None:
    made.change(SIGNING_SECRET_ID="there-is-none")
    made.put(event(1), event(2))
    records = made.receive()

    assert len(made.handle(*records)) == 2

    assert made.receiver.is_quiet
    reasons = [json.loads(line).get("reason") for line in log.getvalue().splitlines()]
    assert reasons == ["secret-missing", "secret-missing"]


def test_no_log_line_tells_a_person_the_secret_or_the_token(
    made: Deliveries, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for status in (500, 410):
        made.receiver.statuses.put(status)
    made.put(event(1), event(2), event(3), f"no event of {PERSON}")
    made.handle(*made.receive())
    made.change(WEBHOOK_URL="https://127.0.0.1:1/hook?token=canary-t0ken")
    made.put(event(4))
    made.handle(*made.receive())

    told = log.getvalue() + "".join(capsys.readouterr())

    assert "receiver-address" in told
    canaries = (PERSON, "canary", SECRET.removeprefix("whsec_"), "t0ken", "hook")
    assert [canary for canary in canaries if canary in told] == []


def test_the_example_event_is_delivered(made: Deliveries) -> None:
    assert made.handle(EXAMPLE) == []

    assert made.receiver.next().verified(SECRET)["subject"] == "1001"


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"action": "deliver"},
        {"Records": "all"},
        {"Records": [{}]},
        {"Records": [None]},
        {"Records": [{"messageId": "1", "receiptHandle": "h", "body": PERSON, "attributes": {}}]},
    ],
)
def test_an_event_by_hand_that_is_no_batch_is_refused_with_a_sentence(
    made: Deliveries, typed: Json
) -> None:
    with pytest.raises(ValueError, match="Records must be") as caught:
        deliveries.handler(typed, made.service.context())

    assert PERSON not in str(caught.value)
    assert made.receiver.is_quiet


def test_a_url_in_plain_text_to_another_machine_is_refused_at_the_start(made: Deliveries) -> None:
    made.change(WEBHOOK_URL="http://hooks.example.com/")

    with pytest.raises(ValueError, match="WEBHOOK_URL"):
        made.handle(EXAMPLE)

    assert made.receiver.is_quiet
