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
    ("body", "problem"),
    [
        ("", "There is no body"),
        ("nonsense", "The body is not JSON"),
        ("[" * 100_000, "The body is not JSON"),
        ('{"ids": ' + "[" * 100_000, "The body is not JSON"),
        ("null", "The body is not a JSON object"),
        ("[]", "The body is not a JSON object"),
        ('"ids"', "The body is not a JSON object"),
        ("{}", "The body names nobody"),
        (
            '{"ids": [1], "emails": ["bob@example.com"]}',
            "The body has emails and ids, and one of them is allowed",
        ),
        ('{"names": ["bob"]}', "The body has the unknown member 'names'"),
        ('{"ids": [1], "names": ["bob"]}', "The body has the unknown member 'names'"),
        ('{"ids": []}', "'ids' has 0 members, and 1 to 250 are allowed"),
        (
            json.dumps({"ids": [1] * (MAX_MEMBERS + 1)}),
            "'ids' has 251 members, and 1 to 250 are allowed",
        ),
        ('{"ids": 1}', "'ids' is no list"),
        ('{"ids": "1"}', "'ids' is no list"),
        ('{"ids": [7, "1"]}', "Member 1 of 'ids' is not a number"),
        ('{"ids": [true]}', "Member 0 of 'ids' is not a number"),
        ('{"ids": [null]}', "Member 0 of 'ids' is not a number"),
        ('{"ids": [-1]}', "Member 0 of 'ids' is not a whole number from 0 to 999999999999999"),
        ('{"ids": [1.5]}', "Member 0 of 'ids' is not a whole number from 0 to 999999999999999"),
        ('{"ids": [NaN]}', "Member 0 of 'ids' is not a whole number from 0 to 999999999999999"),
        ('{"ids": [1e999]}', "Member 0 of 'ids' is not a whole number from 0 to 999999999999999"),
        (
            f'{{"ids": [{MAX_NUMBER + 1}]}}',
            "Member 0 of 'ids' is not a whole number from 0 to 999999999999999",
        ),
        ('{"emails": [1]}', "Member 0 of 'emails' is not a text"),
        ('{"usernames": [["bob"]]}', "Member 0 of 'usernames' is not a text"),
        (
            json.dumps({"usernames": ["x" * (LONGEST_NAME + 1)]}),
            "Member 0 of 'usernames' has 321 characters, and 320 are allowed",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_each_mistake_is_told_in_its_own_words_and_what_is_allowed(body: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(body)

    forms = '{"emails": ["…"]}, {"ids": [1]} or {"usernames": ["…"]}'
    assert caught.value.message == f"{problem}. Send JSON like {forms}."


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
