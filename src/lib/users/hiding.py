"""Drops what a deployment does not want to keep, before anything is stored.

Cal.com itself keeps internal values in metadata, a Stripe customer id among them. What is hidden
is in no page, no answer, no event and no log.

A hidden field is one of a user's own. A hidden metadata key is hidden wherever it stands in
metadata: at any depth, in members of lists, and inside texts that are JSON themselves, metadata as
a whole included. What is nested too deep to be looked into is hidden itself. Other texts are not
searched: a value that somebody has copied into prose stays there.

Pure: no I/O.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lib.users.document import USER_FIELDS

REQUIRED_FIELDS = ("id", "email", "createdDate")
"""What the directory cannot do without: order, look-ups, and telling created from discovered."""

DEEPEST = 64
"""How many levels of metadata are looked into; what is below is null."""

_OPENINGS = frozenset('{["')
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        # Once, keys were hidden at the top of metadata alone.
        at_any_depth = [f"**.{key}" for key in sorted(self.metadata_keys)]
        named = repr((sorted(self.fields), at_any_depth))
        return hashlib.blake2b(named.encode(), digest_size=6).hexdigest()

    def apply(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``user`` without what is hidden."""
        shown = {name: value for name, value in user.items() if name not in self.fields}
        if self.metadata_keys and "metadata" in shown:
            shown["metadata"] = self._without_keys(shown["metadata"])
        return shown

    def _without_keys(self, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, str):
            return self._text_without_keys(value, depth)
        if not isinstance(value, dict | list):
            return value
        if depth == DEEPEST:
            return None
        if isinstance(value, list):
            return [self._without_keys(member, depth + 1) for member in value]
        return {
            key: self._without_keys(member, depth + 1)
            for key, member in value.items()
            if key not in self.metadata_keys
        }

    def _text_without_keys(self, text: str, depth: int) -> str | None:
        """Return ``text`` without what it hides as JSON: the very same text if that is nothing."""
        if text.lstrip()[:1] not in _OPENINGS:
            return text
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            return text
        except (ValueError, RecursionError):
            # It is JSON, with a number or a depth that cannot be read.
            return None
        shown = self._without_keys(value, depth)
        return text if shown == value else _dumps(shown)


NOTHING_HIDDEN = HidingPolicy()
