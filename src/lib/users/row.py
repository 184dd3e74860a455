"""Reads what filters and orders need out of a user's canonical document.

One text can be written in several ways, and so can one number. Whatever is compared is brought
into one form on both sides, so that nobody is missed for how his name happens to be written.

Pure: no I/O.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple

from lib.users.document import UPDATED_AT

_DOTTED, _DOTLESS = "i\u0307", "\u0131"


def composed(text: str) -> str:
    """Return ``text`` with letters and their marks composed (Unicode's NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return ``text`` for a search that heeds neither case nor how letters are written.

    That is Unicode's NFKC_Casefold. The i's of Turkish with and without a dot count as one more
    case of i, since which is whose capital depends on the language.

    >>> folded("İSTANBUL"), folded("Ｓｔｒａßｅ"), folded("Zoe\u0308") == folded("ZOË")
    ('istanbul', 'strasse', True)
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text.replace(_DOTTED, "i").replace(_DOTLESS, "i")


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


_NONE: Mapping[str, Any] = {}
_read = json.JSONDecoder(parse_float=_number).decode
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def json_form(value: object) -> str | None:
    """Return the one form in which equal JSON values are written, None if it is nested too deep.

    Numbers are compared by value: ``1.50``, ``15e-1`` and ``1.5`` are one. Nor does the order of
    members matter.
    """
    with suppress(RecursionError):
        return composed(_write(value))
    return None


def form_of_json(text: str) -> str | None:
    """Return the form of the JSON value that ``text`` is; None if it is none.

    >>> form_of_json("0.00001") == form_of_json("1e-5"), form_of_json('{"b": 1, "a": 2.0}')
    (True, '{"a":2,"b":1}')
    """
    with suppress(ValueError, RecursionError):
        return json_form(_read(text))
    return None


class Row(NamedTuple):
    """One user; ``created`` is epoch seconds, NaN if the date is unreadable.

    ``updated_at`` is his stamp as it is written, None if he has none.
    ``created_date`` is case folded, and so are ``texts``: name, username and address.
    ``metadata`` has composed keys; it is empty if it came as anything but an object.
    """

    line: bytes
    id: int
    email: str | None
    username: str | None
    name: str | None
    created_date: str | None
    created: float
    updated_at: str | None
    time_zone: str | None
    locale: str | None
    texts: tuple[str, str, str]
    metadata: Mapping[str, Any]


def row_of(line: bytes) -> Row:
    """Return the row of a canonical document."""
    return _row(line, _read(line.decode()))


def rows_of(lines: Sequence[bytes]) -> Iterator[Row]:
    """Return the rows of canonical documents, all of them parsed at once."""
    return map(_row, lines, _read((b"[%b]" % b",".join(lines)).decode()))


def _row(line: bytes, user: Mapping[str, Any]) -> Row:
    told = user.get
    email, username, name = _text(told("email")), _text(told("username")), _text(told("name"))
    created_date = _text(told("createdDate"))
    # By position, and what many have in common once: large directories have many rows.
    return Row(
        line,
        user["id"],
        email,
        username,
        name,
        created_date and created_date.casefold(),
        _instant(created_date),
        _text(told(UPDATED_AT)),
        _shared(_text(told("timeZone"))),
        _shared(_text(told("locale"))),
        (_folded(name), _folded(username), _folded(email)),
        _metadata(told("metadata")),
    )


def _folded(text: str | None) -> str:
    """Return the folded text, itself if it is folded."""
    if not text:
        return ""
    same = folded(text)
    return text if same == text else same


def _shared(text: str | None) -> str | None:
    return text and intern(text)


def _metadata(value: object) -> Mapping[str, Any]:
    if value is None:
        return _NONE
    if isinstance(value, str):
        # Some have it as the text of an object.
        with suppress(ValueError, RecursionError):
            value = _read(value)
    if not isinstance(value, dict):
        return _NONE
    return {intern(composed(key)): member for key, member in value.items()}


def _text(value: object) -> str | None:
    return value if value is None or type(value) is str else str(value)


def _instant(date: str | None) -> float:
    try:
        return datetime.fromisoformat(date or "").timestamp()
    except ValueError:
        return float("nan")
