"""``docs/openapi.json`` says what the code accepts, and nothing that it does not."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dev import ROOT
from dev.local.settings import DEMO_CALCOM_WEBHOOK_SECRET
from dev.template.literals import api_paths
from handlers.gateway import METHODS, Request
from lib.caching.headers import RequestDirectives, not_modified
from lib.errors import InvalidRequestError, MethodNotAllowedError, ServiceError
from lib.origin import webhook
from lib.origin.credential import SecretKey
from lib.queries import lookup_body
from lib.queries.cursor import Cursor, Cursors
from lib.queries.feed_query import FeedQuery, feed_cursors, parse_feed
from lib.queries.list_query import (
    LIST_NAMES,
    SORT_KEYS,
    ListQuery,
    parse_changes,
    parse_list,
    parse_nothing,
    parse_switches,
    parse_user_fields,
    parse_user_id,
)
from lib.queries.moment import AsOf, Moment, parse_moment
from lib.queries.origin_parameters import MAX_LIMIT, Params, owns
from lib.queries.parameters import MAX_MEMBERS, MAX_NUMBER
from lib.users.document import SHOWN_FIELDS
from tests.openapi import (
    BASE,
    CLIENT,
    COMPONENTS,
    DOCUMENT,
    OPERATIONS,
    TEXT,
    Json,
    body_of,
    everything,
    examples,
    fits,
    parameters,
    query_names,
    unlike,
)

SERVER = DOCUMENT["servers"][0]["url"]
HANDLERS = "\n".join(path.read_text() for path in (ROOT / "src" / "handlers").rglob("*.py"))

# What each example asks, by the parameter and the example's name.
ASKED: dict[tuple[str, str], dict[str, Json]] = {
    ("limit", "few"): {"limit": 10},
    ("limit", "most"): {"limit": 250},
    ("offset", "start"): {},
    ("offset", "beyond the origin's window"): {"offset": 500},
    ("emails", "one"): {"emails": ("alice@example.com",)},
    ("emails", "several"): {"emails": ("alice@example.com", "bob@example.com")},
    ("emails", "as stored"): {"emails": (f"alice+{CLIENT}@example.com",)},
    ("emails[]", "several"): {"emails": ("alice@example.com", "bob@example.com")},
    ("email_match", "exact"): {},
    ("email_match", "folded"): {"email_match": "folded"},
    ("ids", "one"): {"ids": (1001,)},
    ("ids", "two"): {"ids": (1001, 1004)},
    ("usernames", "two"): {"usernames": ("alice", "bob-2")},
    ("q", "part of a name"): {"q": "kelly"},
    ("q", "case does not matter"): {"q": "strasse"},
    ("timeZone", "one"): {"time_zones": frozenset({"Europe/London"})},
    ("timeZone", "either"): {"time_zones": frozenset({"Europe/London", "Europe/Dublin"})},
    ("locale", "one"): {"locales": frozenset({"en"})},
    ("locale", "either"): {"locales": frozenset({"en", "pt-BR"})},
    ("createdAfter", "day"): {"created_after": 1_769_817_600.0},
    ("createdAfter", "instant"): {"created_after": 1_769_860_800.0},
    ("createdBefore", "day"): {"created_before": 1_769_817_600.0},
    ("createdBefore", "instant"): {"created_before": 1_769_860_800.0},
    ("changedSince", "day"): {"changed_since": 1_769_817_600.0},
    ("changedSince", "instant"): {"changed_since": 1_769_860_800.0},
    ("metadata", "one"): {"metadata": (("plan", ("pro",)),)},
    ("metadata", "either, and"): {"metadata": (("beta", ("true",)), ("plan", ("pro,free",)))},
    ("fields", "some"): {"fields": ("id", "name", "timeZone")},
    ("sort", "newest first"): {"sort": "-createdDate"},
    ("sort", "by name"): {"sort": "name"},
    ("sort", "changed last"): {"sort": "-updatedAt"},
    ("clientId", "sent by a client"): {},
}
EXAMPLES = Cursors(lambda: b"the key of examples")
FEED_EXAMPLES = feed_cursors(lambda: b"the key of examples")
MOMENTS: dict[tuple[str, str], Moment] = {
    ("cursor", "from a link"): Moment(
        cursor=Cursor(7, 50, 1_795_448_604, "vRk3VtKp0mJ1hYqj", "f3a1c2b4d5e6")
    ),
    ("min_generation", "told by an event"): Moment(min_generation=8),
    ("asOf", "a generation"): Moment(as_of=AsOf(number=7)),
    ("asOf", "a day"): Moment(as_of=AsOf(instant=1_769_817_600.0)),
    ("asOf", "an instant"): Moment(as_of=AsOf(instant=1_769_860_800.0)),
}
DIRECTIVES: dict[str, RequestDirectives] = {
    "ask the origin": RequestDirectives(no_cache=True),
    "not older than a minute": RequestDirectives(max_age=60),
    "fresh for another 10 s": RequestDirectives(min_fresh=10),
    "stale will do": RequestDirectives(max_stale=600),
    "only what is stored": RequestDirectives(only_if_cached=True),
}
# What reads the query of each resource; a look-up's like a list's, but for what its body names.
READERS: dict[str, Callable[[Params], object]] = {
    "users": lambda params: (parse_list(params), parse_moment(params, EXAMPLES.read)),
    "users/{userId}": lambda params: (
        parse_user_fields(params),
        parse_moment(params, EXAMPLES.read),
    ),
    "users/lookup": lambda params: (parse_list(params), parse_moment(params, EXAMPLES.read)),
    "cache": parse_nothing,
    "cache/changes": parse_changes,
    "cache/pages": parse_nothing,
    "cache/refresh": lambda params: parse_switches(params, ("wait", "believe")),
    "webhook": parse_nothing,
    "events": lambda params: parse_feed(params, CLIENT, FEED_EXAMPLES.read),
    "/openapi.json": parse_nothing,
}
# At the bounds of the code and beside them, whatever the document says.
NUMBERS = (-1, 0, 1, MAX_LIMIT, MAX_LIMIT + 1, 1_000, 1_001, MAX_NUMBER, MAX_NUMBER + 1, "x")
TEXTS = (
    *("", " ", "x", "a b", "a;b", "Straße", "x" * 64, "x" * 65, "Europe/London"),
    *("id", "-id", "exact", "2026-01-31", "2026-01-31T12:00:00Z", "2026-02-31", "yesterday"),
)
OBJECTS = (
    *({"plan": "pro"}, {"plan": "pro,free"}, {"plan": ""}, {"plan": "a,,b"}, {"plan": " "}),
    *({"k" * 64: "x"}, {"k" * 65: "x"}, {"a[b": "x"}, {"": "x"}),
)
NAMED = {"emails": "a@example.com", "ids": 1, "usernames": "x"}
COUNTS = (1, MAX_MEMBERS, MAX_MEMBERS + 1)
# Known not to allow what the code does: a pattern for any address or cursor could not be read.
NARROWER = {"emails", "cursor", "after"}


def sent(parameter: Json, value: Json) -> dict[str, list[str]]:
    """Return the query that a client makes of a parameter's value."""
    name = parameter["name"]
    match parameter.get("style", "form"), value:
        case "deepObject", dict():
            return {f"{name}[{key}]": [text] for key, text in value.items()}
        case _, list() if parameter["explode"]:
            return {name: [str(member) for member in value]}
        case _, list():
            return {name: [",".join(map(str, value))]}
        case _, bool():
            return {name: [str(value).lower()]}
        case _:
            return {name: [str(value)]}


