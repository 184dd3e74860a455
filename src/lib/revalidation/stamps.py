"""Tells since when users are as they are, and whether a sweep has found just what was published.

The origin does not say when it changed a user. What can be said is when a sweep began that first
saw him as he is: the stamp that his document carries. A stamp is no part of what is compared.

Pure: no clock, no I/O.
"""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import batched

from lib.revalidation.window import Users
from lib.users.dates import iso_date
from lib.users.document import stamped, unstamped

_AT_ONCE = 1_000
"""Documents that are joined at once: a copy of all would take as much memory as they do."""

type Seen = str
"""What names all that a sweep saw: documents without stamps, and what is made of them."""


def stamp(users: Mapping[int, bytes], base: Mapping[int, bytes], *, at: float) -> Users:
    """Return ``users`` with their stamps, where ``base`` is what was published before.

    Who is as he was keeps the document that he had. Whoever is another, or was not there, is so
    since the instant ``at``.
    """
    date = iso_date(at)
    return {
        user_id: was
        if (was := base.get(user_id)) is not None and unstamped(was) == unstamped(line)
        else stamped(line, date)
        for user_id, line in users.items()
    }


def without(users: Mapping[int, bytes]) -> Users:
    """Return ``users`` without stamps."""
    return {user_id: unstamped(line) for user_id, line in users.items()}


def seen(lines: Iterable[bytes], *made_of_them: object) -> Seen:
    """Return what names a sweep; lines have no stamps."""
    digest = hashlib.blake2b(repr(made_of_them).encode(), digest_size=12)
    for position, some in enumerate(batched(lines, _AT_ONCE, strict=False)):
        digest.update(b"\n" * min(position, 1) + b"\n".join(some))
    return digest.hexdigest()


def mark(digest: str, what_was_seen: Seen) -> bytes:
    """Return what a head keeps to tell that a sweep led to the generation named ``digest``.

    A version that does not know of it leaves it as it is, and moves on to another digest.
    """
    return hashlib.blake2b(f"{digest} {what_was_seen}".encode(), digest_size=8).digest()
