"""Cursors: what was handed out is read back, and nothing else is a cursor."""

import base64
import hmac
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError, Reason, StoreError
from lib.queries.cursor import Cursor, Cursors, issued_at

KEY = bytes(range(32))
CURSORS = Cursors(lambda: KEY)
NUMBERS = st.integers(0, 2**53 - 1)
GIVEN = Cursor(
    generation=7, offset=250, issued_at=1_800_000_000, filters_digest="a1b2", hiding_digest="c3d4"
)


def written(cursor: Cursor = GIVEN, cursors: Cursors = CURSORS) -> str:
    """Return the text of a cursor."""
    text = cursors.write(cursor)
    assert text is not None
    return text


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@given(st.builds(Cursor, NUMBERS, NUMBERS, NUMBERS, st.text(), st.text()))
def test_a_cursor_is_read_back_as_it_was_written(cursor: Cursor) -> None:
    assert CURSORS.read(written(cursor)) == cursor


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    text = written()

    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


def test_a_cursor_is_short() -> None:
    longest = Cursor(10**15, 10**20, 10**10, filters_digest="0" * 18, hiding_digest="0" * 12)

    assert len(written(longest)) <= 160


def test_a_forged_cursor_is_refused() -> None:
    content = json.dumps(tuple(GIVEN)).encode()

    for forged in (encoded(content), encoded(bytes(16) + content), encoded(content[:16] + content)):
        with pytest.raises(InvalidRequestError, match="'cursor' is not a cursor"):
            CURSORS.read(forged)


def test_a_cursor_under_another_key_is_refused() -> None:
    another = Cursors(lambda: bytes(32))

    with pytest.raises(InvalidRequestError):
        CURSORS.read(written(cursors=another))


@given(st.integers(0), st.integers(1, 255))
def test_a_cursor_of_which_anything_was_altered_is_refused(position: int, change: int) -> None:
    text = written()
    content = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    content[position % len(content)] ^= change

    with pytest.raises(InvalidRequestError):
        CURSORS.read(encoded(bytes(content)))


@given(st.data())
def test_a_cursor_is_one_text_alone(data: st.DataObject) -> None:
    text = written()
    position = data.draw(st.integers(0, len(text)))
    junk = data.draw(st.sampled_from(["=", " ", "\n", "!", "%", "+", "/", ".", "A", "\x00", "é"]))
    put_in = text[:position] + junk + text[position:]
    left_out = text[:position] + text[position + 1 :]

    for other in {put_in, left_out, text.swapcase(), text + "=="} - {text}:
        with pytest.raises(InvalidRequestError):
            CURSORS.read(other)


@pytest.mark.parametrize("length", range(3))
def test_bits_that_stand_for_nothing_must_be_none(length: int) -> None:
    text = written(GIVEN._replace(filters_digest="v" * length))
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    padding = "=" * (-len(text) % 4)
    same = [
        text[:-1] + last
        for last in alphabet
        if base64.urlsafe_b64decode(text[:-1] + last + padding)
        == base64.urlsafe_b64decode(text + padding)
    ]

    read = [CURSORS.read(each) for each in same if each == text]
    for other in set(same) - {text}:
        with pytest.raises(InvalidRequestError):
            CURSORS.read(other)

    assert (len(read), len(same)) == (1, 4 ** len(padding))


def test_a_cursor_of_another_shape_is_refused() -> None:
    content = json.dumps(tuple(GIVEN)).encode()
    tag = hmac.digest(KEY, b"cursor 0 " + content, "sha256")[:16]

    with pytest.raises(InvalidRequestError):
        CURSORS.read(encoded(tag + content))


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        CURSORS.read(text)


def test_without_its_key_nothing_is_written_and_nothing_is_taken_for_junk() -> None:
    there = False

    def key() -> bytes:
        if there:
            return KEY
        raise StoreError("the table is down", reason=Reason.STORE_UNREACHABLE)

    cursors = Cursors(key)

    assert cursors.write(GIVEN) is None
    with pytest.raises(StoreError):
        cursors.read(written())
    with pytest.raises(InvalidRequestError):
        cursors.read("junk!")
    there = True
    assert cursors.write(GIVEN) == written()


def test_for_a_minute_a_place_has_the_same_cursor() -> None:
    assert [issued_at(now) for now in (59.9, 60.0, 119.9, 120.0)] == [60, 120, 120, 180]
