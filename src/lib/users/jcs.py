"""Canonical JSON by the JSON Canonicalization Scheme (RFC 8785): what a digest can be made of.

It is the JSON that ECMAScript's ``JSON.stringify`` writes, with the members of objects in the order
of their names' UTF-16 code units. Where the scheme has no answer, this has ECMAScript's: a number
too large for a double is null, and a lone surrogate stays an escape.

Documents are stored in another form (``lib.users.document``), which keeps the origin's order.

Pure: no I/O.
"""

import json
import re

_text = json.JSONEncoder(ensure_ascii=False).encode
_plain = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_RARE = re.compile(rb"[\xf0-\xf7]|\\u[dD]|[0-9]{16}")
"""Without these no name has surrogates, which ECMAScript orders by, and no number is too long."""

_EXACT = 2**53
_FIXED_FROM, _FIXED_BELOW = 1e-6, 1e21
"""Between these, numbers are written without an exponent."""


def canonical_json(text: bytes) -> bytes:
    """Return JSON, in UTF-8 as the argument is, in its canonical form."""
    fractions: list[float] = []

    def fraction(number: str) -> float:
        fractions.append(0)
        return float(number)

    value = json.loads(text, parse_float=fraction)
    # As a rule Python's own writer writes the same, ten times as fast.
    plain = not fractions and not _RARE.search(text)
    written = _plain(value) if plain else _written(value)
    return written.encode("utf-8", "backslashreplace")


def _written(value: object) -> str:
    match value:
        case dict():
            ordered = sorted(value, key=_code_units)
            members = ",".join([f"{_text(name)}:{_written(value[name])}" for name in ordered])
            return f"{{{members}}}"
        case list():
            members = ",".join(map(_written, value))
            return f"[{members}]"
        case int() if not isinstance(value, bool) and -_EXACT <= value <= _EXACT:
            return str(value)
        case int() | float() if not isinstance(value, bool):
            return _number(value)
        case _:
            return _text(value)


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """Return a number as ECMAScript writes it (ECMA-262, Number::toString).

    Python and ECMAScript find the same digits, the fewest that name the double.

    >>> [_number(n) for n in (-0.0, 1e16, 0.00001, 1e-7, 1.5e300, 2**53 + 1, 10**400)]
    ['0', '10000000000000000', '0.00001', '1e-7', '1.5e+300', '9007199254740992', 'null']
    """
    try:
        size = abs(float(value))
    except OverflowError:
        return "null"
    mantissa, _, exponent = repr(size).partition("e")
    sign = "-" if value < 0 else ""
    if not size or _FIXED_FROM <= size < _FIXED_BELOW:
        return sign + _without_exponent(mantissa, int(exponent or 0))
    return f"{sign}{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _without_exponent(mantissa: str, exponent: int) -> str:
    whole, _, fraction = mantissa.removesuffix(".0").partition(".")
    digits, point = whole + fraction, len(whole) + exponent
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    digits = digits.ljust(point, "0")
    return digits[:point] + (f".{digits[point:]}" if digits[point:] else "")
