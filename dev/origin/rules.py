"""Decides what the origin reads in a request's parameters, and which body it refuses one with.

The rules are those measured on the origin: its query parser nests ``name[key]``, ``limit`` and
``offset`` go through JavaScript's ``parseInt`` and are then checked, and ``emails`` is split,
trimmed and checked only while it is one text.

Pure: no clock, no I/O, no users.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl

type QueryValue = str | list[str] | dict[str, str]
type Number = int | float

_INTEGER = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(?!0[xX])([0-9]+))")
_NUMERIC = re.compile(r"-?[0-9]+")
_PRINTED_AS_EXPONENT = 1e21
_LIST_INDEX = re.compile(r"|1?[0-9]|20")
_WIDE = r"\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
_ATOM = rf"[a-z0-9!#$%&'*+\-/=?^_`{{|}}~{_WIDE}]+"
_QUOTED = rf"[\x01-\x21\x23-\x5b\x5d-\x7f\u00a0{_WIDE}]|\\[\x01-\x09\x0b-\x7f\u00a0{_WIDE}]"
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"|"(?:{_QUOTED})*"', re.IGNORECASE | re.ASCII)
_LABEL = re.compile(r"(?!-)[a-z0-9\u00a1-\U0010ffff-]{1,63}(?<!-)", re.IGNORECASE | re.ASCII)
_TOP_LABEL = re.compile(
    r"[a-z\u00a1-\u00a8\u00aa-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]{2,}|xn[a-z0-9-]{2,}",
    re.IGNORECASE | re.ASCII,
)
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_LONGEST_LOCAL, _LONGEST_LABEL, _LONGEST = 64, 63, 254
_BLANK = re.compile(r"[\s\ufeff]")
_NAMES = {
    400: ("BadRequestException", "Bad Request"),
    401: ("UnauthorizedException", "Unauthorized"),
    403: ("ForbiddenException", "Forbidden"),
    404: ("NotFoundException", "Not Found"),
    429: ("ThrottlerException", "Too Many Requests"),
}


class RefusedError(Exception):
    """The origin refuses the request with ``status``; ``details`` replaces the usual ones."""

    def __init__(self, status: int, message: str, details: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details

    def body(self, *, target: str, timestamp: str) -> dict[str, Any]:
        """Return the JSON body: the envelope, or the framework's own for a nameless status."""
        if self.status not in _NAMES:
            return {"statusCode": self.status, "message": self.message}
        code, title = _NAMES[self.status]
        usual = {"message": self.message, "error": title, "statusCode": self.status}
        error = {"code": code, "message": self.message, "details": self.details or usual}
        return {"status": "error", "timestamp": timestamp, "path": target, "error": error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one list call may ask for; who hosts the origin may raise both."""

    max_limit: int = 250
    max_offset: int = 250


_USUAL_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows a list query asks for; ``emails`` is None where it does not filter."""

    limit: int = 50
    offset: int = 0
    emails: Sequence[str] | None = None

    @classmethod
    def parse(cls, query: str, bounds: Bounds = _USUAL_BOUNDS) -> Self:
        """Read a query string; raise `RefusedError` with the origin's 400 where it is wrong.

        A bad address is reported alone, before anything else is checked.
        """
        read: dict[str, Any] = {
            name: _PARAMETERS[name].read(value)
            for name, value in parse_query(query).items()
            if name in _PARAMETERS
        }
        if errors := list(_errors(read, bounds)):
            raise RefusedError(400, "Bad Request Exception", {"errors": errors})
        return cls(**read)


def _errors(read: dict[str, Any], bounds: Bounds) -> Iterator[dict[str, Any]]:
    """Yield an entry for each property that breaks a rule, in the order the origin checks them."""
    target = {name: _printable(value) for name, value in read.items()}
    for name, parameter in _PARAMETERS.items():
        if name in read and (constraints := parameter.broken_rules(read[name], bounds)):
            yield {
                "target": target,
                "value": target[name],
                "property": name,
                "children": [],
                "constraints": constraints,
            }


def parse_query(query: str) -> dict[str, QueryValue]:
    """Return the parameters, nested as the origin nests them.

    A name sent once is a text. Repeated, with ``[]`` or with an index up to 20 it is a list, and
    with any other key an object.

    >>> parse_query("a=1&b=1&b=2&c[]=1&d[x]=1")
    {'a': '1', 'b': ['1', '2'], 'c': ['1'], 'd': {'x': '1'}}
    """
    parts: dict[str, list[tuple[str | None, str]]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        root, bracket, key = name.partition("[")
        parts.setdefault(root, []).append((key.partition("]")[0] if bracket else None, value))
    return {root: _nest(found) for root, found in parts.items()}


def _nest(parts: list[tuple[str | None, str]]) -> QueryValue:
    if any(not _LIST_INDEX.fullmatch(key) for key, _ in parts if key is not None):
        return {key or str(position): value for position, (key, value) in enumerate(parts)}
    values = [value for _, value in parts]
    return values[0] if len(parts) == 1 and parts[0][0] is None else values


def _read_number(value: QueryValue) -> Number | str:
    """Return what ``parseInt`` makes of a parameter; an empty text is not even parsed."""
    match value:
        case str():
            return parse_int(value) if value else value
        case list():
            return parse_int(",".join(value))
        case dict():
            return math.nan


def parse_int(text: str) -> Number:
    """Return JavaScript's ``parseInt(text)``, as the number that prints as JavaScript prints it.

    Numbers are doubles: beyond 2**53 only the shortest digits that tell them apart are kept.

    >>> parse_int(" 10abc"), parse_int("0x10"), parse_int("1.9"), parse_int("1e2"), parse_int("x")
    (10, 16, 1, 1, nan)
    >>> parse_int("99999999999999999999"), parse_int("9" * 22)
    (100000000000000000000, 1e+22)
    """
    found = _INTEGER.match(text)
    if not found:
        return math.nan
    sign, hexadecimal, decimal = found.groups()
    try:
        size = float.fromhex(hexadecimal) if hexadecimal else float(decimal)
    except OverflowError:
        size = math.inf
    # From there on JavaScript prints an exponent, as Python does for every float of that size.
    value = size if size >= _PRINTED_AS_EXPONENT else int(Decimal(repr(size)))
    return -value if sign == "-" else value


def _broken_number_rules(name: str, value: Number | str, *, low: int, high: int) -> dict[str, str]:
    number = math.nan if isinstance(value, str) else value
    rules = {
        "max": (number <= high, f"{name} must not be greater than {high}"),
        "min": (number >= low, f"{name} must not be less than {low}"),
        "isNumber": (
            math.isfinite(number),
            f"{name} must be a number conforming to the specified constraints",
        ),
    }
    return {rule: message for rule, (holds, message) in rules.items() if not holds}


def _broken_limit_rules(value: Number | str, bounds: Bounds) -> dict[str, str]:
    return _broken_number_rules("limit", value, low=1, high=bounds.max_limit)


def _broken_offset_rules(value: Number | str, bounds: Bounds) -> dict[str, str]:
    return _broken_number_rules("offset", value, low=0, high=bounds.max_offset)


def _read_emails(value: QueryValue) -> list[str] | dict[str, str]:
    """Return the addresses; only those that came as one text are trimmed and checked."""
    if not isinstance(value, str):
        return value
    addresses = [address.strip() for address in value.split(",")]
    for address in addresses:
        if not _is_email(address):
            raise RefusedError(400, f"Invalid email {address}")
    return addresses


def _is_email(address: str) -> bool:
    """Return whether validator.js (13.15, ``isEmail`` without options) takes it for an address."""
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    return (
        _units(address) <= _LONGEST
        and len(local.encode()) <= _LONGEST_LOCAL
        and len(domain.encode()) <= _LONGEST
        and _LOCAL.fullmatch(local) is not None
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) and _units(label) <= _LONGEST_LABEL for label in labels)
        and _TOP_LABEL.fullmatch(labels[-1]) is not None
        and not _FULL_WIDTH.search(domain)
        and not _BLANK.search(labels[-1])
    )


