"""The responses of the OpenAPI document: headers, and what each status says."""

from collections.abc import Mapping
from dataclasses import dataclass

from dev.docs import openapi_examples as examples
from dev.docs.openapi_examples import Bodies
from dev.docs.openapi_schemas import Json, ref, schema

_TEXT = schema("string")
_NUMBER = schema("integer", minimum=0)


@dataclass(frozen=True, slots=True)
class Error:
    """A status that is an error: the response's name, when it is answered, and its headers."""

    name: str
    when: str
    headers: tuple[str, ...] = ()


def _header(description: str, described: Json, example: object) -> Json:
    return {"description": description, "schema": described, "example": example}


HEADERS: Mapping[str, Json] = {
    "Age": _header(
        "Seconds since the sweep that the answer rests on began; absent when the origin was "
        "asked for this very request.",
        _NUMBER,
        42,
    ),
    "Allow": _header("The methods of this path.", _TEXT, "GET, HEAD"),
    "Cache-Control": _header(
        "Of answers that a private cache may keep; `private, no-cache` where a cursor was sent; "
        "`no-store` on errors and on everything below `cache`.",
        _TEXT,
        "private, max-age=120, stale-while-revalidate=600, stale-if-error=604800",
    ),
    "Cache-Status": _header(
        "How the answer was come by (RFC 9211).",
        schema("string", pattern="^managed-users(; |$)"),
        "managed-users; hit; ttl=78",
    ),
    "ETag": _header(
        "A list's changes when the directory does, a user's when that user does.",
        schema("string", pattern='^W/"[^"]+"$'),
        'W/"1-da53a920cad1e52ffe21856a"',
    ),
    "Last-Modified": _header(
        "When the directory changed last.", _TEXT, "Mon, 23 Nov 2026 16:46:51 GMT"
    ),
    "Link": _header(
        "`first`, `prev` and `next` as query-only references (RFC 8288): resolve them against "
        "the URL that was asked for.",
        _TEXT,
        '<?limit=50>; rel="first", <?limit=50&cursor=WzcsNTAs>; rel="next"',
    ),
    "Retry-After": _header("Seconds after which to ask again.", schema("integer", minimum=1), 7),
    "Vary": _header("The answer may be compressed.", _TEXT, "Accept-Encoding"),
    "X-Request-Id": _header(
        "The id that logs and error bodies carry.", _TEXT, "7f8d5f0e-2f8c-4b8e-9d1c-3a5b7c9d1e2f"
    ),
    "X-Total-Count": _header("How many users the question has in all.", _NUMBER, 120),
}
_ALWAYS = ("Cache-Control", "X-Request-Id")
_OF_USER = ("Cache-Status", "Age", "ETag", "Last-Modified", "Vary")
_OF_LIST = (*_OF_USER, "Link", "X-Total-Count")

ERRORS: Mapping[int, Error] = {
    400: Error("BadRequest", "A bad value or an unknown name; or the answer would pass 6 MB."),
    403: Error("Forbidden", "From API Gateway: the call is not signed, or not allowed."),
    404: Error(
        "NotFound",
        "A client that the secret does not name, or a user that the client does not have.",
        ("Cache-Status",),
    ),
    405: Error("MethodNotAllowed", "The answer to any method not described here.", ("Allow",)),
    410: Error(
        "Gone",
        "A cursor that is no longer valid (`Link` says where to start again), or a generation "
        "that can no longer be compared with.",
        ("Link",),
    ),
    429: Error("TooManyRequests", "From API Gateway: its own throttling.", ("Retry-After",)),
    500: Error("InternalServerError", "A fault of the service."),
    502: Error(
        "BadGateway",
        "Nothing usable is stored, and the origin's answer is not usable.",
        ("Cache-Status",),
    ),
    503: Error(
        "ServiceUnavailable",
        "Nothing usable is stored, and the origin may not be asked now; or AWS does not answer.",
        ("Cache-Status", "Retry-After"),
    ),
    504: Error(
        "GatewayTimeout",
        "Nothing usable is stored, and the origin did not answer in time; or nothing suitable "
        "is, and `only-if-cached` was asked.",
        ("Cache-Status",),
    ),
}

FROM_GATEWAY = (403, 429)
"""Answered before the service sees the request."""


def _fields(*names: str) -> Json:
    return {name: ref(name, "headers") for name in sorted(names)}


def content(name: str, bodies: Bodies) -> Json:
    """Return a body of the schema ``name``, as JSON."""
    shown = {key: {"value": body} for key, body in bodies.items()}
    return {"application/json": {"schema": ref(name), "examples": shown}}


def _response(description: str, name: str, bodies: Bodies, *fields: str) -> Json:
    return {
        "description": description,
        "headers": _fields(*_ALWAYS, *fields),
        "content": content(name, bodies),
    }


def error_responses() -> Json:
    """Return the responses of errors by name."""
    bodies = examples.errors()
    responses = {}
    for status, error in ERRORS.items():
        response = _response(error.when, "Error", bodies[status], *error.headers)
        if status in FROM_GATEWAY:
            response["headers"] = _fields("Cache-Control", *error.headers)
        responses[error.name] = response
    return responses


def successes(resource: str) -> dict[int, Json]:
    """Return what the ``resource`` answers where nothing is wrong, by status."""
    match resource:
        case "users":
            return {
                200: _response("Users.", "UserList", examples.lists(), *_OF_LIST),
                304: {
                    "description": "The caller has this answer already. To a filtered list or a "
                    "window of a traversal without `Link` and `X-Total-Count`.",
                    "headers": _fields(*_ALWAYS, *_OF_LIST),
                },
            }
        case "users/{userId}":
            return {
                200: _response("The user.", "User", examples.users(), *_OF_USER),
                304: {
                    "description": "The caller has this answer already.",
                    "headers": _fields(*_ALWAYS, *_OF_USER),
                },
            }
        case "users/lookup":
            return {200: _response("Users.", "UserList", examples.lists(), *_OF_LIST)}
        case "cache":
            return {200: _response("What is stored.", "Cache", examples.caches())}
        case "cache/changes":
            return {200: _response("What changed.", "Changes", examples.changes())}
        case "cache/refresh":
            done, later = examples.refreshed(), examples.accepted()
            return {
                200: _response("The directory was swept.", "Refreshed", done),
                202: _response(
                    "The sweep runs elsewhere.", "RefreshAccepted", later, "Retry-After"
                ),
            }
        case _:
            raise LookupError(f"no answers are described for {resource}")


def of_document() -> dict[int, Json]:
    """Return what the document itself is answered with, by status."""
    headers = _fields(*_ALWAYS, "ETag")
    body = {"application/json": {"schema": schema("object")}}
    return {
        200: {"description": "The document.", "headers": headers, "content": body},
        304: {"description": "The caller has this answer already.", "headers": headers},
    }
