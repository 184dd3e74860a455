"""What a deployment hides is dropped, and what hides differently is told apart."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.users import document
from lib.users.document import USER_FIELDS
from lib.users.hiding import DEEPEST, NOTHING_HIDDEN, REQUIRED_FIELDS, HidingPolicy
from tests.fakes import user

METADATA = {"stripeCustomerId": "cus_1", "plan": "pro"}


def hiding(*fields: str, keys: tuple[str, ...] = ()) -> HidingPolicy:
    """Return a policy that hides ``fields`` and the metadata ``keys``."""
    return HidingPolicy(fields=frozenset(fields), metadata_keys=frozenset(keys))


def test_hidden_fields_are_dropped_and_the_others_stay_as_they_are() -> None:
    row = user(1, bio="a secret", locale=None)

    shown = hiding("bio", "locale").apply(row)

    assert shown == user(1)
    assert row["bio"] == "a secret"


def test_hidden_metadata_keys_are_dropped_and_the_others_stay_as_they_are() -> None:
    row = user(1, metadata=METADATA)

    shown = hiding(keys=("stripeCustomerId", "unknown")).apply(row)

    assert shown == user(1, metadata={"plan": "pro"})
    assert row["metadata"] == METADATA


def test_metadata_of_which_everything_is_hidden_is_empty() -> None:
    shown = hiding(keys=("stripeCustomerId", "plan")).apply(user(1, metadata=METADATA))

    assert shown["metadata"] == {}


def test_metadata_can_be_hidden_as_a_whole() -> None:
    assert "metadata" not in hiding("metadata").apply(user(1, metadata=METADATA))


KEPT: list[object] = [
    None,
    7,
    True,
    "",
    "stripeCustomerId",
    "stripeCustomerId=cus_1",
    "{stripeCustomerId: cus_1}",
    '{"plan": 1.50,\t"a": [{}]} ',
    '["stripeCustomerId"]',
    '"stripeCustomerId"',
    ["stripeCustomerId"],
    {"plan": "stripeCustomerId", "stripeCustomerID": "kept"},
    {"app": {"slug": ["zoom", {"stripeCustomer": {}}]}},
]


@pytest.mark.parametrize("metadata", KEPT)
def test_whatever_holds_no_hidden_key_stays_as_it_is(metadata: object) -> None:
    row = user(1, metadata=metadata)

    shown = hiding(keys=("stripeCustomerId",)).apply(row)

    assert shown == row
    assert document.canonical(shown) == document.canonical(row)


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        ({"app": {"stripeCustomerId": 1, "a": 2}}, {"app": {"a": 2}}),
        ({"a": {"b": {"stripeCustomerId": {"deep": 1}}}}, {"a": {"b": {}}}),
        (
            {"a": [{"stripeCustomerId": 1}, [{"stripeCustomerId": 1, "b": 2}]]},
            {"a": [{}, [{"b": 2}]]},
        ),
        ([{"stripeCustomerId": 1}, "a"], [{}, "a"]),
        ('{"stripeCustomerId": "cus_1", "plan": "pro"}', '{"plan":"pro"}'),
        (' \n[{"\\u0073tripeCustomerId": 1}]', "[{}]"),
        ({"raw": '{"a":{"stripeCustomerId":1}}'}, {"raw": '{"a":{}}'}),
        (json.dumps(json.dumps({"stripeCustomerId": 1})), '"{}"'),
        ('{"a":"ü","stripeCustomerId":1}', '{"a":"ü"}'),
        ('{"stripeCustomerId":1,"n":' + "9" * 5_000 + "}", None),
        ('{"stripeCustomerId":1,"n":' + "[" * 50_000 + "]" * 50_000 + "}", None),
    ],
)
def test_a_hidden_key_is_dropped_at_any_depth_and_in_texts_that_are_json(
    metadata: object, shown: object
) -> None:
    row = user(1, metadata=metadata)

    assert hiding(keys=("stripeCustomerId",)).apply(row) == user(1, metadata=shown)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("lists", [False, True])
def test_what_is_nested_too_deep_to_be_looked_into_is_hidden(*, as_text: bool, lists: bool) -> None:
    metadata: object = {"stripeCustomerId": "cus_1"}
    for _ in range(3_000):
        metadata = [metadata] if lists else {"a": metadata}
    row = user(1, metadata=json.dumps(metadata) if as_text else metadata)

    line = document.canonical(hiding(keys=("stripeCustomerId",)).apply(row))

    opened = re.sub(r'\\?"a\\?":', "", line.decode()).count("[" if lists else "{")
    assert (opened, b"cus_1" in line) == (DEEPEST + (0 if lists else 1), False)


def test_only_metadata_s_keys_are_hidden() -> None:
    row = user(1, bio='{"stripeCustomerId": "kept"}', stripeCustomerId="kept", app={"a": METADATA})

    assert hiding(keys=("stripeCustomerId",)).apply(row) == row


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["secret", "plan", "{"]), inner)
        | inner.map(json.dumps)
    ),
)


@given(JSON)
def test_no_hidden_key_is_left_and_nothing_more_to_hide(metadata: object) -> None:
    policy = hiding(keys=("secret",))

    shown = policy.apply(user(1, metadata=metadata))

    assert policy.apply(shown) == shown
    assert not keys_in(shown["metadata"]) & {"secret"}


def keys_in(value: object) -> set[str]:
    """Return the keys of a JSON value, those in texts that are JSON as well."""
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            return set()
        return keys_in(read)
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


def test_where_nothing_is_hidden_every_field_is_shown() -> None:
    row = user(1, metadata=METADATA, unknown="field")

    assert NOTHING_HIDDEN.apply(row) == row


@pytest.mark.parametrize("field", [*REQUIRED_FIELDS, "unknown", "Bio", ""])
def test_what_the_directory_needs_or_does_not_know_cannot_be_hidden(field: str) -> None:
    with pytest.raises(ValueError, match=f"cannot be hidden: {field}$"):
        hiding("bio", field)


def test_every_other_field_can_be_hidden() -> None:
    hidden = sorted(set(USER_FIELDS) - set(REQUIRED_FIELDS))

    shown = hiding(*hidden).apply(user(1, metadata=METADATA))

    assert tuple(shown) == REQUIRED_FIELDS


def test_equal_policies_have_one_digest_however_they_were_written() -> None:
    one = hiding("bio", "locale", keys=("a", "b"))
    other = hiding("locale", "bio", keys=("b", "a"))

    assert one.digest == other.digest


def test_different_policies_have_different_digests() -> None:
    policies = [
        NOTHING_HIDDEN,
        hiding("bio"),
        hiding("locale"),
        hiding(keys=("bio",)),
        hiding("bio", keys=("bio",)),
        hiding(keys=("a", "b")),
        hiding(keys=("a, b",)),
        hiding(keys=("a', 'b",)),
    ]

    assert len({policy.digest for policy in policies}) == len(policies)
