"""The bus: batches within PutEvents' bounds, and only refused entries sent again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lib.aws.event_bus import MAX_BYTES, MAX_ENTRIES, EventBus
from lib.errors import UnavailableError
from lib.events.event import MAX_VALUES_BYTES, PREFIX, Event
from tests.fakes import Clock

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

type Verdict = Callable[[str], bool]


def accept(_event_id: str) -> bool:
    return True


@dataclass(slots=True)
class FakeEvents:
    """EventBridge's client: each call asks the next of ``verdicts`` about every entry's event.

    An exception in place of a verdict is raised; after the last one everything is accepted.
    """

    verdicts: list[Verdict | Exception] = field(default_factory=list)
    calls: list[list[Mapping[str, Any]]] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        self.calls.append(list(Entries))
        verdict = self.verdicts.pop(0) if self.verdicts else accept
        if isinstance(verdict, Exception):
            raise verdict
        results = [_result(accepted=verdict(_id(entry))) for entry in Entries]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    @property
    def ids(self) -> list[list[str]]:
        """The ids of the events in each call."""
        return [[_id(entry) for entry in call] for call in self.calls]


def _result(*, accepted: bool) -> dict[str, str]:
    if accepted:
        return {"EventId": "0f1e2d3c"}
    return {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}


def _id(entry: Mapping[str, Any]) -> str:
    return str(json.loads(entry["Detail"])["id"])


def event(event_id: str, **data: object) -> Event:
    return {"id": event_id, "type": f"{PREFIX}.managed-user.updated.v1", "data": data}


def events(count: int) -> list[Event]:
    return [event(f"e{number}") for number in range(count)]


def bus(client: FakeEvents, clock: Clock | None = None) -> EventBus:
    return EventBus(cast("EventBridgeClient", client), "the-bus", sleep=(clock or Clock()).sleep)


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://events.example.org")


def test_an_entry_says_whose_it_is_and_carries_the_event() -> None:
    client = FakeEvents()
    sent = event("e1", userId=1001)

    bus(client).send([sent])

    ((entry,),) = client.calls
    assert json.loads(entry.pop("Detail")) == sent  # type: ignore[attr-defined]
    assert entry == {
        "EventBusName": "the-bus",
        "Source": PREFIX,
        "DetailType": f"{PREFIX}.managed-user.updated.v1",
        "Resources": [],
    }


def test_nothing_to_send_is_no_call() -> None:
    client = FakeEvents()

    bus(client).send([])

    assert client.calls == []


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])],
)
def test_a_call_holds_at_most_ten_entries(count: int, sizes: list[int]) -> None:
    client = FakeEvents()

    bus(client).send(events(count))

    assert max(sizes) <= MAX_ENTRIES
    assert [len(call) for call in client.calls] == sizes
    assert [name for call in client.ids for name in call] == [f"e{n}" for n in range(count)]


def test_a_call_stays_within_the_bytes_that_it_may_have() -> None:
    client = FakeEvents()
    large = [event(f"e{number}", text="x" * 100_000) for number in range(5)]

    bus(client).send(large)

    assert client.ids == [["e0", "e1"], ["e2", "e3"], ["e4"]]
    assert all(_bytes(call) <= MAX_BYTES for call in client.calls)


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u0416", "\u6f22", "\U0001f600"])
def test_the_largest_values_fit_in_any_alphabet(letter: str) -> None:
    client = FakeEvents()
    text = letter * (MAX_VALUES_BYTES // len(letter.encode()))

    bus(client).send([event("e1", text=text)])

    (call,) = client.calls
    assert _bytes(call) <= MAX_BYTES
    assert json.loads(call[0]["Detail"])["data"]["text"] == text


def test_a_lone_surrogate_is_sent_as_the_escape_it_was() -> None:
    client = FakeEvents()

    bus(client).send([event("e1", name="a\ud800")])

    ((entry,),) = client.calls
    assert "a\\ud800" in entry["Detail"]
    assert json.loads(entry["Detail"])["data"] == {"name": "a\ud800"}


def _bytes(call: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(entry["Detail"].encode()) for entry in call)


def test_an_entry_that_fails_once_is_sent_again_alone() -> None:
    client = FakeEvents([lambda name: name != "e1"])

    bus(client).send(events(3))

    assert client.ids == [["e0", "e1", "e2"], ["e1"]]


def test_what_is_sent_again_is_the_same_entry() -> None:
    client = FakeEvents([lambda name: name != "e1"])

    bus(client).send(events(3))

    assert client.calls[1][0] == client.calls[0][1]


def test_entries_that_fail_in_turn_are_sent_until_each_was_accepted() -> None:
    client = FakeEvents([lambda name: name == "e0", lambda name: name == "e2"])

    bus(client).send(events(3))

    assert client.ids == [["e0", "e1", "e2"], ["e1", "e2"], ["e1"]]


@pytest.mark.parametrize("error", [THROTTLED, UNREACHABLE])
def test_a_call_that_fails_is_made_again_with_all_its_entries(error: Exception) -> None:
    client = FakeEvents([error])

    bus(client).send(events(2))

    assert client.ids == [["e0", "e1"], ["e0", "e1"]]


def test_tries_are_bounded_and_the_pauses_between_them_grow() -> None:
    client, clock = FakeEvents([lambda _: False] * 9), Clock()

    with pytest.raises(UnavailableError) as caught:
        bus(client, clock).send(events(1))

    assert caught.value.reason == "events-refused"
    assert len(client.calls) == 4
    assert clock.slept == sorted(clock.slept)
    assert len(clock.slept) == 3
    # Well within the function's minute.
    assert sum(clock.slept) < 5


def test_after_a_batch_that_was_refused_nothing_more_is_sent() -> None:
    client = FakeEvents([lambda name: name != "e3"] * 4)

    with pytest.raises(UnavailableError):
        bus(client).send(events(25))

    assert {name for call in client.ids for name in call} == {f"e{n}" for n in range(10)}