def accepted(read: Callable[[], object]) -> bool:
    try:
        read()
    except ServiceError:
        return False
    return True


def probes(part: Json, schema: Json) -> Iterator[Json]:
    """Yield values to try on a parameter: of its type, some allowed and some not."""
    match schema["type"]:
        case "array":
            yield from ([member] for member in probes(part, schema["items"]))
            usual = next(iter(examples(part).values()))[:1]
            yield from (usual * count for count in COUNTS)
        case "object":
            yield from OBJECTS
        case "integer":
            yield from NUMBERS
        case "boolean":
            yield from (True, False, "x")
        case _:
            yield from TEXTS


def example_id(part: object) -> str | None:
    return str(part["name"]) if isinstance(part, dict) and "name" in part else None


PARAMETERS = [
    pytest.param(resource, part, id=f"{method} {resource} {part['name']}")
    for resource, method in OPERATIONS
    for part in parameters(resource, method, "query")
    if part["name"] not in NARROWER
]
LISTED = [
    (part, name, value)
    for part in parameters("users", "GET", "query")
    for name, value in examples(part).items()
]


def test_it_is_a_valid_document_and_written_as_make_format_writes_it() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    assert json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n" == TEXT


def test_it_is_of_this_project_and_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    told = DOCUMENT["info"]
    assert (told["version"], told["summary"]) == (project["version"], project["description"])
    assert told["license"]["identifier"] == project["license"]
    assert "docs/api.md" in told["description"]


