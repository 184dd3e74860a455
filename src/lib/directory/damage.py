"""Tells what of a stored head or manifest cannot be read.

Nobody writes such things, but a hand in the console may, or a restored backup, and one attribute
must not fail every request for as long as it lies there.

Pure: no clock, no I/O.
"""

from collections.abc import Mapping
from typing import Any, TypeIs

from lib.directory.head import FORMAT, KINDS
from lib.errors import Reason, StoreError

_LARGEST = 2**53
_LATEST = 10**11
"""No instant is later, and none that is later can be written as a date."""

_INSTANTS = frozenset(name for name in KINDS if name.endswith(("_at", "_until", "_since")))
_ALWAYS = frozenset({"digest", "swept_at"})
"""What every generation has."""

_RATE = frozenset({"rate_limit", "rate_remaining", "rate_reset_at"})
"""What the origin told at once: without one of them, the others would mean something else."""


def unreadable(values: Mapping[str, Any]) -> frozenset[str]:
    """Return the attributes of a head or manifest that are not what they can be, or are missing.

    Raises:
        StoreError: a newer version of this service wrote them.
    """
    form = values.get("format", FORMAT)
    # One that is no number may well be a newer one: that is not ours to mend.
    if not _number(form) or form > FORMAT:
        raise StoreError("a newer version wrote this", reason=Reason.NEWER_FORMAT)
    broken = {name for name, value in values.items() if name in KINDS and not _can_be(name, value)}
    if values.get("generation"):
        broken |= _ALWAYS - values.keys()
    if broken & _RATE:
        broken |= _RATE & values.keys()
    return frozenset(broken)


def _can_be(name: str, value: object) -> bool:
    kind = KINDS[name]
    if kind is int or kind is float:
        most = _LATEST if name in _INSTANTS else _LARGEST
        return _number(value) and (kind is float or type(value) is int) and -1 <= value < most
    return isinstance(value, kind)


def _number(value: object) -> TypeIs[int | float]:
    # A bool is an int to Python, and nothing of the kind here.
    return type(value) in {int, float}
