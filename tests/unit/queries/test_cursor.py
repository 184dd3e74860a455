"""Cursors: what was handed out is read back, and nothing else is a cursor."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.queries import cursor
from lib.queries.cursor import Cursor

NUMBERS = st.integers(0, 2**53 - 1)
GIVEN = Cursor(generation=7, offset=250, issued_at=1_800_000_000, view="a1b2", policy="c3d4")


def packed(content: object) -> str:
    """Return ``content`` in the form of a cursor."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@given(st.builds(Cursor, NUMBERS, NUMBERS, NUMBERS, st.text(), st.text()))
def test_a_cursor_is_read_back_as_it_was_written(written: Cursor) -> None:
    assert cursor.decode(written.encode()) == written


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    text = GIVEN.encode()

    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        "abcde",
        [],
        {},
        [7, 250, 1, "v"],
        [7, 250, 1, "v", "p", "more"],
        ["7", 250, 1, "v", "p"],
        [7.0, 250, 1, "v", "p"],
        [True, 250, 1, "v", "p"],
        [7, -1, 1, "v", "p"],
        [7, 2**53, 1, "v", "p"],
        [7, 250, None, "v", "p"],
        [7, 250, 1, 5, "p"],
        [7, 250, 1, "v", None],
        [float("nan"), 250, 1, "v", "p"],
    ],
)
def test_what_has_another_form_is_refused(content: object) -> None:
    with pytest.raises(InvalidRequestError, match="'cursor' is not a cursor"):
        cursor.decode(packed(content))


@pytest.mark.parametrize(
    "text",
    ["", "!", "AAAAA", "ü", "\ud800", "%", GIVEN.encode()[:-3], base64.b64encode(b"\xff").decode()],
)
def test_a_text_that_nobody_handed_out_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        cursor.decode(text)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000])
def test_a_cursor_made_to_exhaust_its_reader_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        cursor.decode(base64.urlsafe_b64encode(content).decode())


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        read = cursor.decode(text)
    except InvalidRequestError as error:
        assert error.status == 400  # noqa: PT017 - either outcome is right.
    else:
        assert cursor.decode(read.encode()) == read
