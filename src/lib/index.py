"""Finds users by address or username without reading every page.

An index is a set of shards; a shard is a sorted run of 8-byte hashes with the user id each leads
to. A shard is chosen by its hashes' first bits, so that one changed user changes few shards, and is
named by the digest of its content, as pages are. Hashes are keyed with the client id, so equal
users of two clients cannot be told from the table's keys.

Per user: the address as it is, folded, and without the client's suffix (as it is and folded), and
the username. A hash that leads to several users leads to all of them; the page has the last word.

Pure: no I/O.
"""

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

SHARD_USERS = 256
"""Users a shard is made for, on average."""

_ENTRY = struct.Struct(">8sQ")


def keys_of(user: Mapping[str, object], client_id: str) -> Iterable[str]:
    """Return the texts by which ``user`` can be looked up."""
    email, username = str(user["email"]), user.get("username")
    bare = email.replace(f"+{client_id}@", "@")
    keys = {f"email:{email}", f"folded:{email.casefold()}"}
    keys |= {f"email:{bare}", f"folded:{bare.casefold()}"}
    return keys | ({f"username:{username}"} if username is not None else set())


def key_hash(key: str, client_id: str) -> bytes:
    """Return the 8-byte hash of a look-up key."""
    named = key.encode("utf-8", "backslashreplace")
    return hashlib.blake2b(named, digest_size=8, key=client_id.encode()[:64]).digest()


def shard_count(users: int) -> int:
    """Return the number of shards for a directory: a power of two."""
    return 1 << max(0, (users // SHARD_USERS).bit_length())


def shard_of(hashed: bytes, shards: int) -> int:
    """Return which of ``shards`` holds a hash."""
    return int.from_bytes(hashed[:2]) % shards


def build(entries: Iterable[tuple[bytes, int]], shards: int) -> list[bytes]:
    """Return the packed shards of ``entries`` (hash, user id)."""
    runs: list[list[bytes]] = [[] for _ in range(shards)]
    for hashed, user_id in entries:
        runs[shard_of(hashed, shards)].append(_ENTRY.pack(hashed, user_id))
    return [b"".join(sorted(run)) for run in runs]


def find(shard: bytes, hashed: bytes) -> Sequence[int]:
    """Return the ids of the users that a hash leads to."""
    size = _ENTRY.size
    first = bisect_left(
        range(len(shard) // size), hashed, key=lambda i: shard[i * size : i * size + 8]
    )
    found = []
    while shard[first * size : first * size + 8] == hashed:
        found.append(_ENTRY.unpack_from(shard, first * size)[1])
        first += 1
    return found
