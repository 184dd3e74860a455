"""Reads ``docs/openapi.json`` for the tests that hold it against the code, and the code against it.

An operation is known by its resource (the path below a client, as in ``METHODS``) and its method.
"""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from dev import ROOT

type Json = Any  # A document is free-form.

BASE = "/oauth-clients/{clientId}/"
CLIENT = "clxdemo0000000000000000001"
"""The client of its examples."""
TEXT = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
DOCUMENT: Json = json.loads(TEXT)
COMPONENTS: Json = DOCUMENT["components"]
OPERATIONS: dict[tuple[str, str], Json] = {
    (path.removeprefix(BASE), method.upper()): {
        **operation,
        "parameters": [*item["parameters"], *operation["parameters"]],
    }
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
FROM_GATEWAY = {"403": "ACCESS_DENIED", "429": "THROTTLED"}
"""What API Gateway answers before the service sees the request."""
UNSIGNED = {"webhook"}
"""Resources to which API Gateway lets anybody, so that it forbids nothing."""


def resolved(part: Json) -> Json:
    """Return what a reference refers to, anything else as it is."""
    while "$ref" in part:
        _, *steps = part["$ref"].split("/")
        part = DOCUMENT
        for step in steps:
            part = part[step]
    return part


def parameters(resource: str, method: str, *places: str) -> list[Json]:
    """Return an operation's parameters in the ``places`` given: path, query, header."""
    every = map(resolved, OPERATIONS[resource, method]["parameters"])
    return [part for part in every if part["in"] in places]


def query_names(resource: str, method: str) -> set[str]:
    """Return the names of query parameters as the code writes them, but for what it ignores."""
    return {
        f"{part['name']}[key]" if part.get("style") == "deepObject" else part["name"]
        for part in parameters(resource, method, "query")
    } - {"clientId", "emails[]"}


def responses(resource: str, method: str) -> dict[str, str]:
    """Return the name of the response component for each status of an operation."""
    declared = OPERATIONS[resource, method]["responses"]
    return {status: part["$ref"].rpartition("/")[2] for status, part in declared.items()}


def from_gateway(resource: str) -> set[str]:
    """Return the statuses that API Gateway answers before the service sees a request."""
    return FROM_GATEWAY.keys() - ({"403"} if resource in UNSIGNED else set())


def examples(part: Json) -> dict[str, Json]:
    """Return the examples of a parameter or a body by name."""
    return {name: example["value"] for name, example in part["examples"].items()}


def body_of(part: Json) -> Json:
    """Return what a response or a request's body has as JSON."""
    return part["content"]["application/json"]


def everything(part: Json = DOCUMENT) -> Iterator[dict[str, Json]]:
    """Yield every object of the document."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for member in part:
            yield from everything(member)


def unlike(schema: Json, value: Json) -> list[str]:
    """Return how ``value`` differs from a schema of the document."""
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator({**DOCUMENT, **schema}, format_checker=checker)
    return [error.message for error in validator.iter_errors(value)]


def fits(schema: Json, value: Json) -> bool:
    """Return whether ``value`` is one that a schema of the document allows."""
    return not unlike(schema, value)
