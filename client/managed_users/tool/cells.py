"""How values are written for people: addresses without what all of them have, units, minutes."""

from collections.abc import Mapping
from typing import Any

from managed_users.tool.context import shown

_SECONDS = frozenset({"age", "oldestObservationAge", "revalidationInterval"})


def cells(user: Mapping[str, Any], columns: tuple[str, ...], client_id: str) -> list[str]:
    """Return the cells of a user's row.

    >>> cells({"email": "ada+abc@example.org", "createdDate": "2024-04-01T02:46:37.948Z"},
    ...       ("email", "createdDate", "name"), "abc")
    ['ada+…@example.org', '2024-04-01 02:46', '']
    """
    values = {**user}
    if isinstance(values.get("email"), str):
        values["email"] = values["email"].replace(f"+{client_id}@", "+…@")
    if isinstance(values.get("createdDate"), str):
        values["createdDate"] = values["createdDate"][:16].replace("T", " ")
    return [shown(values.get(name)) for name in columns]


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return rows of names and values, with units.

    >>> facts({"age": 5, "originBudget": {"limit": 300, "remaining": 298}, "users": None})
    [('age', '5 s'), ('originBudget', '298 of 300 calls left in this minute'), ('users', '')]
    """
    return [(name, _fact(name, value)) for name, value in values.items()]


def _fact(name: str, value: Any) -> str:  # noqa: ANN401 - whatever JSON holds.
    if name in _SECONDS and value is not None:
        return f"{value} s"
    if name == "originBudget":
        return f"{value['remaining']} of {value['limit']} calls left in this minute"
    return shown(value)
