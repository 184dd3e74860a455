"""Keeps whom webhooks hinted at until somebody has asked for them.

One item a client, whose ``data`` is a set of look-up keys; what was taken is in ``taken`` until it
is settled. Both are sets, so that any number of webhooks write to it side by side, and whoever is
hinted at a hundred times waits once. What is no such set makes way for what is written next, and
what is no key is passed over.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any

from lib.aws import items
from lib.aws.items import Item
from lib.aws.table import Table
from lib.errors import ConflictError

KEEP_SECONDS = 24 * 3600
"""How long hints are kept that nobody can ask for; rubbish collection."""

MAX_WAITING = 500
"""Most keys that wait: with addresses of the longest kind an item has room for three times that."""


_KEY = re.compile(r"id:[1-9][0-9]{0,9}|email:.+", re.DOTALL)


class HintStore:
    """Hints in ``table``; every method raises StoreError if DynamoDB fails."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, client_id: str, keys: Sequence[str], *, now: float) -> bool:
        """Let ``keys`` wait; tell whether there was room."""
        members = items.binary_set(map(str.encode, keys))
        expires_at = items.encode({"expires_at": int(now) + KEEP_SECONDS})
        none_waits = "attribute_not_exists(#data)"
        few_wait = "(attribute_type(#data, :set) AND size(#data) < :most)"
        try:
            self._table.change_set(
                _key(client_id),
                "ADD #data :members SET #expires_at = :expires_at",
                condition=f"{none_waits} OR {few_wait}",
                values={
                    ":members": members,
                    ":expires_at": expires_at["expires_at"],
                    ":set": {"S": "BS"},
                    ":most": {"N": str(MAX_WAITING)},
                },
            )
        except ConflictError:
            item = self._table.get(_key(client_id))
            if len(_members(item, "data")) >= MAX_WAITING:
                return False
            self._table.put_all([_key(client_id) | {"data": members} | expires_at])
        return True

    def take(self, client_id: str, *, most: int) -> Sequence[str]:
        """Return some of those that wait, which wait on until they are settled.

        What was taken before and never settled comes first. Who is hinted at again from here on
        waits anew.
        """
        item = self._table.get(_key(client_id))
        taken, waiting = _members(item, "taken"), _members(item, "data")
        keys = sorted(taken)[:most] + sorted(waiting - taken)[: max(0, most - len(taken))]
        if moved := waiting.intersection(keys):
            self._move(client_id, moved, waiting - moved)
        return [key.decode() for key in keys]

    def _move(self, client_id: str, moved: AbstractSet[bytes], left: AbstractSet[bytes]) -> None:
        members = items.binary_set(moved)
        try:
            self._table.change_set(
                _key(client_id),
                "ADD #taken :members DELETE #data :members",
                condition="attribute_not_exists(#taken) OR attribute_type(#taken, :set)",
                values={":members": members, ":set": {"S": "BS"}},
            )
        except ConflictError:
            rest = {"data": items.binary_set(left)} if left else {}
            self._table.put_all([_key(client_id) | {"taken": members} | rest])

    def settle(self, client_id: str, keys: Sequence[str]) -> None:
        """Let keys that were taken wait no longer."""
        self._table.change_set(
            _key(client_id),
            "DELETE #taken :members",
            values={":members": items.binary_set(map(str.encode, keys))},
        )

    def waiting(self, client_ids: Sequence[str]) -> frozenset[str]:
        """Return those clients of whom somebody waits."""
        found = self._table.get_all([_key(client_id) for client_id in client_ids])
        return frozenset(
            item["pk"]["S"].removeprefix("client#")
            for item in found
            if _members(item, "data") or _members(item, "taken")
        )


def _members(item: Mapping[str, Any], name: str) -> frozenset[bytes]:
    members = map(bytes, item.get(name, {}).get("BS", ()))
    return frozenset(each for each in members if _is_key(each))


def _is_key(member: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        return _KEY.fullmatch(member.decode()) is not None
    return False


def _key(client_id: str) -> Item:
    return items.encode({"pk": f"client#{client_id}", "sk": "hints"})
