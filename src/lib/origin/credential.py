"""An OAuth client's secret key, in a type that cannot print itself.

Pure: no I/O.
"""

from dataclasses import dataclass
from typing import final, override


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
    """One client's secret key and the version of the secret it came from."""

    key: SecretKey
    version: str
