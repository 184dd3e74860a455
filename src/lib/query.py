"""Turns query parameters into one normalised question about the directory.

``limit``, ``offset`` and ``emails`` mean what they mean at the origin (``origin_query``); every
other view is our own and strict: an unknown name or a bad value is a 400 that says what is
allowed, because a misspelt filter that returns everyone is worse than an error. A comma means or,
several parameters mean and. ``clientId`` is accepted and ignored, since a published client sends
it.

Pure: no I/O.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from lib import origin_query
from lib.dates import iso_date
from lib.errors import InvalidRequestError
from lib.models import USER_FIELDS
from lib.origin_query import Params

SORT_KEYS = ("id", "createdDate", "name", "email")
MAX_MEMBERS = 250
"""Most users that one question may name."""

_METADATA = re.compile(r"metadata\[([^\[\]]{1,64})\]")
_NAME_LIKE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which users, in which order, and which of their fields (empty: all).

    A filter that is None or empty lets everyone through. ``created_after`` is inclusive,
    ``created_before`` exclusive, both epoch seconds.
    """

    limit: int = origin_query.DEFAULT_LIMIT
    offset: int = 0
    emails: tuple[str, ...] | None = None
    email_match: str = "exact"
    ids: tuple[int, ...] | None = None
    usernames: tuple[str, ...] | None = None
    q: str = ""
    time_zones: frozenset[str] = frozenset()
    locales: frozenset[str] = frozenset()
    created_after: float | None = None
    created_before: float | None = None
    metadata: tuple[tuple[str, frozenset[str]], ...] = ()
    fields: tuple[str, ...] = ()
    sort: str = "id"

    @property
    def filtered(self) -> bool:
        """Whether the answer is anything but a run of the directory in id order."""
        return self != ListQuery(limit=self.limit, offset=self.offset, fields=self.fields)

    def view_key(self) -> str:
        """Return filters, order and fields in normal form: equal views, equal keys.

        It holds addresses, so it is only ever hashed.
        """
        everything = replace(
            self,
            limit=1,
            offset=0,
            emails=_normal(self.emails),
            ids=_normal(self.ids),
            usernames=_normal(self.usernames),
        )
        return ", ".join(
            repr(sorted(value) if isinstance(value, frozenset) else value)
            for value in (getattr(everything, name) for name in ListQuery.__slots__)
        )

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters that ask the same, without ``limit`` and ``offset``."""
        # A list is sent back as a list: the origin neither splits nor trims its members.
        parameters = [("emails[]", address) for address in self.emails or ()]
        for name, (attribute, _) in _VIEWS.items():
            value = getattr(self, attribute)
            if value != getattr(_DEFAULT, attribute):
                parameters.append((name, _written(value)))
        return parameters + [(f"metadata[{key}]", _written(texts)) for key, texts in self.metadata]

    def key(self) -> str:
        """Return the whole question in normal form: the view and the window of it."""
        return f"{self.limit} {self.offset} {self.view_key()}"


def _written(value: object) -> str:
    """Return a parameter's text for what was read from one."""
    if isinstance(value, float):
        return iso_date(value)
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _normal[T: (str, int)](values: tuple[T, ...] | None) -> tuple[T, ...] | None:
    return None if values is None else tuple(sorted(set(values)))


def parse_list(params: Params) -> ListQuery:
    """Return the question that a list request asks.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    own = {name: values for name, values in params.items() if not origin_query.owns(name)}
    _refuse_unknown(own, _VIEWS, names=LIST_NAMES)
    limit, offset, emails = origin_query.parse(params)
    views = {
        attribute: parse(name, own[name])
        for name, (attribute, parse) in _VIEWS.items()
        if name in own
    }
    return ListQuery(limit=limit, offset=offset, emails=emails, metadata=_metadata(own), **views)


def parse_user_fields(params: Params) -> tuple[str, ...]:
    """Return the fields that a by-id request asks for (empty: all).

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    _refuse_unknown(params, ("fields",), names=("fields",))
    return _fields("fields", params.get("fields", ("id",))) if "fields" in params else ()


