"""Tells what of a stored head or manifest cannot be read.

Nobody writes such things, but a hand in the console may, or a restored backup, and one attribute
must not fail every request for as long as it lies there.

Pure: no clock, no I/O.
"""

from collections.abc import Mapping
from typing import Any

from lib.directory.head import FORMAT, KINDS
from lib.errors import Reason, StoreError

_LARGEST = 2**53
_LATEST = 10**11
"""No instant is later, and none that is later can be written as a date."""

_INSTANTS = ("_at", "_until", "_since")
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
    broken = {
        name for name, kind in KINDS.items() if name in values and not _is(kind, name, values)
    }
    if values.get("generation"):
        broken |= _ALWAYS - values.keys()
    if broken & _RATE:
        broken |= _RATE & values.keys()
    return frozenset(broken)


def _is(kind: type, name: str, values: Mapping[str, Any]) -> bool:
    value = values[name]
    if kind in {int, float}:
        most = _LATEST if name.endswith(_INSTANTS) else _LARGEST
        whole = kind is float or isinstance(value, int)
        return _number(value) and whole and -1 <= value < most
    return isinstance(value, kind)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
