"""What an environment remembers: heads for a second, pages while they fit."""

import pytest

from lib.directory import pages
from lib.directory.head import HEAD_SECONDS
from lib.directory.manifest import Manifest, PageRef
from lib.directory.memory import MAX_HEADS, Memory, page_size
from lib.directory.pages import Page
from lib.errors import StoreError
from tests.fakes import CLIENT, NOW, Clock, FakeStore, generation_with, head_with


class Fixture:
    """A memory in front of a table that holds a page for each of five users."""

    def __init__(self, *, max_bytes: int = 10_000) -> None:
        self.clock = Clock()
        self.store = FakeStore()
        self.memory = Memory(self.store, clock=self.clock, max_bytes=max_bytes)
        self.pages = [pages.cut([b'{"id":%d,"a":"%s"}' % (n, b"x" * 80)])[0] for n in range(1, 6)]
        self.store.put(CLIENT, self.pages, {}, expires_at=0)
        self.store.calls.clear()

    def read(self, *indexes: int) -> list[Page]:
        """Read pages through the memory."""
        return list(self.memory.pages(CLIENT, [self.pages[index].ref for index in indexes]))


def test_a_head_is_read_once_a_second() -> None:
    fixture = Fixture()
    reads = []

    for _ in range(5):
        fixture.memory.recent_head(CLIENT)
        reads.append(fixture.store.calls["head"])
        fixture.clock.now += 0.25

    assert reads == [1, 1, 1, 1, 2]


def test_a_head_that_was_just_written_needs_no_reading() -> None:
    fixture = Fixture()
    written = head_with(CLIENT, generation=7)

    fixture.memory.remember(written, since=fixture.clock.now)

    assert fixture.memory.recent_head(CLIENT) is written
    assert fixture.store.calls["head"] == 0


def test_that_somebody_reads_is_noted_and_remembered() -> None:
    fixture = Fixture()
    head = fixture.memory.recent_head(CLIENT)

    fixture.memory.note_read(head, NOW)

    assert fixture.store.peek().read_at == NOW
    assert fixture.memory.recent_head(CLIENT).read_at == NOW
    assert fixture.store.calls["head"] == 1


def test_whether_it_could_be_noted_or_not_nobody_tries_again_at_once() -> None:
    fixture = Fixture()
    head = fixture.memory.recent_head(CLIENT)
    fixture.store.fail("note_read")

    fixture.memory.note_read(head, NOW)

    assert fixture.store.peek().read_at == 0
    assert fixture.memory.recent_head(CLIENT).read_at == NOW
    fixture.clock.now += HEAD_SECONDS
    assert fixture.memory.recent_head(CLIENT).read_at == 0


def test_a_head_is_as_old_as_the_question_for_it() -> None:
    fixture = Fixture()
    fixture.store.before = lambda _name: fixture.clock.sleep(HEAD_SECONDS)
    fixture.memory.head(CLIENT)

    fixture.memory.recent_head(CLIENT)

    assert fixture.store.calls["head"] == 2


def test_a_clock_that_was_set_back_makes_no_head_recent() -> None:
    fixture = Fixture()
    fixture.memory.recent_head(CLIENT)
    fixture.clock.now -= 3600

    fixture.memory.recent_head(CLIENT)

    assert fixture.store.calls["head"] == 2


def test_the_head_as_it_is_now_is_always_read_and_then_remembered() -> None:
    fixture = Fixture()
    fixture.memory.head(CLIENT)
    fixture.store.put_head(generation=2)

    newest = fixture.memory.head(CLIENT)

    assert newest.generation.number == 2
    assert fixture.memory.recent_head(CLIENT) is newest


def test_while_the_table_is_down_the_last_published_head_goes_on_being_used() -> None:
    fixture = Fixture()
    fixture.store.put_head(generation=3)
    fixture.memory.recent_head(CLIENT)
    fixture.clock.now += 3600
    fixture.store.fail("head", times=2)

    seen = [fixture.memory.recent_head(CLIENT) for _ in range(2)]

    assert [head.generation.number for head in seen] == [3, 3]
    assert fixture.store.calls["head"] == 3


def test_while_the_table_is_down_a_head_without_a_snapshot_is_of_no_use() -> None:
    fixture = Fixture()
    fixture.memory.recent_head(CLIENT)
    fixture.clock.now += 1
    fixture.store.fail("head")

    with pytest.raises(StoreError):
        fixture.memory.recent_head(CLIENT)


