"""``docs/openapi.json`` says what the code accepts and answers, and nothing that it does not."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from dev import ROOT
from dev.docs import openapi
from dev.docs.openapi_parameters import CLIENT
from dev.docs.openapi_schemas import INCOMPLETE_REASONS
from dev.template import literals as template
from handlers.gateway import METHODS, Request
from lib.caching.headers import RequestDirectives, not_modified
from lib.errors import CODES, InvalidRequestError
from lib.queries.cursor import Cursor
from lib.queries.list_query import (
    LIST_NAMES,
    SORT_KEYS,
    ListQuery,
    Moment,
    parse_generation,
    parse_list,
    parse_moment,
    parse_nothing,
    parse_switches,
    parse_user_fields,
    parse_user_id,
)
from lib.queries.origin_parameters import Params, owns
from lib.users.document import USER_FIELDS

type Json = Any  # A document is free-form.

FILE = ROOT / "docs" / "openapi.json"
DOCUMENT: Json = json.loads(FILE.read_text(encoding="utf-8"))
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
BASE = "/oauth-clients/{clientId}/"
OPERATIONS: dict[tuple[str, str], Json] = {
    (path.removeprefix(BASE), method.upper()): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
SHARED_NAMES = {"clientId"}

# What each example asks, by the parameter and the example's name.
ASKED: dict[tuple[str, str], dict[str, Any]] = {
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
    ("metadata", "one"): {"metadata": (("plan", ("pro",)),)},
    ("metadata", "either, and"): {"metadata": (("beta", ("true",)), ("plan", ("free", "pro")))},
    ("fields", "some"): {"fields": ("id", "name", "timeZone")},
    ("sort", "newest first"): {"sort": "-createdDate"},
    ("sort", "by name"): {"sort": "name"},
    ("clientId", "sent by a client"): {},
}
MOMENTS: dict[tuple[str, str], Moment] = {
    ("cursor", "from a link"): Moment(
        cursor=Cursor(7, 50, 1_795_448_604, "vRk3VtKp0mJ1hYqj", "f3a1c2b4d5e6")
    ),
    ("min_generation", "told by an event"): Moment(min_generation=8),
}
DIRECTIVES: dict[str, RequestDirectives] = {
    "ask the origin": RequestDirectives(no_cache=True),
    "not older than a minute": RequestDirectives(max_age=60),
    "fresh for another 10 s": RequestDirectives(min_fresh=10),
    "stale will do": RequestDirectives(max_stale=600),
    "only what is stored": RequestDirectives(only_if_cached=True),
}


def resolved(part: Json) -> Json:
    """Return what a reference refers to, anything else as it is."""
    while "$ref" in part:
        _, *steps = part["$ref"].split("/")
        part = DOCUMENT
        for step in steps:
            part = part[step]
    return part


def parameters(resource: str, method: str) -> list[Json]:
    return [resolved(part) for part in OPERATIONS[resource, method]["parameters"]]


def query_names(resource: str, method: str) -> set[str]:
    """Return the names of query parameters as the code writes them."""
    return {
        f"{part['name']}[key]" if part.get("style") == "deepObject" else part["name"]
        for part in parameters(resource, method)
        if part["in"] == "query"
    }


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


def examples(parameter: Json) -> dict[str, Json]:
    return {name: example["value"] for name, example in parameter["examples"].items()}


def validator(schema: Json) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator({**DOCUMENT, **schema}, format_checker=checker)


def example_id(part: object) -> str | None:
    return str(part["name"]) if isinstance(part, dict) and "name" in part else None


LISTED = [
    (part, name, value)
    for part in parameters("users", "GET")
    if part["in"] == "query"
    for name, value in examples(part).items()
]


def everything(part: Json) -> Iterator[dict[str, Json]]:
    """Yield every object of the document."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for member in part:
            yield from everything(member)


def test_the_file_is_what_the_code_makes() -> None:
    made = openapi.text()

    assert FILE.read_text(encoding="utf-8") == made, "run make openapi"


