"""Those who keep up with the organized client: by the feed, by the bus, and by a mirror.

Whatever dies or fails meanwhile, the feed tells every event once and in order, and they are those
that were pushed; the mirror is equal to the service's own digest after each step, and in the end to
the origin.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, override

import requests

from dev.local.embedded_aws import EmbeddedAws
from dev.local.settings import BUS_NAME
from dev.origin import OriginDouble
from managed_users import Client, ManagedUsersError
from managed_users.tool.database import Database
from managed_users.tool.mirror import Mirror
from managed_users.transport import Transport
from tests.soak.history import beside_hidden
from tests.soak.world import Actor

type Event = dict[str, Any]

_LIMITS = (1, 20, 100)
_QUEUE = "soak"
_END_SECONDS = 60
_GOING = {404, 502, 503, 504}
"""What may be answered while something is broken: a client left out, no table, a dead process."""


class Pushed(Actor):
    """Takes what the bus took of one client's events: ``events`` by id."""

    def __init__(self, aws: EmbeddedAws, client_id: str, seed: int) -> None:
        super().__init__(seed, pause_seconds=(0.2, 0.5))
        self.events: dict[str, Event] = {}
        self._client_id = client_id
        queues: Any = aws.client("sqs")
        self._url = queues.create_queue(QueueName=_QUEUE)["QueueUrl"]
        self._queues = queues
        bus: Any = aws.client("events")
        pattern = json.dumps({"source": ["managed-users-proxy"]})
        bus.put_rule(Name=_QUEUE, EventPattern=pattern, EventBusName=BUS_NAME)
        arn = f"arn:aws:sqs:{aws.region}:000000000000:{_QUEUE}"
        target = {"Id": _QUEUE, "Arn": arn, "InputPath": "$.detail"}
        bus.put_targets(Rule=_QUEUE, Targets=[target], EventBusName=BUS_NAME)

    @override
    def act(self) -> None:
        while messages := self._queues.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                if event["data"]["clientId"] == self._client_id:
                    self.events[event["id"]] = event
                handle = message["ReceiptHandle"]
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=handle)


class FeedReader(Actor):
    """Follows the feed from the first generation on; ``events`` are all that it told, in order."""

    def __init__(self, url: str, client_id: str, seed: int) -> None:
        super().__init__(seed, pause_seconds=(0.1, 1))
        self.events: list[Event] = []
        self._url = f"{url}/v2/oauth-clients/{client_id}/events"
        self._after = "0"

    @override
    def act(self) -> None:
        self.once()

    def once(self) -> bool:
        """Ask for a page; return whether everything has been told."""
        asked = {"after": self._after, "limit": str(self.draw.choice(_LIMITS))}
        answer = requests.get(self._url, params=asked, timeout=60)
        if answer.status_code in _GOING:
            return False
        if answer.status_code != requests.codes.ok:
            raise AssertionError(f"the feed answers {answer.status_code}: {answer.text[:200]}")
        body = answer.json()
        self.events += body["data"]
        self._after = body["pagination"]["cursor"]
        return not body["pagination"]["hasMore"]

    def judge(self, pushed: Pushed, *, hiding: bool) -> Iterator[str]:
        """Yield what is wrong with all that was told, when nothing more is to come.

        Where something was hidden for a while, an event that is told later shows less, and one of
        metadata alone is none.
        """
        deadline = time.monotonic() + _END_SECONDS
        while not self.once():
            if time.monotonic() > deadline:
                yield "the feed never ends"
                return
            time.sleep(0.1)
        numbers = [event["data"]["generation"] for event in self.events]
        if numbers != sorted(numbers):
            yield "the feed is out of order"
        baselines = {
            event["data"]["generation"]
            for event in (*self.events, *pushed.events.values())
            if _is_baseline(event)
        }
        counts = Counter(
            event["id"] for event in self.events if event["data"]["generation"] not in baselines
        )
        if twice := [each for each, count in counts.items() if count > 1]:
            yield f"the feed has told {len(twice)} events twice: {twice[:3]}"
        told = {event["id"]: event for event in self.events}
        while True:
            pushed.act()
            lost = _differing(pushed.events, told, baselines, hiding=hiding)
            if not lost or time.monotonic() > deadline:
                break
            time.sleep(1)
        if lost:
            known = (*pushed.events.values(), *told.values())
            some = [_told(each) for each in known if each["id"] in lost]
            yield f"{len(lost)} events were pushed and not told, or told and not pushed: {some[:3]}"


class MirrorKeeper(Actor):
    """Keeps a mirror of one client in a database of SQLite; ``tally`` counts its steps."""

    def __init__(
        self, url: str, origin: OriginDouble, client_id: str, file: Path, seed: int
    ) -> None:
        super().__init__(seed, pause_seconds=(0.5, 2))
        self.tally: Counter[str] = Counter()
        self._client = Client(f"{url}/v2", client_id, transport=Transport(patience=0))
        self._origin = origin
        self._file = file

    @override
    def act(self) -> None:
        try:
            self.step()
        except ManagedUsersError:
            # Whatever is broken is mended one day; until then nothing is proven.
            self.tally["mirror could not be proven"] += 1

    def step(self) -> None:
        """Bring the copy up to date, and have it proven by the service's digest."""
        with Database.at(f"sqlite:///{self._file}", self._client.client_id) as database:
            Mirror(self._client, database).step()
        self.tally["mirror proven"] += 1

    def judge(self) -> Iterator[str]:
        """Yield in what the mirror is not the directory, when nothing changes any more."""
        try:
            self.step()
        except ManagedUsersError as error:
            yield f"the mirror cannot be proven: {error}"
            return
        connection = sqlite3.connect(self._file)
        try:
            kept = connection.execute("SELECT document FROM managed_users").fetchall()
        finally:
            connection.close()
        rows = {row["id"]: beside_hidden(row) for row in (json.loads(text) for (text,) in kept)}
        users = self._origin.users(self._client.client_id)
        there = {row["id"]: beside_hidden(row) for row in users}
        if rows != there:
            wrong = [each for each in rows.keys() | there if rows.get(each) != there.get(each)]
            yield f"the mirror differs from the origin in {len(wrong)} users: {wrong[:5]}"


def _differing(
    pushed: dict[str, Event], told: dict[str, Event], baselines: set[int], *, hiding: bool
) -> set[str]:
    """Return the ids of events that only one side has, or that the sides have differently."""

    def counts(event: Event) -> bool:
        if not hiding:
            return True
        of_metadata = set(event["data"].get("fields", ["id"])) <= {"metadata"}
        return not of_metadata and event["data"]["generation"] not in baselines

    one, other = (
        {each: event for each, event in side.items() if counts(event)} for side in (pushed, told)
    )
    same = one.keys() & other.keys()
    changed = set() if hiding else {each for each in same if one[each] != other[each]}
    return (one.keys() ^ other.keys()) | changed


def _is_baseline(event: Event) -> bool:
    return bool(event["type"].endswith(".baseline.v1"))


def _told(event: Event) -> str:
    data = event["data"]
    return f"{event['type'].split('.')[-2]} of {data.get('userId')} in {data['generation']}"