def test_heads_of_too_many_clients_push_the_first_out() -> None:
    fixture = Fixture()

    for number in range(MAX_HEADS + 1):
        fixture.memory.remember(head_with(f"client{number}"), since=fixture.clock.now)

    fixture.memory.recent_head("client1")
    fixture.memory.recent_head("client0")
    assert fixture.store.calls["head"] == 1


def test_a_listing_is_read_once_for_each_digest() -> None:
    fixture = Fixture()
    packed = Manifest((PageRef("00" * 20, 1, 1),)).pack()
    head = generation_with(CLIENT, generation=1, digest="a", listing=packed)
    another = generation_with(CLIENT, generation=2, digest="b", listing=packed)

    for asked in (head, head, another):
        fixture.memory.manifest(asked)

    assert fixture.store.calls["manifest"] == 2


def test_a_page_is_read_once() -> None:
    fixture = Fixture()
    fixture.read(0, 1)

    again = fixture.read(1, 0)

    assert again == [fixture.pages[1], fixture.pages[0]]
    assert fixture.store.calls["pages"] == 1


def test_only_pages_not_remembered_are_read_and_the_order_asked_for_is_kept() -> None:
    fixture = Fixture()
    fixture.read(1)
    del fixture.store.stored_pages[CLIENT, fixture.pages[1].ref.digest]

    found = fixture.read(2, 1, 0)

    assert found == [fixture.pages[2], fixture.pages[1], fixture.pages[0]]


def test_a_page_asked_for_twice_is_read_and_kept_once() -> None:
    fixture = Fixture(max_bytes=page_size(Fixture().pages[0]))

    assert fixture.read(0, 0) == [fixture.pages[0]] * 2
    assert fixture.read(0) == [fixture.pages[0]]
    assert fixture.store.calls["pages"] == 1


def test_the_same_digest_of_another_client_is_another_page() -> None:
    fixture = Fixture()
    fixture.read(0)
    fixture.store.put("another", fixture.pages[:1], {}, expires_at=0)

    fixture.memory.pages("another", [fixture.pages[0].ref])

    assert fixture.store.calls["pages"] == 2


def test_the_page_used_longest_ago_goes_first_when_bytes_run_out() -> None:
    fixture = Fixture(max_bytes=3 * page_size(Fixture().pages[0]))
    fixture.read(0, 1, 2)
    fixture.read(0)
    fixture.read(3)
    fixture.store.calls.clear()

    fixture.read(0, 2, 3)
    hits = fixture.store.calls["pages"] == 0
    fixture.read(1)

    assert hits
    assert fixture.store.calls["pages"] == 1


def test_pages_larger_than_the_memory_are_returned_all_the_same() -> None:
    fixture = Fixture(max_bytes=1)

    found = fixture.read(0, 1, 2, 3, 4)

    assert found == fixture.pages


def test_with_no_bytes_to_spare_nothing_is_remembered() -> None:
    fixture = Fixture(max_bytes=0)
    packed = Manifest((fixture.pages[0].ref,)).pack()
    fixture.store.put_head(generation=1, digest="a", listing=packed)
    fixture.store.manifests[CLIENT, 1] = {"generation": 1}

    for _ in range(2):
        head = fixture.memory.recent_head(CLIENT)
        fixture.memory.pages(CLIENT, fixture.memory.manifest(head.generation).pages)
        fixture.memory.generation(CLIENT, 1)

    assert dict(fixture.store.calls) == {"head": 2, "manifest": 2, "pages": 2, "generation": 2}
    assert fixture.clock.now == NOW


def test_that_a_generation_is_there_is_believed_for_a_minute_and_when_it_began_for_good() -> None:
    fixture = Fixture()
    listing = Manifest().pack()
    fixture.store.manifests[CLIENT, 1] = {"generation": 1, "modified_at": 7, "listing": listing}

    for seconds in (0, 59, 1, 60):
        fixture.clock.now += seconds
        assert fixture.memory.generation(CLIENT, 1)
        assert fixture.memory.modified_at(CLIENT, 1) == 7
        assert fixture.memory.modified_at(CLIENT, 2) is None
    fixture.store.bury(CLIENT, 1)
    fixture.clock.now += 60

    assert fixture.memory.generation(CLIENT, 1) is None
    assert fixture.memory.modified_at(CLIENT, 1) == 7
    assert (fixture.store.calls["generation"], fixture.store.calls["modified_at"]) == (4, 5)
