"""An OAuth client's secret key, in a type that cannot print itself.

Pure: no I/O.
"""

import re
from dataclasses import dataclass
from typing import final, override

NO_ORGANIZATION = 0
"""Stands for an organization's id that is none: ids at the origin begin with 1."""

_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]+")


@final
class SecretKey:
    """A secret key; ``reveal`` is for the one header that carries it.

    >>> SecretKey("hush")
    SecretKey(***)
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    @override
    def __repr__(self) -> str:
        return "SecretKey(***)"

    @override
    def __reduce__(self) -> str:
        raise TypeError("a secret key is not serialized")


@dataclass(frozen=True, slots=True)
class Credential:
    """One client's secret key and the version of the secret it came from.

    ``organization_id`` is the organization that lists the client's users, None where the secret
    names none, and ``NO_ORGANIZATION`` where what it names cannot be one.
    """

    key: SecretKey
    version: str
    organization_id: int | None = None


def carried(text: object) -> str | None:
    r"""Return ``text`` without blanks and line ends around it, None if no header can carry it.

    What a header can carry is RFC 9110 section 5.5's field-value.

    >>> carried(" key\n"), carried("k\u2713y"), carried(" "), carried(5)
    ('key', None, None, None)
    """
    value = text.strip() if isinstance(text, str) else ""
    return value if _FIELD_VALUE.fullmatch(value) else None
