"""Which rows a question gets, in which order, and what was not found."""

import json
from copy import replace
from typing import Any

import pytest

from lib.directory import index, pages
from lib.directory.manifest import Manifest
from lib.directory.snapshot import Snapshot
from lib.queries.list_query import ListQuery, parse_list
from lib.queries.select import Slice, project, select
from lib.users import document
from lib.users.row import json_form
from tests.fakes import CLIENT, User, generation_with, user

ANNA = user(
    1,
    email=f"anna+{CLIENT}@example.com",
    username="anna",
    name="Anna Groß",
    locale="de",
    createdDate="2026-01-01T00:00:00.000Z",
    metadata={"plan": "pro", "seats": 5, "nested": {"a": [1]}},
)
BOB = user(
    2,
    email=f"Bob+{CLIENT}@example.com",
    username=None,
    name=None,
    timeZone="UTC",
    locale=None,
    createdDate="2026-02-01T00:00:00.000Z",
)
CARL = user(
    3,
    email=f"carl+{CLIENT}@example.org",
    username="Carl",
    name="carl",
    createdDate="not a date",
    metadata={"plan": "free", "seats": None, "beta": True},
)
EVERYBODY = (ANNA, BOB, CARL)


def ask(everybody: tuple[User, ...] = EVERYBODY, **query: Any) -> Slice:  # noqa: ANN401 - free-form
    """Ask a question of a snapshot of ``everybody``; with an index the answer is the same."""
    cut = pages.cut([document.canonical(each) for each in everybody])
    by_ref = {page.ref: page for page in cut}
    snapshot = Snapshot(
        generation=generation_with(CLIENT, users=len(everybody)),
        manifest=lambda: Manifest(tuple(by_ref)),
        load=lambda refs: [by_ref[ref] for ref in refs],
        load_shards=lambda _: (),
    )
    shards = {
        index.digest_of(shard): shard
        for shard in index.build([document.canonical(each) for each in everybody], CLIENT)
    }
    indexed = replace(
        snapshot,
        manifest=lambda: Manifest(tuple(by_ref), tuple(shards)),
        load_shards=lambda digests: [shards[digest] for digest in digests],
    )
    answer = select(snapshot, ListQuery(**query))
    assert select(indexed, ListQuery(**query)) == answer
    return answer


def ids(rows: Slice) -> list[int]:
    """Return the ids of the rows."""
    return [document.id_of(line) for line in rows.lines]


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ({}, [1, 2, 3]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "offset": 2}, [3]),
        ({"offset": 3}, []),
        ({"offset": 10**25}, []),
    ],
)
@pytest.mark.parametrize("view", [{}, {"email_match": "folded"}])
def test_a_window_is_cut_from_the_whole_view(
    view: dict[str, Any], window: dict[str, Any], found: list[int]
) -> None:
    rows = ask(**view, **window)

    assert (ids(rows), rows.total, rows.not_found) == (found, 3, None)


def test_an_unfiltered_row_is_the_stored_document_itself() -> None:
    assert ask().lines == [document.canonical(each) for each in EVERYBODY]


@pytest.mark.parametrize(
    ("emails", "found", "missed"),
    [
        (("anna@example.com",), [1], ()),
        (("Anna@example.com",), [], ("Anna@example.com",)),
        ((f"Bob+{CLIENT}@example.com",), [2], ()),
        (("carl@example.org", "anna@example.com"), [1, 3], ()),
        (("x@example.com", "anna@example.com", "nope"), [1], ("x@example.com", "nope")),
        (("anna@example.com", "anna@example.com"), [1], ()),
        ((), [], ()),
    ],
)
def test_addresses_are_looked_up_as_the_origin_does(
    emails: tuple[str, ...], found: list[int], missed: tuple[str, ...]
) -> None:
    rows = ask(emails=emails)

    assert (ids(rows), rows.not_found) == (found, missed)


@pytest.mark.parametrize(
    ("emails", "found", "missed"),
    [
        (("ANNA@Example.com", "bob@example.com"), [1, 2], ()),
        ((f"BOB+{CLIENT}@EXAMPLE.COM",), [2], ()),
        ((f"BOB+{CLIENT.upper()}@EXAMPLE.COM",), [2], ()),
        (("x@example.com",), [], ("x@example.com",)),
    ],
)
def test_addresses_may_be_matched_whatever_their_case(
    emails: tuple[str, ...], found: list[int], missed: tuple[str, ...]
) -> None:
    rows = ask(emails=emails, email_match="folded")

    assert (ids(rows), rows.not_found) == (found, missed)


