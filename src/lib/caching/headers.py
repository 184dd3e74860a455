"""Reads and writes the header fields of HTTP caching.

RFC 9110 section 13.1 (conditional requests), RFC 9111 section 5.2 (Cache-Control),
RFC 9211 (Cache-Status).

Pure: no clock, no I/O. Durations are whole seconds, instants epoch seconds.
"""

import re
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache, lru_cache
from typing import NamedTuple, override

NAME = "managed-users"
"""This cache's name in Cache-Status."""

FOREVER = 2**31
"""What a delta-seconds too large to represent counts as (RFC 9111 section 1.2.2)."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DIRECTIVE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?\s*"""
)
_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_QUOTED_PAIR = re.compile(r"\\(.)")
_ENTITY_TAG = re.compile(r"""\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)""")


class RequestDirectives(NamedTuple):
    """The request directives that mean something here (RFC 9111 section 5.2.1)."""

    no_cache: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    min_fresh: int | None = None
    max_stale: int | None = None

    @classmethod
    def parse(cls, cache_control: str | None, pragma: str | None = None) -> "RequestDirectives":
        """Return the directives of a request; junk voids itself, not its neighbours.

        ``max-age=0`` asks for what ``no-cache`` asks for; ``Pragma`` counts only where there is
        no Cache-Control (RFC 9111 section 5.4). A repeated directive: the strictest wins.

        >>> RequestDirectives.parse('No-Cache, max-age="7", x=').max_age
        7
        """
        if cache_control is None:
            return cls(no_cache="no-cache" in _directives(pragma)) if pragma else UNDIRECTED
        found = _directives(cache_control)
        max_age = _least(found.get("max-age"))
        max_stale = found.get("max-stale")
        return cls(
            no_cache="no-cache" in found or max_age == 0,
            only_if_cached="only-if-cached" in found,
            max_age=max_age,
            min_fresh=_greatest(found.get("min-fresh")),
            max_stale=FOREVER if set(max_stale or ()) == {None} else _least(max_stale),
        )


UNDIRECTED = RequestDirectives()
"""What a request asks that asks for nothing in particular: most of them."""


def _directives(text: str) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for part in _MEMBER.findall(text.lower()):
        match = _DIRECTIVE.fullmatch(part)
        if match:
            name, quoted, token = match.groups()
            value = token if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
            found.setdefault(name, []).append(value)
    return found


def _numbers(values: list[str | None] | None) -> list[int]:
    texts = [value for value in values or [] if value and value.isascii() and value.isdigit()]
    return [FOREVER if len(text) > len(str(FOREVER)) else min(int(text), FOREVER) for text in texts]


def _least(values: list[str | None] | None) -> int | None:
    return min(_numbers(values), default=None)


def _greatest(values: list[str | None] | None) -> int | None:
    return max(_numbers(values), default=None)


class CacheStatus(NamedTuple):
    """How this cache handled a request: one member of Cache-Status (RFC 9211 section 2).

    >>> str(CacheStatus(ttl=-3, detail="stale-while-revalidate"))
    'managed-users; hit; ttl=-3; detail=stale-while-revalidate'
    >>> str(CacheStatus(fwd="uri-miss", fwd_status=200, stored=True))
    'managed-users; fwd=uri-miss; fwd-status=200; stored'
    """

    fwd: str | None = None
    fwd_status: int | None = None
    stored: bool = False
    collapsed: bool = False
    ttl: int | None = None
    detail: str | None = None
    hit: bool = True

    @override
    def __str__(self) -> str:
        parts = [NAME]
        if self.fwd is not None:
            parts.append(f"fwd={self.fwd}")
        elif self.hit:
            parts.append("hit")
        if self.fwd_status is not None:
            parts.append(f"fwd-status={self.fwd_status}")
        if self.stored:
            parts.append("stored")
        if self.collapsed:
            parts.append("collapsed")
        if self.ttl is not None:
            parts.append(f"ttl={self.ttl}")
        if self.detail is not None:
            parts.append(f"detail={self.detail}")
        return "; ".join(parts)


@lru_cache
def cache_control(*, max_age: int, stale_while_revalidate: int, stale_if_error: int) -> str:
    """Return the Cache-Control of an answer built from a snapshot.

    ``private``: users are personal data behind authorization (RFC 9111 section 3.5). The lifetime
    is not shortened by our own age, because a cache downstream subtracts ``Age`` itself.
    """
    return (
        f"private, max-age={max_age}, stale-while-revalidate={stale_while_revalidate}, "
        f"stale-if-error={stale_if_error}"
    )


def not_modified(
    *, if_none_match: str | None, if_modified_since: str | None, etag: str, modified_at: int
) -> bool:
    """Return whether the answer is 304; If-None-Match, where present, decides alone.

    Comparison is weak (RFC 9110 section 13.1.2); a malformed member matches nothing.
    """
    if if_none_match is not None:
        return if_none_match.strip() == "*" or etag.removeprefix("W/") in _opaque_tags(
            if_none_match
        )
    since = _instant(if_modified_since or "", near=modified_at)
    return since is not None and modified_at <= since


def _instant(text: str, *, near: int) -> float | None:
    """Return the instant of an HTTP-date (RFC 9110 section 5.6.7), None if ``text`` is none.

    A year of two digits is the latest that is at most 50 years after the one of ``near``.
    """
    match = next(filter(None, (form.fullmatch(text) for form in _date_forms())), None)
    if match is None:
        return None
    parts = match.groupdict()
    year, month = int(parts["year"]), _MONTHS.index(parts["month"]) + 1
    latest = datetime.fromtimestamp(near, UTC).year + 50
    year += 100 * int(parts.get("century") or (latest - year) // 100)
    try:
        date = datetime.fromisoformat(
            f"{year:04}-{month:02}-{int(parts['day']):02}T{parts['time']}+00:00"
        )
    except ValueError:
        return None
    return date.timestamp() if _WEEKDAYS[date.weekday()].startswith(parts["weekday"]) else None


@cache
def _date_forms() -> tuple[re.Pattern[str], ...]:
    # Made for the first date that is sent: most conditional requests send tags.
    short = rf"(?P<weekday>{'|'.join(name[:3] for name in _WEEKDAYS)})"
    full = rf"(?P<weekday>{'|'.join(_WEEKDAYS)})"
    month, year = rf"(?P<month>{'|'.join(_MONTHS)})", r"(?P<century>[0-9]{2})(?P<year>[0-9]{2})"
    time = r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    return (
        re.compile(rf"{short}, (?P<day>[0-9]{{2}}) {month} {year} {time} GMT"),
        re.compile(rf"{full}, (?P<day>[0-9]{{2}})-{month}-(?P<year>[0-9]{{2}}) {time} GMT"),
        re.compile(rf"{short} {month} (?P<day>[0-9]{{2}}| [0-9]) {time} {year}"),
    )


def _opaque_tags(text: str) -> set[str]:
    tags, position = set(), 0
    while position < len(text):
        match = _ENTITY_TAG.match(text, position)
        if match:
            tags.add(match[1].removeprefix("W/"))
            position = match.end()
        else:
            comma = text.find(",", position)
            position = len(text) if comma < 0 else comma + 1
    return tags


@lru_cache
def http_date(instant: int) -> str:
    """Return ``instant`` as an IMF-fixdate (RFC 9110 section 5.6.7)."""
    return formatdate(instant, usegmt=True)
