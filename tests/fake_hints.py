"""Whom webhooks hinted at, in memory.

Kept honest by ``tests/contract/test_hint_store_contract.py``, which asks the same of the table.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from lib.aws.hint_store import MAX_WAITING


@dataclass(slots=True)
class FakeHinted:
    """Look-up keys that wait, and those that were taken, by client."""

    data: dict[str, set[str]] = field(default_factory=dict)
    taken: dict[str, set[str]] = field(default_factory=dict)

    def note(self, client_id: str, keys: Sequence[str], *, now: float) -> bool:
        """Let ``keys`` wait; tell whether there was room."""
        assert keys
        assert now
        waiting = self.data.setdefault(client_id, set())
        if len(waiting) >= MAX_WAITING:
            return False
        waiting |= set(keys)
        return True

    def take(self, client_id: str, *, most: int) -> Sequence[str]:
        """Return some of those that wait."""
        taken = self.taken.setdefault(client_id, set())
        waiting = self.data.setdefault(client_id, set())
        keys = sorted(taken)[:most] + sorted(waiting - taken)[: max(0, most - len(taken))]
        taken |= waiting.intersection(keys)
        waiting -= set(keys)
        return keys

    def settle(self, client_id: str, keys: Sequence[str]) -> None:
        """Let keys that were taken wait no longer."""
        assert keys
        self.taken.setdefault(client_id, set()).difference_update(keys)

    def waiting(self, client_ids: Sequence[str]) -> Collection[str]:
        """Return those clients of whom somebody waits."""
        return {each for each in client_ids if self.data.get(each) or self.taken.get(each)}
