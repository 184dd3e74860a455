"""What a claim and a run of a revalidation can come to: a closed set, matched exhaustively.

``seen`` are the users who were asked for by name and are there, None if all were asked for.
``omitted`` are, by user id, fields of users that were too much to be kept. ``refused`` is why the
list of the client's organization was not used, "" if it was or there is none.

Pure data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lib.directory.head import Head, Lease
from lib.errors import ServiceError

type Omitted = Mapping[int, Sequence[str]]
NOTHING_OMITTED: Omitted = MappingProxyType({})


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
    omitted: Omitted = NOTHING_OMITTED
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The directory was the same; ``head`` is young again."""

    head: Head
    calls: int
    seen: Mapping[int, bytes] | None = None
    omitted: Omitted = NOTHING_OMITTED
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A part of a long list was seen and published; the next revalidation goes on with it."""

    head: Head
    calls: int
    omitted: Omitted = NOTHING_OMITTED


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing new; the old generation stands."""

    error: ServiceError
    calls: int


type Outcome = Published | Unchanged | Unfinished | Failed
