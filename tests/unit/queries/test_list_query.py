"""Query parameters: strict about our own views, and equal questions are equal."""

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.queries.list_query import (
    ListQuery,
    parse_changes,
    parse_list,
    parse_nothing,
    parse_switches,
    parse_user_fields,
    parse_user_id,
)
from lib.users.document import USER_FIELDS

NEW_YEAR = 1_767_225_600.0


def refused(**params: list[str]) -> InvalidRequestError:
    """Ask for a list, which must be refused, and return the error."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_list(params)
    return caught.value


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {}),
        ({"clientId": ["x"]}, {}),
        ({"limit": ["2.0"], "offset": ["3"]}, {"limit": 2, "offset": 3}),
        ({"emails": ["a@b.co"]}, {"emails": ("a@b.co",)}),
        ({"email_match": ["folded"]}, {"email_match": "folded"}),
        ({"ids": ["7,5", "6"]}, {"ids": (7, 5, 6)}),
        ({"usernames": ["a, B"]}, {"usernames": ("a", "B")}),
        ({"q": [" Straße "]}, {"q": "strasse"}),
        (
            {"timeZone": ["UTC,Europe/London"]},
            {"time_zones": frozenset({"UTC", "Europe/London"})},
        ),
        ({"locale": ["pt-BR"]}, {"locales": frozenset({"pt-BR"})}),
        ({"createdAfter": ["2026-01-01"]}, {"created_after": NEW_YEAR}),
        ({"createdAfter": ["2026-01-01T01:00:00+01:00"]}, {"created_after": NEW_YEAR}),
        ({"createdBefore": ["2026-01-01T00:00:00.5009Z"]}, {"created_before": NEW_YEAR + 0.5}),
        (
            {"metadata[plan]": ["pro,free", "pro"], "metadata[a]": ["1"]},
            {"metadata": (("a", ("1",)), ("plan", ("pro", "pro,free")))},
        ),
        ({"metadata[a]": [""]}, {"metadata": (("a", ("",)),)}),
        ({"metadata[a]": [" Acme, Inc. "]}, {"metadata": (("a", (" Acme, Inc. ",)),)}),
        (
            {"timeZone": [" 05:30,-08:00, UTC"]},
            {"time_zones": frozenset({"+05:30", "-08:00", "UTC"})},
        ),
        ({"q": ["Zoe\u0308"]}, {"q": "zo\u00eb"}),
        ({"q": ["İSTANBUL"]}, {"q": "istanbul"}),
        ({"fields": ["name,id"]}, {"fields": ("id", "name")}),
        ({"fields": ["name", "name"]}, {"fields": ("name",)}),
        ({"sort": ["-createdDate"]}, {"sort": "-createdDate"}),
        ({"cursor": ["x"], "min_generation": ["x"]}, {}),
    ],
)
def test_each_parameter_asks_for_its_view(
    params: dict[str, list[str]], expected: dict[str, Any]
) -> None:
    assert parse_list(params) == ListQuery(**expected)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ids", "x", "holds 'x'"),
        ("ids", "-1", "holds '-1'"),
        ("ids", "1,", "has an empty member"),
        ("ids", ",".join(map(str, range(251))), "has 251 members"),
        ("usernames", "", "has an empty member"),
        ("q", " ", "is not one text"),
        ("timeZone", "Europe London", "holds 'Europe London'"),
        ("locale", "en;", "holds 'en;'"),
        ("createdAfter", "yesterday", "is not one date"),
        ("createdAfter", "0001-01-01T00:00:00+14:00", "is not one date"),
        ("createdBefore", "9999-12-31T23:59:59-14:00", "is not one date"),
        ("metadata[a]", "," * 250, "has 251 members"),
        ("fields", "naem", "holds the unknown field 'naem'"),
        ("sort", "bio", "is 'bio'"),
        ("sort", "--id", "is '--id'"),
        ("email_match", "Folded", "is 'Folded'"),
    ],
)
def test_a_bad_value_is_refused_with_its_parameter_reason_and_what_is_allowed(
    name: str, value: str, problem: str
) -> None:
    error = refused(**{name: [value]})

    assert error.message.startswith(f"Parameter '{name}' {problem}.")
    assert error.details["parameter"] == name
    assert error.details["allowed"]
    assert (error.details["statusCode"], error.details["message"]) == (400, error.message)


@pytest.mark.parametrize("name", ["q", "createdAfter", "sort", "email_match"])
def test_a_parameter_of_one_value_is_refused_twice(name: str) -> None:
    assert refused(**{name: ["2026-01-01", "2026-01-01"]}).details["parameter"] == name


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("email", "emails"),
        ("timezone", "timeZone"),
        ("Limit", "limit"),
        ("offest", "offset"),
        ("utm_source", None),
        ("x" * 9999, None),
        ("metadata", "metadata[key]"),
        ("metadata[a][b]", "metadata[key]"),
    ],
)
def test_an_unknown_parameter_is_refused_and_the_nearest_known_one_suggested(
    name: str, suggestion: str | None
) -> None:
    error = refused(**{name: ["x"]})

    assert error.message.startswith(f"Unknown parameter '{name}'.")
    assert error.details.get("suggestion") == suggestion
    assert {"limit", "emails", "q"} <= set(error.details["allowed"])


@pytest.mark.parametrize(
    ("value", "suggestion"), [("timezone", "timeZone"), ("zzz", None), ("", None)]
)
def test_an_unknown_field_is_refused_and_the_nearest_one_suggested(
    value: str, suggestion: str | None
) -> None:
    assert refused(fields=[value]).details.get("suggestion") == suggestion


@pytest.mark.parametrize(
    ("asked", "filtered"),
    [
        (ListQuery(), False),
        (ListQuery(limit=5, offset=9, fields=("id",)), False),
        (ListQuery(emails=()), True),
        (ListQuery(ids=(1,)), True),
        (ListQuery(q="a"), True),
        (ListQuery(sort="-id"), True),
        (ListQuery(metadata=(("a", ("1",)),)), True),
    ],
)
def test_only_a_plain_run_of_the_directory_is_not_filtered(
    asked: ListQuery, *, filtered: bool
) -> None:
    assert asked.filtered is filtered


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"emails": ["a@b.co,c@d.co"]}, {"emails[]": ["c@d.co", "a@b.co", "a@b.co"]}),
        ({"ids": ["1,2"]}, {"ids": ["2", "1", "1"]}),
        ({"timeZone": ["UTC,GMT"]}, {"timeZone": ["GMT", "UTC"]}),
        ({"metadata[a]": ["x,y", "z"]}, {"metadata[a]": ["z", "x,y", "z"]}),
        ({"fields": ["id,name"]}, {"fields": ["name", "id"]}),
        ({"limit": ["2.0"]}, {"limit": ["2"], "clientId": ["x"]}),
        ({"createdAfter": ["2026-01-01"]}, {"createdAfter": ["2026-01-01T00:00:00Z"]}),
    ],
)
def test_equal_questions_have_equal_keys(
    one: dict[str, list[str]], other: dict[str, list[str]]
) -> None:
    assert parse_list(one).key() == parse_list(other).key()


@pytest.mark.parametrize(
    "other",
    [
        {"limit": ["51"]},
        {"offset": ["1"]},
        {"emails[]": ["a"]},
        {"usernames": ["a"]},
        {"q": ["a"]},
        {"timeZone": ["a"]},
        {"locale": ["a"]},
        {"sort": ["name"]},
        {"fields": ["name"]},
        {"metadata[a]": ["a"]},
        {"metadata[a]": [""]},
        {"metadata[a]": ["a,b"]},
        {"metadata[a]": ["a", "b"]},
        {"createdAfter": ["2026-01-01"]},
        {"createdBefore": ["2026-01-01"]},
        {"email_match": ["folded"]},
    ],
)
def test_different_questions_have_different_keys(other: dict[str, list[str]]) -> None:
    assert parse_list(other).key() != parse_list({}).key()


def test_a_view_is_the_same_whatever_window_of_it_is_asked_for() -> None:
    one, other = ListQuery(q="a", limit=5), ListQuery(q="a", limit=9, offset=20)

    assert one.filters_digest("client") == other.filters_digest("client")
    assert one.filters_digest("client") != one.filters_digest("another")
    assert one.filters_digest("client") != ListQuery(q="b").filters_digest("client")


NAMES = st.text("abcXYZ_/-+0", min_size=1, max_size=8)
LISTS = st.lists(NAMES, min_size=1, max_size=4)
WHOLE = st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1).filter(str.strip)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(1, 250).map(lambda n: [str(n)]),
        "offset": st.integers(0, 10**25).map(lambda n: [str(n)]),
        "emails[]": st.lists(TEXTS, min_size=1, max_size=3),
        "ids": st.lists(st.integers(0, 10**15 - 1).map(str), min_size=1, max_size=4),
        "usernames": st.lists(TEXTS, min_size=1, max_size=3),
        "q": TEXTS.map(lambda text: [text]),
        "timeZone": LISTS,
        "locale": LISTS,
        "createdAfter": st.datetimes().map(lambda at: [at.isoformat()]),
        "createdBefore": st.datetimes().map(lambda at: [f"{at.isoformat()}+14:00"]),
        "metadata[a key]": WHOLE,
        "metadata[b]": WHOLE,
        "fields": st.lists(st.sampled_from(USER_FIELDS), min_size=1),
        "sort": st.sampled_from(["id", "-id", "name", "-email"]).map(lambda key: [key]),
        "email_match": st.sampled_from(["exact", "folded"]).map(lambda match: [match]),
    },
)


@pytest.mark.parametrize(
    ("params", "written"),
    [
        ({}, []),
        ({"limit": ["7"], "offset": ["7"]}, []),
        ({"emails": ["a@example.com,b@example.com"]}, ["a@example.com", "b@example.com"]),
        ({"ids": ["2", "1"]}, ["2,1"]),
        ({"timeZone": ["b,a"]}, ["a,b"]),
        ({"createdAfter": ["2026-01-01"]}, ["2026-01-01T00:00:00.000Z"]),
        ({"createdBefore": ["2026-01-01T01:00:00.5+01:00"]}, ["2026-01-01T00:00:00.500Z"]),
        ({"q": ["Bob"], "sort": ["-id"]}, ["bob", "-id"]),
        ({"metadata[plan]": ["pro"]}, ["pro"]),
    ],
)
def test_a_question_is_written_as_links_ask_it_again(
    params: dict[str, list[str]], written: list[str]
) -> None:
    assert [text for _, text in parse_list(params).parameters()] == written


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ({"ids": ["1"]}, True),
        ({"emails": ["a@example.com"], "email_match": ["folded"]}, True),
        ({"usernames": ["a"], "fields": ["id"], "sort": ["-id"], "limit": ["1"]}, True),
        ({}, False),
        ({"q": ["a"]}, False),
        ({"ids": ["1"], "q": ["a"]}, False),
        ({"ids": ["1"], "usernames": ["a"]}, False),
        ({"ids": ["1"], "metadata[a]": ["b"]}, False),
    ],
)
def test_names_decide_alone_where_one_list_of_them_is_all_that_chooses(
    asked: dict[str, list[str]], *, alone: bool
) -> None:
    assert parse_list(asked).names_alone is alone


@given(PARAMS)
def test_the_parameters_of_a_question_ask_the_same_question_again(
    params: dict[str, list[str]],
) -> None:
    try:
        asked = parse_list(params)
    except InvalidRequestError:
        # A date that has no equal in UTC.
        reject()

    again = parse_list(parse_qs(urlencode(asked.parameters()), keep_blank_values=True))

    assert again.filters_key == asked.filters_key
    assert again.filters_digest("client") == asked.filters_digest("client")


@given(st.dictionaries(st.text(), st.lists(st.text(), min_size=1, max_size=3), max_size=4))
def test_whatever_is_asked_is_a_question_or_a_400(params: dict[str, list[str]]) -> None:
    assert outcome(params) in {"a question", 400}


def outcome(params: dict[str, list[str]]) -> int | str:
    """Return the status of a refusal, or that there was none."""
    try:
        parse_list(params)
    except InvalidRequestError as error:
        return int(error.status)
    return "a question"


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, ()),
        ({"fields": ["name,id"]}, ("id", "name")),
        ({"clientId": ["x"], "min_generation": ["1"], "asOf": ["1"]}, ()),
    ],
)
def test_one_user_can_be_asked_for_in_part(
    params: dict[str, list[str]], fields: tuple[str, ...]
) -> None:
    assert parse_user_fields(params) == fields


@pytest.mark.parametrize("params", [{"limit": ["1"]}, {"fields": ["nope"]}, {"fields": [""]}])
def test_one_user_cannot_be_asked_for_otherwise(params: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequestError):
        parse_user_fields(params)


@pytest.mark.parametrize(
    ("params", "on"), [({}, False), ({"wait": ["true"]}, True), ({"wait": ["false"]}, False)]
)
def test_a_switch_is_on_or_off(params: dict[str, list[str]], *, on: bool) -> None:
    assert parse_switches(params, ("wait", "believe")) == {"wait": on, "believe": False}


@pytest.mark.parametrize("params", [{"wait": ["1"]}, {"wait": ["true", "true"]}, {"wiat": ["x"]}])
def test_a_switch_is_nothing_else(params: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequestError):
        parse_switches(params, ("wait", "believe"))


def test_nothing_but_a_client_id_may_be_asked_of_what_takes_no_parameters() -> None:
    parse_nothing({"clientId": ["x"]})

    with pytest.raises(InvalidRequestError) as caught:
        parse_nothing({"limit": ["1"]})

    assert caught.value.message == "Unknown parameter 'limit'. Allowed: none."


def test_a_generation_must_be_given() -> None:
    assert parse_changes({"since": ["7"]}) == (7, False)
    assert parse_changes({"since": ["7"], "include": ["values"]}) == (7, True)

    with pytest.raises(InvalidRequestError):
        parse_changes({})


@pytest.mark.parametrize(("text", "user_id"), [("7", 7), ("007", 7), ("-7", -7)])
def test_a_user_id_is_a_whole_number(text: str, user_id: int) -> None:
    assert parse_user_id(text) == user_id


@pytest.mark.parametrize("text", ["", "abc", "1.5", "+7", " 7", "7\n", "\u0667", "9" * 20])
def test_a_user_id_is_nothing_else(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_user_id(text)

    assert caught.value.message == "Validation failed (numeric string is expected)"
