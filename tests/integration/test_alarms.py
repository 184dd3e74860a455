"""Each alarm goes off in its incident, ends with it, and is silent on a healthy day.

Hours pass by the clock that the test holds: the schedule runs every minute and readers read, all
through the handlers. What they print is taken for metrics as CloudWatch takes it, and the alarms
are those of the template.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import requests

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault, Limits
from handlers import changes
from handlers.wiring import wiring
from tests.cloudwatch import in_alarm
from tests.integration.service import CLIENT, SECRET, Json, Service, running_service
from tests.patience import PATIENCE_SECONDS
from tests.template.stack import Stack

ALARMS = Stack().of_type("AWS::CloudWatch::Alarm")
NOT_OURS_TO_SEE = {"RefreshThrottlesAlarm", "DeadLettersAlarm"}
"""What Lambda and its queue alone know."""
OTHER = "clxsample0000000000000002"
BUS = f"alarms-{uuid.uuid4()}"
LATE, FAILED = "LateClientsAlarm", "RevalidationFailedAlarm"


def watched_by(alarm: Mapping[str, Any]) -> str:
    """Return the metric that an alarm watches; one of AWS with whose it is."""
    if alarm["Namespace"] == "ManagedUsersProxy":
        return str(alarm["MetricName"])
    return f"{alarm['MetricName']} {alarm['Dimensions'][0]['Value']['Ref']}"


class Day:
    """A deployment, minute by minute, and the alarms it sets off."""

    def __init__(self, service: Service, printed: Callable[[], str]) -> None:
        self.service = service
        self.printed = printed
        self.minute = 0
        self.sent: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def goes_on(
        self,
        minutes: int,
        *,
        schedule: bool = True,
        reading: bool = True,
        others: Callable[[], object] = lambda: None,
    ) -> dict[str, int]:
        """Let time pass; return after how many minutes which alarms were on."""
        rang: dict[str, int] = {}
        for passed in range(1, minutes + 1):
            self.minute += 1
            self.service.clock.now += 60
            others()
            if schedule:
                self.invoke("RefreshFunction", self.service.refresh)
            if reading:
                self.invoke("ApiFunction", self._read)
            while not self.service.invocations.empty():
                handed_over = partial(self.service.refresh, self.service.next_invocation())
                self.invoke("RefreshFunction", handed_over)
            for client_id in (CLIENT, OTHER):
                # As the table's stream does, and the schedule once that has given up.
                self.change({"action": "announce", "clientId": client_id})
            self._collect()
            rang |= dict.fromkeys(self.on - rang.keys(), passed)
        return rang

    def change(self, event: Json) -> None:
        """Give the changes function an event."""
        self.invoke("ChangesFunction", lambda: changes.handler(event, self.service.context()))

    def invoke(self, function: str, call: Callable[[], object]) -> None:
        """Have a function called, and what it raises counted as Lambda does."""
        try:
            call()
        except Exception:  # noqa: BLE001 - whatever it is
            self.sent[f"Errors {function}"][self.minute].append(1)
        else:
            self.sent[f"Errors {function}"][self.minute].append(0)

    def _read(self) -> None:
        failed = self.service.get().status >= 500
        self.sent["5XXError AWS::StackName"][self.minute].append(float(failed))

    @property
    def on(self) -> set[str]:
        """The alarms that are on now."""
        return {
            name
            for name, alarm in ALARMS.items()
            if name not in NOT_OURS_TO_SEE
            and in_alarm(alarm, self.sent[watched_by(alarm)], minute=self.minute)
        }

    def _collect(self) -> None:
        for line in self.printed().splitlines():
            record = json.loads(line)
            for directive in record.get("_aws", {}).get("CloudWatchMetrics", ()):
                for metric in directive["Metrics"]:
                    values = record[metric["Name"]]
                    self.sent[metric["Name"]][self.minute] += values


@pytest.fixture
def day(aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]) -> Iterator[Day]:
    keys = {CLIENT: SECRET, OTHER: SECRET}
    aws.create_bus(BUS)
    with running_service(
        aws,
        clients=keys,
        IDLE_REVALIDATION_SECONDS="600",
        POWERTOOLS_METRICS_DISABLED="false",
        EVENT_BUS_NAME=BUS,
    ) as service:
        running = Day(service, lambda: capsys.readouterr().out)
        running.goes_on(2)
        yield running


def test_a_healthy_day_is_silent_with_readers_and_without(day: Day) -> None:
    assert day.goes_on(20) == {}
    assert day.goes_on(80, reading=False) == {}
    assert day.goes_on(7) == {}


def test_a_schedule_that_is_switched_off_or_dead(day: Day) -> None:
    assert day.goes_on(10, schedule=False) == {LATE: 7}

    day.goes_on(8)
    assert day.on == set()


def test_an_origin_that_is_down_for_an_hour(day: Day) -> None:
    day.service.origin.faults = [Fault("status", status=503)]

    assert day.goes_on(60) == {FAILED: 10, LATE: 20}

    day.service.origin.faults = []
    day.goes_on(16)
    assert day.on == set()


def test_a_secret_that_was_changed_for_a_wrong_one(day: Day) -> None:
    day.service.put_secret({CLIENT: "wrong", OTHER: SECRET})

    assert day.goes_on(24) == {FAILED: 10, LATE: 20}

    day.service.put_secret({CLIENT: SECRET, OTHER: SECRET})
    day.goes_on(16)
    assert day.on == set()


@pytest.mark.parametrize("text", ["", "{}", "not json"])
def test_a_secret_that_was_emptied_or_is_malformed(day: Day, text: str) -> None:
    day.service.aws.client("secretsmanager").put_secret_value(
        SecretId=day.service.secret, SecretString=text or " "
    )

    # Environments that had the last good one go on with it, and say so; new ones have none.
    assert day.goes_on(6) == {"SecretAlarm": 2}
    day.service.forget()
    assert day.goes_on(5)["RefreshFailedAlarm"] == 3

    day.service.put_secret({CLIENT: SECRET, OTHER: SECRET})
    day.goes_on(16)
    assert day.on == set()


def test_a_client_taken_out_of_the_secret_is_nobodys_alarm(day: Day) -> None:
    day.service.put_secret({OTHER: SECRET})

    assert day.goes_on(24, reading=False) == {}

    day.service.put_secret({CLIENT: SECRET, OTHER: SECRET})
    day.goes_on(16)
    assert day.service.get("/cache").body["data"]["age"] < 120
    assert day.on == set()


def test_a_bus_that_takes_no_events(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:1")
    day.service.forget()
    user = day.service.origin.users(CLIENT)[0]
    day.service.origin.update(CLIENT, user["id"], name="Renamed")

    assert day.goes_on(11) == {"LateAnnouncementsAlarm": 10}

    monkeypatch.delenv("AWS_ENDPOINT_URL_EVENTBRIDGE")
    day.service.forget()
    day.goes_on(8)
    assert day.on == set()


def test_a_table_that_is_down(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "there-is-none")
    day.service.forget()

    rang = day.goes_on(10)
    assert (rang["RefreshFailedAlarm"], rang["Api5xxAlarm"]) == (3, 3)

    monkeypatch.setenv("TABLE_NAME", day.service.table.name)
    day.service.forget()
    day.goes_on(16)
    assert day.on == set()


def test_readers_who_can_have_nobody_revalidate(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    day.service.forget()

    # Readers ask the origin for themselves once what is stored is too old to be given at once.
    assert day.goes_on(11, schedule=False)["HandoverFailedAlarm"] == 4

    monkeypatch.delenv("AWS_ENDPOINT_URL_LAMBDA")
    day.service.forget()
    day.goes_on(16)
    assert day.on == set()


def test_a_rotated_secret_is_nobodys_alarm(day: Day) -> None:
    day.service.origin.rotate_secret(CLIENT, "new-key")
    day.service.put_secret({CLIENT: "new-key", OTHER: SECRET})

    assert day.goes_on(12) == {}


@pytest.mark.parametrize("kind", ["page", "gen", "head"])
def test_what_is_stored_is_deleted_or_altered(day: Day, kind: str) -> None:
    table = day.service.table
    for item in table.items():
        key = {"pk": item["pk"], "sk": item["sk"]}
        if item["sk"]["S"].startswith(kind):
            table.client.delete_item(TableName=table.name, Key=key)
    day.service.forget()

    assert day.goes_on(7) == {}

    for item in table.items():
        if item["sk"]["S"].startswith(kind):
            odd = {name: item[name] for name in ("pk", "sk")} | {"data": {"L": []}}
            odd |= {"announced": {"S": "?"}, "listing": {"S": "?"}}
            table.client.put_item(TableName=table.name, Item=odd)
    day.service.forget()
    assert day.goes_on(7) == {}
    assert day.service.get().ids == [user["id"] for user in day.service.origin.users(CLIENT)]


def test_a_table_that_is_restored_from_an_older_state(day: Day) -> None:
    table, before = day.service.table, day.service.items()
    for name in ("Renamed", "Renamed again"):
        user = day.service.origin.users(CLIENT)[0]
        day.service.origin.update(CLIENT, user["id"], name=name)
        day.goes_on(5)
    for item in table.items():
        table.client.delete_item(
            TableName=table.name, Key={name: item[name] for name in ("pk", "sk")}
        )
    for item in before:
        table.client.put_item(TableName=table.name, Item=item)
    day.service.forget()

    assert day.goes_on(7) == {}

    head = day.service.head()
    assert day.service.get().body["data"][0]["name"] == "Renamed again"
    assert head["announced"] == head["generation"]


def test_somebody_else_who_uses_up_the_origins_limit(day: Day) -> None:
    origin = day.service.origin
    origin.limits = Limits(client=30)

    def use_up() -> None:
        for _ in range(31):
            requests.get(
                f"{origin.url}/v2/oauth-clients/{CLIENT}/users?limit=1",
                headers={"x-cal-client-id": CLIENT, "x-cal-secret-key": SECRET},
                timeout=PATIENCE_SECONDS,
            )

    # Nothing is asked during a block, so nothing fails, either.
    assert day.goes_on(22, others=use_up) == {LATE: 20}
    assert day.service.get("/cache").body["data"]["lastError"] == "origin-blocked"

    day.goes_on(8)
    assert day.on == set()


def test_a_record_that_nobody_can_make_sense_of(day: Day) -> None:
    # Lambda tries it again and again, and others with it, until it is alone and given up.
    records = [{"dynamodb": {"Keys": {"pk": {"S": "?"}}, "SequenceNumber": "1"}}]

    assert day.goes_on(6, others=lambda: day.change({"Records": records})) == {
        "ChangesErrorsAlarm": 3
    }

    day.goes_on(16)
    assert day.on == set()


def test_functions_that_are_deployed_with_what_they_refuse(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESH_SECONDS", "two minutes")
    wiring.cache_clear()

    crashed = dict.fromkeys(("RefreshErrorsAlarm", "ChangesErrorsAlarm", "Api5xxAlarm"), 3)
    assert day.goes_on(8) == crashed | {LATE: 7}

    monkeypatch.setenv("FRESH_SECONDS", "120")
    day.service.forget()
    day.goes_on(16)
    assert day.on == set()
