"""Reads the values of our own query parameters, and refuses bad ones helpfully.

A reader takes a parameter's name and values and returns what they mean. A refusal names the
parameter, what was wrong and what is allowed, and suggests the nearest known name.

Pure: no I/O.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from lib.errors import InvalidRequestError
from lib.queries.origin_parameters import Params
from lib.users.dates import instant_of
from lib.users.document import SHOWN_FIELDS
from lib.users.row import folded

MAX_NUMBER = 10**15 - 1
"""Largest user id or generation that a question may name."""

MAX_MEMBERS = 250
"""Most users that one question may name."""

METADATA = re.compile(r"metadata\[([^\[\]]{1,64})\]")
METADATA_NAME = "metadata[key]"
"""How messages write the parameters that ``METADATA`` matches."""

_NAME_LIKE = re.compile(r"[A-Za-z0-9_+:/-]{1,64}")
_UNESCAPED_PLUS = re.compile(r" (?=[0-9])")


def read_members(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return members separated by commas, of one value or several."""
    members = tuple(member.strip() for value in values for member in value.split(","))
    if not all(members):
        refuse(name, "has an empty member", allowed=("values separated by commas",))
    if len(members) > MAX_MEMBERS:
        refuse(name, f"has {len(members)} members", allowed=(f"at most {MAX_MEMBERS}",))
    return members


def read_ids(name: str, values: Sequence[str]) -> tuple[int, ...]:
    """Return user ids."""
    members = read_members(name, values)
    for member in members:
        if not re.fullmatch(r"[0-9]{1,15}", member):
            refuse(name, f"holds '{member}'", allowed=("user ids, like 1001,1002",))
    return tuple(map(int, members))


def read_text(name: str, values: Sequence[str]) -> str:
    """Return one text, folded."""
    text = folded(values[0]).strip()
    if len(values) > 1 or not text:
        refuse(name, "is not one text", allowed=("a part of a name, username or address",))
    return text


def read_whole(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the values as they came, each once; what they hold is for ``members_of``."""
    members = sum(value.count(",") + 1 for value in values)
    if members > MAX_MEMBERS:
        refuse(name, f"has {members} members", allowed=(f"at most {MAX_MEMBERS}",))
    # In order, since a set prints in another one in every environment.
    return tuple(sorted(set(values)))


def members_of(values: Sequence[str]) -> frozenset[str]:
    """Return what values mean that may hold a comma of their own: each as a whole, and its members.

    >>> sorted(members_of(["Acme, Inc."])), members_of([""])
    (['Acme', 'Acme, Inc.', 'Inc.'], frozenset({''}))
    """
    members = (member.strip() for value in values for member in value.split(","))
    return frozenset(values) | frozenset(filter(None, members))


def read_names_like(example: str) -> Callable[[str, Sequence[str]], frozenset[str]]:
    """Return a reader of names that look like ``example``.

    None of them holds a blank: one before a digit is a plus that was not escaped (UTC+05:30).
    """

    def parse(name: str, values: Sequence[str]) -> frozenset[str]:
        members = read_members(name, [_UNESCAPED_PLUS.sub("+", value) for value in values])
        for member in members:
            if not _NAME_LIKE.fullmatch(member):
                refuse(name, f"holds '{member}'", allowed=(f"names like {example}",))
        return frozenset(members)

    return parse


def read_instant(name: str, values: Sequence[str]) -> float:
    """Return one date as epoch seconds, no finer than links write it."""
    try:
        (text,) = values
        return instant_of(text.strip())
    except (ValueError, OverflowError):
        refuse(name, "is not one date", allowed=("2026-01-31", "2026-01-31T12:00:00.000Z"))


def read_fields(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return names of a user's fields, in the origin's order."""
    members = read_members(name, values)
    for member in members:
        if member not in SHOWN_FIELDS:
            refuse(name, f"holds the unknown field '{member}'", SHOWN_FIELDS, given=member)
    return tuple(field for field in SHOWN_FIELDS if field in members)


def read_one_of(allowed: Sequence[str]) -> Callable[[str, Sequence[str]], str]:
    """Return a reader of exactly one of ``allowed``."""

    def parse(name: str, values: Sequence[str]) -> str:
        if len(values) > 1 or values[0] not in allowed:
            refuse(name, f"is '{','.join(values)}'", allowed, given=values[0])
        return values[0]

    return parse


def read_number(name: str, values: Sequence[str]) -> int:
    """Return one generation number."""
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,15}", values[0]):
        refuse(name, "is not one generation number", allowed=("0", "1", "2", "…"))
    return int(values[0])


def read_include(params: Params) -> bool:
    """Return whether users are asked for beside the names of what changed: ``include=values``."""
    return "include" in params and bool(read_one_of(("values",))("include", params["include"]))


def refuse_unknown(params: Params, *, names: Sequence[str]) -> None:
    """Refuse a parameter that is not in ``names``, but for ``clientId``.

    Raises:
        InvalidRequestError: naming the parameter, and the nearest known name.
    """
    for name in sorted(params.keys() - set(names) - {"clientId"}):
        if METADATA_NAME not in names or not METADATA.fullmatch(name):
            raise _invalid(name, f"Unknown parameter '{name}'", names, given=name)


def refuse(name: str, reason: str, allowed: Sequence[str], *, given: str | None = None) -> NoReturn:
    """Refuse a value of the parameter ``name``.

    Raises:
        InvalidRequestError: always.
    """
    raise _invalid(name, f"Parameter '{name}' {reason}", allowed, given=given)


def _invalid(
    name: str, problem: str, allowed: Sequence[str], *, given: str | None
) -> InvalidRequestError:
    suggestion = _nearest(given, allowed) if given else None
    hint = f" Did you mean '{suggestion}'?" if suggestion else ""
    message = f"{problem}.{hint} Allowed: {', '.join(allowed) or 'none'}."
    details: dict[str, Any] = {"message": message, "error": "Bad Request", "statusCode": 400}
    details |= {"parameter": name, "allowed": list(allowed)}
    return InvalidRequestError(
        message, details=details | ({"suggestion": suggestion} if suggestion else {})
    )


def _nearest(given: str, allowed: Sequence[str]) -> str | None:
    # Imported here, since only a refused request needs it.
    from difflib import get_close_matches  # noqa: PLC0415

    by_folded = {name.casefold(): name for name in allowed}
    close = get_close_matches(given.casefold()[:64], by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
