"""The head stays under 1 KB, so that touching it costs one write unit."""

import math
from typing import Any

from lib.aws import items
from lib.aws.heads import HEAD_MANIFEST_BYTES
from lib.directory.head import ATTRIBUTES, Value
from tests.fakes import NOW

LONGEST: dict[str, Value] = {
    "generation": 9_999_999,
    "digest": "d" * 40,
    "users": 99_999,
    "complete": False,
    "incomplete_reason": "window-full",
    "policy": "p" * 12,
    "users_sum": b"x" * 40,
    "seen": b"s" * 8,
    "listing": b"x" * HEAD_MANIFEST_BYTES,
    "pages_expire_at": int(NOW),
    "modified_at": int(NOW),
    "swept_at": NOW + 0.123,
    "validated_at": NOW + 0.123,
    "forced_at": NOW + 0.123,
    "window_users": 99_999,
    "list": "refused",
    "last_error": "windows-out-of-order",
    "failures": 99_999,
    "blocked_until": NOW + 0.123,
    "retry_at": NOW + 0.123,
    "doubted_since": NOW + 0.123,
    "format": 99,
    "lease_holder": "00000000-0000-0000-0000-000000000000",
    "lease_token": 9_999_999,
    "lease_expires_at": NOW + 0.123,
    "announced": 9_999_999,
    "read_at": NOW + 0.123,
    "adopted": 99_999,
    "window_last_id": 9_999_999_999,
    "rotation_id": 9_999_999_999,
    "cycle_began_at": NOW + 0.123,
    "adopted_seen_at": NOW + 0.123,
    "unconfirmed_since": NOW + 0.123,
    "lookups": 999,
    "lookups_before": 999,
    "calls": 999,
    "calls_minute": int(NOW // 60),
    "calls_before": 999,
    "rate_limit": 9_999,
    "rate_remaining": 9_999,
    "rate_reset_at": NOW + 0.123,
}


def size_of(item: dict[str, dict[str, Any]]) -> int:
    """Return an item's size by DynamoDB's documented rule, numbers rounded up."""
    return sum(len(name.encode()) + _size_of(typed) for name, typed in item.items())


def _size_of(typed: dict[str, Any]) -> int:
    match typed:
        case {"S": str(text)}:
            return len(text.encode())
        case {"B": bytes(data)}:
            return len(data)
        case {"N": str(number)}:
            digits = number.replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1
        case {"BOOL": bool()}:
            return 1
        case _:
            raise AssertionError(typed)


def test_the_longest_head_takes_less_than_a_kilobyte() -> None:
    item = items.encode({"pk": "client#cluo37fwd0001khkzqqynkpj3", "sk": "head"} | LONGEST)

    assert size_of(item) < 1024


def test_the_longest_head_has_every_attribute_that_a_head_can_have() -> None:
    assert LONGEST.keys() == ATTRIBUTES | {"format"}