def test_nothing_in_it_is_unused() -> None:
    used = {part["$ref"] for part in everything() if "$ref" in part}
    defined = {f"#/components/{kind}/{name}" for kind in COMPONENTS for name in COMPONENTS[kind]}

    assert defined - used == {"#/components/securitySchemes/sigv4"}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {
        tag for operation in OPERATIONS.values() for tag in operation["tags"]
    }


def test_its_paths_and_methods_are_those_of_the_service_and_of_the_template() -> None:
    declared = {(resource, method) for resource in METHODS for method in METHODS[resource]}

    assert OPERATIONS.keys() == declared
    assert sorted(DOCUMENT["paths"]) == sorted(api_paths())


def test_every_path_reaches_the_resource_it_says_and_no_other_method_does() -> None:
    for resource, method in OPERATIONS:
        place = resource if resource.startswith("/") else BASE + resource
        path = SERVER + place.format(clientId=CLIENT, userId=1001)
        assert Request(method, path, {}, {}, "").route().resource == resource
        with pytest.raises(MethodNotAllowedError):
            Request("PUT", path, {}, {}, "").route()


def test_a_list_has_the_parameters_that_the_code_reads() -> None:
    assert query_names("users", "GET") == set(LIST_NAMES)
    assert owns("emails[]")


