"""What is known of an organization's list beside the users it shows: a small item of its own.

Only ids are kept of people, and nothing that could not be found out anew. Instants are epoch
seconds.

Pure: no clock, no I/O.
"""

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

MAX_IDS = 20_000
"""Most ids that are kept of each kind: some 40 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sweep has come that could not be ended: it goes on below.

    Rows from the position ``skip`` on were seen, users with the id ``below`` and above, by a sweep
    that began at ``began_at``. Among them may be gone who was last seen ``unconfirmed_since``.
    """

    skip: int
    below: int
    began_at: float
    unconfirmed_since: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known of the list of one client's organization.

    It was ``refused`` for a reason, and is not asked for before ``retry_at``. ``take`` is how many
    rows it gives in time if not the most, ``undecided`` of how many it is not known whether they
    are users. ``others`` are members who are none, by the origin's word; ``strays`` are users whom
    the list lacks, or tells otherwise than the list of managed users.
    """

    organization_id: int = 0
    refused: str = ""
    retry_at: float = 0
    take: int = 0
    undecided: int = 0
    progress: Progress | None = None
    others: frozenset[int] = frozenset()
    strays: frozenset[int] = frozenset()


def pack(ids: Iterable[int]) -> bytes:
    """Return ids of users, the smallest ``MAX_IDS`` of them, in few bytes.

    >>> unpack(pack({7, 5_000_000, 8})) == {7, 8, 5_000_000}
    True
    """
    rising = [0, *sorted(ids)[:MAX_IDS]]
    steps = array("I", (high - low for low, high in pairwise(rising)))
    return zlib.compress(steps.tobytes())


def unpack(data: bytes) -> frozenset[int]:
    """Return the ids that were packed into ``data``.

    Raises:
        ValueError: nothing was.
    """
    steps = array("I")
    try:
        steps.frombytes(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError("these are no ids") from error
    return frozenset(accumulate(steps))
