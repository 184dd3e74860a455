"""Names what users are looked up by, and hides it: addresses, usernames and ids are never keys.

Pure: no I/O.
"""

import hashlib


def address_key(address: str) -> str:
    """Return the look-up key of an address as the origin stores it."""
    return f"email:{address}"


def username_key(username: str) -> str:
    """Return the look-up key of a username."""
    return f"username:{username}"


def id_key(user_id: int) -> str:
    """Return the look-up key of a user id."""
    return f"id:{user_id}"


def key_hash(key: str, client_id: str) -> bytes:
    """Return the 8 bytes that stand for a look-up key in the table.

    Keyed with the client id, so that equal users of two clients cannot be told from it.
    """
    named = key.encode("utf-8", "backslashreplace")
    return hashlib.blake2b(named, digest_size=8, key=client_id.encode()[:64]).digest()
