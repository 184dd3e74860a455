"""DynamoDB's typed attributes and update expressions."""

from typing import Any

import pytest

from lib.aws.items import Set, decode, encode, update
from lib.directory.head import Value


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("text", {"S": "text"}),
        ("", {"S": ""}),
        (b"\x00\xff", {"B": b"\x00\xff"}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        (0, {"N": "0"}),
        (-7, {"N": "-7"}),
        (1.5, {"N": "1.5"}),
        (2.0, {"N": "2"}),
        (1_800_000_000.125, {"N": "1800000000.125"}),
    ],
)
def test_a_value_is_typed_and_comes_back(value: Set, typed: dict[str, object]) -> None:
    item = encode({"name": value})

    assert item == {"name": typed}
    assert decode(item) == {"name": value}


@pytest.mark.parametrize(("value", "kept"), [(0.12345, 0.123), (0.9996, 1), (0.0004, 0)])
def test_numbers_keep_milliseconds(value: float, kept: float) -> None:
    assert decode(encode({"name": value})) == {"name": kept}


@pytest.mark.parametrize(
    "typed", [{"NULL": True}, {"M": {"a": {"N": "1"}}}, {"L": []}, {"NS": ["1"]}, {"SS": ["a"]}]
)
def test_what_we_never_write_is_read_as_none(typed: dict[str, Any]) -> None:
    assert decode({"name": typed}) == {"name": None}


@pytest.mark.parametrize(("text", "number"), [("1E+3", 1000), ("-7.50", -7.5), ("1e120", 1e120)])
def test_a_number_may_be_written_in_any_way(text: str, number: float) -> None:
    assert decode({"name": {"N": text}}) == {"name": number}


def test_none_is_no_attribute() -> None:
    assert encode({"a": None, "b": 1}) == {"b": {"N": "1"}}


def test_an_update_sets_and_removes_through_placeholders() -> None:
    parameters = update({"ttl": 1, "name": None, "size": "s", "data": None})

    assert parameters == {
        "UpdateExpression": "SET #ttl = :set_ttl, #size = :set_size REMOVE #name, #data",
        "ExpressionAttributeNames": {
            "#ttl": "ttl",
            "#size": "size",
            "#name": "name",
            "#data": "data",
        },
        "ExpressionAttributeValues": {":set_ttl": {"N": "1"}, ":set_size": {"S": "s"}},
    }


@pytest.mark.parametrize(
    ("changes", "expression"),
    [({"a": 1}, "SET #a = :set_a"), ({"a": None}, "REMOVE #a")],
)
def test_an_update_of_one_kind_has_one_clause(changes: dict[str, Value], expression: str) -> None:
    assert update(changes)["UpdateExpression"] == expression


def test_a_condition_brings_its_names_and_the_values_it_uses() -> None:
    parameters = update(
        {"a": 1}, condition="#b = :seen OR #a < :set_a", values={"seen": 5, "unused": 6}
    )

    assert parameters["ConditionExpression"] == "#b = :seen OR #a < :set_a"
    assert parameters["ExpressionAttributeNames"] == {"#a": "a", "#b": "b"}
    assert parameters["ExpressionAttributeValues"] == {":set_a": {"N": "1"}, ":seen": {"N": "5"}}


def test_a_condition_may_compare_with_an_attribute_as_it_is() -> None:
    parameters = update({"a": None}, condition="#a = :was", typed={"was": {"M": {}}})

    assert parameters["ExpressionAttributeValues"] == {":was": {"M": {}}}
