"""A secret key prints, formats and pickles as nothing."""

import copy
import pickle
from collections.abc import Callable

import pytest

from lib.origin.credential import Credential, SecretKey, carried

CANARY = "canary-key"


def test_the_key_is_had_only_by_asking_for_it() -> None:
    assert SecretKey(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("key", "key"),
        (" key\t\r\n", "key"),
        ("\u00a0key\u3000", "key"),
        ("a key\twith blanks", "a key\twith blanks"),
        ("\xe9\xff", "\xe9\xff"),
        ("", None),
        (" \n", None),
        ("k\ney", None),
        ("k\x00ey", None),
        ("k\x7fey", None),
        ("ke\u200by", None),
        ("\ufeffkey", None),
        ("\ud800", None),
        (None, None),
        (5, None),
    ],
)
def test_what_a_header_can_carry(text: object, sent: str | None) -> None:
    assert carried(text) == sent


@pytest.mark.parametrize("holder", [SecretKey(CANARY), Credential(SecretKey(CANARY), "v1")])
def test_no_printed_form_holds_the_key(holder: object) -> None:
    printed = [repr(holder), str(holder), f"{holder}", f"{[holder]}", "%s" % (holder,)]  # noqa: UP031

    assert not [text for text in printed if CANARY in text]
    assert "SecretKey(***)" in printed[0]


@pytest.mark.parametrize("serialize", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_is_not_serialized(serialize: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        serialize(SecretKey(CANARY))


def test_a_key_has_no_dictionary_to_dump() -> None:
    with pytest.raises(TypeError):
        vars(SecretKey(CANARY))
