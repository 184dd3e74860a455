"""A user as one canonical JSON document: the origin's fields in the origin's order, on one line.

The same values always give the same bytes, so documents can be compared and named by a digest.

Pure: no clock, no I/O.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

USER_FIELDS = (
    "id",
    "email",
    "username",
    "name",
    "bio",
    "timeZone",
    "weekStart",
    "createdDate",
    "timeFormat",
    "defaultScheduleId",
    "locale",
    "avatarUrl",
    "metadata",
)
"""Fields of a managed user in the origin's order (Cal.com ``ManagedUserOutput``)."""

OMITTED = "fieldsOmitted"
"""The field, ours alone, that names those of a user's fields that were too much to be kept."""

UPDATED_AT = "updatedAt"
"""The field, ours alone, that says when this service first saw a user as he is: his stamp.

A date as ``iso_date`` writes it; missing where he was so when the service began to watch.
"""

SHOWN_FIELDS = (*USER_FIELDS, UPDATED_AT)
"""What a user can be asked for."""

OWN_FIELDS = frozenset({OMITTED, UPDATED_AT})
"""Nobody else's word counts for these."""

_ORDER = ("id", UPDATED_AT, OMITTED, *USER_FIELDS[1:])
_ID_PREFIX = b'{"id":'
_STAMP_PREFIX = b',"%s":"' % UPDATED_AT.encode()
_OMITTED_PREFIX = b'"%s":' % OMITTED.encode()
_NESTED = (dict, list)
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def canonical(user: Mapping[str, Any]) -> bytes:
    """Return the one-line document of ``user``, the same bytes for the same values.

    A lone surrogate, which JSON can carry and UTF-8 cannot, stays the escape it was.
    """
    known = {name: user[name] for name in _ORDER if name in user}
    rest = {name: user[name] for name in sorted(user.keys() - known.keys())}
    text = _dumps({name: _sorted(value) for name, value in (known | rest).items()})
    return text.encode("utf-8", "backslashreplace")


def address_of(line: bytes) -> str:
    """Return the address in a canonical document."""
    return str(json.loads(line).get("email"))


def _sorted(value: object) -> object:
    if not isinstance(value, _NESTED):
        return value
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value]


def id_of(line: bytes) -> int:
    """Return the id in a canonical document, without parsing the rest of it."""
    return int(line[len(_ID_PREFIX) : _end_of_id(line)])


def _end_of_id(line: bytes) -> int:
    end = line.find(b",", len(_ID_PREFIX))
    return end if end > 0 else len(line) - 1


def stamped(line: bytes, date: str) -> bytes:
    """Return a canonical document with the stamp ``date``, whatever it had before.

    >>> stamped(canonical({"id": 7, "name": "N"}), "2026-11-23T15:43:24.480Z")
    b'{"id":7,"updatedAt":"2026-11-23T15:43:24.480Z","name":"N"}'
    """
    line = unstamped(line)
    end = _end_of_id(line)
    return b'%b%b%b"%b' % (line[:end], _STAMP_PREFIX, date.encode(), line[end:])


def unstamped(line: bytes) -> bytes:
    """Return a canonical document without its stamp, if it has one."""
    end = _end_of_id(line)
    if not line.startswith(_STAMP_PREFIX, end):
        return line
    return line[:end] + line[line.index(b'"', end + len(_STAMP_PREFIX)) + 1 :]


def omitted_from(line: bytes) -> tuple[str, ...]:
    """Return which fields were left out of a canonical document, without parsing most of them.

    >>> omitted_from(canonical({"id": 7, "name": "N", "fieldsOmitted": ["bio"]}))
    ('bio',)
    """
    line = unstamped(line)
    second = line.find(b",", len(_ID_PREFIX)) + 1
    marked = line.startswith(_OMITTED_PREFIX, second)
    return tuple(json.loads(line)[OMITTED]) if marked else ()


def omitted_in(lines: Iterable[bytes]) -> dict[int, tuple[str, ...]]:
    """Return by user id which fields were left out of canonical documents, where any were."""
    return {id_of(line): omitted for line in lines if (omitted := omitted_from(line))}


def is_document(line: bytes) -> bool:
    """Return whether ``line`` is a canonical document, or at least one with an id."""
    try:
        user = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(user, dict) and line.startswith(_ID_PREFIX) and type(user["id"]) is int