def parse_switch(params: Params, name: str) -> bool:
    """Return the boolean parameter ``name``, false if absent; no other name is allowed.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    _refuse_unknown(params, (name,), names=(name,))
    return _one_of(("false", "true"))(name, params.get(name, ("false",))) == "true"


def parse_nothing(params: Params) -> None:
    """Accept no parameter but ``clientId``.

    Raises:
        InvalidRequestError: naming the parameter.
    """
    _refuse_unknown(params, (), names=())


def parse_user_id(text: str) -> int:
    """Return the user id in a path (the origin's ParseIntPipe).

    Raises:
        InvalidRequestError: with the origin's message.
    """
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise InvalidRequestError("Validation failed (numeric string is expected)")
    return int(text)


def _members(name: str, values: Sequence[str]) -> tuple[str, ...]:
    members = tuple(member.strip() for value in values for member in value.split(","))
    if not all(members):
        _refuse(name, "has an empty member", allowed=("values separated by commas",))
    if len(members) > MAX_MEMBERS:
        _refuse(name, f"has {len(members)} members", allowed=(f"at most {MAX_MEMBERS}",))
    return members


def _ids(name: str, values: Sequence[str]) -> tuple[int, ...]:
    members = _members(name, values)
    for member in members:
        if not re.fullmatch(r"[0-9]{1,15}", member):
            _refuse(name, f"holds '{member}'", allowed=("user ids, like 1001,1002",))
    return tuple(map(int, members))


def _text(name: str, values: Sequence[str]) -> str:
    if len(values) > 1 or not values[0].strip():
        _refuse(name, "is not one text", allowed=("a part of a name, username or address",))
    return values[0].strip().casefold()


def _names_like(example: str) -> Callable[[str, Sequence[str]], frozenset[str]]:
    def parse(name: str, values: Sequence[str]) -> frozenset[str]:
        members = _members(name, values)
        for member in members:
            if not _NAME_LIKE.fullmatch(member):
                _refuse(name, f"holds '{member}'", allowed=(f"names like {example}",))
        return frozenset(members)

    return parse


def _instant(name: str, values: Sequence[str]) -> float:
    try:
        (text,) = values
        instant = datetime.fromisoformat(text.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        _refuse(name, "is not one date", allowed=("2026-01-31", "2026-01-31T12:00:00.000Z"))


def _fields(name: str, values: Sequence[str]) -> tuple[str, ...]:
    members = _members(name, values)
    for member in members:
        if member not in USER_FIELDS:
            _refuse(name, f"holds the unknown field '{member}'", USER_FIELDS, given=member)
    return tuple(field for field in USER_FIELDS if field in members)


def _one_of(allowed: Sequence[str]) -> Callable[[str, Sequence[str]], str]:
    def parse(name: str, values: Sequence[str]) -> str:
        if len(values) > 1 or values[0] not in allowed:
            _refuse(name, f"is '{','.join(values)}'", allowed, given=values[0])
        return values[0]

    return parse


def _metadata(params: Params) -> tuple[tuple[str, frozenset[str]], ...]:
    found = ((_METADATA.fullmatch(name), name, values) for name, values in params.items())
    return tuple(
        sorted(
            (match[1], frozenset(_members(name, values))) for match, name, values in found if match
        )
    )


_VIEWS: Mapping[str, tuple[str, Callable[[str, Sequence[str]], Any]]] = {
    "email_match": ("email_match", _one_of(("exact", "folded"))),
    "ids": ("ids", _ids),
    "usernames": ("usernames", _members),
    "q": ("q", _text),
    "timeZone": ("time_zones", _names_like("Europe/London")),
    "locale": ("locales", _names_like("en")),
    "createdAfter": ("created_after", _instant),
    "createdBefore": ("created_before", _instant),
    "fields": ("fields", _fields),
    "sort": ("sort", _one_of(tuple(sign + key for key in SORT_KEYS for sign in ("", "-")))),
}
"""Each view of our own: the attribute of ``ListQuery`` it sets, and what reads its values."""

_DEFAULT = ListQuery()

LIST_NAMES = ("limit", "offset", "emails", *_VIEWS, "metadata[key]")
"""Every parameter that a list understands."""


def _refuse_unknown(params: Params, known: Iterable[str], *, names: Sequence[str]) -> None:
    for name in params.keys() - set(known) - {"clientId"}:
        if not ("metadata[key]" in names and _METADATA.fullmatch(name)):
            raise _invalid(name, f"Unknown parameter '{name}'", names, given=name)


def _refuse(
    name: str, reason: str, allowed: Sequence[str], *, given: str | None = None
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
