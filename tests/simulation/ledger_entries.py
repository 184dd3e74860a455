"""What the ledger keeps of calls, runs and generations. Instants are those of the one clock."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from lib.directory.generation import Generation
from lib.users.document import UPDATED_AT
from lib.users.hiding import HidingPolicy
from tests.fakes import User

LISTS = frozenset({"list", "members"})
"""What sweeps ask for."""


@dataclass(slots=True)
class OriginCall:
    """A call of the origin that began at ``began``; whom it told of, None: that there is nobody."""

    kind: Literal["list", "find", "get", "members"]
    what: str
    began: float
    told: dict[int, User | None] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """A revalidation under the lease with ``token``, and the calls it has made."""

    token: int
    calls: list[OriginCall] = field(default_factory=list)
    concluded: bool = False

    @property
    def sweeps(self) -> bool:
        """Whether it has asked for everybody."""
        return any(call.kind in LISTS for call in self.calls)

    @property
    def began(self) -> float:
        """When its first list was asked for."""
        return min((call.began for call in self.calls if call.kind in LISTS), default=0)

    def members(self) -> dict[int, User]:
        """Return whom the organization's list showed, whoever they are."""
        pages = [call.told for call in self.calls if call.kind == "members"]
        return {user_id: row for told in pages for user_id, row in told.items() if row}

    def listed(self) -> dict[int, User]:
        """Return whom its lists showed, of each window the last one."""
        shown: dict[int, User] = {}
        windows = {call.what: call for call in self.calls if call.kind == "list"}
        for call in sorted(windows.values(), key=lambda call: call.began):
            shown |= {user_id: row for user_id, row in call.told.items() if row}
        return shown

    def single(self) -> dict[int, User | None]:
        """Return what its other calls told, of each user the last word."""
        told: dict[int, User | None] = {}
        for call in self.calls:
            if call.kind not in LISTS:
                told |= call.told
        return told


@dataclass(frozen=True, slots=True)
class Edition:
    """A generation with its documents by id; ``whole``: none of its pages was lost.

    ``lines`` are what is ``stored`` without stamps.
    """

    generation: Generation
    stored: dict[int, bytes]
    lines: dict[int, bytes]
    whole: bool

    def stamp(self, user_id: int) -> str | None:
        """Return since when a user is as he is, it says."""
        return parsed(self.stored[user_id]).get(UPDATED_AT) if user_id in self.stored else None


@lru_cache(100_000)
def parsed(line: bytes) -> User:
    """Return a document."""
    document: User = json.loads(line)
    return document


def changed(old: Edition, new: Edition, hiding: HidingPolicy) -> list[int]:
    """Return by rising id who is in both generations and differs in what ``hiding`` shows."""
    both = old.lines.keys() & new.lines.keys()
    return sorted(
        user_id
        for user_id in both
        if hiding.apply(json.loads(old.lines[user_id]))
        != hiding.apply(json.loads(new.lines[user_id]))
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """From ``at`` on, the newest generation's number was this, and its sweep began then."""

    at: float
    number: int
    swept_at: float


@dataclass(frozen=True, slots=True)
class Block:
    """Known to all from ``noted_at``: nobody is to ask before ``until``."""

    noted_at: float
    until: float
