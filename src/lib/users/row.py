"""Reads what filters and orders need out of a user's canonical document.

Pure: no I/O.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One user; ``created`` is epoch seconds, NaN if the date is unreadable.

    ``created_date`` is case folded, as are ``texts``: name, username and address.
    """

    line: bytes
    id: int
    email: str | None
    username: str | None
    name: str | None
    created_date: str | None
    created: float
    time_zone: str | None
    locale: str | None
    texts: tuple[str, str, str]
    metadata: Mapping[str, Any]


def row_of(line: bytes) -> Row:
    """Return the row of a canonical document."""
    user: dict[str, Any] = json.loads(line)
    email, username, name = (_text(user, key) for key in ("email", "username", "name"))
    metadata, created_date = user.get("metadata"), _text(user, "createdDate")
    return Row(
        line=line,
        id=user["id"],
        email=email,
        username=username,
        name=name,
        created_date=created_date and created_date.casefold(),
        created=_instant(created_date),
        time_zone=_text(user, "timeZone"),
        locale=_text(user, "locale"),
        texts=((name or "").casefold(), (username or "").casefold(), (email or "").casefold()),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _text(user: Mapping[str, Any], name: str) -> str | None:
    value = user.get(name)
    return None if value is None else str(value)


def _instant(date: str | None) -> float:
    try:
        return datetime.fromisoformat(date or "").timestamp()
    except ValueError:
        return float("nan")
