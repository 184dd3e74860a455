"""The difference of two directories: replayed over the old one it gives the new one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import diff
from lib.directory.diff import Change
from lib.directory.generation import Generation
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Page, cut
from lib.directory.snapshot import Snapshot
from lib.users.document import canonical
from tests.fakes import CLIENT, NOW, User, generation_with, user, users

BEFORE, AFTER = "2027-01-15T07:59:59.999Z", "2027-01-15T08:00:00.000Z"
"""The last millisecond before ``NOW``, and ``NOW``."""

ROWS = st.dictionaries(
    st.integers(1, 700), st.sampled_from(("Ann", "Bob", None)), min_size=0, max_size=300
).map(lambda names: {id_: user(id_, name=name) for id_, name in names.items()})


@dataclass
class Directory:
    """A directory as a generation; ``loaded`` are the pages that were read of it."""

    rows: Iterable[User]
    generation: Generation = field(
        default_factory=lambda: generation_with(CLIENT, generation=1, complete=True, swept_at=NOW)
    )
    loaded: list[PageRef] = field(default_factory=list)

    def __post_init__(self) -> None:
        lines = [canonical(row) for row in sorted(self.rows, key=lambda row: row["id"])]
        self.pages: Mapping[PageRef, Page] = {page.ref: page for page in cut(lines)}
        self.documents = {json.loads(line)["id"]: line for line in lines}

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(
            generation=self.generation,
            manifest=lambda: Manifest(tuple(self.pages)),
            load=self._load,
            load_shards=lambda _: (),
        )

    def _load(self, refs: Sequence[PageRef]) -> list[Page]:
        self.loaded += refs
        return [self.pages[ref] for ref in refs]


def difference(old: Directory, new: Directory) -> list[Change]:
    return list(diff.changes(old.snapshot, new.snapshot))


def replayed(old: Directory, found: Iterable[Change]) -> dict[int, bytes]:
    """Return the documents after ``found`` has happened to ``old``."""
    documents = dict(old.documents)
    for change in found:
        assert documents.get(change.user_id) == change.before
        if change.after is None:
            del documents[change.user_id]
        else:
            documents[change.user_id] = change.after
    return documents


@given(ROWS, ROWS)
def test_the_difference_replayed_over_the_old_directory_gives_the_new_one(
    before: dict[int, User], after: dict[int, User]
) -> None:
    old, new = Directory(before.values()), Directory(after.values())

    found = difference(old, new)

    assert replayed(old, found) == new.documents
    assert [change.user_id for change in found] == sorted({change.user_id for change in found})


@given(ROWS, ROWS)
def test_each_change_is_of_its_kind(before: dict[int, User], after: dict[int, User]) -> None:
    found = difference(Directory(before.values()), Directory(after.values()))

    told = {change.user_id: change.kind for change in found}
    assert told == {
        **{id_: "deleted" for id_ in before if id_ not in after},
        **{id_: "created" for id_ in after if id_ not in before},
        **{id_: "updated" for id_ in after if id_ in before and before[id_] != after[id_]},
    }


def test_equal_directories_differ_in_nothing_and_no_page_is_read() -> None:
    old, new = Directory(users(range(1, 621))), Directory(users(range(1, 621)))

    assert difference(old, new) == []
    assert old.loaded == new.loaded == []


def test_only_pages_that_differ_are_read() -> None:
    rows = users(range(1, 3001))
    old, new = Directory(rows), Directory([row for row in rows if row["id"] not in {700, 2100}])

    found = difference(old, new)

    assert [(change.kind, change.user_id) for change in found] == [
        ("deleted", 700),
        ("deleted", 2100),
    ]
    assert set(old.loaded) == old.pages.keys() - new.pages.keys()
    assert set(new.loaded) == new.pages.keys() - old.pages.keys()
    assert len(old.loaded) < len(old.pages) / 2


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "Renamed"}, ("name",)),
        ({"name": None}, ("name",)),
        ({"bio": None}, ("bio",)),
        ({"email": "a@b.co", "timeZone": "Asia/Tokyo"}, ("email", "timeZone")),
        ({"metadata": {"plan": "pro"}}, ("metadata",)),
        ({"unknown": 1, "name": "Renamed"}, ("name", "unknown")),
    ],
)
def test_an_update_names_the_fields_that_changed(
    change: dict[str, object], fields: tuple[str, ...]
) -> None:
    plain, changed = Directory([user(1), user(2)]), Directory([user(1), user(2, **change)])

    (there,) = difference(plain, changed)
    (back,) = difference(changed, plain)

    assert (there.kind, there.user_id, there.fields) == ("updated", 2, fields)
    assert set(back.fields) == set(fields)


def test_metadata_in_another_order_is_no_change() -> None:
    old = Directory([user(1, metadata={"a": 1, "b": {"c": 1, "d": 2}})])
    new = Directory([user(1, metadata={"b": {"d": 2, "c": 1}, "a": 1})])

    assert difference(old, new) == []


@pytest.mark.parametrize(
    ("complete", "created_at", "kind"),
    [
        (True, AFTER, "created"),
        (True, BEFORE, "created"),
        (True, None, "created"),
        (False, AFTER, "created"),
        (False, BEFORE, "discovered"),
        (False, "2027-01-15T09:00:00+01:00", "created"),
        (False, None, "discovered"),
        (False, 7, "discovered"),
        (False, "some day", "discovered"),
    ],
)
def test_a_new_user_was_created_since_or_merely_became_known(
    *, complete: bool, created_at: object, kind: str
) -> None:
    old, new = Directory([user(1)]), Directory([user(1), user(2, createdDate=created_at)])
    old.generation = replace(old.generation, complete=complete)

    (change,) = difference(old, new)

    assert (change.kind, change.user_id) == (kind, 2)


def test_a_new_user_without_a_date_merely_became_known() -> None:
    undated = {name: value for name, value in user(2).items() if name != "createdDate"}
    old, new = Directory([user(1)]), Directory([user(1), undated])
    old.generation = replace(old.generation, complete=False)

    assert [change.kind for change in difference(old, new)] == ["discovered"]


def test_generations_that_hide_something_else_are_not_compared() -> None:
    old = generation_with(CLIENT, policy="a")

    assert diff.comparable(old, replace(old, number=2))
    assert not diff.comparable(old, replace(old, number=2, hiding_digest="b"))
