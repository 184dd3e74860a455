"""The example bodies of the OpenAPI document, made by the code that answers requests."""

import json
from collections.abc import Callable

from dev.docs.openapi_parameters import CLIENT
from dev.docs.openapi_schemas import Json
from dev.origin import demo_users
from dev.template.literals import API, resource
from handlers.gateway import Request
from lib.directory.head import head_of
from lib.errors import (
    GoneError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginAuthError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
    ServiceError,
)
from lib.queries.bodies import MAX_ENVELOPE, error_body, fitting, list_body, user_body
from lib.queries.list_query import parse_list, parse_user_id
from lib.queries.parameters import METADATA_NAME
from lib.queries.select import Rows, project
from lib.reading.status import cache_data
from lib.users.dates import iso_date
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy

type Bodies = dict[str, Json]

_NOW = 1_795_448_604.48
_PATH = f"/v2/oauth-clients/{CLIENT}/users"
_REQUEST_ID = "7f8d5f0e-2f8c-4b8e-9d1c-3a5b7c9d1e2f"
_HIDING = HidingPolicy(metadata_keys=frozenset({"stripeCustomerId"}))
_LINES = [canonical(_HIDING.apply(user)) for user in demo_users(CLIENT, 3)]
_HEAD = head_of(
    CLIENT,
    {
        "generation": 7,
        "digest": "8668c155da2ae6fee250e108c8263789addb5db0",
        "users": 120,
        "complete": True,
        "swept_at": _NOW - 42,
        "validated_at": _NOW - 42,
    },
)


def lists() -> Bodies:
    """Return lists: a window, some fields, and users by name that are not all known."""
    window = parse_list({"limit": ["2"]})
    named = parse_list({"emails": ["nobody@example.com,late@example.com"]})
    some = parse_list({"limit": ["2"], "fields": ["id,name"]})
    cut = [project(line, some.fields) for line in _LINES[:2]]
    found = Rows(lines=_LINES[:1], total=1, not_found=("nobody@example.com", "late@example.com"))
    bodies = {
        "a window": list_body(_HEAD.generation, window, Rows(lines=_LINES[:2], total=120)),
        "some fields": list_body(_HEAD.generation, some, Rows(lines=cut, total=120)),
        "by name": list_body(_HEAD.generation, named, found, not_asked=("late@example.com",)),
    }
    return {name: json.loads(body) for name, body in bodies.items()}


def users() -> Bodies:
    """Return one user."""
    return {"a user": json.loads(user_body(_LINES[0]))}


def caches() -> Bodies:
    """Return what is stored, and what is told where nothing is."""
    heads = {"stored": _HEAD, "nothing yet": head_of(CLIENT, {})}
    return {
        name: {"status": "success", "data": cache_data(head, now=_NOW)}
        for name, head in heads.items()
    }


def changes() -> Bodies:
    """Return what changed."""
    data = {
        "since": 6,
        "generation": 8,
        "created": [1412],
        "discovered": [],
        "updated": [{"id": 1001, "fields": ["name", "timeZone"]}],
        "deleted": [1009],
    }
    return {"changes": {"status": "success", "data": data}}


def refreshed() -> Bodies:
    """Return the outcome of a sweep that was waited for."""
    data = {"outcome": "published", "generation": 8, "calls": 1}
    return {"published": {"status": "success", "data": data}}


def accepted() -> Bodies:
    """Return the answer to who does not wait."""
    return {"accepted": {"status": "success", "data": {"outcome": "accepted", "generation": 7}}}


def lookups() -> Bodies:
    """Return bodies of look-ups, one by each kind of name."""
    return {
        "by address": {"emails": ["alice@example.com", f"bob+{CLIENT}@example.com"]},
        "by id": {"ids": [1001, 1004]},
        "by username": {"usernames": ["alice", "bob-2"]},
    }


def _raised(ask: Callable[[], object]) -> ServiceError:
    try:
        ask()
    except ServiceError as error:
        return error
    raise AssertionError("nothing was refused")


def _too_large() -> object:
    line = b" " * 50_000
    return fitting(Rows(lines=[line] * (MAX_ENVELOPE // len(line) + 1), total=500), shorten=False)


def _request(method: str) -> Request:
    return Request(method, _PATH, {}, {}, _REQUEST_ID)


def errors() -> dict[int, Bodies]:
    """Return bodies of errors by status."""
    raised = {
        "a misspelt name": _raised(lambda: parse_list({"timezone": ["Europe/London"]})),
        "a bad value of the origin's": _raised(lambda: parse_list({"limit": ["0"]})),
        "a bad value of our own": _raised(lambda: parse_list({"sort": ["username"]})),
        f"an empty {METADATA_NAME}": _raised(lambda: parse_list({"metadata[plan]": [""]})),
        "a bad user id": _raised(lambda: parse_user_id("me")),
        "too large": _raised(_too_large),
        "no such client": NotFoundError("OAuth client with ID clx not found."),
        "no such user": NotFoundError("User with ID 1009 is not part of this OAuth client."),
        "another method": _raised(_request("PUT").route),
        "an old cursor": GoneError("This cursor is no longer valid; start again."),
        "an old generation": GoneError("Generation 6 cannot be compared with any more."),
        "a fault of ours": ServiceError("Internal server error"),
        "the origin failed": OriginServerError(
            "the origin failed", reason=Reason.ORIGIN_5XX, received=500
        ),
        "the credential was refused": OriginAuthError(
            "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=401
        ),
        "the origin may not be asked": NotAskedError(
            "Nothing usable is stored, and the origin may not be asked now.",
            reason=Reason.ORIGIN_BACKOFF,
            until=_NOW + 7,
        ),
        "a generation is awaited": NotAskedError(
            "This generation is not published yet.", reason=Reason.GENERATION_AWAITED
        ),
        "the origin was late": OriginTimeoutError(
            "no answer in time", reason=Reason.ORIGIN_TIMEOUT
        ),
        "only if cached": OnlyIfCachedError(
            "Nothing suitable is stored, and only-if-cached was asked."
        ),
    }
    found: dict[int, Bodies] = {
        403: {"not allowed": _gateway("ACCESS_DENIED")},
        429: {"throttled": _gateway("THROTTLED")},
    }
    for name, error in raised.items():
        body = error_body(error, timestamp=iso_date(_NOW), path=_PATH, request_id=_REQUEST_ID)
        found.setdefault(int(error.status), {})[name] = json.loads(body)
    return found


def _gateway(kind: str) -> Json:
    """Return what API Gateway answers by itself, as ``template.yaml`` tells it to."""
    text = resource(API)["GatewayResponses"][kind]["ResponseTemplates"]["application/json"]
    for variable, value in {
        "$context.requestTime": "23/Nov/2026:15:43:24 +0000",
        "$context.path": _PATH,
        "$context.requestId": _REQUEST_ID,
    }.items():
        text = text.replace(variable, value)
    body: Json = json.loads(text)
    return body
