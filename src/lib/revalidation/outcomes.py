"""What a claim and a run of a revalidation can come to: a closed set, matched exhaustively.

``seen`` are the users who were asked for by name and are there, None if all were asked for.

Pure data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.directory.head import Head, Lease
from lib.errors import ServiceError


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
    seen: Mapping[int, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The directory was the same; ``head`` is young again."""

    head: Head
    calls: int
    seen: Mapping[int, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing new; the old generation stands."""

    error: ServiceError
    calls: int


type Outcome = Published | Unchanged | Failed