def test_it_is_a_valid_document() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_its_paths_and_methods_are_those_of_the_service_and_of_the_template() -> None:
    declared = {(resource, method) for resource in METHODS for method in METHODS[resource]}

    assert OPERATIONS.keys() == declared
    assert sorted(DOCUMENT["paths"]) == sorted(template.api_paths())


def test_every_path_reaches_the_resource_it_says() -> None:
    for resource, method in OPERATIONS:
        place = resource if resource.startswith("/") else BASE + resource
        path = place.format(clientId=CLIENT, userId=1001)
        request = Request(method, DOCUMENT["servers"][0]["url"] + path, {}, {}, "")
        assert request.route().resource == resource


def test_a_list_has_the_parameters_that_the_code_reads() -> None:
    documented = query_names("users", "GET")

    assert documented - SHARED_NAMES - {"emails[]"} == set(LIST_NAMES)
    assert owns("emails[]")
    assert query_names("users", "HEAD") == documented


def test_a_look_up_has_them_but_for_those_of_its_body() -> None:
    names = set(LIST_NAMES) - {"emails", "ids", "usernames"}

    assert query_names("users/lookup", "POST") - SHARED_NAMES == names


@pytest.mark.parametrize(
    ("resource", "method", "read"),
    [
        ("users/{userId}", "GET", parse_user_fields),
        ("users/{userId}", "HEAD", parse_user_fields),
        ("cache", "GET", parse_nothing),
        ("cache/changes", "GET", lambda params: parse_generation(params, "since")),
        ("cache/refresh", "POST", lambda params: parse_switches(params, ("wait", "believe"))),
    ],
)
def test_other_resources_have_the_parameters_that_the_code_allows(
    resource: str, method: str, read: Callable[[Params], object]
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read({"unknown": ["1"]})

    allowed = set(caught.value.details["allowed"])
    assert query_names(resource, method) - SHARED_NAMES == allowed


def test_every_example_of_a_list_is_known_here() -> None:
    found = {(part["name"], name) for part, name, _ in LISTED}

    assert found == ASKED.keys() | MOMENTS.keys()


@pytest.mark.parametrize(("part", "name", "value"), LISTED, ids=example_id)
def test_an_example_asks_what_it_says(part: Json, name: str, value: Json) -> None:
    params = sent(part, value)
    key = part["name"], name

    assert parse_list(params) == ListQuery(**ASKED.get(key, {}))
    assert parse_moment(params) == MOMENTS.get(key, Moment())


def test_examples_of_other_parameters_are_read_too() -> None:
    (since,) = (part for part in parameters("cache/changes", "GET") if part["name"] == "since")
    switches = {
        part["name"]: [
            parse_switches(sent(part, value), [part["name"]])[part["name"]]
            for value in examples(part).values()
        ]
        for part in parameters("cache/refresh", "POST")
        if part["name"] != "clientId"
    }
    path = DOCUMENT["paths"][f"{BASE}users/{{userId}}"]["parameters"]

    assert [parse_generation(sent(since, v), "since") for v in examples(since).values()] == [6]
    assert switches == {"wait": [True, False], "believe": [True, False]}
    assert [parse_user_id(str(v)) for v in examples(path[1]).values()] == [1001]


def test_the_default_of_a_parameter_is_what_is_done_without_it() -> None:
    defaults = {
        part["name"]: part["schema"]["default"]
        for part in parameters("users", "GET")
        if "default" in part["schema"]
    }

    moment, asked = Moment(), ListQuery()
    assert defaults.pop("min_generation") == moment.min_generation
    assert defaults == {name: getattr(asked, name) for name in defaults}
    assert defaults.keys() == {"limit", "offset", "email_match", "sort"}


def test_a_choice_is_offered_where_the_code_has_one_and_whole() -> None:
    enums = {
        part["name"]: part["schema"].get("enum") or part["schema"].get("items", {}).get("enum")
        for part in parameters("users", "GET")
    }

    assert enums["fields"] == list(USER_FIELDS)
    assert {order.removeprefix("-") for order in enums["sort"]} == set(SORT_KEYS)
    for name in ("email_match", "sort"):
        with pytest.raises(InvalidRequestError) as caught:
            parse_list({name: ["nothing"]})
        assert caught.value.details["allowed"] == enums[name]


@pytest.mark.parametrize(
    ("name", "allowed", "refused"), [("limit", (1, 250), (0, 251)), ("offset", (0, 10**9), (-1,))]
)
def test_bounds_are_those_of_the_code(
    name: str, allowed: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    schema = DOCUMENT["components"]["parameters"][name]["schema"]

    for number in allowed:
        assert validator(schema).is_valid(number)
        assert parse_list({name: [str(number)]}) is not None
    for number in refused:
        assert not validator(schema).is_valid(number)
        with pytest.raises(InvalidRequestError):
            parse_list({name: [str(number)]})


def test_every_directive_that_is_read_has_an_example() -> None:
    header = DOCUMENT["components"]["parameters"]["Cache-Control"]

    read = {name: RequestDirectives.parse(value) for name, value in examples(header).items()}

    assert read == DIRECTIVES
    assert header["name"] == "Cache-Control"


def test_conditions_are_understood() -> None:
    shared = DOCUMENT["components"]["parameters"]
    tags, dates = shared["If-None-Match"], shared["If-Modified-Since"]

    for value in examples(tags).values():
        assert not_modified(
            if_none_match=value,
            if_modified_since=None,
            etag='W/"1-da53a920cad1e52ffe21856a"',
            modified_at=0,
        )
    for value in examples(dates).values():
        assert not_modified(if_none_match=None, if_modified_since=value, etag="", modified_at=0)


def test_every_example_of_a_parameter_fits_its_schema() -> None:
    for resource, method in OPERATIONS:
        for part in parameters(resource, method):
            for value in examples(part).values():
                validator(part["schema"]).validate(value)


def test_every_example_of_a_body_fits_its_schema() -> None:
    seen = 0
    for part in everything(DOCUMENT):
        for body in part.get("content", {}).values():
            for value in examples(body).values() if "examples" in body else ():
                validator(body["schema"]).validate(value)
                seen += 1

    assert seen > 30


def test_every_status_and_code_of_an_error_is_one_that_somebody_answers() -> None:
    of_gateway = {
        code
        for response in template.resource(template.API)["GatewayResponses"].values()
        for code in re.findall(r'"code":"(\w+)"', response["ResponseTemplates"]["application/json"])
    }
    in_code = {*CODES.values(), *re.findall(r'code="(\w+)"', SOURCE)}
    enum = DOCUMENT["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]

    assert set(enum["enum"]) == in_code | of_gateway


def test_every_error_is_shown_with_its_own_status_and_code() -> None:
    statuses = {
        (status, name)
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        for name in [response.get("$ref", "").rpartition("/")[2]]
        if name
    }

    by_status = {
        int(status): DOCUMENT["components"]["responses"][name] for status, name in statuses
    }
    assert len(by_status) == len(statuses) == len(DOCUMENT["components"]["responses"])
    codes = {int(status): code for status, code in CODES.items()}
    assert codes.keys() == by_status.keys() - {403, 429}
    for status, response in by_status.items():
        for body in examples(response["content"]["application/json"]).values():
            error = body["error"]
            assert error["code"] in {codes.get(status, error["code"]), "ResponseTooLarge"}
            assert error["details"].get("statusCode", status) == status


def test_what_answers_head_has_no_body() -> None:
    for resource, method in OPERATIONS:
        responses = OPERATIONS[resource, method]["responses"]
        bodies = {status for status in responses if "content" in resolved(responses[status])}
        expected = set() if method == "HEAD" else responses.keys() - {"304"}
        assert bodies == expected


def test_every_reason_of_an_incomplete_list_is_one_that_the_code_gives() -> None:
    decided = re.search(r"def incomplete_reason\(.*?\n\n\n", SOURCE, re.DOTALL)

    assert decided is not None
    assert set(re.findall(r'"([a-z-]+)"', decided[0])) == set(INCOMPLETE_REASONS)


def test_links_inside_it_are_as_a_caller_writes_them() -> None:
    cursor = DOCUMENT["components"]["parameters"]["cursor"]

    assert all(quote(value) == value for value in examples(cursor).values())
    assert "docs/api.md" in DOCUMENT["info"]["description"]