@pytest.mark.parametrize(
    ("emails", "found"),
    [
        (("own@example.com",), [4]),
        ((f"own+{CLIENT}@example.com",), []),
        (("anna@example.com",), [1]),
        (("own@example.com", "anna@example.com"), [1, 4]),
    ],
)
def test_an_address_without_suffix_is_that_of_a_user_with_one_first(
    emails: tuple[str, ...], found: list[int]
) -> None:
    own, namesake = user(4, email="own@example.com"), user(5, email="anna@example.com")

    assert ids(ask((*EVERYBODY, own, namesake), emails=emails)) == found


def test_ids_and_usernames_are_looked_up_exactly() -> None:
    by_id = ask(ids=(3, 9, 1))
    by_name = ask(usernames=("Carl", "carl", "anna"))

    assert (ids(by_id), by_id.not_found) == ([1, 3], (9,))
    assert (ids(by_name), by_name.not_found) == ([1, 3], ("carl",))


def test_several_lists_mean_and_and_each_says_what_it_missed() -> None:
    rows = ask(ids=(1, 2, 8), usernames=("anna", "zoe"), emails=("anna@example.com",))

    assert (ids(rows), rows.not_found) == ([1], (8, "zoe"))


def test_a_user_that_another_filter_hides_is_not_called_missing() -> None:
    rows = ask(emails=("anna@example.com", "x@example.com"), time_zones=frozenset({"UTC"}))

    assert (ids(rows), rows.not_found) == ([], ("x@example.com",))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "anna"}, [1]),
        ({"q": "groß".casefold()}, [1]),
        ({"q": "carl"}, [3]),
        ({"q": "bob"}, [2]),
        ({"q": "example.org"}, [3]),
        ({"q": "none"}, []),
        ({"time_zones": frozenset({"UTC"})}, [2]),
        ({"time_zones": frozenset({"UTC", "Europe/London"})}, [1, 2, 3]),
        ({"locales": frozenset({"de"})}, [1]),
        ({"created_after": 1_767_225_600.0}, [1, 2]),
        ({"created_after": 1_767_225_600.001}, [2]),
        ({"created_before": 1_767_225_600.001}, [1]),
        ({"created_before": 1_767_225_600.0}, []),
        ({"metadata": (("plan", ("pro",)),)}, [1]),
        ({"metadata": (("plan", ("free", "pro")),)}, [1, 3]),
        ({"metadata": (("plan", ("pro",)), ("seats", ("5",)))}, [1]),
        ({"metadata": (("plan", ("pro",)), ("seats", ("6",)))}, []),
        ({"metadata": (("seats", ("null",)),)}, [3]),
        ({"metadata": (("beta", ("true",)),)}, [3]),
        ({"metadata": (("nested", ('{"a":[1]}',)),)}, [1]),
        ({"metadata": (("unknown", ("null",)),)}, []),
        ({"q": "a", "locales": frozenset({"de"}), "created_before": 2e9}, [1]),
    ],
)
def test_each_filter_lets_its_users_through(query: dict[str, Any], found: list[int]) -> None:
    rows = ask(**query)

    assert (ids(rows), rows.total, rows.not_found) == (found, len(found), None)


NUMBERS = (
    b'{"a":0.00001,"b":5.0,"c":-0.0,"d":1e21,"e":12345678901234567890,"f":{"y":[1.50,true],"x":1}}'
)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("company", "Acme, Inc.", [1, 2]),
        ("company", "Acme", [2]),
        ("company", " Acme, Inc. ", [2, 3]),
        ("company", "", [4]),
        ("company", ",", []),
        ("company", "null", [5]),
        ("company", "Café Zoë", [6, 7]),
        ("company", "Cafe\u0301 Zoe\u0308", [6, 7]),
        ("größe", "1", [1, 2]),
        ("gro\u0308ße", "1", [1, 2]),
        ("none", "", []),
    ],
)
def test_no_text_of_metadata_is_out_of_reach(key: str, value: str, found: list[int]) -> None:
    texts = ["Acme, Inc.", "Acme", " Acme, Inc. ", "", None, "Café Zoë", "Cafe\u0301 Zoe\u0308"]
    everybody = tuple(user(n, metadata={"company": text}) for n, text in enumerate(texts, 1))
    everybody[0]["metadata"]["größe"] = 1
    everybody[1]["metadata"]["gro\u0308ße"] = 1

    assert ids(ask(everybody, metadata=((key, (value,)),))) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", "0.00001"),
        ("a", "1e-05"),
        ("a", "1E-5"),
        ("a", "2,0.000010"),
        ("b", "5"),
        ("b", "5.0"),
        ("c", "0"),
        ("c", "-0"),
        ("d", "1e21"),
        ("d", "1000000000000000000000"),
        ("e", "12345678901234567890"),
        ("f", '{"y":[1.5,true],"x":1}'),
        ("f", ' { "x": 1.0, "y": [ 15e-1, true ] } '),
    ],
)
def test_a_number_is_found_however_it_is_written(key: str, value: str) -> None:
    everybody = (user(1, metadata=json.loads(NUMBERS)), user(2, metadata={key: True}))

    assert ids(ask(everybody, metadata=((key, (value,)),))) == [1]


