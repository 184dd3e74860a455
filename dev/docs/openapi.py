"""Writes the HTTP interface as an OpenAPI 3.1 document: ``docs/openapi.json``.

Routes, methods, names, bounds, codes and example bodies come from the code that answers requests;
tests compare the rest with what it accepts and answers.

``python -m dev.docs.openapi <file>`` writes it; ``make openapi`` writes the one that is kept.
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from dev import ROOT
from dev.docs import openapi_answers as answers
from dev.docs import openapi_examples as examples
from dev.docs import openapi_parameters as parameters
from dev.docs.openapi_schemas import Json, ref, schemas
from handlers.gateway import DOCUMENT, METHODS
from lib.queries.parameters import MAX_MEMBERS

SERVER = "/v2"
_CLIENT = "/oauth-clients/{clientId}/"

_DESCRIPTION = """\
A cached directory of the managed users of Cal.com OAuth clients, at Cal.com's own paths. What can
be relied on beyond what a schema can say is in `docs/api.md`.

Who may call is decided by AWS: requests are signed (Signature Version 4, service `execute-api`)
where the deployment has `ApiAccess=iam`; with `ApiAccess=vpc` they are not signed, and come through
the VPC endpoints that the deployment names. Cal.com's own credentials are ignored.
"""
_COMMON = (400, 403, 404, 405, 429, 500, 503)
_ASKS_ORIGIN = (502, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """What only people can say of an operation."""

    name: str
    tag: str
    summary: str
    description: str
    errors: tuple[int, ...]


_OPERATIONS: Mapping[str, _Operation] = {
    "users": _Operation(
        name="ManagedUsers",
        tag="users",
        summary="A list of managed users",
        description="A comma means or, several parameters mean and. Other names are refused.",
        errors=(*_COMMON, 410, *_ASKS_ORIGIN),
    ),
    "users/{userId}": _Operation(
        name="ManagedUser",
        tag="users",
        summary="One managed user",
        description="Past the users that the origin lists, too.",
        errors=(*_COMMON, *_ASKS_ORIGIN),
    ),
    "users/lookup": _Operation(
        name="lookUpManagedUsers",
        tag="users",
        summary="Users by names that stay out of URLs",
        description="Answered as the list with the same names would be. Never conditional. Links "
        "leave the names out: post the same body again.",
        errors=(*_COMMON, 410, *_ASKS_ORIGIN),
    ),
    "cache": _Operation(
        name="getCache",
        tag="cache",
        summary="What is stored, and how old it is",
        description="Never asks the origin.",
        errors=_COMMON,
    ),
    "cache/changes": _Operation(
        name="listChanges",
        tag="cache",
        summary="What changed since a generation",
        description="As one difference: what happened and was undone in between is not told.",
        errors=(*_COMMON, 410),
    ),
    "cache/refresh": _Operation(
        name="refreshCache",
        tag="cache",
        summary="Ask the origin again",
        description="Forced sweeps of one client start at least 10 s apart; a request that comes "
        "earlier waits.",
        errors=(*_COMMON, *_ASKS_ORIGIN),
    ),
    DOCUMENT: _Operation(
        name="OpenapiDocument",
        tag="interface",
        summary="This document",
        description="As deployed.",
        errors=(400, 403, 405, 429, 500),
    ),
}


def document() -> Json:
    """Return the document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Managed-users proxy",
            "summary": project["description"],
            "description": _DESCRIPTION,
            "version": project["version"],
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [{"url": SERVER, "description": "The stage, on the deployment's own host."}],
        "security": [{"sigv4": []}, {}],
        "tags": [
            {"name": "users", "description": "The directory."},
            {"name": "cache", "description": "What is stored of it."},
            {"name": "interface", "description": "What can be asked."},
        ],
        "paths": {_place(resource): _path(resource) for resource in METHODS},
        "components": {
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4; none where `ApiAccess=vpc`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
            "parameters": _shared_parameters(),
            "headers": answers.HEADERS,
            "responses": answers.error_responses(),
            "schemas": schemas(),
        },
    }


def text() -> str:
    """Return the document as the file has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _place(resource: str) -> str:
    return resource if resource == DOCUMENT else _CLIENT + resource


def _path(resource: str) -> Json:
    in_path = [
        named for name, named in parameters.PATHS.items() if f"{{{name}}}" in _place(resource)
    ]
    return {
        "parameters": in_path,
        **{method.lower(): _operation(resource, method) for method in METHODS[resource]},
    }


def _operation(resource: str, method: str) -> Json:
    said = _OPERATIONS[resource]
    verb = {"users": "list"}.get(resource, "get") if method == "GET" else method.lower()
    prefixed = len(METHODS[resource]) > 1
    operation: Json = {
        "operationId": verb + said.name if prefixed else said.name,
        "tags": [said.tag],
        "summary": said.summary if method != "HEAD" else f"{said.summary}: the headers alone",
        "description": said.description,
        "parameters": _parameters(resource),
        "responses": _responses(resource, method),
    }
    if resource == "users/lookup":
        body = answers.content("Lookup", examples.lookups())
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _parameters(resource: str) -> list[Json]:
    listed = parameters.list_parameters()
    directives, conditions = _refs([parameters.DIRECTIVES]), _refs(parameters.CONDITIONS)
    match resource:
        case "users":
            own = [*_refs(chain(*listed.values())), *directives, *conditions]
        case "users/{userId}":
            own = _refs([*listed["fields"], *listed["min_generation"]]) + directives + conditions
        case "users/lookup":
            in_body = ("limit", *parameters.LOOKUP_NAMES)
            beside = [listed[name] for name in listed if name not in in_body]
            limits = [_as_many_as_are_named(limit) for limit in listed["limit"]]
            own = [*limits, *_refs(chain(*beside)), *directives]
        case "cache/changes":
            own = [parameters.SINCE]
        case "cache/refresh":
            own = [parameters.WAIT, parameters.BELIEVE]
        case _ if resource == DOCUMENT:
            own = _refs(parameters.CONDITIONS[:1])
        case _:
            own = []
    return own + _refs([parameters.IGNORED])


def _refs(described: Iterable[Json]) -> list[Json]:
    return [ref(parameters.key(parameter), "parameters") for parameter in described]


def _as_many_as_are_named(limit: Json) -> Json:
    return limit | {"schema": limit["schema"] | {"default": MAX_MEMBERS}}


def _shared_parameters() -> Json:
    listed = chain(*parameters.list_parameters().values())
    shared = [*listed, parameters.DIRECTIVES, *parameters.CONDITIONS, parameters.IGNORED]
    return {parameters.key(parameter): parameter for parameter in shared}


def _responses(resource: str, method: str) -> Json:
    found = answers.of_document() if resource == DOCUMENT else answers.successes(resource)
    shared = answers.error_responses() if method == "HEAD" else {}
    for status in _OPERATIONS[resource].errors:
        name = answers.ERRORS[status].name
        found[status] = shared.get(name) or ref(name, "responses")
    # What answers HEAD never has a body, errors neither.
    bodiless = ("content",) if method == "HEAD" else ()
    return {
        str(status): {key: value for key, value in found[status].items() if key not in bodiless}
        for status in sorted(found)
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
