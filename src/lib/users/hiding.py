"""Drops what a deployment does not want to keep, before anything is stored.

Cal.com itself keeps internal values in metadata, a Stripe customer id among them. What is hidden
is in no page, no answer, no event and no log.

Pure: no I/O.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lib.users.document import USER_FIELDS

REQUIRED_FIELDS = ("id", "email", "createdDate")
"""What the directory cannot do without: order, look-ups, and telling created from discovered."""


@dataclass(frozen=True, kw_only=True)
class HidingPolicy:
    """Fields and metadata keys that are never stored.

    Raises:
        ValueError: a field is unknown or cannot be hidden.
    """

    fields: frozenset[str] = frozenset()
    metadata_keys: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        impossible = self.fields - set(USER_FIELDS) | self.fields & set(REQUIRED_FIELDS)
        if impossible:
            raise ValueError(f"fields that cannot be hidden: {', '.join(sorted(impossible))}")

    @cached_property
    def digest(self) -> str:
        """What names the policy: snapshots made under another one are not compared with it."""
        named = repr((sorted(self.fields), sorted(self.metadata_keys)))
        return hashlib.blake2b(named.encode(), digest_size=6).hexdigest()

    def apply(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``user`` without what is hidden."""
        shown = {name: value for name, value in user.items() if name not in self.fields}
        metadata = shown.get("metadata")
        if isinstance(metadata, dict):
            shown["metadata"] = {
                key: value for key, value in metadata.items() if key not in self.metadata_keys
            }
        return shown


NOTHING_HIDDEN = HidingPolicy()
