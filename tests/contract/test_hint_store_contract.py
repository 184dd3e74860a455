"""Whom webhooks hinted at: the fake and the table do the same."""

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.hint_store import MAX_WAITING, HintStore
from lib.aws.table import Table
from tests.fake_hints import FakeHinted
from tests.fakes import CLIENT, NOW, Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY: Any = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "hints"}}
type Hinted = FakeHinted | HintStore


class Stored:
    """A table of hints, and what lies in it."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client, self.name = client, name
        self.hinted = HintStore(Table(client, name, sleep=Clock().sleep))

    def put(self, **attributes: object) -> None:
        """Let something lie where a client's hints do."""
        self.client.put_item(TableName=self.name, Item=KEY | attributes)

    @property
    def item(self) -> Any:  # noqa: ANN401 - an item is free-form.
        """What lies there."""
        return self.client.get_item(TableName=self.name, Key=KEY)["Item"]


@pytest.fixture(scope="session")
def tables(aws: EmbeddedAws) -> Callable[[], Stored]:
    numbers, client = count(), aws.client("dynamodb")

    def table() -> Stored:
        name = f"hints-{next(numbers)}"
        aws.create_table(name)
        return Stored(client, name)

    return table


@pytest.fixture(params=["fake", "table"])
def hinted(request: pytest.FixtureRequest) -> Hinted:
    if request.param == "fake":
        return FakeHinted()
    tables: Callable[[], Stored] = request.getfixturevalue("tables")
    return tables().hinted


def note(hinted: Hinted, *keys: str) -> bool:
    return hinted.note(CLIENT, keys, now=NOW)


def test_of_a_client_without_hints_nobody_waits(hinted: Hinted) -> None:
    assert (hinted.take(CLIENT, most=10), hinted.waiting([CLIENT, "other"])) == ([], set())


def test_who_is_hinted_at_several_times_waits_once(hinted: Hinted) -> None:
    assert note(hinted, "id:1", "email:a+clientid1@example.com")
    assert note(hinted, "id:1")

    assert hinted.waiting([CLIENT, "other"]) == {CLIENT}
    assert hinted.take(CLIENT, most=10) == ["email:a+clientid1@example.com", "id:1"]


def test_who_was_taken_waits_until_he_is_settled_and_is_taken_first(hinted: Hinted) -> None:
    note(hinted, "id:2", "id:3")
    taken = [hinted.take(CLIENT, most=1)]
    note(hinted, "id:1")
    taken.append(hinted.take(CLIENT, most=2))
    hinted.settle(CLIENT, ["id:1", "id:2"])
    taken.append(hinted.take(CLIENT, most=2))
    hinted.settle(CLIENT, ["id:3"])

    assert taken == [["id:2"], ["id:2", "id:1"], ["id:3"]]
    assert hinted.waiting([CLIENT]) == set()


def test_whoever_takes_fewer_than_were_taken_gets_the_first_of_them(hinted: Hinted) -> None:
    note(hinted, "id:1", "id:2", "id:3")
    hinted.take(CLIENT, most=3)

    assert hinted.take(CLIENT, most=1) == ["id:1"]


def test_a_hint_that_comes_while_its_user_is_asked_for_waits_anew(hinted: Hinted) -> None:
    note(hinted, "id:1")
    hinted.take(CLIENT, most=10)
    note(hinted, "id:1")
    hinted.settle(CLIENT, ["id:1"])

    assert hinted.waiting([CLIENT]) == {CLIENT}
    assert hinted.take(CLIENT, most=10) == ["id:1"]


def test_to_settle_what_never_waited_does_no_harm(hinted: Hinted) -> None:
    hinted.settle(CLIENT, ["id:1"])

    assert hinted.waiting([CLIENT]) == set()


def test_no_more_wait_than_there_is_room_for(hinted: Hinted) -> None:
    for start in range(1, MAX_WAITING, 50):
        assert note(hinted, *(f"id:{number}" for number in range(start, start + 50)))

    assert not note(hinted, "id:9999")
    assert len(hinted.take(CLIENT, most=1_000)) == MAX_WAITING


@pytest.mark.parametrize("damage", [{"S": "x"}, {"NS": ["1"]}, {"M": {}}, {"NULL": True}])
def test_what_is_no_hints_makes_way(tables: Callable[[], Stored], damage: object) -> None:
    stored = tables()
    stored.put(data=damage, taken=damage)

    nobody = [*stored.hinted.take(CLIENT, most=10), *stored.hinted.waiting([CLIENT])]
    noted = note(stored.hinted, "id:1", "id:2")
    stored.put(data=stored.item["data"], taken=damage)
    some = stored.hinted.take(CLIENT, most=1)

    assert (nobody, noted, some) == ([], True, ["id:1"])
    assert stored.hinted.take(CLIENT, most=10) == ["id:1", "id:2"]


@pytest.mark.parametrize("member", [b"x", b"id:x", b"id:0", b"id:1\n", b"email:", b"email:\xff"])
def test_what_is_no_key_is_passed_over(tables: Callable[[], Stored], member: bytes) -> None:
    stored = tables()
    stored.put(data={"BS": [member]}, taken={"BS": [member]})
    nobody = stored.hinted.waiting([CLIENT])
    note(stored.hinted, "id:1")

    assert not nobody
    assert stored.hinted.take(CLIENT, most=10) == ["id:1"]


def test_hints_are_rubbish_after_a_day(tables: Callable[[], Stored]) -> None:
    stored = tables()
    note(stored.hinted, "id:1")

    assert stored.item["expires_at"] == {"N": str(int(NOW) + 24 * 3600)}
