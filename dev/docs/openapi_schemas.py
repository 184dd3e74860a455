"""The bodies of the OpenAPI document: schemas of what callers send and get.

Schemas are open where the origin may add something and closed where every byte is our own. What a
schema does not demand may be left out: by ``fields``, or by a deployment that hides it.
"""

from collections.abc import Mapping
from typing import Any

from lib.errors import CODES
from lib.queries.parameters import MAX_MEMBERS, MAX_NUMBER
from lib.users.document import USER_FIELDS
from lib.users.hiding import REQUIRED_FIELDS

type Json = dict[str, Any]

LONGEST_NAME = 320
"""Most characters of a name in the body of a look-up."""

INCOMPLETE_REASONS = ("window-full", "adoption-limit", "unconfirmed-deletions")

OTHER_CODES = ("ResponseTooLarge", "ForbiddenException", "ThrottlerException")
"""Codes beside those of ``lib.errors``: of one kind of 400, and of what API Gateway answers."""


def schema(kind: str | list[str], description: str = "", **rest: Any) -> Json:  # noqa: ANN401 - free-form JSON.
    """Return a schema of one type."""
    return {"type": kind, **({"description": description} if description else {}), **rest}


def ref(name: str, component: str = "schemas") -> Json:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{component}/{name}"}


def or_null(described: Json) -> Json:
    """Return the schema, null allowed."""
    return {**described, "type": [described["type"], "null"]}


