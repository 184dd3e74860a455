"""Decides whether a sweep that lost users is believed.

Users do vanish, but rarely many at once: an empty or much shorter list is more often a fault of
the origin than a fact. Such a loss is believed when a second sweep, at least a minute later, shows
the same one; the caller then still asks for a sample of the lost users one by one.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lib.directory.head import Head

WAIT_SECONDS = 60
"""Least time between a doubtful sweep and the one that may confirm it."""

BELIEVED_LOSS = 5
BELIEVED_SHARE = 0.1
SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A loss that is not believed yet: what identifies it and since when it has been seen.

    ``ripe``: it has been seen long enough to be believed if all users in ``sample`` are gone.
    """

    loss: str
    since: float
    ripe: bool
    sample: Sequence[int]


def doubt(head: Head, *, lost: Collection[int], left: int, now: float) -> Doubt | None:
    """Return the doubt about a sweep that lost the users ``lost`` and left ``left`` of them.

    Where the lost users are not known, the shrunken number of users counts alone.
    """
    users = head.users - head.adopted
    missing = max(len(lost), users - left)
    believed = max(BELIEVED_LOSS, int(BELIEVED_SHARE * users)) if left else 0
    if missing <= believed:
        return None
    ordered = sorted(lost)
    loss = hashlib.blake2b(repr((missing, ordered)).encode(), digest_size=8).hexdigest()
    since = head.quarantined_at if loss == head.quarantine else now
    return Doubt(
        loss=loss,
        since=since,
        ripe=now - since >= WAIT_SECONDS,
        sample=ordered[:: max(1, -(-len(ordered) // SAMPLE))],
    )
