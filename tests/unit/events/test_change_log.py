"""What changed since a generation that a caller knows."""

import json
from collections.abc import Iterable

import pytest

from lib.directory import pages
from lib.directory.generation import Generation
from lib.directory.manifest import Manifest, unpack
from lib.directory.memory import Memory
from lib.errors import GoneError, InvalidRequestError, StoreError
from lib.events.change_log import ChangeLog
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from tests.fakes import CLIENT, NOW, Clock, FakeStore, User, user, users


class Fixture:
    """A table with some generations, the newest of them the head."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.log = ChangeLog(Memory(self.store, clock=Clock(), max_bytes=1_000_000))

    def publish(
        self, rows: Iterable[User], *, policy: str = "", complete: bool = True
    ) -> "Fixture":
        """Put one generation more into the table."""
        draft = pages.draft(
            [canonical(row) for row in rows], complete=complete, hiding_digest=policy
        )
        self.store.put(CLIENT, draft.pages, {}, expires_at=0)
        generation = self.store.peek().generation.number + 1
        self.store.manifests[CLIENT, generation] = {
            "generation": generation,
            "digest": draft.digest,
            "complete": complete,
            "policy": policy,
            "swept_at": NOW,
            "listing": Manifest(draft.refs).pack(),
        }
        self.store.put_head(generation=generation)
        return self

    @property
    def newest(self) -> Generation:
        current = self.store.peek().generation
        return self.store.generation(CLIENT, current.number) or current


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_users_are_told_by_what_happened_to_them(fixture: Fixture) -> None:
    fixture.publish(users(range(1, 6)), complete=False)
    new = [user(1, name="Renamed"), user(3, bio="", locale="de"), user(4), user(5)]
    fixture.publish([*new, user(6), user(7, createdDate="2027-06-01T00:00:00.000Z")])

    assert fixture.log.since(fixture.newest, 1).named == {
        "since": 1,
        "generation": 2,
        "usersDigest": None,
        "created": [7],
        "discovered": [6],
        "updated": [{"id": 1, "fields": ["name"]}, {"id": 3, "fields": ["bio", "locale"]}],
        "deleted": [2],
    }


def test_several_generations_are_told_as_one_difference(fixture: Fixture) -> None:
    fixture.publish(users([1, 2])).publish(users([1, 2, 3])).publish(users([1, 3]))
    fixture.publish([user(1), user(2, name="Back")])

    told = fixture.log.since(fixture.newest, 1).named

    assert (told["created"], told["deleted"]) == ([], [])
    assert told["updated"] == [{"id": 2, "fields": ["name"]}]


def test_since_the_newest_generation_nothing_changed_and_nothing_is_read(fixture: Fixture) -> None:
    head = fixture.publish(users([1])).publish(users([1, 2])).newest
    fixture.store.calls.clear()

    told = fixture.log.since(head, 2).named

    assert told.pop("generation") == told.pop("since") == 2
    assert not any(told.values())
    assert not fixture.store.calls


def test_before_anything_was_published_nothing_changed_since_nothing(fixture: Fixture) -> None:
    told = fixture.log.since(fixture.newest, 0).named

    assert (told["since"], told["generation"]) == (0, 0)


def test_a_generation_that_is_not_there_yet_is_the_callers_mistake(fixture: Fixture) -> None:
    head = fixture.publish(users([1])).newest

    with pytest.raises(InvalidRequestError, match="'since' is above the newest generation, 1"):
        fixture.log.since(head, 2)


@pytest.mark.parametrize("since", [0, 1])
def test_a_generation_that_is_no_longer_kept_is_gone(fixture: Fixture, since: int) -> None:
    head = fixture.publish(users([1])).publish(users([1, 2])).newest
    del fixture.store.manifests[CLIENT, 1]

    with pytest.raises(GoneError, match=f"Generation {since} "):
        fixture.log.since(head, since)


@pytest.mark.parametrize("generation", [1, 2])
def test_a_generation_with_a_page_missing_is_gone(fixture: Fixture, generation: int) -> None:
    head = fixture.publish(users([1])).publish(users([1, 2])).newest
    refs = unpack(fixture.store.manifests[CLIENT, generation]["listing"]).pages
    del fixture.store.stored_pages[CLIENT, refs[0].digest]

    with pytest.raises(GoneError):
        fixture.log.since(head, 1)


def test_generations_that_hide_something_else_cannot_be_compared(fixture: Fixture) -> None:
    head = fixture.publish(users([1])).publish(users([1, 2]), policy="another").newest

    with pytest.raises(GoneError):
        fixture.log.since(head, 1)


def test_a_table_that_is_down_does_not_make_a_generation_gone(fixture: Fixture) -> None:
    head = fixture.publish(users([1])).publish(users([1, 2])).newest
    fixture.store.fail("generation")

    with pytest.raises(StoreError):
        fixture.log.since(head, 1)


def test_a_change_of_what_is_hidden_by_now_is_none(fixture: Fixture) -> None:
    fixture.publish(users([1, 2]))
    fixture.publish([user(1, bio="canary"), user(2, bio="canary", name="Renamed")])
    log = ChangeLog(fixture.store, hiding=HidingPolicy(fields=frozenset({"bio"})))

    assert log.since(fixture.newest, 1).named["updated"] == [{"id": 2, "fields": ["name"]}]


def test_with_values_come_those_who_are_there(fixture: Fixture) -> None:
    fixture.publish(users([1, 2, 3]))
    fixture.publish([user(1, name="Renamed"), user(3), user(4)])

    told = fixture.log.since(fixture.newest, 1, values=True)

    assert told.lines is not None
    assert [json.loads(line)["id"] for line in told.lines] == [1, 4]
    assert fixture.log.since(fixture.newest, 1).lines is None
