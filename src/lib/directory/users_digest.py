"""The digest of all users of a directory, by a recipe that anybody can follow (docs/mirror.md).

A user's digest is the SHA-256 of his document as canonical JSON (RFC 8785), read as a number; that
of several users is the sum of theirs modulo 2^256. So it depends on neither order nor paging, and
who comes, goes or changes is added and taken away without a look at the others.

Pure: no I/O.
"""

import hashlib
from collections.abc import Iterable

from lib.users.jcs import canonical_json

MODULUS = 2**256


def total_of(lines: Iterable[bytes]) -> int:
    """Return the digest of the users in ``lines`` as a number; that of nobody is 0."""
    return sum(map(_of_one, lines)) % MODULUS


def _of_one(line: bytes) -> int:
    return int.from_bytes(hashlib.sha256(canonical_json(line)).digest())
