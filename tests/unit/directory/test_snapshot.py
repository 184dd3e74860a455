"""Runs of users out of a snapshot, and which pages a run touches."""

from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory.index import folded_key
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Page
from lib.directory.snapshot import Snapshot, snapshot_of
from lib.users import document
from lib.users.document import canonical
from lib.users.keys import username_key
from tests.fakes import CLIENT, generation_with, user, users
from tests.world import World


@dataclass
class Shelf:
    """Pages of chosen sizes with ids 10, 20, 30 …; ``loaded`` counts what was asked for."""

    sizes: Sequence[int]
    loaded: list[int] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        user_id = 0
        for size in self.sizes:
            ids = tuple(user_id + 10 * step for step in range(1, size + 1))
            user_id = ids[-1]
            lines = tuple(b'{"id":%d}' % each for each in ids)
            self.pages.append(Page(PageRef(f"{user_id:040}", ids[0], size), ids, lines))

    @property
    def lines(self) -> list[bytes]:
        """Every document."""
        return [line for page in self.pages for line in page.lines]

    def load(self, refs: Sequence[PageRef]) -> list[Page]:
        """Return pages."""
        by_ref = {page.ref: page for page in self.pages}
        self.loaded.append(len(refs))
        return [by_ref[ref] for ref in refs]

    def snapshot(self) -> Snapshot:
        """Return the snapshot of these pages."""
        return Snapshot(
            generation=generation_with(CLIENT),
            manifest=lambda: Manifest(tuple(page.ref for page in self.pages)),
            load=self.load,
            load_shards=lambda _: (),
        )


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(0, 40), st.integers(1, 40))
def test_a_window_is_a_slice_of_all_documents(sizes: list[int], offset: int, limit: int) -> None:
    shelf = Shelf(sizes)

    found = shelf.snapshot().slice(offset=offset, limit=limit)

    assert found == shelf.lines[offset : offset + limit]


@pytest.mark.parametrize(
    ("offset", "limit", "touched"),
    [(0, 3, [1]), (0, 4, [2]), (2, 1, [1]), (3, 3, [1]), (2, 5, [3]), (9, 5, []), (0, 99, [3])],
)
def test_a_window_loads_the_pages_it_touches_at_once(
    offset: int, limit: int, touched: list[int]
) -> None:
    shelf = Shelf([3, 3, 3])

    shelf.snapshot().slice(offset=offset, limit=limit)

    assert shelf.loaded == touched


def test_all_documents_come_in_order() -> None:
    shelf = Shelf([2, 1, 3])

    assert list(shelf.snapshot().lines()) == shelf.lines


@pytest.mark.parametrize("user_id", [10, 20, 30, 40, 60])
def test_a_user_is_found_in_one_page(user_id: int) -> None:
    shelf = Shelf([2, 1, 3])

    found = shelf.snapshot().find(user_id)

    assert found == b'{"id":%d}' % user_id
    assert shelf.loaded == [1]


@pytest.mark.parametrize("user_id", [-1, 0, 9, 11, 25, 61, 10**18])
def test_a_user_that_is_not_there_is_not_found(user_id: int) -> None:
    assert Shelf([2, 1, 3]).snapshot().find(user_id) is None


def test_an_empty_snapshot_has_nobody() -> None:
    snapshot = Shelf([]).snapshot()

    assert snapshot.find(1) is None
    assert snapshot.slice(offset=0, limit=50) == []
    assert list(snapshot.lines()) == []


def test_a_snapshot_of_a_head_is_read_only_as_far_as_it_is_asked_for() -> None:
    world = World()
    world.publish()
    snapshot = snapshot_of(world.store, world.head.generation)

    unread = world.store.calls.total()
    found = snapshot.find(7)

    assert unread == 0
    assert found is not None
    assert document.id_of(found) == 7


def test_a_named_read_loads_one_shard_and_the_pages_it_leads_to() -> None:
    world = World()
    world.origin.rows = users(range(1, 481))
    world.publish()
    snapshot = snapshot_of(world.store, world.head.generation)
    loaded: list[str] = []

    def load(refs: Sequence[PageRef]) -> Sequence[Page]:
        loaded.extend(ref.digest for ref in refs)
        return snapshot.load(refs)

    rows = replace(snapshot, load=load).rows_named(
        ids=[7], keys=[username_key("u400"), folded_key(f"user8+{CLIENT}@example.com")]
    )

    assert [row.id for row in rows] == [7, 8, 400]
    assert len(loaded) == 2
    assert len(snapshot.manifest().pages) > 2
    assert len(snapshot.manifest().shards) == 2


def test_users_found_beside_a_snapshot_win_over_its_own() -> None:
    world = World()
    world.publish()
    newer = {5: canonical(user(5, name="Newer")), 99: canonical(user(99))}
    snapshot = replace(snapshot_of(world.store, world.head.generation), extra=newer)

    named = snapshot.rows_named(ids=[4, 5], keys=())

    assert [row.id for row in named] == [4, 5, 99]
    assert named[1].name == "Newer"
    assert [row.id for row in snapshot.rows()] == [*range(1, 21), 99]
    assert [row.line for row in snapshot.rows()] == snapshot.lines()
