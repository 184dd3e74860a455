"""What filters compare: one form of every text and number."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.users.row import composed, folded, form_of_json


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@given(text=st.text())
def test_how_letters_are_composed_makes_no_difference(form: str, text: str) -> None:
    written = unicodedata.normalize("NFD" if form == "NFD" else "NFC", text)

    assert folded(written) == folded(text)
    assert composed(written) == composed(text)


@given(st.characters())
def test_no_letter_is_another_in_another_case(letter: str) -> None:
    assert folded(letter.upper()) == folded(letter.lower()) == folded(letter)


@given(st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_folded_as_everything_is(text: str) -> None:
    assert folded(text) == folded(text + "é").removesuffix("é") == text.casefold()


@given(st.text() | st.sampled_from(["[" * 100_000, "9" * 5_000, "1e999", "NaN", "\ud800"]))
def test_no_text_is_too_odd_to_be_asked_for(text: str) -> None:
    assert isinstance(form_of_json(text), str | None)
