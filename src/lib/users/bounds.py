"""Makes documents of the origin's rows, each small enough to be kept and answered.

DynamoDB takes items of 400 KB and Lambda answers of 6 MB, so one user with more than that would
keep all others from being published. Whatever of him is too much is left out, field by field, and
his document says which (``OMITTED``): he is there, and nobody has to take what is missing for
nothing.

Pure: no I/O.
"""

from collections.abc import Mapping
from typing import Any

from lib.users.document import OMITTED, OWN_FIELDS, canonical
from lib.users.hiding import DEEPEST, REQUIRED_FIELDS, HidingPolicy

MAX_BYTES = 256 * 1024
"""Most bytes of a document: however badly it compresses, an item of the table holds it."""

_NESTED = (dict, list)


def document(row: Mapping[str, Any], hiding: HidingPolicy) -> bytes:
    """Return a row's canonical document, without what is hidden and what cannot be kept.

    Left out are fields nested more than ``DEEPEST`` levels deep (JavaScript's own ``stringify``
    fails before 5,000), then the largest ones until the rest has at most ``MAX_BYTES``; what the
    directory cannot do without comes last.
    """
    deep = {name for name, value in row.items() if _deeper(value, DEEPEST)}
    left_out = deep | OWN_FIELDS
    shown = hiding.apply({name: value for name, value in row.items() if name not in left_out})
    line = _line(shown, omitted := deep - hiding.fields - OWN_FIELDS)
    while len(line) > MAX_BYTES and len(shown) > 1:
        largest = max(shown, key=lambda name: _weight(name, shown[name]))
        del shown[largest]
        line = _line(shown, omitted := omitted | {largest})
    return line


def _line(shown: Mapping[str, Any], omitted: set[str]) -> bytes:
    return canonical({**shown, OMITTED: sorted(omitted)} if omitted else shown)


def _weight(name: str, value: object) -> tuple[bool, bool, int]:
    return name != "id", name not in REQUIRED_FIELDS, len(canonical({name: value}))


def _deeper(value: object, levels: int) -> bool:
    """Return whether lists and objects are nested in ``value`` more than ``levels`` deep."""
    if not isinstance(value, _NESTED):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(member, levels - 1) for member in members)
