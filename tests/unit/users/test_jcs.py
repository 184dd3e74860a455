"""Canonical JSON: the scheme's own examples, its published library, and where it has no answer."""

import json
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lib.users.document import canonical
from lib.users.jcs import canonical_json

# No lone surrogates and no whole number beyond a double's: the library refuses them.
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def form(value: object) -> str:
    """Return the canonical form of a value that Python has."""
    return canonical_json(json.dumps(value).encode()).decode()


@given(VALUES)
def test_it_is_what_the_published_library_makes(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert form(value) == rfc8785.dumps(value).decode()


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_document_has_the_same_form_however_it_is_written(user: dict[str, Any]) -> None:
    document = canonical({"id": 1, **user})

    assert canonical_json(document) == rfc8785.dumps(json.loads(document))


@pytest.mark.parametrize(
    ("bits", "written"),
    [
        # RFC 8785, appendix B.
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_a_double_is_written_as_the_scheme_shows(bits: str, written: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert form(number) == written


def test_the_scheme_s_own_example() -> None:
    # RFC 8785, section 3.2.2.
    text = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""

    assert canonical_json(text.encode()).decode() == (
        r"""{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"""
        r""""string":"€$\u000f\nA'B\"\\\\\"/"}"""
    )


def test_names_are_ordered_by_their_utf_16_code_units() -> None:
    # RFC 8785, section 3.2.3.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    ordered = json.loads(form(dict.fromkeys(names, 0)))

    assert list(ordered) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (2**53 + 1, "9007199254740992"),
        (-(2**53) - 1, "-9007199254740992"),
        (12345678901234567890, "12345678901234567000"),
        (10**21, "1e+21"),
        (10**400, "null"),
        (True, "true"),
    ],
)
def test_a_number_that_no_double_is_is_written_as_ecmascript_reads_it(
    number: int, written: str
) -> None:
    assert form([number]) == f"[{written}]"


def test_a_lone_surrogate_stays_an_escape() -> None:
    document = canonical({"id": 1, "name": "\ud83d", "\udc00": 1})

    assert canonical_json(document) == rb'{"id":1,"name":"\ud83d","\udc00":1}'
