"""Names the users that somebody asks for, by address or id.

Pure: no I/O.
"""

import hashlib
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


def key_hash(key: str, client_id: str) -> str:
    """Return what stands for a look-up key in the table's keys.

    Keyed with the client id, so that equal users of two clients cannot be told from it.
    """
    named = key.encode("utf-8", "backslashreplace")
    return hashlib.blake2b(named, digest_size=8, key=client_id.encode()[:64]).hexdigest()
