"""Turns query parameters into one normalised question about the directory.

``limit``, ``offset`` and ``emails`` mean what they mean at the origin (``origin_query``); every
other view is our own and strict: an unknown name or a bad value is a 400 that says what is
allowed, because a misspelt filter that returns everyone is worse than an error. ``clientId`` is
accepted and ignored, since a published client sends it.

Pure: no I/O.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from lib import origin_query
from lib.errors import InvalidRequestError
from lib.models import USER_FIELDS
from lib.origin_query import Params

SORT_KEYS = ("id", "createdDate", "name", "email")
_ORIGIN_NAMES = ("limit", "offset", "emails")
_LIST_NAMES = (*_ORIGIN_NAMES, "timeZone", "fields", "sort")
_USER_NAMES = ("fields",)
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which users, in which order, and which of their fields (empty: all)."""

    limit: int = origin_query.DEFAULT_LIMIT
    offset: int = 0
    emails: tuple[str, ...] | None = None
    time_zones: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    sort: str = "id"

    @property
    def filtered(self) -> bool:
        """Whether the answer is anything but a run of the directory in id order."""
        return self.emails is not None or bool(self.time_zones) or self.sort != "id"

    def key(self) -> str:
        """Return the question in normal form: equal questions, equal keys.

        It holds addresses, so it is only ever hashed.
        """
        parts = (
            self.limit,
            self.offset,
            None if self.emails is None else sorted(set(self.emails)),
            sorted(self.time_zones),
            self.fields,
            self.sort,
        )
        return repr(parts)


def parse_list(params: Params) -> ListQuery:
    """Return the question that a list request asks.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    _refuse_unknown(params, _LIST_NAMES)
    limit, offset, emails = origin_query.parse(params)
    return ListQuery(
        limit=limit,
        offset=offset,
        emails=emails,
        time_zones=frozenset(_time_zones(params.get("timeZone", ()))),
        fields=_fields(params.get("fields", ())),
        sort=_sort(params.get("sort", ())),
    )


def parse_user_fields(params: Params) -> tuple[str, ...]:
    """Return the fields that a by-id request asks for (empty: all).

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    _refuse_unknown(params, _USER_NAMES)
    return _fields(params.get("fields", ()))


def parse_switch(params: Params, name: str) -> bool:
    """Return the boolean parameter ``name``, false if absent; no other name is allowed.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    _refuse_unknown(params, (name,))
    values = list(params.get(name, ("false",)))
    if values not in (["true"], ["false"]):
        _refuse(name, "is not a boolean", allowed=("true", "false"))
    return values == ["true"]


def parse_nothing(params: Params) -> None:
    """Accept no parameter but ``clientId``.

    Raises:
        InvalidRequestError: naming the parameter.
    """
    _refuse_unknown(params, ())


def parse_user_id(text: str) -> int:
    """Return the user id in a path (the origin's ParseIntPipe).

    Raises:
        InvalidRequestError: with the origin's message.
    """
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise InvalidRequestError("Validation failed (numeric string is expected)")
    return int(text)


def _time_zones(values: Sequence[str]) -> Iterable[str]:
    for zone in _members(values):
        if not _TIME_ZONE.fullmatch(zone):
            _refuse("timeZone", "is not a time zone name", allowed=("Europe/London", "UTC", "…"))
        yield zone


def _fields(values: Sequence[str]) -> tuple[str, ...]:
    names = list(_members(values))
    for name in names:
        if name not in USER_FIELDS:
            _refuse("fields", f"holds the unknown field '{name}'", allowed=USER_FIELDS, given=name)
    return tuple(field for field in USER_FIELDS if field in names)


def _sort(values: Sequence[str]) -> str:
    if not values:
        return "id"
    if len(values) > 1 or values[0].removeprefix("-") not in SORT_KEYS:
        allowed = tuple(sign + key for key in SORT_KEYS for sign in ("", "-"))
        _refuse("sort", "is not one sort key", allowed=allowed, given=values[0])
    return values[0]


def _members(values: Sequence[str]) -> Iterable[str]:
    return (member.strip() for value in values for member in value.split(","))


def _refuse_unknown(params: Params, names: Sequence[str]) -> None:
    for name in params:
        owned_by_origin = "limit" in names and origin_query.owns(name)
        if name not in names and name != "clientId" and not owned_by_origin:
            raise _invalid(name, f"Unknown parameter '{name}'", names, given=name)


def _refuse(
    name: str, reason: str, *, allowed: Sequence[str], given: str | None = None
) -> NoReturn:
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
