"""What of a row is kept: never more than can be, and no less than that."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.users.bounds import MAX_BYTES, document
from lib.users.document import OMITTED, USER_FIELDS, canonical, id_of, is_document, omitted_from
from lib.users.hiding import DEEPEST, NOTHING_HIDDEN, HidingPolicy
from tests.fakes import user

TEXT = "x" * MAX_BYTES


def nested(levels: int) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads('{"in":[' * (levels // 2) + "[]" * (levels % 2) + "]}" * (levels // 2))


def test_an_ordinary_row_is_its_canonical_document() -> None:
    row = user(7, metadata={"b": 1, "a": nested(DEEPEST - 1)})

    assert document(row, NOTHING_HIDDEN) == canonical(row)


def test_what_is_left_out_is_named_right_after_the_id() -> None:
    line = document(user(7, bio=TEXT), NOTHING_HIDDEN)

    assert line.startswith(b'{"id":7,"fieldsOmitted":["bio"],"email":')
    assert (id_of(line), omitted_from(line)) == (7, ("bio",))
    assert is_document(line)


@pytest.mark.parametrize(("levels", "kept"), [(DEEPEST, True), (DEEPEST + 1, False)])
def test_a_field_may_be_nested_so_deep_and_no_deeper(levels: int, *, kept: bool) -> None:
    line = document(user(7, metadata=nested(levels)), NOTHING_HIDDEN)

    assert omitted_from(line) == (() if kept else ("metadata",))


def test_a_document_may_be_so_large_and_no_larger() -> None:
    room = MAX_BYTES - len(canonical(user(7, bio="")))

    lines = [document(user(7, bio="x" * size), NOTHING_HIDDEN) for size in (room, room + 1)]

    assert [omitted_from(line) for line in lines] == [(), ("bio",)]
    assert len(lines[0]) == MAX_BYTES


def test_bytes_count_and_not_letters() -> None:
    assert omitted_from(document(user(7, bio="ä" * (MAX_BYTES // 2)), NOTHING_HIDDEN)) == ("bio",)


def test_the_largest_fields_go_first_and_those_nobody_can_do_without_last() -> None:
    row = user(7, email=TEXT, bio=TEXT[:200_000], name=TEXT[:100_000], added=TEXT[:100_000])

    line = document(row | {"email": "a@example.com"}, NOTHING_HIDDEN)
    assert omitted_from(line) == ("bio",)
    everything = omitted_from(document(row, NOTHING_HIDDEN))
    assert {"email", "bio", "name", "added"} <= set(everything)
    assert "id" not in everything


def test_what_is_hidden_is_not_measured_and_not_named() -> None:
    hiding = HidingPolicy(fields=frozenset({"bio", "metadata"}))

    line = document(user(7, bio=TEXT, metadata=nested(3_000)), hiding)

    assert omitted_from(line) == ()


def test_a_field_of_our_own_name_is_not_the_origin_s() -> None:
    assert omitted_from(document(user(7, **{OMITTED: ["name"]}), NOTHING_HIDDEN)) == ()


VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=5),
    st.sampled_from([TEXT[:size] for size in (90_000, 140_000, 300_000)]),
    st.integers(1, 130).map(nested),
)


@given(st.dictionaries(st.sampled_from([*USER_FIELDS[1:], "added", "more"]), VALUES))
def test_whatever_comes_what_is_kept_fits_and_the_rest_is_named(fields: dict[str, Any]) -> None:
    row = {"id": 7, **fields}

    line = document(row, NOTHING_HIDDEN)

    kept = json.loads(line)
    omitted = kept.pop(OMITTED, [])
    assert len(line) <= MAX_BYTES
    assert omitted == sorted(row.keys() - kept.keys()) == list(omitted_from(line))
    assert kept == {name: row[name] for name in kept}
