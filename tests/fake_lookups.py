"""What look-ups left behind, in memory.

Kept honest by ``tests/contract/test_lookup_store_contract.py``, which asks the same of the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib.directory.head import LONGEST_PAUSE_SECONDS
from lib.directory.listing import Listing
from lib.users.keys import Observation
from tests.fakes import CLIENT


@dataclass(slots=True)
class FakeLookups:
    """What look-ups left behind, in memory; while ``busy``, somebody else is always asking."""

    answers: dict[str, Observation] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    asking: dict[str, float] = field(default_factory=dict)
    paused: dict[str, float] = field(default_factory=dict)
    hiding_digest: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    busy: bool = False

    def remembered(self, client_id: str, keys: Sequence[str]) -> dict[str, Observation]:
        """Return what is remembered of the look-up ``keys``."""
        assert client_id == CLIENT
        known = [
            key
            for key in keys
            if key in self.answers and self.hidden.get(key, "") == self.hiding_digest
        ]
        return {key: self.answers[key] for key in known}

    def remember(self, client_id: str, answers: Mapping[str, Observation]) -> None:
        """Keep ``answers``."""
        assert client_id == CLIENT
        self.writes += 1
        self.answers |= answers
        self.hidden |= dict.fromkeys(answers, self.hiding_digest)

    def forget(self, client_id: str, keys: Sequence[str]) -> None:
        """Forget the look-up ``keys``."""
        assert client_id == CLIENT
        self.writes += 1
        for key in keys:
            for kept in (self.answers, self.hidden, self.asking, self.paused):
                kept.pop(key, None)

    def begin(self, client_id: str, key: str, *, now: float, until: float) -> bool:
        """Tell whether the caller may ask."""
        assert client_id == CLIENT
        assert key
        assert now < until
        self.writes += 1
        if self.busy or now < self.asking.get(key, 0) <= until + LONGEST_PAUSE_SECONDS:
            return False
        self.asking[key] = until
        return True

    def end(self, client_id: str, key: str, *, paused_until: float | None = None) -> None:
        """Be asking no longer."""
        assert client_id == CLIENT
        self.writes += 1
        self.asking[key] = self.paused[key] = paused_until or 0

    def paused_until(self, client_id: str, key: str) -> float:
        """Return until when nobody is to ask."""
        assert client_id == CLIENT
        return self.paused.get(key, 0)

    def pending_adoption(self, client_id: str) -> frozenset[int]:
        """Return who waits to be adopted."""
        assert client_id == CLIENT
        return frozenset(self.ids)

    def await_adoption(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` wait."""
        assert client_id == CLIENT
        self.ids |= set(ids)

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` wait no longer."""
        assert client_id == CLIENT
        self.ids -= set(ids)


@dataclass(slots=True)
class FakeListings:
    """What is known of organizations' lists, in memory."""

    kept: dict[str, Listing] = field(default_factory=dict)
    writes: int = 0

    def listing(self, client_id: str) -> Listing:
        """Return what is known."""
        return self.kept.get(client_id, Listing())

    def put_listing(self, client_id: str, listing: Listing) -> None:
        """Keep it."""
        self.writes += 1
        self.kept[client_id] = listing
