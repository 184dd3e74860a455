"""How the views of a question are declared: one line each, which all else is derived from.

Pure: no I/O.
"""

from collections.abc import Callable, Sequence
from dataclasses import field, fields
from typing import Any, NamedTuple

from lib.queries.conditions import Condition


class View(NamedTuple):
    """A view: the ``attribute`` of a question that the parameter ``name`` sets.

    ``read`` takes the parameter's name and values. ``condition`` makes of what was read what a
    user must meet; None: the view is no filter, or one that names users.
    """

    attribute: str
    name: str
    read: Callable[[str, Sequence[str]], Any]
    condition: Callable[[Any], Condition] | None


def view(
    unsaid: object,
    name: str,
    read: Callable[[str, Sequence[str]], Any],
    condition: Callable[[Any], Condition] | None = None,
) -> Any:  # noqa: ANN401 - as dataclasses.field: the attribute's own type
    """Return the field of a question that is ``unsaid`` unless the parameter ``name`` is given."""
    return field(default=unsaid, metadata={"view": (name, read, condition)})


def declared(question: Any) -> tuple[View, ...]:  # noqa: ANN401 - any dataclass
    """Return the views that a question's class declares, in that order."""
    found = (each for each in fields(question) if "view" in each.metadata)
    return tuple(View(each.name, *each.metadata["view"]) for each in found)
