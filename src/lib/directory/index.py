"""Finds users by address or username without reading every page.

An index is a set of shards; a shard is a sorted run of 8-byte hashes with the user id each leads
to. A hash's first bits choose its shard, so that one changed user changes few shards, and a shard
is named by the digest of its content, as pages are. Hashes are keyed with the client id: equal
users of two clients cannot be told from what is stored.

A hash that leads to several users leads to all of them; the user's page has the last word, and on
how exactly an address must match, too.

Pure: no I/O.
"""

import hashlib
import json
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from lib.errors import BrokenSnapshotError, Reason
from lib.users.keys import address_key, key_hash, username_key

SHARD_USERS = 256
"""Most users that a shard is made for, on average."""

_ENTRY = struct.Struct(">8sQ")


def folded_key(address: str) -> str:
    """Return the key of a stored address in any case."""
    return address_key(address.casefold())


def build(lines: Iterable[bytes], client_id: str) -> list[bytes]:
    """Return the shards for a directory of canonical documents."""
    entries = [
        _ENTRY.pack(key_hash(key, client_id), user_id)
        for user_id, keys in map(_keys, lines)
        for key in keys
    ]
    count = shard_count(len(entries) // 2)
    runs: list[list[bytes]] = [[] for _ in range(count)]
    for entry in entries:
        runs[_shard_of(entry, count)].append(entry)
    return [b"".join(sorted(run)) for run in runs]


def shard_count(users: int) -> int:
    """Return the number of shards for a directory: a power of two."""
    return 1 << (users // SHARD_USERS).bit_length()


class Question:
    """Keys to be looked up in an index of ``count`` shards."""

    def __init__(self, keys: Iterable[str], client_id: str, count: int) -> None:
        self._asked: dict[int, set[bytes]] = {}
        for key in keys:
            hashed = key_hash(key, client_id)
            self._asked.setdefault(_shard_of(hashed, count), set()).add(hashed)

    @property
    def shards(self) -> Sequence[int]:
        """The positions of the shards that know."""
        return sorted(self._asked)

    def find(self, shards: Iterable[bytes]) -> set[int]:
        """Return the users that the keys may lead to, given the shards that know."""
        asked = (self._asked[position] for position in self.shards)
        return {
            user_id
            for hashes, shard in zip(asked, shards, strict=True)
            for hashed in hashes
            for user_id in _lead(shard, hashed)
        }


def positions(line: bytes, client_id: str, count: int) -> Sequence[int]:
    """Return the positions of the shards, of ``count``, that lead to the user of a document."""
    return Question(_keys(line)[1], client_id, count).shards


def digest_of(shard: bytes) -> str:
    """Return the name of a shard."""
    return hashlib.blake2b(shard, digest_size=20).hexdigest()


def checked(shard: bytes, digest: str) -> bytes:
    """Return ``shard`` if it is what ``digest`` names.

    Raises:
        BrokenSnapshotError: it is not.
    """
    if digest_of(shard) != digest:
        raise BrokenSnapshotError("a shard was altered", reason=Reason.BROKEN_SHARD)
    return shard


def _keys(line: bytes) -> tuple[int, set[str]]:
    user = json.loads(line)
    email, username = user.get("email"), user.get("username")
    keys = {folded_key(email)} if isinstance(email, str) else set()
    return user["id"], keys | ({username_key(username)} if isinstance(username, str) else set())


def _shard_of(hashed: bytes, count: int) -> int:
    return int.from_bytes(hashed[:4]) % count


def _lead(shard: bytes, hashed: bytes) -> Iterator[int]:
    entries = range(0, len(shard), _ENTRY.size)
    first = bisect_left(entries, hashed, key=lambda start: shard[start : start + len(hashed)])
    found = (_ENTRY.unpack_from(shard, start) for start in entries[first:])
    return (user_id for _, user_id in takewhile(lambda entry: entry[0] == hashed, found))
