"""Translates plain Python values to DynamoDB's typed attributes and update expressions.

``None`` removes an attribute. Numbers keep milliseconds and no more. Every name goes through a
placeholder, so that none can collide with DynamoDB's reserved words.

Pure: no I/O.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lib.directory.head import Value

type Set = str | bytes | bool | float
type Item = dict[str, Any]

_KINDS = frozenset({"S", "B", "BOOL"})
_NAME = re.compile(r"#(\w+)")
_VALUE = re.compile(r":(\w+)")


def encode(values: Mapping[str, Value]) -> Item:
    """Return ``values`` as an item's attributes, without those that are None."""
    return {name: _encode(value) for name, value in values.items() if value is not None}


def _encode(value: Set) -> Item:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    number = round(value, 3)
    return {"N": str(int(number) if number == int(number) else number)}


def number_set(numbers: Sequence[int]) -> Item:
    """Return the attribute of a set of numbers."""
    return {"NS": [str(number) for number in numbers]}


def binary_set(members: Iterable[bytes]) -> Item:
    """Return the attribute of a set of bytes."""
    return {"BS": list(members)}


def placeholders(expression: str) -> dict[str, str]:
    """Return the names that ``expression`` writes as ``#name``, by their placeholders."""
    return {f"#{name}": name for name in _NAME.findall(expression)}


def decode(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an item's attributes as plain values; those of a type we never write as None."""
    return {name: _decode(*next(iter(typed.items()))) for name, typed in item.items()}


def _decode(kind: str, value: Any) -> Any:  # noqa: ANN401 - the type is in the data
    if kind == "N":
        return int(value) if value.lstrip("-").isdecimal() else float(value)
    return value if kind in _KINDS else None


def update(
    changes: Mapping[str, Value],
    *,
    condition: str = "",
    values: Mapping[str, Value] | None = None,
    typed: Item | None = None,
) -> Item:
    """Return the parameters of an update that sets or removes ``changes``.

    ``condition`` writes names as ``#name`` and values as ``:name``, the latter given in ``values``
    or, as attributes already, in ``typed``.

    >>> update({"a": 1, "b": None}, condition="#a < :max", values={"max": 9})["UpdateExpression"]
    'SET #a = :set_a REMOVE #b'
    """
    sets = [f"#{name} = :set_{name}" for name, value in changes.items() if value is not None]
    removes = [f"#{name}" for name, value in changes.items() if value is None]
    expression = " ".join(
        f"{verb} {', '.join(parts)}"
        for verb, parts in (("SET", sets), ("REMOVE", removes))
        if parts
    )
    given = {f"set_{name}": value for name, value in changes.items()} | dict(values or {})
    known = encode(given) | (typed or {})
    text = f"{expression} {condition}"
    parameters: Item = {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": placeholders(text),
    }
    # DynamoDB refuses a value that no expression uses, and to be given none at all.
    if used := {f":{name}": known[name] for name in _VALUE.findall(text) if name in known}:
        parameters["ExpressionAttributeValues"] = used
    return parameters | ({"ConditionExpression": condition} if condition else {})
