"""Values of our own parameters: what is read from them, and how bad ones are refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.queries import parameters
from lib.queries.parameters import MAX_MEMBERS, METADATA_NAME
from lib.users.document import SHOWN_FIELDS

READ_ZONES = parameters.read_names_like("Europe/London")
READ_ORDER = parameters.read_one_of(("id", "-id"))
READERS: dict[str, Callable[[str, Sequence[str]], object]] = {
    "members": parameters.read_members,
    "ids": parameters.read_ids,
    "text": parameters.read_text,
    "whole": parameters.read_whole,
    "zones": READ_ZONES,
    "instant": parameters.read_instant,
    "fields": parameters.read_fields,
    "order": READ_ORDER,
    "number": parameters.read_number,
}


def refusal(reader: Callable[[str, Sequence[str]], object], *values: str) -> dict[str, Any]:
    """Return the details of the 400 that the values of the parameter ``p`` end in."""
    with pytest.raises(InvalidRequestError) as caught:
        reader("p", values)
    return caught.value.details


@pytest.mark.parametrize("name", READERS)
@given(values=st.lists(st.text(), min_size=1, max_size=3))
def test_any_value_is_read_or_refused_by_name(name: str, values: list[str]) -> None:
    try:
        READERS[name]("p", values)
    except InvalidRequestError as error:
        assert error.message.startswith("Parameter 'p' ")  # noqa: PT017 - either outcome is right.
        assert error.details["parameter"] == "p"  # noqa: PT017 - the same.
        assert error.details["allowed"]  # noqa: PT017 - the same.


def test_as_many_members_may_be_named_as_fit_into_an_answer() -> None:
    most = ",".join(map(str, range(MAX_MEMBERS)))

    assert len(parameters.read_ids("p", [most])) == MAX_MEMBERS == 250
    assert refusal(parameters.read_ids, most, "250")["message"] == (
        "Parameter 'p' has 251 members. Allowed: at most 250."
    )


@pytest.mark.parametrize("values", [("",), ("a,",), (",",), ("a", ""), ("a, ,b",)])
def test_an_empty_member_is_refused(values: tuple[str, ...]) -> None:
    assert "has an empty member" in refusal(parameters.read_members, *values)["message"]


def test_members_of_several_values_keep_their_order_and_lose_their_blanks() -> None:
    assert parameters.read_members("p", [" b , a", "c"]) == ("b", "a", "c")


@pytest.mark.parametrize("value", ["-1", "1.0", "0x10", "१", "1" * 16, "1 2", "abc"])
def test_what_is_no_id_is_refused(value: str) -> None:
    assert f"holds '{value}'" in refusal(parameters.read_ids, value)["message"]


@pytest.mark.parametrize(
    "value", ["Europe/", "Etc/GMT+1", "America/Port-au-Prince", "x" * 64, "pt_BR", "-05:30"]
)
def test_what_looks_like_a_zone_or_a_locale_is_read(value: str) -> None:
    assert READ_ZONES("p", [value]) == {value}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (" 05:30", {"+05:30"}),
        ("Etc/GMT 5", {"Etc/GMT+5"}),
        ("UTC 05:30, UTC ,  UTC", {"UTC+05:30", "UTC"}),
    ],
)
def test_a_plus_that_was_not_escaped_is_put_back(value: str, read: set[str]) -> None:
    assert READ_ZONES("p", [value]) == read


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ([""], {""}),
        ([","], {","}),
        (["a"], {"a"}),
        ([" a ,b"], {" a ,b", "a", "b"}),
        (["a", "b,c"], {"a", "b,c", "b", "c"}),
        (['{"a":1,"b":2}'], {'{"a":1,"b":2}', '{"a":1', '"b":2}'}),
    ],
)
def test_a_value_that_may_hold_a_comma_counts_whole_and_by_its_members(
    values: list[str], members: set[str]
) -> None:
    assert parameters.members_of(parameters.read_whole("p", values)) == members


@pytest.mark.parametrize("value", ["Europe/São", "a b", "x" * 65, "<script>", "a;b"])
def test_what_looks_like_no_zone_is_refused_with_an_example(value: str) -> None:
    assert refusal(READ_ZONES, value)["allowed"] == ["names like Europe/London"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01",
        "1767225600",
        "2026-01-01T00:00:00 02:00",
    ],
)
def test_what_is_no_date_is_refused_with_examples(value: str) -> None:
    assert refusal(parameters.read_instant, value)["allowed"] == [
        "2026-01-31",
        "2026-01-31T12:00:00.000Z",
    ]


@pytest.mark.parametrize("values", [("a", "b"), ("",), (" ",)])
def test_a_text_is_one_and_not_empty(values: tuple[str, ...]) -> None:
    assert "is not one text" in refusal(parameters.read_text, *values)["message"]


@pytest.mark.parametrize("values", [("-1",), ("1.5",), ("",), ("1", "2"), ("x",), ("9" * 16,)])
def test_what_is_no_generation_is_refused(values: tuple[str, ...]) -> None:
    assert "is not one generation number" in refusal(parameters.read_number, *values)["message"]


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ("timezone", "timeZone"),
        ("time_zone", "timeZone"),
        ("Email", "email"),
        ("metdata", "metadata"),
        ("colour", None),
        ("", None),
    ],
)
def test_a_bad_field_is_refused_with_the_nearest_one(given: str, suggestion: str | None) -> None:
    refused = refusal(parameters.read_fields, given or "qqqq")

    assert refused["allowed"] == list(SHOWN_FIELDS)
    assert refused.get("suggestion") == suggestion
    assert ("Did you mean" in refused["message"]) is (suggestion is not None)


def test_one_of_a_few_is_refused_with_all_of_them() -> None:
    refused = refusal(READ_ORDER, "ID")

    assert refused == {
        "message": "Parameter 'p' is 'ID'. Did you mean 'id'? Allowed: id, -id.",
        "error": "Bad Request",
        "statusCode": 400,
        "parameter": "p",
        "allowed": ["id", "-id"],
        "suggestion": "id",
    }


@pytest.mark.parametrize("value", ["x" * 100_000, "\u0131" * 5000])
def test_an_endless_value_costs_no_endless_search(value: str) -> None:
    assert "suggestion" not in refusal(READ_ORDER, value)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("limit", True),
        ("clientId", True),
        ("metadata[plan]", True),
        ("metadata[a b]", True),
        ("metadata[key]", True),
        ("metadata", False),
        ("metadata[]", False),
        ("metadata[a][b]", False),
        (f"metadata[{'x' * 65}]", False),
        ("Limit", False),
        ("clientid", False),
        ("", False),
    ],
)
def test_unknown_parameters_are_refused(name: str, *, known: bool) -> None:
    names = ("limit", METADATA_NAME)

    if known:
        parameters.refuse_unknown({name: ["x"]}, names=names)
    else:
        with pytest.raises(InvalidRequestError, match="Unknown parameter"):
            parameters.refuse_unknown({name: ["x"]}, names=names)


def test_metadata_is_unknown_where_it_filters_nothing() -> None:
    with pytest.raises(InvalidRequestError):
        parameters.refuse_unknown({"metadata[plan]": ["x"]}, names=("fields",))


def test_where_nothing_is_allowed_that_is_said() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parameters.refuse_unknown({"limit": ["1"]}, names=())

    assert caught.value.message == "Unknown parameter 'limit'. Allowed: none."
