"""Names the users that somebody asks for, by address or id.

Pure data.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Addresses as the origin stores them, and ids."""

    addresses: Sequence[str] = ()
    ids: Sequence[int] = ()

    @property
    def keys(self) -> list[str]:
        """The look-up keys, each once."""
        named = [address_key(address) for address in self.addresses]
        return list(dict.fromkeys([*named, *map(id_key, self.ids)]))


def address_key(address: str) -> str:
    """Return the look-up key of an address as the origin stores it."""
    return f"email:{address}"


def id_key(user_id: int) -> str:
    """Return the look-up key of a user id."""
    return f"id:{user_id}"
