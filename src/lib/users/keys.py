"""Names what users are looked up by, and hides it: addresses, usernames and ids are never keys.

Pure: no I/O.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

MAX_ID = 2**31 - 1
"""The largest id that a user can have: the origin keeps ids as 32-bit integers (Prisma ``Int``)."""


def address_key(address: str) -> str:
    """Return the look-up key of an address as the origin stores it."""
    return f"email:{address}"


def username_key(username: str) -> str:
    """Return the look-up key of a username."""
    return f"username:{username}"


def id_key(user_id: int) -> str:
    """Return the look-up key of a user id."""
    return f"id:{user_id}"


def possible_id(user_id: int) -> bool:
    """Return whether the origin can have a user with this id; it answers others with a 500.

    >>> possible_id(2**31 - 1), possible_id(2**31), possible_id(0)
    (True, False, False)
    """
    return 0 < user_id <= MAX_ID


def key_hash(key: str, client_id: str) -> bytes:
    """Return the 8 bytes that stand for a look-up key in the table.

    Keyed with the client id, so that equal users of two clients cannot be told from it.
    """
    named = key.encode("utf-8", "backslashreplace")
    return hashlib.blake2b(named, digest_size=8, key=client_id.encode()[:64]).digest()


class UserKeys(NamedTuple):
    """Addresses as the origin stores them, and ids."""

    addresses: Sequence[str] = ()
    ids: Sequence[int] = ()

    @property
    def keys(self) -> list[str]:
        """The look-up keys, each once."""
        named = [address_key(address) for address in self.addresses]
        return list(dict.fromkeys([*named, *map(id_key, self.ids)]))


class Observation(NamedTuple):
    """The origin's answer at ``observed_at``: a user's canonical document, or None for nobody."""

    line: bytes | None
    observed_at: float
