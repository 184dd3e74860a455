"""What a deployment hides is dropped, and what hides differently is told apart."""

import pytest

from lib.users.document import USER_FIELDS
from lib.users.hiding import NOTHING_HIDDEN, REQUIRED_FIELDS, HidingPolicy
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


@pytest.mark.parametrize("metadata", [None, "stripeCustomerId", ["stripeCustomerId"], 7])
def test_metadata_of_another_type_has_no_keys_to_hide(metadata: object) -> None:
    row = user(1, metadata=metadata)

    assert hiding(keys=("stripeCustomerId",)).apply(row) == row


def test_only_metadatas_own_keys_are_hidden() -> None:
    row = user(1, metadata={"app": {"stripeCustomerId": "kept"}}, stripeCustomerId="kept")

    assert hiding(keys=("stripeCustomerId",)).apply(row) == row


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
