"""The digest of users: the recipe's, whatever the order, and kept up to date by what changed."""

import hashlib
import json
from random import Random

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lib.directory import pages
from lib.directory.generation import Generation, sealed
from lib.directory.users_digest import total_of
from lib.users.document import canonical
from tests.fakes import CLIENT, users

LINES = [canonical(row) for row in users(range(1, 400))]


def recipe(lines: list[bytes]) -> int:
    """Return the digest as it is documented, by a library."""
    documents = (rfc8785.dumps(json.loads(line)) for line in lines)
    return sum(int(hashlib.sha256(each).hexdigest(), 16) for each in documents) % 2**256


def test_it_is_the_sum_of_what_the_recipe_makes_of_each() -> None:
    assert total_of(LINES) == recipe(LINES)
    assert total_of([]) == 0


def test_neither_order_nor_pages_make_a_difference() -> None:
    shuffled = list(LINES)
    Random(7).shuffle(shuffled)  # noqa: S311 - any order
    draft = pages.draft(LINES, complete=True)

    assert len(draft.pages) > 3
    assert total_of(shuffled) == draft.total == total_of(LINES)


@given(st.sampled_from(LINES))
def test_anything_else_of_anybody_makes_another(line: bytes) -> None:
    other = canonical(json.loads(line) | {"name": "somebody else"})

    assert total_of([line]) != total_of([other])


def test_it_is_kept_with_the_generation_it_is_of() -> None:
    of = Generation(
        client_id=CLIENT, digest="ab" * 20, users_sum=sealed(255, "ab" * 20), hiding_digest="p"
    )

    assert (of.users_total, of.users_digest("p")) == (255, "0" * 62 + "ff")
    assert of.users_digest("what is hidden otherwise") is None


@pytest.mark.parametrize(
    "users_sum", [None, b"", sealed(255, "cd" * 20), sealed(255, "ab" * 20) + b"x", b"\xab" * 8]
)
def test_of_another_generation_it_tells_nothing(users_sum: bytes | None) -> None:
    of = Generation(client_id=CLIENT, number=3, digest="ab" * 20, users_sum=users_sum)

    assert (of.users_total, of.users_digest("")) == (None, None)