def _object(
    properties: Mapping[str, Json], description: str = "", *, optional: tuple[str, ...] = ()
) -> Json:
    """Return a closed object, all of whose properties are there but for the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return schema(
        "object", description, required=required, properties=properties, additionalProperties=False
    )


def _success(data: Json, **rest: Json) -> Json:
    properties = {"status": {"const": "success"}, "data": data, **rest}
    return _object(properties, optional=("notFound", "notAsked"))


_DATE = schema(
    "string",
    "In UTC, to the millisecond.",
    format="date-time",
    pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
)
_COUNT = schema("integer", minimum=0)
_GENERATION = schema("integer", "Rises by one whenever the directory changes.", minimum=0)
_REASON = schema(
    ["string", "null"],
    "Why users may be missing, null where none are. `window-full`: the origin lists no more; "
    "`adoption-limit`: no more users past that are kept; `unconfirmed-deletions`: users that the "
    "origin left out are not yet known to be gone.",
    enum=[*INCOMPLETE_REASONS, None],
)
_NAMES = {"type": "array", "items": {"type": ["string", "integer"]}}
_IDS = schema("array", "User ids, rising.", items=schema("integer"))

_FIELDS: Mapping[str, Json] = {
    "id": schema("integer", format="int64", exclusiveMinimum=0),
    "email": schema("string", "As stored at the origin: with `+<clientId>` before the at sign."),
    "username": or_null(schema("string")),
    "name": or_null(schema("string")),
    "bio": or_null(schema("string")),
    "timeZone": schema("string", "A name of the IANA time zone database."),
    "weekStart": schema("string"),
    "createdDate": schema("string", format="date-time"),
    "timeFormat": or_null(schema("integer", "12 or 24.")),
    "defaultScheduleId": or_null(schema("integer")),
    "locale": or_null(schema("string")),
    "avatarUrl": or_null(schema("string")),
    "metadata": schema("object", "What the platform and the origin keep with the user."),
}


def _managed_user() -> Json:
    # In the origin's order; a field that is described but not known, or not described, fails here.
    properties = {name: _FIELDS[name] for name in USER_FIELDS}
    return schema(
        "object",
        "A user as the origin describes it; fields that the origin adds are passed on. "
        f"{', '.join(f'`{name}`' for name in REQUIRED_FIELDS)} are always there unless `fields` "
        "leaves them out; others a deployment may hide.",
        properties=properties,
        additionalProperties=True,
    )


def _pagination() -> Json:
    return _object(
        {
            "totalItems": _COUNT,
            "remainingItems": _COUNT,
            "returnedItems": _COUNT,
            "itemsPerPage": schema("integer", minimum=1, maximum=MAX_MEMBERS),
            "currentPage": schema("integer", minimum=1),
            "totalPages": _COUNT,
            "hasNextPage": schema("boolean"),
            "hasPreviousPage": schema("boolean"),
            "complete": schema("boolean", "False if there may be users that are not known here."),
            "incompleteReason": _REASON,
        }
    )


def _cache() -> Json:
    age = schema("integer", minimum=0)
    budget = {"limit": _COUNT, "remaining": _COUNT}
    return _object(
        {
            "generation": _GENERATION | {"description": "0: nothing was ever published."},
            "digest": or_null(schema("string", "Names what is stored.", pattern="^[0-9a-f]{40}$")),
            "users": _COUNT,
            "complete": schema("boolean"),
            "incompleteReason": _REASON,
            "age": or_null(age | {"description": "Seconds since the last sweep began."}),
            "oldestObservationAge": or_null(
                age | {"description": "Seconds since which every user was seen at the origin."}
            ),
            "validatedAt": or_null(_DATE),
            "revalidating": schema("boolean", "Whether somebody is asking the origin."),
            "lastError": or_null(schema("string", "Why the last sweep failed.")),
            "blockedUntil": or_null(_DATE),
            "retryAt": or_null(_DATE),
            "originBudget": _object(budget, "Calls to the origin, of this minute."),
        }
    )


def _changes() -> Json:
    updated = {
        "id": schema("integer"),
        "fields": schema("array", "Those that changed.", items=schema("string"), minItems=1),
    }
    return _object(
        {
            "since": _GENERATION,
            "generation": _GENERATION | {"description": "The newest; ask for what came after it."},
            "created": _IDS,
            "discovered": _IDS | {"description": "Were there all along, and became known."},
            "updated": schema("array", items=_object(updated)),
            "deleted": _IDS,
        }
    )


def _error() -> Json:
    details = schema(
        "object",
        "In the origin's forms: `message`, `error` and `statusCode`, or `errors` of its validator. "
        "A parameter of our own adds `parameter`, `allowed` and, maybe, `suggestion`.",
        properties={
            "message": schema("string"),
            "error": schema("string"),
            "statusCode": schema("integer"),
            "parameter": schema("string"),
            "allowed": schema("array", items=schema("string")),
            "suggestion": schema("string"),
            "errors": schema("array", items=schema("object")),
        },
    )
    error = {
        "code": schema("string", enum=sorted({*CODES.values(), *OTHER_CODES})),
        "message": schema("string"),
        "details": details,
    }
    return _object(
        {
            "status": {"const": "error"},
            "timestamp": schema("string", "ISO 8601; API Gateway writes one of its own form."),
            "path": schema("string", "Without the query, which may hold addresses."),
            "requestId": schema("string", "The id that the logs carry."),
            "error": _object(error),
        }
    )


def _names(name: str, items: Json) -> Json:
    members = schema("array", items=items, minItems=1, maxItems=MAX_MEMBERS)
    return _object({name: members})


def schemas() -> Json:
    """Return the schemas by name."""
    text = schema("string", maxLength=LONGEST_NAME)
    return {
        "ManagedUser": _managed_user(),
        "Pagination": _pagination(),
        "UserList": _success(
            schema("array", items=ref("ManagedUser")),
            pagination=ref("Pagination"),
            notFound=_NAMES
            | {
                "description": "There when `emails`, `ids` or `usernames` is: those that no known "
                "user has, as they were written."
            },
            notAsked=_NAMES
            | {"description": "Of whom nothing is known, as the origin could not be asked."},
        ),
        "User": _success(ref("ManagedUser")),
        "Cache": _success(_cache()),
        "Changes": _success(_changes()),
        "Refreshed": _success(
            _object(
                {
                    "outcome": schema("string", enum=["published", "unchanged", "joined"]),
                    "generation": _GENERATION,
                    "calls": _COUNT | {"description": "To the origin, for this request."},
                }
            )
        ),
        "RefreshAccepted": _success(
            _object({"outcome": {"const": "accepted"}, "generation": _GENERATION})
        ),
        "Lookup": {
            "description": "Names of one kind.",
            "oneOf": [
                _names("emails", text | {"format": "email"}),
                _names("ids", schema("integer", minimum=0, maximum=MAX_NUMBER)),
                _names("usernames", text),
            ],
        },
        "Error": _error(),
    }
