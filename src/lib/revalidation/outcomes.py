"""What a claim and a run of a revalidation can come to: a closed set, matched exhaustively.

Pure data.
"""

from dataclasses import dataclass
from typing import Protocol

from lib.directory.head import Head, Lease
from lib.errors import ServiceError
from lib.origin.budget import Refusal
from lib.users.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Claim:
    """An acquired lease, the head as it was then, and the calls already reserved."""

    lease: Lease
    head: Head
    reserved: int


@dataclass(frozen=True, slots=True)
class Published:
    """The directory had changed; ``head`` names the new generation."""

    head: Head
    calls: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The directory was the same; ``head`` is young again."""

    head: Head
    calls: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing new; the old generation stands."""

    error: ServiceError
    calls: int


type Outcome = Published | Unchanged | Failed


class Revalidator(Protocol):
    """What readers need of a revalidation; see ``lib.revalidation.revalidation``."""

    def claim(self, head: Head, *, holder: str, wanted: Wanted | None = None) -> Claim | Refusal:
        """Take the lease, or tell why not."""

    def run(
        self,
        claim: Claim,
        *,
        deadline: float,
        forced: bool = False,
        repair: bool = False,
        wanted: Wanted | None = None,
    ) -> Outcome:
        """Revalidate under the claim."""
