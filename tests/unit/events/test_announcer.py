"""Announcing: every generation once at least, in order, under ids that a repetition keeps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import pages
from lib.directory.manifest import Manifest
from lib.directory.memory import Memory
from lib.errors import BrokenSnapshotError, Reason, StoreError, UnavailableError
from lib.events.announcer import Announcing
from lib.events.event import Event, EventFormat
from lib.events.history import History
from lib.users.document import canonical
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from tests.fakes import CLIENT, NOW, Clock, FakeStore, User, user, users


@dataclass
class Announcer:
    """A table with generations, and the announcements of their changes."""

    store: FakeStore = field(default_factory=FakeStore)
    batches: list[list[Event]] = field(default_factory=list)
    hiding: HidingPolicy = NOTHING_HIDDEN
    refuse: int = 0
    meanwhile: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Go on in a new environment."""
        history = History(
            store=Memory(self.store, clock=Clock(), max_bytes=1_000_000),
            event_format=EventFormat(with_values=True),
            hiding=self.hiding,
        )
        self._announcing = Announcing(history=history, send=self._send)

    def publish(self, rows: Iterable[User], *, policy: str = "") -> None:
        """Put one generation more into the table."""
        draft = pages.draft([canonical(row) for row in rows], complete=True, hiding_digest=policy)
        self.store.put(CLIENT, draft.pages, {}, expires_at=0)
        generation = self.store.peek().generation.number + 1
        moved = {
            "generation": generation,
            "digest": draft.digest,
            "users": sum(ref.users for ref in draft.refs),
            "complete": True,
            "policy": policy,
            "swept_at": NOW + generation,
            "listing": Manifest(draft.refs).pack(),
        }
        self.store.manifests[CLIENT, generation] = dict(moved)
        self.store.put_head(**moved)  # type: ignore[arg-type]

    def catch_up(self) -> int:
        return self._announcing.catch_up(CLIENT)

    def catch_up_after_failures(self) -> None:
        """Be woken again and again, as the stream does, until it goes well."""
        while True:
            self.forget()
            try:
                self.catch_up()
            except UnavailableError:
                continue
            return

    @property
    def mark(self) -> int:
        return self.store.peek().announced

    @property
    def told(self) -> list[tuple[int, str, str | None]]:
        """What was sent: generation, kind, subject."""
        return [
            (event["data"]["generation"], event["type"].split(".")[-2], event.get("subject"))
            for event in self.sent
        ]

    @property
    def sent(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def ids(self) -> set[str]:
        return {event["id"] for event in self.sent}

    def _send(self, events: Sequence[Event]) -> None:
        self.batches.append(list(events))
        if self.meanwhile:
            now, self.meanwhile = self.meanwhile, None
            now()
        if self.refuse:
            self.refuse -= 1
            raise UnavailableError("the bus refused events", reason=Reason.EVENTS_REFUSED)


@pytest.fixture
def announcer() -> Announcer:
    """Return an announcer of whose two users everything is known."""
    announcer = Announcer()
    announcer.publish(users([1, 2]))
    announcer.catch_up()
    announcer.batches.clear()
    return announcer


def test_the_first_generation_is_one_baseline_and_not_an_event_for_every_user() -> None:
    announcer = Announcer()
    announcer.publish(users(range(1, 301)))

    sent = announcer.catch_up()

    assert sent == 1
    assert announcer.told == [(1, "baseline", None)]
    assert announcer.sent[0]["data"]["users"] == 300
    assert announcer.mark == 1


def test_a_client_of_which_nothing_was_published_is_nothing_to_announce() -> None:
    announcer = Announcer()

    assert announcer.catch_up() == 0
    assert announcer.batches == []


def test_each_change_is_an_event(announcer: Announcer) -> None:
    announcer.publish([user(2, name="Renamed"), user(3)])

    sent = announcer.catch_up()

    assert sent == 3
    assert announcer.told == [(2, "deleted", "1"), (2, "updated", "2"), (2, "created", "3")]
    assert announcer.mark == 2


def test_a_repeated_wake_up_announces_nothing(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.catch_up()
    announcer.batches.clear()

    assert announcer.catch_up() == 0
    assert announcer.batches == []


def test_generations_whose_wake_up_was_lost_are_announced_with_the_next_in_order(
    announcer: Announcer,
) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.publish(users([1, 3]))
    announcer.publish(users([1, 3, 4]))

    sent = announcer.catch_up()

    assert sent == 3
    assert announcer.told == [(2, "created", "3"), (3, "deleted", "2"), (4, "created", "4")]
    assert announcer.mark == 4


def test_generations_before_the_first_announcement_begin_with_a_baseline() -> None:
    announcer = Announcer()
    announcer.publish(users([1]))
    announcer.publish(users([1, 2]))

    announcer.catch_up()

    assert announcer.told == [(1, "baseline", None), (2, "created", "2")]


def test_what_the_bus_refused_is_announced_again_under_the_same_ids(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.refuse = 1

    with pytest.raises(UnavailableError):
        announcer.catch_up()
    refused_at = announcer.mark
    announcer.catch_up()

    assert (refused_at, announcer.mark) == (1, 2)
    first, second = announcer.batches
    assert first == second


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_mark_of_which_nobody_heard_repeats_at_most_what_was_sent(
    announcer: Announcer, *, when: str
) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.store.fail("mark_announced", when="before" if when == "before" else "after")

    with pytest.raises(StoreError):
        announcer.catch_up()
    announcer.catch_up()

    assert announcer.mark == 2
    assert len(announcer.ids) == 1
    assert len(announcer.sent) == (2 if when == "before" else 1)


def test_after_a_refusal_generations_that_were_taken_are_not_repeated(
    announcer: Announcer,
) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.publish(users([1, 2, 3, 4]))

    def refuse_the_second() -> None:
        announcer.meanwhile = lambda: setattr(announcer, "refuse", 1)

    announcer.meanwhile = refuse_the_second
    with pytest.raises(UnavailableError):
        announcer.catch_up()
    announcer.catch_up()

    assert announcer.told == [(2, "created", "3"), (3, "created", "4"), (3, "created", "4")]


@pytest.mark.parametrize("gone", [1, 2])
def test_a_generation_that_is_gone_is_one_baseline_of_the_newest(
    announcer: Announcer, gone: int
) -> None:
    for ids in ([1, 2, 3], [1, 2, 3, 4]):
        announcer.publish(users(ids))
    del announcer.store.manifests[CLIENT, gone]
    announcer.forget()

    announcer.catch_up()

    assert announcer.told == [(3, "baseline", None)]
    assert announcer.mark == 3


def test_after_a_baseline_changes_are_told_again(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    del announcer.store.manifests[CLIENT, 1]
    announcer.forget()
    announcer.catch_up()
    announcer.publish(users([1, 2]))

    announcer.catch_up()

    assert announcer.told == [(2, "baseline", None), (3, "deleted", "3")]


def test_a_page_that_is_gone_is_a_baseline_too(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.store.stored_pages.clear()
    announcer.forget()

    announcer.catch_up()

    assert announcer.told == [(2, "baseline", None)]


def test_a_table_that_is_down_is_no_reason_for_a_baseline(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.store.fail("pages")
    announcer.forget()

    with pytest.raises(StoreError) as caught:
        announcer.catch_up()
    announcer.catch_up()

    assert not isinstance(caught.value, BrokenSnapshotError)
    assert announcer.told == [(2, "created", "3")]


def test_another_hiding_policy_is_a_baseline_and_not_a_storm(announcer: Announcer) -> None:
    hidden = [{"id": row["id"], "email": row["email"]} for row in users([1, 2])]
    announcer.publish(hidden, policy="other")
    announcer.publish([*hidden, user(3)], policy="other")

    announcer.catch_up()

    assert announcer.told == [(2, "baseline", None), (3, "created", "3")]


def test_what_is_hidden_by_now_is_no_change_however_late_it_is_told(announcer: Announcer) -> None:
    announcer.publish([user(1, bio="canary"), user(2, bio="canary", name="Renamed")])
    announcer.publish([user(1, bio="another canary"), user(2, bio="canary", name="Renamed")])
    announcer.hiding = HidingPolicy(fields=frozenset({"bio"}))
    announcer.forget()

    announcer.catch_up()

    assert announcer.told == [(2, "updated", "2")]
    assert announcer.sent[0]["data"]["fields"] == ["name"]
    assert "bio" not in announcer.sent[0]["data"]["after"]
    assert announcer.mark == 3


def test_a_generation_published_meanwhile_is_announced_too(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.meanwhile = lambda: announcer.publish(users([1, 2, 3, 4]))

    announcer.catch_up()

    assert announcer.told == [(2, "created", "3"), (3, "created", "4")]
    assert announcer.mark == 3


def test_who_loses_the_mark_to_another_goes_on_from_there(announcer: Announcer) -> None:
    announcer.publish(users([1, 2, 3]))
    other = Announcer(store=announcer.store)

    def be_overtaken() -> None:
        other.catch_up()
        # This one's wake-up was for a generation that the other had not seen.
        announcer.publish(users([1, 2, 3, 4]))

    announcer.meanwhile = be_overtaken

    announcer.catch_up()

    assert other.told == [(2, "created", "3")]
    assert announcer.told == [(2, "created", "3"), (3, "created", "4")]
    assert announcer.mark == 3


def test_a_mark_that_was_set_back_announces_again_what_follows_under_the_same_ids(
    announcer: Announcer,
) -> None:
    announcer.publish(users([1, 2, 3]))
    announcer.publish(users([1, 2]))
    announcer.catch_up()
    announcer.store.mark_announced(CLIENT, 1, seen=3)

    announcer.catch_up()

    assert announcer.told[:2] == announcer.told[2:]
    assert len(announcer.ids) == 2


DIRECTORIES = st.lists(st.sets(st.integers(1, 12)), min_size=1, max_size=6)
FAILURES = st.lists(st.sampled_from(["bus", "before", "after", "head", "pages"]), max_size=6)


@given(directories=DIRECTORIES, failures=FAILURES, woken=st.integers(1, 6))
def test_whatever_fails_everything_is_announced_under_the_ids_it_would_have_had(
    directories: list[set[int]], failures: list[str], woken: int
) -> None:
    calm, troubled = Announcer(), Announcer()
    for failure in failures:
        _break(troubled, failure)
    for number, ids in enumerate(directories, start=1):
        for announcer in (calm, troubled):
            announcer.publish(users(sorted(ids)))
        if number % woken == 0:
            troubled.catch_up_after_failures()
    troubled.catch_up_after_failures()
    calm.catch_up()

    generations = [event["data"]["generation"] for batch in troubled.batches for event in batch]

    assert troubled.ids == calm.ids
    assert troubled.mark == calm.mark == len(directories)
    assert generations == sorted(generations)


def _break(announcer: Announcer, failure: str) -> None:
    match failure:
        case "bus":
            announcer.refuse += 1
        case "before" | "after":
            announcer.store.fail(
                "mark_announced", when="before" if failure == "before" else "after"
            )
        case _:
            announcer.store.fail(failure)