@pytest.mark.parametrize("value", ["1", "true", '"1"', "01", "1_0", "\u0661", "NaN", "[" * 100_000])
def test_what_is_another_value_or_none_is_not_found(value: str) -> None:
    everybody = (user(1, metadata={"a": "5"}), user(2, metadata={"a": 10}), user(3, metadata={}))

    assert ids(ask(everybody, metadata=(("a", (value,)),))) == []


def test_a_value_that_is_nested_too_deep_is_merely_not_found() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]

    assert json_form(deep) is None


@pytest.mark.parametrize("text", ['{"plan":"pro"}', ' {"plan" : "pro"}'])
def test_metadata_that_came_as_text_is_read_as_what_it_says(text: str) -> None:
    everybody = (user(1, metadata=text), user(2, metadata="plan"), user(3, metadata="[[[" * 9999))

    assert ids(ask(everybody, metadata=(("plan", ("pro",)),))) == [1]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Zoë", "zoe\u0308"),
        ("Zoe\u0308", "ZOË"),
        ("İstanbul", "istanbul"),
        ("İstanbul", "i̇stanbul"),
        ("Istanbul", "İSTANBUL"),
        ("IŞIK", "\u0131ş\u0131k"),
        ("\u0131ş\u0131k", "IŞIK"),
        ("Straße", "STRASSE"),
        ("\uff2a\uff55\uff4e", "jun"),
        ("ﬁn", "FIN"),
        ("ΟΔΟΣ", "οδος"),
    ],
)
def test_a_name_is_found_however_its_letters_are_written(name: str, asked: str) -> None:
    rows = ask((user(1, name=name), user(2)), q=parse_list({"q": [asked]}).q)

    assert ids(rows) == [1]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("id", [1, 2, 3]),
        ("-id", [3, 2, 1]),
        ("name", [1, 3, 2]),
        ("-name", [3, 1, 2]),
        ("email", [1, 2, 3]),
        ("-email", [3, 2, 1]),
        ("createdDate", [1, 2, 3]),
        ("-createdDate", [3, 2, 1]),
    ],
)
def test_a_sorted_view_has_nulls_last(sort: str, order: list[int]) -> None:
    assert ids(ask(sort=sort)) == order


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_equals_stay_in_id_order_however_they_are_sorted(sort: str) -> None:
    same = tuple(user(user_id, name=name) for user_id, name in ((1, "B"), (2, "b"), (3, "B")))

    assert ids(ask(same, sort=sort)) == [1, 2, 3]


@pytest.mark.parametrize("sort", ["name", "-name", "createdDate", "-createdDate", "-id"])
@pytest.mark.parametrize("nulls", [0, 90])
def test_the_first_of_many_are_those_of_all_in_order(sort: str, nulls: int) -> None:
    # Names come several times, and most of them may be null.
    many = tuple(
        user(
            user_id,
            name=None if user_id <= nulls else f"N{user_id * 37 % 17}",
            createdDate=None if user_id <= nulls else f"2026-01-{user_id % 28 + 1:02}T00:00:00Z",
        )
        for user_id in range(1, 100)
    )
    everybody = ids(ask(many, sort=sort, limit=250))

    pages = [ids(ask(many, sort=sort, limit=3, offset=offset)) for offset in range(0, 99, 3)]

    assert [user_id for page in pages for user_id in page] == everybody


@pytest.mark.parametrize("sort", ["id", "-id", "name", "-name"])
def test_behind_the_end_however_far_there_is_nobody(sort: str) -> None:
    assert ids(ask(sort=sort, offset=10**20)) == []


@pytest.mark.parametrize("query", [{}, {"locales": frozenset({"de"})}])
def test_only_the_fields_asked_for_are_shown(query: dict[str, Any]) -> None:
    rows = ask(fields=("name", "id", "bio"), **query)

    assert rows.lines[0] == '{"id":1,"name":"Anna Groß"}'.encode()


def test_no_fields_asked_for_are_all() -> None:
    line = document.canonical(ANNA)

    assert project(line, ()) is line


def test_a_document_with_a_lone_surrogate_survives_a_projection() -> None:
    line = document.canonical(user(1, name="\ud800"))

    assert project(line, ("id", "name")) == rb'{"id":1,"name":"\ud800"}'


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (("bio", "id"), b'{"id":1,"fieldsOmitted":["bio"]}'),
        (("name",), b'{"name":"N1"}'),
        (("metadata", "bio"), b'{"fieldsOmitted":["bio","metadata"]}'),
    ],
)
def test_of_the_fields_asked_for_those_that_were_too_much_are_named(
    fields: tuple[str, ...], shown: bytes
) -> None:
    line = document.canonical(user(1) | {document.OMITTED: ["bio", "metadata"]})

    assert project(line, fields) == shown