@pytest.mark.parametrize(("resource", "method"), OPERATIONS)
def test_an_operation_has_the_parameters_that_the_code_allows(resource: str, method: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        READERS[resource]({"unknown": ["1"]})

    # A look-up's body has the rest.
    in_body = lookup_body.NAMES if resource == "users/lookup" else set()
    assert query_names(resource, method) == set(caught.value.details["allowed"]) - in_body


def test_where_the_code_takes_and_ignores_a_client_id_the_document_has_it() -> None:
    for resource, method in OPERATIONS:
        named = any(part["name"] == "clientId" for part in parameters(resource, method, "query"))
        assert named
        without = {"since": ["1"]} if resource == "cache/changes" else {}
        assert READERS[resource]({**without, "clientId": ["x"]}) == READERS[resource](without)


def test_a_head_takes_and_answers_what_its_get_does() -> None:
    for resource, method in OPERATIONS:
        if method == "HEAD":
            head, get = OPERATIONS[resource, "HEAD"], OPERATIONS[resource, "GET"]
            assert head["parameters"] == get["parameters"]
            assert head["responses"].keys() == get["responses"].keys()


@pytest.mark.parametrize(("resource", "part"), PARAMETERS)
def test_the_code_accepts_what_the_document_allows_and_nothing_else(
    resource: str, part: Json
) -> None:
    beside = {"since": ["1"]} if resource == "cache/changes" and part["name"] != "since" else {}
    values = [*examples(part).values(), *probes(part, part["schema"])]

    read = [accepted(partial(READERS[resource], beside | sent(part, value))) for value in values]

    assert read == [fits(part["schema"], value) for value in values], values
    assert accepted(partial(READERS[resource], beside)) is not part.get("required", False)


def test_every_example_fits_its_schema() -> None:
    for resource, method in OPERATIONS:
        for part in parameters(resource, method, "path", "query", "header"):
            found = examples(part)
            assert found
            assert [unlike(part["schema"], value) for value in found.values()] == [[]] * len(found)


def test_every_example_of_a_list_is_known_here() -> None:
    found = {(part["name"], name) for part, name, _ in LISTED}

    assert found == ASKED.keys() | MOMENTS.keys()


@pytest.mark.parametrize(("part", "name", "value"), LISTED, ids=example_id)
def test_an_example_asks_what_it_says(part: Json, name: str, value: Json) -> None:
    params = sent(part, value)
    key = part["name"], name

    assert parse_list(params) == ListQuery(**ASKED.get(key, {}))
    assert parse_moment(params, EXAMPLES.read) == MOMENTS.get(key, Moment())


def test_examples_of_switches_show_both_ways() -> None:
    for part in parameters("cache/refresh", "POST", "query"):
        if part["name"] != "clientId":
            assert list(examples(part).values()) == [True, False]


@pytest.mark.parametrize(("resource", "method"), OPERATIONS)
def test_the_default_of_a_parameter_is_what_is_done_without_it(resource: str, method: str) -> None:
    parts = parameters(resource, method, "query")
    defaults = {p["name"]: p["schema"]["default"] for p in parts if "default" in p["schema"]}

    # As many as a body may name are asked for at once.
    asked = ListQuery(limit=MAX_MEMBERS) if resource == "users/lookup" else ListQuery()
    if resource == "events":
        asked = ListQuery(limit=FeedQuery().limit)
    silent = {**vars(asked), "min_generation": Moment().min_generation}
    silent |= parse_switches({}, ("wait", "believe"))
    with_default = {"limit", "offset", "email_match", "sort", "min_generation", "wait", "believe"}
    assert defaults == {name: silent[name] for name in defaults}
    assert defaults.keys() == with_default & query_names(resource, method)


def test_a_choice_is_offered_where_the_code_has_one_and_whole() -> None:
    enums = {
        part["name"]: part["schema"].get("enum") or part["schema"].get("items", {}).get("enum")
        for part in parameters("users", "GET", "query")
    }

    assert enums["fields"] == list(SHOWN_FIELDS)
    assert {order.removeprefix("-") for order in enums["sort"]} == set(SORT_KEYS)
    for name in ("email_match", "sort"):
        with pytest.raises(InvalidRequestError) as caught:
            parse_list({name: ["nothing"]})
        assert caught.value.details["allowed"] == enums[name]


@pytest.mark.parametrize("value", [CLIENT, "x" * 64, "x" * 65, "a_b-C", "a.b", "a b", "ä"])
def test_a_client_is_found_under_what_the_document_allows(value: str) -> None:
    (part,) = parameters("cache", "GET", "path")
    request = Request("GET", SERVER + BASE.format(clientId=value) + "cache", {}, {}, "")

    assert accepted(request.route) == fits(part["schema"], value)


@pytest.mark.parametrize("value", [1001, -1, 0, 2**63 - 1, "me", 1.5])
def test_a_user_is_found_under_what_the_document_allows(value: Json) -> None:
    _, part = parameters("users/{userId}", "GET", "path")

    assert accepted(lambda: parse_user_id(str(value))) == fits(part["schema"], value)


def test_every_header_that_is_read_is_documented() -> None:
    documented = {
        part["name"].lower()
        for resource, method in OPERATIONS
        for part in parameters(resource, method, "header")
    }

    read = set(re.findall(r'headers\.get\("([a-z0-9-]+)"', HANDLERS))
    # HTTP libraries send accept-encoding by themselves, and undo the coding.
    assert read - documented == {"pragma", "accept-encoding"}
    assert documented - read == set()
    assert "Pragma: no-cache" in COMPONENTS["parameters"]["Cache-Control"]["description"]


def test_every_directive_that_is_read_has_an_example() -> None:
    header = COMPONENTS["parameters"]["Cache-Control"]

    read = {name: RequestDirectives.parse(value) for name, value in examples(header).items()}

    said = {
        name
        for directives in DIRECTIVES.values()
        for name, default in RequestDirectives._field_defaults.items()
        if getattr(directives, name) != default
    }
    assert read == DIRECTIVES
    assert said == set(RequestDirectives._fields)
    assert {name for name in said if f"`{name.replace('_', '-')}" not in header["description"]} == (
        set()
    )


def test_conditions_are_understood() -> None:
    tags = examples(COMPONENTS["parameters"]["If-None-Match"]).values()
    dates = examples(COMPONENTS["parameters"]["If-Modified-Since"]).values()
    etag = COMPONENTS["headers"]["ETag"]["example"]

    for value in tags:
        assert not_modified(if_none_match=value, if_modified_since=None, etag=etag, modified_at=0)
    for value in dates:
        assert not_modified(if_none_match=None, if_modified_since=value, etag="", modified_at=0)


def test_a_cursor_is_written_as_a_caller_writes_it() -> None:
    cursor = COMPONENTS["parameters"]["cursor"]
    widest = EXAMPLES.write(Cursor(2**53 - 1, 2**53 - 1, 2**53 - 1, "~" * 18, "?" * 12))

    assert all(quote(value) == value for value in examples(cursor).values())
    assert fits(cursor["schema"], widest)


@pytest.mark.parametrize(
    "body",
    [
        *({name: [value]} for name in ("usernames", "ids") for value in (*NUMBERS, True, None)),
        *({name: [value] * count} for name, value in NAMED.items() for count in (0, *COUNTS)),
        *({"usernames": ["x" * length]} for length in (0, 320, 321)),
        *({"emails": [value]} for value in ("x", 1)),
        *({"emails": ["a@example.com"], "ids": [1]}, {"names": ["x"]}, {"ids": 1}, {}, [], None),
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_is_refused_where_the_document_refuses_it(body: Json) -> None:
    schema = body_of(OPERATIONS["users/lookup", "POST"]["requestBody"])["schema"]

    assert accepted(lambda: lookup_body.parse(json.dumps(body))) == fits(schema, body)


def test_an_example_of_a_body_names_whom_it_says() -> None:
    bodies = examples(body_of(OPERATIONS["users/lookup", "POST"]["requestBody"]))

    assert {name: lookup_body.parse(json.dumps(body)) for name, body in bodies.items()} == {
        "by address": {"emails": ("alice@example.com", f"bob+{CLIENT}@example.com")},
        "by id": {"ids": (1001, 1004)},
        "by username": {"usernames": ("alice", "bob-2")},
    }


def test_an_example_of_a_webhook_names_users_and_is_signed_as_shown() -> None:
    (header,) = parameters("webhook", "POST", "header")
    shown = examples(body_of(OPERATIONS["webhook", "POST"]["requestBody"]))
    bodies = {name: json.dumps(body, separators=(",", ":")) for name, body in shown.items()}

    read = {name: webhook.parse(body.encode(), CLIENT) for name, body in bodies.items()}

    assert {name: (told.trigger, told.users.keys) for name, told in read.items()} == {
        "a booking": ("BOOKING_CREATED", ["id:1001"]),
        "somebody is away": ("OOO_CREATED", ["id:1001", "id:1005"]),
    }
    (signature,) = examples(header).values()
    secret = SecretKey(DEMO_CALCOM_WEBHOOK_SECRET)
    assert webhook.is_signed(bodies["a booking"].encode(), signature, [secret])
    assert fits(header["schema"], signature)
    assert not fits(header["schema"], signature.upper())


def test_what_is_said_of_a_webhook_s_size_is_what_is_read() -> None:
    operation = OPERATIONS["webhook", "POST"]
    users = COMPONENTS["schemas"]["WebhookAccepted"]["properties"]["data"]["properties"]["users"]

    assert webhook.MAX_BYTES == 256 * 1024
    assert "256 KB" in operation["requestBody"]["description"]
    assert users["maximum"] == webhook.MAX_USERS
