"""The parameters of the OpenAPI document: what each means, its schema and examples of it.

Names, bounds and choices are the code's own; what only people can say is said here. Tests ask the
code each example, and compare the names with those that the code accepts.
"""

from collections.abc import Mapping, Sequence

from dev.docs.openapi_schemas import Json, schema
from lib.queries.cursor import Cursor
from lib.queries.list_query import LIST_NAMES, SORT_KEYS
from lib.queries.origin_parameters import DEFAULT_LIMIT, MAX_LIMIT
from lib.queries.parameters import MAX_MEMBERS, MAX_NUMBER, METADATA_NAME
from lib.users.document import USER_FIELDS

CLIENT = "clxdemo0000000000000000001"
LOOKUP_NAMES = ("emails", "ids", "usernames")
"""Those whose place is the body of a look-up."""

_LETTERS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
_ADDRESS = rf"{_LETTERS}{{1,40}}(?:\.{_LETTERS}{{1,20}})?@(?:{_LABEL}\.){{1,3}}[A-Za-z]{{2,63}}"
_MEMBER = r"[^,]*[^,\s][^,]*"
_NUMBER = schema("integer", minimum=0, maximum=MAX_NUMBER)
_DEEP = {METADATA_NAME: METADATA_NAME.removesuffix("[key]")}
_CURSOR = Cursor(
    generation=7,
    offset=50,
    issued_at=1_795_448_604,
    view="vRk3VtKp0mJ1hYqj",
    policy="f3a1c2b4d5e6",
)


def _parameter(
    name: str, description: str, described: Json, examples: Mapping[str, object], **rest: object
) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": described,
        "examples": {key: {"value": value} for key, value in examples.items()},
        **rest,
    }


def _several(
    name: str, description: str, items: Json, examples: Mapping[str, Sequence[object]]
) -> Json:
    """Return a parameter that takes values separated by commas."""
    members = schema("array", items=items, minItems=1, maxItems=MAX_MEMBERS)
    return _parameter(name, description, members, examples, style="form", explode=False)


def _date(name: str, description: str) -> Json:
    either = schema("string", anyOf=[{"format": "date"}, {"format": "date-time"}])
    examples = {"day": "2026-01-31", "instant": "2026-01-31T12:00:00.000Z"}
    without_zone = "ISO 8601 to the millisecond, in UTC unless it says otherwise."
    return _parameter(name, f"{description} {without_zone}", either, examples)