def _units(text: str) -> int:
    """Return the length of a text as JavaScript counts it."""
    return len(text.encode("utf-16-le")) // 2


def _broken_emails_rules(value: list[str] | dict[str, str], _: Bounds) -> dict[str, str]:
    return {} if isinstance(value, list) else {"arrayNotEmpty": "emails cannot be empty."}


class _Parameter(NamedTuple):
    """How a parameter is read, and which rules what was read breaks: their names and messages."""

    read: Callable[[QueryValue], Any]
    broken_rules: Callable[[Any, Bounds], dict[str, str]]


_PARAMETERS = {
    "emails": _Parameter(_read_emails, _broken_emails_rules),
    "limit": _Parameter(_read_number, _broken_limit_rules),
    "offset": _Parameter(_read_number, _broken_offset_rules),
}


def _printable(value: object) -> object:
    """Return what JSON shows: it has no word for NaN and Infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse_user_id(text: str) -> Number:
    """Return the id in a path; raise `RefusedError` unless it is digits with an optional minus."""
    if not _NUMERIC.fullmatch(text):
        raise RefusedError(400, "Validation failed (numeric string is expected)")
    return parse_int(text)


def suffixed(address: str, client_id: str) -> str:
    """Return the address under which the origin keeps a client's user.

    >>> suffixed("bob@example.com", "c1"), suffixed("bob+c1@example.com", "c1")
    ('bob+c1@example.com', 'bob+c1@example.com')
    """
    if client_id in address:
        return address
    local, _, domain = address.partition("@")
    return f"{local}+{client_id}@{domain}"
