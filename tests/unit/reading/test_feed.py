"""The feed: the very events that are pushed, in order, page by page, until there is nothing new."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import pages
from lib.directory.manifest import Manifest
from lib.directory.memory import Memory
from lib.errors import GoneError, InvalidRequestError, StoreError
from lib.events.announcer import Announcing
from lib.events.event import Event, EventFormat
from lib.events.history import History
from lib.queries.feed_query import FeedQuery, feed_cursors
from lib.reading.feed import MAX_STEPS, Feed, FeedAnswer
from lib.users.document import canonical
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from tests.fakes import CLIENT, NOW, Clock, FakeStore, User, user, users

CURSORS = feed_cursors(lambda: b"key")


@dataclass
class Listener:
    """A table with generations, what is pushed of it, and who asks for the same."""

    store: FakeStore = field(default_factory=FakeStore)
    hiding: HidingPolicy = NOTHING_HIDDEN
    with_values: bool = False
    pushed: list[Event] = field(default_factory=list)

    def publish(self, rows: Iterable[User], *, policy: str = "", number: int = 0) -> None:
        """Put one generation more into the table."""
        draft = pages.draft([canonical(row) for row in rows], complete=True, hiding_digest=policy)
        self.store.put(CLIENT, draft.pages, {}, expires_at=0)
        number = number or self.store.peek().generation.number + 1
        moved = {
            "generation": number,
            "digest": draft.digest,
            "users": draft.users,
            "complete": True,
            "policy": policy,
            "swept_at": NOW + number,
            "listing": Manifest(draft.refs).pack(),
        }
        self.store.manifests[CLIENT, number] = dict(moved)
        self.store.put_head(**moved)  # type: ignore[arg-type]

    def push(self) -> list[Event]:
        """Push what was not pushed yet; return all that was."""
        Announcing(history=self._history(), send=self.pushed.extend).catch_up(CLIENT)
        return self.pushed

    def ask(self, *, if_none_match: str | None = None, **asked: Any) -> FeedAnswer:  # noqa: ANN401
        """Ask for one page, in a new environment."""
        if isinstance(asked.get("after"), str):
            asked["after"] = CURSORS.read(asked["after"])
        newest = self.store.peek().generation
        feed = Feed(history=self._history(), cursors=CURSORS)
        return feed.answer(newest, FeedQuery(**asked), if_none_match=if_none_match)

    def follow(self, after: str | int, **asked: Any) -> tuple[list[Event], str]:  # noqa: ANN401
        """Ask until there is nothing new; return what was told, and the last cursor."""
        told: list[Event] = []
        while True:
            body = json.loads(self.ask(after=after, **asked).body)
            told += body["data"]
            after = body["pagination"]["cursor"]
            if not body["pagination"]["hasMore"]:
                return told, str(after)

    def _history(self) -> History:
        return History(
            store=Memory(self.store, clock=Clock(), max_bytes=1_000_000),
            event_format=EventFormat(with_values=self.with_values),
            hiding=self.hiding,
        )


def of(answer: FeedAnswer) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """Return the kinds and generations of events, and the pagination."""
    body = json.loads(answer.body)
    return kinds(body["data"]), body["pagination"]


def kinds(events: Sequence[Event]) -> list[tuple[str, int]]:
    return [(event["type"].split(".")[-2], event["data"]["generation"]) for event in events]


@pytest.fixture
def listener() -> Listener:
    """Return a listener to a directory of three generations."""
    listener = Listener()
    listener.publish(users([1, 2]))
    listener.publish([user(2, name="Renamed"), user(3)])
    listener.publish(users([2, 3]))
    return listener


def test_who_has_nothing_yet_is_told_where_to_start(listener: Listener) -> None:
    told, page = of(listener.ask())

    assert told == [("baseline", 3)]
    assert (page["hasMore"], page["generation"]) == (False, 3)
    assert listener.follow(page["cursor"]) == ([], page["cursor"])


def test_before_anything_was_published_there_is_nothing_and_a_place_to_go_on_from() -> None:
    listener = Listener()
    told, page = of(listener.ask())
    listener.publish(users([1]))
    listener.publish(users([1, 2]))

    assert (told, page["generation"], page["hasMore"]) == ([], 0, False)
    assert kinds(listener.follow(page["cursor"])[0]) == [("baseline", 1), ("created", 2)]


def test_what_is_asked_for_is_what_was_pushed(listener: Listener) -> None:
    assert listener.follow(0)[0] == listener.push()
    assert listener.follow(1)[0] == listener.push()[1:]


def test_values_are_in_it_as_they_are_pushed(listener: Listener) -> None:
    listener.with_values = True

    told, _ = listener.follow(0)

    assert told == listener.push()
    assert told[1]["data"]["before"]["id"] == 1


def test_values_are_in_it_for_who_asks_for_them_however_long_they_are(listener: Listener) -> None:
    bio = "x" * 120_000
    listener.publish([user(2, bio=bio), user(3)])

    plain, _ = listener.follow(3)
    told, _ = listener.follow(3, values=True)

    assert "after" not in plain[0]["data"]
    assert told[0]["id"] == plain[0]["id"]
    assert told[0]["data"]["after"]["bio"] == bio


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_end_anywhere_and_nothing_is_told_twice(listener: Listener, limit: int) -> None:
    told, _ = listener.follow(1, limit=limit)

    assert told == listener.follow(1)[0]
    assert len({event["id"] for event in told}) == len(told) == 4


def test_a_page_says_of_which_generation_all_has_been_told(listener: Listener) -> None:
    first = json.loads(listener.ask(after=1, limit=2).body)["pagination"]
    second = json.loads(listener.ask(after=first["cursor"], limit=1).body)["pagination"]

    assert (first["generation"], first["hasMore"], first["returnedItems"]) == (1, True, 2)
    assert (second["generation"], second["hasMore"]) == (2, True)
    assert first["itemsPerPage"] == 2


def test_a_link_leads_on_while_there_is_more(listener: Listener) -> None:
    more = listener.ask(after=1, limit=2, values=True)
    cursor = json.loads(more.body)["pagination"]["cursor"]

    assert more.headers["Link"] == f'<?limit=2&include=values&after={cursor}>; rel="next"'
    assert "Link" not in listener.ask(after=3).headers


def test_an_answer_is_as_large_as_lambda_allows_and_goes_on_after_that(listener: Listener) -> None:
    rows = [user(number, bio=f"{number} " + "\\" * 100_000) for number in range(1, 41)]
    listener.publish(rows)

    answer = listener.ask(after=3, limit=1000, values=True)
    told, _ = listener.follow(3, limit=1000, values=True)

    assert 1 < json.loads(answer.body)["pagination"]["returnedItems"] < len(rows)
    assert len(json.dumps(answer.body)) < 6 * 1024 * 1024
    assert len(told) == len(rows)


def test_an_answer_looks_at_so_many_generations_and_no_more(listener: Listener) -> None:
    for number in range(MAX_STEPS + 2):
        listener.publish(users([2, 3 + number % 2]))

    told, page = of(listener.ask(after=3, limit=1000))

    assert page["generation"] == 3 + MAX_STEPS
    assert page["hasMore"]
    assert told == kinds(listener.push())[5 : 5 + len(told)]


def test_nothing_new_is_a_304_that_reads_nothing(listener: Listener) -> None:
    _, cursor = listener.follow(3)
    first = listener.ask(after=cursor)
    listener.store.stored_pages.clear()
    listener.store.manifests.clear()

    again = listener.ask(after=cursor, if_none_match=first.headers["ETag"])
    other = listener.ask(after=cursor, if_none_match='"other"')

    assert (again.status, again.body) == (HTTPStatus.NOT_MODIFIED, "")
    assert (other.status, other.body) == (HTTPStatus.OK, first.body)
    assert first.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("gone", [1, 2])
def test_a_place_whose_generation_or_the_next_is_not_kept_is_gone(
    listener: Listener, gone: int
) -> None:
    del listener.store.manifests[CLIENT, gone]

    with pytest.raises(GoneError) as raised:
        listener.ask(after=1, limit=7, values=True)

    assert raised.value.fields["Link"] == '<?limit=7&include=values>; rel="first"'


def test_what_is_kept_is_told_before_what_is_gone_is_missed(listener: Listener) -> None:
    listener.publish(users([3]))
    del listener.store.manifests[CLIENT, 3]

    told, page = of(listener.ask(after=1))

    assert told == [("deleted", 2), ("updated", 2), ("created", 2)]
    assert page["hasMore"]
    with pytest.raises(GoneError):
        listener.ask(after=page["cursor"])


@pytest.mark.parametrize("told", [0, 1])
def test_a_number_that_was_used_again_is_no_place(listener: Listener, told: int) -> None:
    cursor = json.loads(listener.ask(after=1, limit=told or 3).body)["pagination"]["cursor"]
    restored = Listener()
    restored.publish(users([7]))
    restored.publish(users([8]))

    with pytest.raises(GoneError):
        restored.ask(after=cursor)


def test_a_cursor_from_before_a_restore_is_gone_while_its_number_is_not_reached(
    listener: Listener,
) -> None:
    _, cursor = listener.follow(3)
    restored = Listener()
    restored.publish(users([1, 2]))

    with pytest.raises(GoneError):
        restored.ask(after=cursor)


def test_a_step_that_became_another_is_told_from_its_start(listener: Listener) -> None:
    half = json.loads(listener.ask(after=1, limit=1).body)["pagination"]["cursor"]
    restored = Listener()
    restored.publish(users([1, 2]))
    restored.publish([user(2, name="Renamed otherwise"), user(4)])

    told, _ = of(restored.ask(after=half))

    assert told == [("deleted", 2), ("updated", 2), ("created", 2)]


def test_a_generation_that_is_not_there_yet_is_refused(listener: Listener) -> None:
    with pytest.raises(InvalidRequestError, match="above the newest generation, 3"):
        listener.ask(after=4)


def test_what_cannot_be_compared_is_a_baseline_as_it_is_pushed(listener: Listener) -> None:
    listener.publish(users([2, 3]), policy="other")
    listener.publish(users([2]), policy="other")

    assert kinds(listener.follow(3)[0]) == [("baseline", 4), ("deleted", 5)]
    assert listener.follow(0)[0] == listener.push()


def test_a_page_that_is_lost_is_a_baseline_as_it_is_pushed(listener: Listener) -> None:
    listener.store.stored_pages.clear()

    assert kinds(listener.follow(1)[0]) == [("baseline", 3)]


def test_who_is_in_the_middle_of_a_step_that_is_lost_starts_over(listener: Listener) -> None:
    listener.publish(users([4, 5, 6]))
    middle = json.loads(listener.ask(after=3, limit=2).body)["pagination"]["cursor"]
    listener.store.stored_pages.clear()

    assert kinds(listener.follow(middle)[0]) == [("baseline", 4)]


def test_what_is_hidden_by_now_is_not_told(listener: Listener) -> None:
    listener.publish([user(2, bio="canary"), user(3, name="Renamed", bio="canary")])
    half = json.loads(listener.ask(after=3, limit=1).body)["pagination"]["cursor"]
    listener.hiding = HidingPolicy(fields=frozenset({"bio"}))

    told, _ = listener.follow(half, values=True)

    # Its place was one among others.
    assert [(event["subject"], event["data"]["fields"]) for event in told] == [("3", ["name"])]
    assert "canary" not in json.dumps(told)


def test_a_table_that_is_down_loses_nothing(listener: Listener) -> None:
    listener.store.fail("pages")

    with pytest.raises(StoreError):
        listener.ask(after=1)

    assert listener.follow(1)[0] == listener.push()[1:]


@given(
    st.lists(st.sets(st.integers(1, 6), max_size=6), min_size=1, max_size=6),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
)
def test_whatever_happens_the_feed_is_what_was_pushed(
    editions: list[set[int]], limits: list[int]
) -> None:
    listener = Listener()
    told: list[Event] = []
    after: str | int = 0
    for number, ids in enumerate(editions):
        listener.publish([user(each, name=f"{each}{number % 2}") for each in sorted(ids)])
        for limit in limits:
            body = json.loads(listener.ask(after=after, limit=limit).body)
            told += body["data"]
            after = body["pagination"]["cursor"]
    rest, _ = listener.follow(after)

    assert told + rest == listener.push()
