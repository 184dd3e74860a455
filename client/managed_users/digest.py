"""The digest of users, by the recipe of ``docs/mirror.md``: equal digests, equal directories.

A user's digest is the SHA-256 of the document as canonical JSON (RFC 8785), read as a number; that
of several users is the sum of theirs modulo 2^256, written as 64 hex digits.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

MODULUS = 2**256

type Json = Any
"""What ``json.loads`` gives."""


def digest_of(users: Iterable[Mapping[str, Any]]) -> str:
    """Return the digest of ``users``, in any order, as the service tells it.

    >>> digest_of([])[:8], digest_of([{"id": 1, "b": 1.0}]) == digest_of([{"b": 1, "id": 1}])
    ('00000000', True)
    """
    return written(sum(map(total_of, users)))


def total_of(user: Mapping[str, Any]) -> int:
    """Return one user's digest as a number; those of several are added."""
    document = canonical(user).encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.sha256(document).digest())


def written(total: int) -> str:
    """Return a digest as 64 hex digits."""
    return f"{total % MODULUS:064x}"


def canonical(value: Json) -> str:
    """Return canonical JSON, as ECMAScript writes it.

    >>> canonical({"b": [1.50, None, True], "a": 1e21})
    '{"a":1e+21,"b":[1.5,null,true]}'
    """
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    try:
        double = float(value) + 0.0
    except OverflowError:
        return "null"
    if double and not 1e-6 <= abs(double) < 1e21:  # noqa: PLR2004 - from here on with an exponent
        mantissa, exponent = repr(double).split("e")
        return f"{mantissa}e{int(exponent):+d}"
    return format(Decimal(repr(double)).normalize(), "f")
