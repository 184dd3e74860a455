"""Links whose question is too long for a header, and that nobody is led to another question."""

from copy import replace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.queries.links import MAX_BYTES, CursorAt, first_link, links
from lib.queries.list_query import ListQuery, parse_list

LONG = {
    "addresses": ListQuery(emails=tuple(f"user.{n}+clx@example.com" for n in range(150))),
    "usernames": ListQuery(usernames=tuple(f"somebody-{n}" for n in range(250)), sort="-name"),
    "metadata": ListQuery(metadata=(("plan", ("x" * 5_000,)),), fields=("id", "name")),
    "text": ListQuery(q="ü" * 700),
}
IDS = range(1_000_000, 1_000_200)


def cursor_at(position: int, view: ListQuery | None) -> str:
    """Return a cursor as long as those of the service, which says whose it is."""
    return f"{position}-{'ids' if view else 'asked'}-".ljust(140, "x")


def nowhere(_position: int, _view: ListQuery | None) -> None:
    """Return no cursor."""


def read(field: str) -> dict[str, dict[str, list[str]]]:
    """Return the parameters of each link."""
    found = {}
    for link in field.split(", ") if field else ():
        target, _, relation = link.partition("; ")
        found[relation] = parse_qs(target.removeprefix("<?").removesuffix(">"))
    return found


@pytest.mark.parametrize("name", LONG)
def test_a_question_that_is_too_long_is_asked_by_id(name: str) -> None:
    asked = LONG[name]

    field = links(asked, cursor_at, end=50, total=200, ids=IDS)

    following = read(field)['rel="next"']
    (cursor,) = following.pop("cursor")
    assert cursor.startswith("50-ids-")
    assert parse_list(following) == ListQuery(ids=tuple(IDS), fields=asked.fields, sort=asked.sort)
    assert len(field) <= MAX_BYTES


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("ids", [(), range(10**9, 10**9 + 250)], ids=["too many", "too long"])
def test_where_ids_do_not_fit_either_the_cursor_is_left(name: str, ids: range) -> None:
    field = links(replace(LONG[name], offset=100), cursor_at, end=150, total=900, ids=ids)

    assert {link: params["limit"] for link, params in read(field).items()} == {
        'rel="prev"': ["50"],
        'rel="next"': ["50"],
    }
    assert read(field)['rel="next"']["cursor"][0].startswith("150-asked-")
    assert read(field)['rel="prev"']["cursor"][0].startswith("50-asked-")


@pytest.mark.parametrize("name", LONG)
def test_without_a_cursor_no_link_asks_anything_else(name: str) -> None:
    assert links(LONG[name], nowhere, end=50, total=900) == ""
    assert first_link(LONG[name]) == ""


def test_users_that_no_cursor_pins_are_named_by_id_as_well() -> None:
    following = read(links(LONG["addresses"], nowhere, end=50, total=200, ids=IDS))['rel="next"']

    assert following.pop("offset") == ["50"]
    assert parse_list(following) == ListQuery(ids=tuple(IDS))


def test_the_next_window_comes_before_all_others() -> None:
    asked = ListQuery(ids=tuple(range(1_000_000, 1_000_140)), limit=20, offset=40)

    found = read(links(asked, cursor_at, end=60, total=140, ids=asked.ids or ()))

    assert [name for name, params in found.items() if "ids" in params] == ['rel="next"']
    assert found['rel="prev"'].keys() == {"limit", "cursor"}


TEXTS = st.lists(st.text(min_size=1, max_size=99), max_size=99).map(tuple)
QUESTIONS = st.builds(
    ListQuery,
    limit=st.integers(1, 250),
    offset=st.integers(0, 10**20),
    emails=st.none() | TEXTS,
    usernames=st.none() | TEXTS,
    q=st.text(max_size=2_000),
    sort=st.sampled_from(["id", "-createdDate"]),
)


@given(QUESTIONS, st.integers(0, 10**6), st.integers(0, 250), st.sampled_from([cursor_at, nowhere]))
def test_no_question_makes_too_long_a_field(
    asked: ListQuery, total: int, count: int, places: CursorAt
) -> None:
    field = links(asked, places, end=asked.offset + asked.limit, total=total, ids=range(count))

    assert len(field) <= MAX_BYTES
    assert field.isascii()
    assert len(first_link(asked)) <= MAX_BYTES
    for params in read(field).values():
        assert params["limit"] == [str(asked.limit)]
