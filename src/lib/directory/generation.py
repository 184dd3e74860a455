"""What was published once: who was in the directory, how much of it that is, and since when seen.

Instants are epoch seconds, fractions kept.

Pure: no clock, no I/O.
"""

from typing import NamedTuple

FIELDS_OMITTED = "fields-omitted"
"""The reason of a directory that holds everybody, but not every field of everybody."""

MEMBERS_UNDECIDED = "members-undecided"
"""The reason of a directory that lacks members of an organization who may be its users or not."""

LIST_UNFINISHED = "list-unfinished"
"""The reason of a first directory of which only a part could be listed so far."""

OF_ORGANIZATIONS = frozenset({MEMBERS_UNDECIDED, LIST_UNFINISHED})
"""Reasons of directories that an organization's list has told of, to its end or not."""


_TIE_BYTES, _TOTAL_BYTES = 8, 32
_SEALED_BYTES, _TIE_DIGITS = _TIE_BYTES + _TOTAL_BYTES, 2 * _TIE_BYTES


def sealed(total: int, digest: str) -> bytes:
    """Return the digest of users, ``total``, tied to the generation that ``digest`` names."""
    return bytes.fromhex(digest[:_TIE_DIGITS]) + total.to_bytes(_TOTAL_BYTES)


class Generation(NamedTuple):
    """One generation of one client's directory; number 0 means that nothing was ever published.

    A manifest keeps it as it was published. In the head, ``swept_at`` and the instants of those
    whom the sweep does not see move on with every sweep that finds the same.
    """

    client_id: str
    number: int = 0
    digest: str = ""
    users: int = 0
    complete: bool = False
    incomplete_reason: str = ""
    hiding_digest: str = ""
    """Names what was hidden when it was published."""

    users_sum: bytes | None = None
    """The digest of its users, tied to the generation it is of: see ``sealed``."""

    packed: bytes | None = None
    """The packed manifest; a head has it only while it is short."""

    modified_at: int = 0
    """When an answer from it may differ from one of the generation before."""

    swept_at: float = 0
    """When its sweep's first origin call began."""

    adopted: int = 0
    """How many of its users are past the origin's window."""

    adopted_seen_at: float = 0
    """When the one of them was seen that was not seen for longest."""

    unconfirmed_since: float = 0
    """When somebody was last seen who may be gone; 0: nobody may be."""

    window_last_id: int = 0
    """The largest id in the origin's window; 0: the window holds everybody."""

    @property
    def published(self) -> bool:
        """Whether there is anything to serve."""
        return self.number > 0

    @property
    def users_total(self) -> int | None:
        """The digest of its users as a number; None if nobody has noted it.

        A version that does not know it leaves what it finds in the head, of an older generation.
        """
        told = self.users_sum or b""
        tied = len(told) == _SEALED_BYTES and told[:_TIE_BYTES].hex() == self.digest[:_TIE_DIGITS]
        return int.from_bytes(told[_TIE_BYTES:]) if tied else None

    def users_digest(self, hiding_digest: str) -> str | None:
        """Return the digest of its users as 64 hex digits; None if nobody has noted it.

        Nobody has where something else is hidden by now: users are shown in another form then.
        """
        total = self.users_total if self.hiding_digest == hiding_digest else None
        return None if total is None else f"{total:064x}"

    @property
    def holds_everybody(self) -> bool:
        """Whether who is not in it was nobody then."""
        return self.complete or self.incomplete_reason == FIELDS_OMITTED

    @property
    def oldest_observation(self) -> float:
        """The instant since which every user in it was seen at the origin."""
        seen = self.swept_at
        if self.adopted:
            seen = min(seen, self.adopted_seen_at)
        return min(seen, self.unconfirmed_since) if self.unconfirmed_since else seen

    def observed_at(self, user_id: int) -> float:
        """Return the instant since which ``user_id`` was surely seen."""
        past_the_window = self.adopted > 0 and user_id > self.window_last_id
        older = past_the_window or self.unconfirmed_since > 0
        return self.oldest_observation if older else self.swept_at
