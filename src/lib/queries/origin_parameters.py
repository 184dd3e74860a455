"""Reads ``limit``, ``offset`` and ``emails`` exactly as the origin does, quirks and errors too.

The origin parses a query string into strings, lists (``a=1&a=2``, ``a[]=1``, ``a[0]=1``) and
objects (``a[x]=1``), applies JavaScript's parseInt to numbers and class-validator's rules to the
result. Existing clients depend on all of it, a generated one on ``limit=2.0``. The only rule not
kept is the upper bound of ``offset``: the directory here has no wall at 500 users.

Pure: no I/O.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lib.errors import InvalidRequestError
from lib.users.address import is_address

DEFAULT_LIMIT = 50
MAX_LIMIT = 250

type Params = Mapping[str, Sequence[str]]
type Raw = str | list[str] | dict[str, str]

_KEY = re.compile(r"(limit|offset|emails)(?:\[([^\[\]]*)\])?")
_PARSE_INT = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]*)|([0-9]+))")
# What JavaScript's parseInt and trim skip; Python's own notion of white space is another one.
_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def owns(name: str) -> bool:
    """Return whether the origin reads ``name`` as one of its three parameters."""
    return _KEY.fullmatch(name) is not None


def parse(params: Params) -> tuple[int, int, tuple[str, ...] | None]:
    """Return limit, offset and the addresses asked for (None: all users).

    Raises:
        InvalidRequestError: with the origin's message and details.
    """
    raw = _raw_values(params)
    # A single string is validated, a list is not; the origin checks it before all else.
    if isinstance(raw.get("emails"), str):
        raw["emails"] = _addresses(str(raw["emails"]))
    checked = [
        _check_emails(raw["emails"]) if "emails" in raw else None,
        _check_number(raw["limit"], "limit", least=1, most=MAX_LIMIT) if "limit" in raw else None,
        _check_number(raw["offset"], "offset", least=0) if "offset" in raw else None,
    ]
    emails, limit, offset = checked
    broken = [check for check in checked if check and check.constraints]
    if broken:
        target = {check.name: check.value for check in checked if check}
        raise InvalidRequestError(
            "Bad Request Exception",
            details={"errors": [check.error(target) for check in broken]},
        )
    return (
        int(limit.value) if limit else DEFAULT_LIMIT,
        # A number that JavaScript prints with an exponent is a float until here.
        int(offset.value) if offset else 0,
        tuple(emails.value) if emails else None,
    )


class _Check(NamedTuple):
    """One parameter after conversion, with the origin's constraints that it breaks."""

    name: str
    value: Any
    constraints: dict[str, str]

    def error(self, target: dict[str, Any]) -> dict[str, Any]:
        return {
            "target": target,
            "value": self.value,
            "property": self.name,
            "children": [],
            "constraints": self.constraints,
        }


def _check_emails(value: Raw) -> _Check:
    constraints = {"arrayNotEmpty": "emails cannot be empty."} if isinstance(value, dict) else {}
    return _Check("emails", value, constraints)


def _check_number(value: Raw, name: str, *, least: int, most: float = math.inf) -> _Check:
    number = math.nan
    if isinstance(value, str):
        number = parse_int(value)
    elif isinstance(value, list):
        number = parse_int(",".join(value))
    constraints = {}
    if math.isnan(number) or number > most or number == math.inf:
        constraints["max"] = f"{name} must not be greater than {MAX_LIMIT}"
    if math.isnan(number) or number < least:
        constraints["min"] = f"{name} must not be less than {least}"
    if not math.isfinite(number):
        constraints["isNumber"] = f"{name} must be a number conforming to the specified constraints"
    # An empty string is not converted at the origin, so its validator shows it as it came.
    return _Check(name, "" if value == "" else _json_number(number), constraints)


def _raw_values(params: Params) -> dict[str, Raw]:
    found: dict[str, list[tuple[str | None, str]]] = {}
    for name, values in params.items():
        match = _KEY.fullmatch(name)
        if match:
            base, bracket = match.groups()
            found.setdefault(base, []).extend((bracket, value) for value in values)
    return {base: _raw(items) for base, items in found.items()}


def _raw(items: Sequence[tuple[str | None, str]]) -> Raw:
    if any(bracket and not bracket.isdigit() for bracket, _ in items):
        return {bracket or "": value for bracket, value in items}
    values = [value for _, value in items]
    return values[0] if len(items) == 1 and items[0][0] is None else values


def parse_int(text: str) -> float:
    """Return what JavaScript's ``parseInt(text)`` returns: a whole number, infinity or NaN.

    >>> parse_int("10abc"), parse_int("0x10"), parse_int(" 2.9"), parse_int("")
    (10.0, 16.0, 2.0, nan)
    """
    match = _PARSE_INT.match(text.lstrip(_SPACE))
    if match is None:
        return math.nan
    sign, hexadecimal, decimal = match.groups()
    if decimal is not None:
        number = float(decimal)
    elif hexadecimal:
        number = _from_hex(hexadecimal)
    else:
        return math.nan
    return -number if sign == "-" else number


def _from_hex(digits: str) -> float:
    try:
        return float(int(digits, 16))
    except OverflowError:
        return math.inf


def _json_number(number: float) -> float | None:
    if not math.isfinite(number):
        return None
    return int(number) if abs(number) < 1e21 else number  # noqa: PLR2004 - JavaScript prints digits below


def _addresses(text: str) -> list[str]:
    addresses = [part.strip(_SPACE) for part in text.split(",")]
    for address in addresses:
        if not is_address(address):
            raise InvalidRequestError(f"Invalid email {address}")
    return addresses
