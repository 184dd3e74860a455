"""Pages: the same directory gives the same pages, and one change changes few of them."""

import hashlib
import json
import random
import zlib
from collections.abc import Sequence
from copy import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import pages
from lib.errors import BrokenSnapshotError
from lib.users import document
from lib.users.document import USER_FIELDS

IDS = st.sets(st.integers(1, 2**53 - 1) | st.integers(1, 2000), min_size=1, max_size=300)


def documents(ids: Sequence[int] | set[int]) -> list[bytes]:
    """Return a document for each of ``ids``, by rising id."""
    return [b'{"id":%d,"email":"u%d@example.com"}' % (n, n) for n in sorted(ids)]


def ends_page(user_id: int) -> bool:
    """Tell whether the page that holds ``user_id`` ends with it, as seen from outside."""
    return len(pages.cut(documents([user_id, user_id + 1]))) == 2


def noise(seed: int, size: int) -> bytes:
    """Return a document that does not compress to less than half."""
    text = hashlib.shake_256(b"%d" % seed).hexdigest(size // 2)
    return b'{"id":%d,"bio":"%s"}' % (seed, text.encode())


NEVER_ENDING = [user_id for user_id in range(1, 1500) if not ends_page(user_id)]


@given(IDS)
def test_cutting_and_reading_back_gives_the_same_documents(ids: set[int]) -> None:
    lines = documents(ids)

    cut = pages.cut(lines)
    read = [pages.decode(page.ref, pages.encode(page)) for page in cut]

    assert read == cut
    assert [line for page in read for line in page.lines] == lines
    assert [user_id for page in read for user_id in page.ids] == sorted(ids)


@given(IDS)
def test_a_reference_names_the_first_id_and_the_count(ids: set[int]) -> None:
    for page in pages.cut(documents(ids)):
        assert (page.ref.first_id, page.ref.users) == (page.ids[0], len(page.lines))


@given(IDS, st.integers(1, 2000))
def test_one_created_or_deleted_user_changes_no_page_beyond_the_next_boundary(
    ids: set[int], changed: int
) -> None:
    without, with_it = ids - {changed}, ids | {changed}
    before = {page.ref for page in pages.cut(documents(without))}
    after = {page.ref for page in pages.cut(documents(with_it))}

    ends = [user_id for user_id in sorted(with_it) if user_id != changed and ends_page(user_id)]
    low = max((end for end in ends if end < changed), default=0)
    high = min((end for end in ends if end > changed), default=2**53)
    for page in [*pages.cut(documents(without)), *pages.cut(documents(with_it))]:
        if page.ref not in before & after:
            assert low < page.ids[0]
            assert page.ids[-1] <= high


def test_of_500_users_one_deletion_leaves_all_pages_but_one() -> None:
    before = pages.cut(documents(range(1001, 1501)))
    after = pages.cut(documents(set(range(1001, 1501)) - {1200}))

    assert len(before) > 3
    assert len({page.ref for page in after} - {page.ref for page in before}) == 1


def test_about_one_id_in_128_ends_a_page() -> None:
    ends = sum(ends_page(user_id) for user_id in range(1, 12_801))

    assert 70 < ends < 130


def test_a_page_has_at_most_250_users() -> None:
    cut = pages.cut(documents(range(1, 3000)))

    assert max(page.ref.users for page in cut) <= pages.MAX_USERS


def test_without_boundaries_pages_are_cut_at_half_their_size_or_later() -> None:
    cut = pages.cut(documents(NEVER_ENDING))

    assert all(125 <= page.ref.users <= 250 for page in cut[:-1])
    assert len(cut) > 5


def test_without_boundaries_one_deletion_still_changes_few_pages() -> None:
    before = {page.ref for page in pages.cut(documents(NEVER_ENDING))}

    changed = [
        len({page.ref for page in pages.cut(documents(set(NEVER_ENDING) - {gone}))} - before)
        for gone in NEVER_ENDING[:200:10]
    ]

    assert sum(changed) / len(changed) < 2


@pytest.mark.parametrize("size", [1100, 1300, 5000, 40_000])
def test_a_page_has_at_most_300_kilobytes(size: int) -> None:
    lines = [noise(user_id, size) for user_id in range(1, 2_000_000 // size)]

    cut = pages.cut(lines)

    assert all(len(pages.encode(page)) <= pages.MAX_BYTES for page in cut)
    assert [line for page in cut for line in page.lines] == lines


def test_a_user_too_heavy_for_any_page_has_one_of_its_own() -> None:
    lines = [noise(2, 100), noise(3, 700_000), noise(4, 100)]

    cut = pages.cut(lines)

    assert [page.ids for page in cut] == [(2,), (3,), (4,)]


def test_an_empty_directory_has_no_pages() -> None:
    assert pages.cut([]) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates included: JSON can carry them.
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
USERS = st.builds(
    lambda user_id, known, unknown: {"id": user_id, **unknown, **known, "id": user_id},  # noqa: F601
    st.integers(1, 2**53 - 1),
    st.dictionaries(st.sampled_from(USER_FIELDS), JSON),
    st.dictionaries(st.text(min_size=1), JSON, max_size=3),
)


@given(USERS)
def test_a_document_says_what_the_origin_said_on_one_line(user: dict[str, Any]) -> None:
    line = document.canonical(user)

    assert json.loads(line) == user
    assert document.id_of(line) == user["id"]
    assert b"\n" not in line


@given(USERS, st.randoms(use_true_random=False))
def test_a_document_does_not_depend_on_the_order_of_keys(
    user: dict[str, Any], order: random.Random
) -> None:
    shuffled = _shuffled(user, order)

    assert document.canonical(shuffled) == document.canonical(user)


def test_a_document_has_the_origins_order_then_the_rest_and_sorted_keys_within() -> None:
    user = {"zeta": 1, "metadata": {"b": [{"y": 1, "x": 2}], "a": 1}, "email": "é@x", "id": 7}

    line = document.canonical(user)

    assert line.decode() == (
        '{"id":7,"email":"é@x","metadata":{"a":1,"b":[{"x":2,"y":1}]},"zeta":1}'
    )


@pytest.mark.parametrize("line", [b'{"id":12}', b'{"id":12,"email":"a"}'])
def test_an_id_is_read_without_the_rest(line: bytes) -> None:
    assert document.id_of(line) == 12


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda _: b"no zlib",
        lambda data: data[:-4],
        lambda data: zlib.compress(zlib.decompress(data) + b" "),
        lambda _: zlib.compress(b'{"id":9}'),
    ],
)
def test_a_page_that_is_not_what_its_digest_says_is_broken(spoil: Any) -> None:  # noqa: ANN401
    (page,) = pages.cut(documents([1]))

    with pytest.raises(BrokenSnapshotError):
        pages.decode(page.ref, spoil(pages.encode(page)))


@pytest.mark.parametrize(("first_id", "count"), [(2, 2), (1, 3)])
def test_a_page_that_is_another_than_its_name_says_is_broken(first_id: int, count: int) -> None:
    (page,) = pages.cut(documents([1, 2]))

    with pytest.raises(BrokenSnapshotError):
        pages.decode(replace(page.ref, first_id=first_id, users=count), pages.encode(page))


def _shuffled(value: object, order: random.Random) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: _shuffled(value[key], order) for key in keys}
    return [_shuffled(item, order) for item in value] if isinstance(value, list) else value
