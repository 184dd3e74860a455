"""Documents of users: what is one, and what can be read of it without reading all of it."""

import pytest

from lib.users.document import OMITTED, address_of, canonical, id_of, is_document, omitted_in
from tests.fakes import user


@pytest.mark.parametrize(
    ("line", "one"),
    [
        (canonical(user(7)), True),
        (b'{"id":7}', True),
        (b"", False),
        (b"no json", False),
        (b"\xff\xfe", False),
        (b"[" * 100_000, False),
        (b"[]", False),
        (b"7", False),
        (b'{"email":"a@example.com","id":7}', False),
        (b'{"id":"7"}', False),
        (b'{"id":7.5}', False),
        (b'{"id":true}', False),
        (b'{"id":null}', False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_document_is_json_that_begins_with_an_id(line: bytes, *, one: bool) -> None:
    assert is_document(line) is one
    assert not one or id_of(line) == 7


@pytest.mark.parametrize(
    ("row", "address"),
    [(user(7), "user7+clientid1@example.com"), ({"id": 7}, "None"), ({"id": 7, "email": ""}, "")],
)
def test_an_address_is_read_from_a_document(row: dict[str, object], address: str) -> None:
    assert address_of(canonical(row)) == address


def test_who_misses_a_field_says_so_and_whose_text_merely_looks_like_it_does_not() -> None:
    cut = canonical(user(2) | {OMITTED: ["bio", "name"]})
    odd = canonical(user(3, email='",fieldsOmitted":["bio"]', metadata={OMITTED: ["bio"]}))
    bare = canonical({"id": 4})

    assert omitted_in([canonical(user(1)), cut, odd, bare]) == {2: ("bio", "name")}