def _of_origin() -> list[Json]:
    return [
        _parameter(
            "limit",
            "Most users in the answer. Read as JavaScript's `parseInt` reads it: `2.0` is 2, "
            "`10abc` is 10, `0x10` is 16.",
            schema("integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
            {"few": 10, "most": MAX_LIMIT},
        ),
        _parameter(
            "offset",
            "How many users of the filtered, sorted list to leave out, in the newest generation; "
            "read as `limit` is. Unlike at the origin there is no upper bound.",
            schema("integer", minimum=0, default=0),
            {"start": 0, "beyond the origin's window": 500},
        ),
        _parameter(
            "emails",
            "Addresses separated by commas, each trimmed and validated; case matters. One without "
            "the client id is looked up with `+<clientId>` before the at sign. A raw `+` in a URL "
            "is a space: write `%2B`. The pattern has the usual ones; all that validator.js "
            "takes for one are good.",
            schema("string", pattern=rf"^{_ADDRESS}(?:,{_ADDRESS})*$"),
            {
                "one": "alice@example.com",
                "several": "alice@example.com,bob@example.com",
                "as stored": f"alice+{CLIENT}@example.com",
            },
        ),
        _parameter(
            "emails[]",
            "Addresses as a list, which is neither split nor trimmed nor validated. `emails[0]=…` "
            "and `emails=…` more than once mean the same.",
            schema("array", items=schema("string")),
            {"several": ["alice@example.com", "bob@example.com"]},
            style="form",
            explode=True,
        ),
    ]


def _filters() -> list[Json]:
    metadata = schema(
        "object",
        additionalProperties=schema("string", pattern=f"^{_MEMBER}(?:,{_MEMBER})*$"),
        propertyNames=schema("string", pattern=r"^[^\[\]]{1,64}$"),
    )
    return [
        _parameter(
            "email_match",
            "`folded`: the case of an address does not matter.",
            schema("string", enum=["exact", "folded"], default="exact"),
            {"exact": "exact", "folded": "folded"},
        ),
        _several("ids", "User ids.", _NUMBER, {"one": [1001], "two": [1001, 1004]}),
        _several(
            "usernames",
            "Case matters.",
            schema("string", pattern=f"^{_MEMBER}$"),
            {"two": ["alice", "bob-2"]},
        ),
        _parameter(
            "q",
            "A part of the name, the username or the address; case does not matter.",
            schema("string", pattern=r"\S"),
            {"part of a name": "kelly", "case does not matter": "Straße"},
        ),
        _several(
            "timeZone",
            "A user with any of them is listed.",
            schema("string", pattern="^[A-Za-z0-9_+/-]{1,64}$"),
            {"one": ["Europe/London"], "either": ["Europe/London", "Europe/Dublin"]},
        ),
        _several(
            "locale",
            "A user with any of them is listed.",
            schema("string", pattern="^[A-Za-z0-9_+/-]{1,64}$"),
            {"one": ["en"], "either": ["en", "pt-BR"]},
        ),
        _date("createdAfter", "Users created then or later."),
        _date("createdBefore", "Users created earlier than that."),
        _parameter(
            _DEEP[METADATA_NAME],
            "`metadata[key]=…`: values separated by commas, of that key of a user's metadata: a "
            "text as it is, anything else as JSON (`true`, `3`, `null`).",
            metadata,
            {"one": {"plan": "pro"}, "either, and": {"plan": "pro,free", "beta": "true"}},
            style="deepObject",
            explode=True,
        ),
    ]


def _form_and_moment() -> list[Json]:
    orders = [sign + key for key in SORT_KEYS for sign in ("", "-")]
    return [
        _several(
            "fields",
            "Each user has these fields alone; all unless given.",
            schema("string", enum=list(USER_FIELDS)),
            {"some": ["id", "name", "timeZone"]},
        ),
        _parameter(
            "sort",
            "`-` reverses; null comes last, equals by rising id.",
            schema("string", enum=orders, default="id"),
            {"newest first": "-createdDate", "by name": "name"},
        ),
        _parameter(
            "cursor",
            "The next window of a traversal, as a `Link` of an answer gives it: opaque, of one "
            "view, good for an hour. Only `limit` may differ from the request that it came with; "
            "`offset` and `min_generation` are refused beside it.",
            schema("string", pattern="^[A-Za-z0-9_-]+$"),
            {"from a link": _CURSOR.encode()},
        ),
        _parameter(
            "min_generation",
            "The answer is of this generation or a later one. The very next is awaited for 2 s, "
            "any above is refused.",
            _NUMBER | {"default": 0},
            {"told by an event": 8},
        ),
    ]


IGNORED = _parameter(
    "clientId",
    "Accepted and ignored, because a published client sends it.",
    schema("string"),
    {"sent by a client": CLIENT},
)
SINCE = _parameter(
    "since",
    "The generation that the caller knows.",
    _NUMBER,
    {"known": 6},
    required=True,
)
WAIT = _parameter(
    "wait",
    "Whether to answer only when the directory was swept.",
    schema("boolean", default=False),
    {"wait": True, "do not": False},
)
BELIEVE = _parameter(
    "believe",
    "Whether users who are missing from the origin's list are gone, however many they are, without "
    "each being asked for. For operators who know that it is so.",
    schema("boolean", default=False),
    {"they are gone": True, "ask for them": False},
)


def key(parameter: Json) -> str:
    """Return the name of a parameter among the components."""
    return str(parameter["name"]).replace("[]", "List")


def list_parameters() -> dict[str, list[Json]]:
    """Return what documents each of ``LIST_NAMES``; one may be written in several ways.

    Raises:
        KeyError: one of them is not described.
    """
    described: dict[str, list[Json]] = {}
    names = {deep: name for name, deep in _DEEP.items()}
    for parameter in [*_of_origin(), *_filters(), *_form_and_moment()]:
        name = str(parameter["name"]).removesuffix("[]")
        described.setdefault(names.get(name, name), []).append(parameter)
    return {name: described[name] for name in LIST_NAMES}


def _header(name: str, description: str, examples: Mapping[str, str]) -> Json:
    return _parameter(name, description, schema("string"), examples) | {"in": "header"}


DIRECTIVES = _header(
    "Cache-Control",
    "How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a "
    "sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and "
    "`only-if-cached` mean what they mean there. All are wishes while the origin may not be "
    "asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing.",
    {
        "ask the origin": "no-cache",
        "not older than a minute": "max-age=60",
        "fresh for another 10 s": "min-fresh=10",
        "stale will do": "max-stale=600",
        "only what is stored": "only-if-cached",
    },
)
CONDITIONS = [
    _header(
        "If-None-Match",
        "Entity tags of answers that the caller has, compared weakly, or `*`.",
        {"one": 'W/"1-da53a920cad1e52ffe21856a"', "any": "*"},
    ),
    _header(
        "If-Modified-Since",
        "The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`.",
        {"date": "Mon, 23 Nov 2026 16:46:51 GMT"},
    ),
]
PATHS: Mapping[str, Json] = {
    "clientId": {
        "name": "clientId",
        "in": "path",
        "required": True,
        "description": "The id of an OAuth client that the deployment's secret names.",
        "schema": schema("string", pattern="^[A-Za-z0-9_-]{1,64}$"),
        "examples": {"demo": {"value": CLIENT}},
    },
    "userId": {
        "name": "userId",
        "in": "path",
        "required": True,
        "description": "The id of a user.",
        "schema": schema("integer", format="int64"),
        "examples": {"first": {"value": 1001}},
    },
}
