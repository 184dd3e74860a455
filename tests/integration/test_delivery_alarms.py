"""The alarms of the webhook: each goes off in its incident, ends with it, and else is silent.

Minutes are the test's own, and the queue's are not: a message that the function has put off is kept
hidden, however long the test takes, until the test says that its time has come.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.cloudwatch import in_alarm
from tests.integration.delivered import Deliveries, event, running_deliveries
from tests.integration.test_alarms import ALARMS as WITHOUT_WEBHOOK
from tests.template.stack import Stack

if TYPE_CHECKING:
    from tests.integration.receiver import Json

CRASHED, WAITING, DEAD = "DeliveriesErrorsAlarm", "DeliveriesWaitingAlarm", "DeadLettersAlarm"
ALARMS = {
    name: alarm
    for name, alarm in Stack(WebhookUrl="https://hooks.example.com/")
    .of_type("AWS::CloudWatch::Alarm")
    .items()
    if name not in WITHOUT_WEBHOOK or name == DEAD
}


class Day:
    """The webhook, minute by minute, and the alarms it sets off."""

    def __init__(self, made: Deliveries) -> None:
        self.made = made
        self.minute = 0
        self.number = 0
        self.hidden: list[Json] = []
        self.sent: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def goes_on(self, minutes: int, *, events: bool = True) -> dict[str, int]:
        """Let time pass, with an event a minute; return after how many which alarms were on."""
        rang: dict[str, int] = {}
        for passed in range(1, minutes + 1):
            self.minute += 1
            if events:
                self.number += 1
                self.made.put(event(self.number))
            self._deliver()
            self._measure()
            rang |= dict.fromkeys(self.on - rang.keys(), passed)
        return rang

    def try_again(self) -> None:
        """Let the time come of all that was put off."""
        for record in self.hidden:
            self._show(record, after=0)
        self.hidden.clear()

    @property
    def on(self) -> set[str]:
        """The alarms that are on now."""
        return {
            name
            for name, alarm in ALARMS.items()
            if in_alarm(alarm, self.sent[name], minute=self.minute)
        }

    def _deliver(self) -> None:
        """Hand over what is visible, as Lambda does, and delete what the function is done with."""
        while records := self.made.receive():
            try:
                failed = self.made.handle(*records)
            except ValueError:
                self.sent[CRASHED][self.minute].append(1)
                self._hide(records)
                continue
            self.sent[CRASHED][self.minute].append(0)
            self._hide([record for record in records if record["messageId"] in failed])
            for record in records:
                if record["messageId"] not in failed:
                    self.made.queues.delete_message(
                        QueueUrl=self.made.queue, ReceiptHandle=record["receiptHandle"]
                    )

    def _hide(self, records: "list[Json]") -> None:
        for record in records:
            self._show(record, after=600)
        self.hidden += records

    def _show(self, record: "Json", *, after: int) -> None:
        self.made.queues.change_message_visibility(
            QueueUrl=self.made.queue,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=after,
        )

    def _measure(self) -> None:
        """Send what SQS sends: how many messages are under way, and how many dead letters lie."""
        for name, queue in ((WAITING, self.made.queue), (DEAD, self.made.dead_letters)):
            metric = ALARMS[name]["MetricName"]
            told: Any = self.made.queues.get_queue_attributes(
                QueueUrl=queue, AttributeNames=["All"]
            )["Attributes"]
            attribute = metric.replace("MessagesVisible", "Messages")
            self.sent[name][self.minute].append(float(told[attribute]))


@pytest.fixture
def day(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    with running_deliveries(aws, monkeypatch) as made:
        yield Day(made)


def test_these_are_all_the_alarms_that_a_webhook_adds() -> None:
    assert set(ALARMS) == {CRASHED, WAITING, DEAD}


def test_a_receiver_that_takes_everything_is_silent(day: Day) -> None:
    assert day.goes_on(20) == {}


def test_a_receiver_that_is_down_for_a_quarter_of_an_hour(day: Day) -> None:
    day.made.receiver.statuses.put(503)
    day.goes_on(1)

    assert day.goes_on(20, events=False) == {WAITING: 14}

    day.try_again()
    day.goes_on(1, events=False)
    assert day.on == set()


def test_a_receiver_that_stumbles_is_nobodys_alarm(day: Day) -> None:
    for _ in range(5):
        day.made.receiver.statuses.put(503)
        assert day.goes_on(3) == {}
        day.try_again()
        assert day.goes_on(2) == {}


def test_an_event_that_the_receiver_never_wants_to_see(day: Day) -> None:
    day.made.receiver.statuses.put(410)

    assert day.goes_on(1) == {DEAD: 1}

    assert len(day.made.dead()) == 1
    day.made.queues.purge_queue(QueueUrl=day.made.dead_letters)
    day.goes_on(1)
    assert day.on == set()


def test_a_function_that_is_deployed_with_what_it_refuses(day: Day) -> None:
    good = f"{day.made.receiver.url}/hook"
    day.made.change(WEBHOOK_URL="http://hooks.example.com/")

    assert day.goes_on(8)[CRASHED] == 3

    day.made.change(WEBHOOK_URL=good)
    day.try_again()
    day.goes_on(12)
    assert day.on == set()
