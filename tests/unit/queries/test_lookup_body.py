"""Bodies of look-ups: one list of users, by address, id or username, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.queries.lookup_body import LONGEST_NAME, NAMES, parse
from lib.queries.parameters import MAX_MEMBERS, MAX_NUMBER


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"emails": ["bob@example.com"]}', {"emails": ("bob@example.com",)}),
        ('{"emails": ["a@example.com", "a@example.com"]}', {"emails": ("a@example.com",) * 2}),
        ('{"ids": [7, 1]}', {"ids": (7, 1)}),
        ('{"ids": [0]}', {"ids": (0,)}),
        (f'{{"ids": [{MAX_NUMBER}]}}', {"ids": (MAX_NUMBER,)}),
        ('{"ids": [7.0, 1e2]}', {"ids": (7, 100)}),
        ('{"usernames": ["bob", ""]}', {"usernames": ("bob", "")}),
        (json.dumps({"usernames": ["x" * LONGEST_NAME]}), {"usernames": ("x" * LONGEST_NAME,)}),
        (json.dumps({"ids": [1] * MAX_MEMBERS}), {"ids": (1,) * MAX_MEMBERS}),
    ],
)
def test_one_list_of_names_is_read(body: str, named: dict[str, tuple[str | int, ...]]) -> None:
    assert parse(body) == named


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "null",
        "[]",
        '"ids"',
        "{}",
        '{"ids": [1], "emails": ["bob@example.com"]}',
        '{"names": ["bob"]}',
        '{"ids": []}',
        '{"ids": 1}',
        '{"ids": "1"}',
        '{"ids": ["1"]}',
        '{"ids": [true]}',
        '{"ids": [null]}',
        '{"ids": [-1]}',
        '{"ids": [1.5]}',
        '{"ids": [NaN]}',
        '{"ids": [1e999]}',
        f'{{"ids": [{MAX_NUMBER + 1}]}}',
        '{"emails": [1]}',
        '{"usernames": [["bob"]]}',
        json.dumps({"usernames": ["x" * (LONGEST_NAME + 1)]}),
        json.dumps({"ids": [1] * (MAX_MEMBERS + 1)}),
        "[" * 100_000,
        '{"ids": ' + "[" * 100_000,
    ],
    ids=lambda body: body[:40],
)
def test_anything_else_is_refused_with_what_is_allowed(body: str) -> None:
    with pytest.raises(InvalidRequestError, match="The body must be JSON like"):
        parse(body)


@pytest.mark.parametrize("address", ["bob", "bob@", "@example.com", "a b@example.com", ""])
def test_an_address_that_the_origin_would_refuse_is_refused_in_its_words(address: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(json.dumps({"emails": ["bob@example.com", address]}))

    assert caught.value.message == f"Invalid email {address}"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES]), inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_json_is_read_or_refused(content: object) -> None:
    try:
        ((name, members),) = parse(json.dumps(content)).items()
    except InvalidRequestError:
        return

    assert name in NAMES
    assert 0 < len(members) <= MAX_MEMBERS
