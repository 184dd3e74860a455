"""The origin's reading of limit, offset and emails, restated as tables."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.queries.origin_parameters import owns, parse, parse_int


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("250", 250),
        ("007", 7),
        ("+5", 5),
        ("-5", -5),
        ("1.9", 1),
        ("2.0", 2),
        ("10abc", 10),
        ("1e2", 1),
        ("1_000", 1),
        ("1,5", 1),
        ("0x10", 16),
        ("0XfF", 255),
        ("-0x10", -16),
        ("0x10g", 16),
        ("0b11", 0),
        ("0o17", 0),
        (" 12 ", 12),
        ("\t\n\v\f\r12", 12),
        ("\u00a0\u2003\ufeff12", 12),
        ("9007199254740993", 9007199254740992),
        ("99999999999999999999", 1e20),
        ("1" + "0" * 308, 1e308),
        ("1" + "0" * 309, math.inf),
        ("-1" + "0" * 309, -math.inf),
        ("0x1" + "0" * 256, math.inf),
        ("0x1p4", 1),
    ],
)
def test_a_number_is_read_as_javascript_reads_it(text: str, number: float) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "abc",
            ".5",
            "-",
            "+",
            "--5",
            "+-5",
            "- 5",
            "0x",
            "0xg",
            "x10",
            "NaN",
            "Infinity",
        ),
        *("\x1c5", "\x855", "\u200b5", "\u0665", "\u00b2"),
    ],
)
def test_what_begins_with_no_number_is_none(text: str) -> None:
    assert math.isnan(parse_int(text))


@given(st.integers(), st.sampled_from(["", ".9", "abc", " 7", "e5", "\x00"]))
def test_whatever_follows_the_digits_is_ignored(number: int, rest: str) -> None:
    assert parse_int(f"{number}{rest}") == float(number)


@given(st.text())
def test_any_text_is_a_whole_number_infinity_or_none(text: str) -> None:
    number = parse_int(text)

    assert math.isnan(number) or math.isinf(number) or number == math.floor(number)


def test_nothing_given_means_the_first_fifty_of_all() -> None:
    assert parse({}) == (50, 0, None)


@pytest.mark.parametrize(
    ("given_text", "limit"),
    [("1", 1), ("250", 250), ("2.0", 2), ("0x10", 16), ("250.9", 250), ("10abc", 10), ("1e2", 1)],
)
def test_a_limit_from_1_to_250_is_accepted(given_text: str, limit: int) -> None:
    assert parse({"limit": [given_text]}) == (limit, 0, None)


@pytest.mark.parametrize(
    ("given_text", "offset"),
    [("0", 0), ("-0", 0), ("250", 250), ("251", 251), ("1.0", 1), ("1" + "0" * 22, 10**22)],
)
def test_an_offset_from_0_on_is_accepted_without_the_origins_wall(
    given_text: str, offset: int
) -> None:
    limit, found, _ = parse({"offset": [given_text]})

    assert (limit, found) == (50, offset)
    assert isinstance(found, int)


MAX = "limit must not be greater than 250"
MIN = "limit must not be less than 1"
NUMBER = "limit must be a number conforming to the specified constraints"


@pytest.mark.parametrize(
    ("given_text", "shown", "constraints"),
    [
        ("0", 0, {"min": MIN}),
        ("-1", -1, {"min": MIN}),
        ("251", 251, {"max": MAX}),
        ("abc", None, {"max": MAX, "min": MIN, "isNumber": NUMBER}),
        (" ", None, {"max": MAX, "min": MIN, "isNumber": NUMBER}),
        ("", "", {"max": MAX, "min": MIN, "isNumber": NUMBER}),
        ("99999999999999999999", 100000000000000000000, {"max": MAX}),
        ("1" + "0" * 400, None, {"max": MAX, "isNumber": NUMBER}),
        ("-1" + "0" * 400, None, {"min": MIN, "isNumber": NUMBER}),
    ],
)
def test_a_bad_limit_is_refused_in_the_origins_words(
    given_text: str, shown: float | str | None, constraints: dict[str, str]
) -> None:
    error = refused(limit=[given_text])

    (told,) = error.details["errors"]
    assert error.message == "Bad Request Exception"
    assert told == {
        "target": {"limit": shown},
        "value": shown,
        "property": "limit",
        "children": [],
        "constraints": constraints,
    }
    assert list(told["constraints"]) == list(constraints)


@pytest.mark.parametrize("given_text", ["-1", "abc", "", "1" + "0" * 400])
def test_a_bad_offset_is_refused(given_text: str) -> None:
    error = refused(offset=[given_text])

    assert [told["property"] for told in error.details["errors"]] == ["offset"]


def test_all_bad_parameters_are_told_at_once_and_good_ones_shown_beside_them() -> None:
    error = refused(limit=["0"], offset=["-1"], **{"emails[]": ["a@example.com"]})

    told = error.details["errors"]
    assert [each["property"] for each in told] == ["limit", "offset"]
    assert told[0]["target"] == {"emails": ["a@example.com"], "limit": 0, "offset": -1}


@pytest.mark.parametrize(
    "params",
    [
        {"limit": ["7", "8"]},
        {"limit[]": ["7"]},
        {"limit[0]": ["7"]},
        {"limit": ["7"], "limit[]": ["8"]},
    ],
)
def test_of_a_repeated_limit_the_first_counts(params: dict[str, list[str]]) -> None:
    assert parse(params)[0] == 7


def test_a_limit_with_a_name_in_brackets_is_no_number() -> None:
    error = refused(**{"limit[a]": ["2"]})

    assert error.details["errors"][0]["value"] is None


@pytest.mark.parametrize(
    ("given_text", "emails"),
    [
        ("bob@example.com", ("bob@example.com",)),
        ("Bob@Example.com", ("Bob@Example.com",)),
        (" a@example.com , b@example.com ", ("a@example.com", "b@example.com")),
        ("\ufeffa@example.com", ("a@example.com",)),
        ("a@example.com,a@example.com", ("a@example.com", "a@example.com")),
        ("a+b@example.com", ("a+b@example.com",)),
    ],
)
def test_one_string_of_emails_is_split_and_trimmed(
    given_text: str, emails: tuple[str, ...]
) -> None:
    assert parse({"emails": [given_text]})[2] == emails


@pytest.mark.parametrize(
    ("given_text", "named"),
    [
        ("", ""),
        (",", ""),
        ("a@example.com,", ""),
        ("nope", "nope"),
        ("a@example.com, nope", "nope"),
        ("a@b@c.com", "a@b@c.com"),
        ("a b@example.com", "a b@example.com"),
    ],
)
def test_one_bad_address_in_a_string_fails_all_of_it(given_text: str, named: str) -> None:
    error = refused(emails=[given_text])

    assert error.message == f"Invalid email {named}"
    assert error.details == {
        "message": f"Invalid email {named}",
        "error": "Bad Request",
        "statusCode": 400,
    }


def test_a_bad_address_is_told_before_a_bad_limit() -> None:
    error = refused(emails=["nope"], limit=["abc"])

    assert error.message == "Invalid email nope"


@pytest.mark.parametrize(
    "params",
    [
        {"emails": ["a@example.com", " nope"]},
        {"emails[]": ["a@example.com", " nope"]},
        {"emails[0]": ["a@example.com"], "emails[1]": [" nope"]},
    ],
)
def test_a_list_of_emails_is_neither_checked_nor_trimmed(params: dict[str, list[str]]) -> None:
    assert parse(params)[2] == ("a@example.com", " nope")


def test_emails_with_a_name_in_brackets_count_as_none() -> None:
    error = refused(**{"emails[a]": ["a@example.com"]})

    (told,) = error.details["errors"]
    assert told["constraints"] == {"arrayNotEmpty": "emails cannot be empty."}
    assert told["value"] == {"a": "a@example.com"}


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("limit", True),
        ("offset[]", True),
        ("emails[0]", True),
        ("emails[a]", True),
        ("emails[a][b]", False),
        ("Limit", False),
        ("limits", False),
        ("email", False),
    ],
)
def test_the_origin_reads_three_names_with_or_without_brackets(name: str, *, owned: bool) -> None:
    assert owns(name) is owned


def refused(**params: list[str]) -> Any:  # noqa: ANN401 - an error with free-form details
    """Parse what must be refused and return the error."""
    with pytest.raises(InvalidRequestError) as caught:
        parse(params)
    return caught.value
