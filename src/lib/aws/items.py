"""Translates plain Python values to DynamoDB's typed attributes and update expressions.

``None`` removes an attribute. Numbers keep milliseconds and no more. Every name goes through a
placeholder, so that none can collide with DynamoDB's reserved words.

Pure: no I/O.
"""

import re
from collections.abc import Mapping
from typing import Any

from lib.directory.head import Value

type Set = str | bytes | bool | float
type Item = dict[str, Any]

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


def decode(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an item's attributes as plain values."""
    return {name: _decode(next(iter(typed.items()))) for name, typed in item.items()}


def _decode(typed: tuple[str, Any]) -> Any:  # noqa: ANN401 - the type is in the data
    kind, value = typed
    if kind != "N":
        return value
    return float(value) if "." in value else int(value)


def update(
    changes: Mapping[str, Value], *, condition: str = "", values: Mapping[str, Value] | None = None
) -> Item:
    """Return the parameters of an update that sets or removes ``changes``.

    ``condition`` writes names as ``#name`` and values as ``:name``, the latter given in ``values``.

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
    given = {f":set_{name}": value for name, value in changes.items()}
    # DynamoDB refuses a value that no expression uses.
    used = set(_VALUE.findall(condition))
    given |= {f":{name}": value for name, value in (values or {}).items() if name in used}
    parameters: Item = {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {
            f"#{name}": name for name in _NAME.findall(f"{expression} {condition}")
        },
    }
    # Nor may there be none: an update that only removes has no values.
    if encoded := encode(given):
        parameters["ExpressionAttributeValues"] = encoded
    return parameters | ({"ConditionExpression": condition} if condition else {})
