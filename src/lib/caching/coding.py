"""Chooses and applies a content coding (RFC 9110 sections 8.4.1 and 12.5.3).

Gzip is the only one there is. Pure: the same text gives the same bytes, whenever and wherever.
"""

import re
import zlib

LEAST_BYTES = 1_024
"""Below this, a body is not worth a coding; API Gateway's REST APIs are told the same."""

_MEMBER = re.compile(
    r"""[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*"""
    r"""(?:;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"""
)
# zlib's default. Level 9 takes up to seven times as long for a twentieth less.
_LEVEL = 6
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


def prefers_gzip(accept_encoding: str | None) -> bool:
    """Return whether gzip is the best answer to ``Accept-Encoding``.

    It has to be named, by ``*`` if need be: no header field at all allows any coding, but is what
    callers send who know none. At equal weights gzip is taken, since it is shorter; ``identity``
    that is not named at all weighs nothing. A malformed member counts as not there, and of a
    repeated one the least weight.

    >>> prefers_gzip("br, gzip;q=0.8"), prefers_gzip("gzip;q=0, *"), prefers_gzip(None)
    (True, False, False)
    """
    weights: dict[str, float] = {}
    for member in (accept_encoding or "").lower().split(","):
        match = _MEMBER.fullmatch(member)
        if match:
            # RFC 9110 section 8.4.1.3: x-gzip is another name of it.
            name = "gzip" if match[1] == "x-gzip" else match[1]
            weight = float(match[2] or 1)
            weights[name] = min(weight, weights.get(name, weight))
    others = weights.get("*", 0.0)
    gzip = weights.get("gzip", others)
    return gzip > 0 and gzip >= weights.get("identity", others)


def gzipped(text: bytes) -> bytes:
    """Return ``text`` in gzip's format; it names no time and no file (RFC 1952)."""
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    return packing.compress(text) + packing.flush()
