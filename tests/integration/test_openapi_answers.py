"""Real answers are what ``docs/openapi.json`` says: status, headers and body."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.asking import at, cursor_in, link, post
from tests.integration.service import CLIENT, Answer, Service, running_service

type Json = Any  # A document is free-form.
type Ask = Callable[[Service], Answer]

DOCUMENT: Json = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
PATHS: Json = DOCUMENT["paths"]
BASE = "/oauth-clients/{clientId}/"
# Beside what is documented: what any HTTP answer has, and a word to caches on the way.
UNSAID = {"content-type", "x-content-type-options", "cdn-cache-control"}
LOOKUPS: Json = PATHS[f"{BASE}users/lookup"]["post"]["requestBody"]["content"]["application/json"]


def known(service: Service, method: str = "GET") -> Answer:
    return service.send(method, "/users", {"If-None-Match": service.get().headers["ETag"]})


def first_id(service: Service) -> int:
    return service.get("/users?limit=1").ids[0]


def old_cursor(service: Service) -> Answer:
    place = cursor_in(link(service.get("/users?limit=1"), "next"))
    return service.get(at(replace(place, issued_at=0)))


def cold(service: Service, *faults: Fault) -> Answer:
    service.origin.faults = list(faults)
    service.delete_head()
    hanging = any(fault.kind == "hang" for fault in faults)
    return service.get(seconds=2.2 if hanging else 29)


def backing_off(service: Service) -> Answer:
    cold(service, Fault("reset"))
    return service.get()


def changed(service: Service) -> Answer:
    generation = service.head()["generation"]
    service.origin.create(CLIENT)
    service.origin.update(CLIENT, first_id(service), name="Renamed")
    service.refresh({"action": "refresh", "clientId": CLIENT})
    service.forget()
    return service.get(f"/cache/changes?since={generation}")


ANSWERS: dict[str, tuple[str, str, int, Ask]] = {
    "a list": ("users", "GET", 200, lambda s: s.get("/users?limit=2")),
    "a cold list": ("users", "GET", 200, cold),
    "some fields": ("users", "GET", 200, lambda s: s.get("/users?fields=id,metadata")),
    "by names": ("users", "GET", 200, lambda s: s.get("/users?ids=1,2&usernames=x")),
    "a window": ("users", "GET", 200, lambda s: s.get(link(s.get("/users?limit=1"), "next") or "")),
    "the headers of a list": ("users", "HEAD", 200, lambda s: s.send("HEAD")),
    "a list that is known": ("users", "GET", 304, known),
    "headers that are known": ("users", "HEAD", 304, lambda s: known(s, "HEAD")),
    "an unknown name": ("users", "GET", 400, lambda s: s.get("/users?timezone=x")),
    "a bad limit": ("users", "GET", 400, lambda s: s.get("/users?limit=0")),
    "a bad limit, its headers": ("users", "HEAD", 400, lambda s: s.send("HEAD", "/users?limit=0")),
    "no such client": ("users", "GET", 404, lambda s: s.get("/v2/oauth-clients/x/users")),
    "another method": ("users", "GET", 405, lambda s: s.send("PUT")),
    "an old cursor": ("users", "GET", 410, old_cursor),
    "unusable": ("users", "GET", 502, lambda s: cold(s, Fault("status", status=500))),
    "backing off": ("users", "GET", 503, backing_off),
    "in time": ("users", "GET", 504, lambda s: cold(s, Fault("hang"))),
    "a user": ("users/{userId}", "GET", 200, lambda s: s.get(f"/users/{first_id(s)}")),
    "a bad id": ("users/{userId}", "GET", 400, lambda s: s.get("/users/me")),
    "no such user": ("users/{userId}", "GET", 404, lambda s: s.get("/users/999999")),
    "a look-up": ("users/lookup", "POST", 200, lambda s: post(s, "/users/lookup", {"ids": [1]})),
    "no body": ("users/lookup", "POST", 400, lambda s: post(s, "/users/lookup", b"")),
    "what is stored": ("cache", "GET", 200, lambda s: s.get("/cache")),
    "changes": ("cache/changes", "GET", 200, changed),
    "no since": ("cache/changes", "GET", 400, lambda s: s.get("/cache/changes")),
    "too long ago": ("cache/changes", "GET", 410, lambda s: s.get("/cache/changes?since=0")),
    "accepted": ("cache/refresh", "POST", 202, lambda s: s.send("POST", "/cache/refresh")),
    "swept": ("cache/refresh", "POST", 200, lambda s: s.send("POST", "/cache/refresh?wait=true")),
    "a bad wait": ("cache/refresh", "POST", 400, lambda s: s.send("POST", "/cache/refresh?wait=1")),
}


def resolved(part: Json) -> Json:
    """Return what a reference to a component refers to, anything else as it is."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return DOCUMENT["components"][kind][name]


def unlike(schema: Json, value: Json) -> list[str]:
    """Return how a value differs from a schema of the document."""
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator({**DOCUMENT, **schema}, format_checker=checker)
    return [error.message for error in validator.iter_errors(value)]


def differences(answer: Answer, response: Json) -> list[str]:
    """Return how an answer differs from a response of the document."""
    said = {name.lower(): resolved(header) for name, header in response["headers"].items()}
    found = []
    for name, text in answer.headers.items():
        if name.lower() in said:
            schema = said[name.lower()]["schema"]
            found += unlike(schema, int(text) if schema["type"] == "integer" else text)
        elif name.lower() not in UNSAID:
            found.append(f"the header {name} is not documented")
    if "content" not in response:
        return found + (["there is a body"] if answer.response.body else [])
    return found + unlike(response["content"]["application/json"]["schema"], answer.body)


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        yield running


@pytest.fixture(autouse=True)
def _warm(service: Service) -> None:
    service.origin.faults = []
    service.delete_head()
    service.refresh()
    service.let_pass(3, same_environment=True)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_as_documented(service: Service, kind: str) -> None:
    resource, method, status, ask = ANSWERS[kind]

    answer = ask(service)

    assert answer.status == status, answer.response.body
    responses = PATHS[BASE + resource][method.lower()]["responses"]
    assert differences(answer, resolved(responses[str(status)])) == []


def test_something_else_would_be_noticed(service: Service) -> None:
    answer = service.get()
    responses = PATHS[f"{BASE}users/{{userId}}"]["get"]["responses"]

    assert any("Link" in said for said in differences(answer, responses["200"]))
    assert "[{" in str(differences(answer, responses["200"]))


@pytest.mark.parametrize("example", LOOKUPS["examples"].values())
def test_a_body_that_is_documented_is_understood(service: Service, example: Json) -> None:
    assert post(service, "/users/lookup", example["value"]).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"usernames": ["x" * 320]}, 200),
        ({"usernames": ["x" * 321]}, 400),
        ({"usernames": ["x"] * 250}, 200),
        ({"usernames": ["x"] * 251}, 400),
        ({"ids": []}, 400),
        ({"ids": ["1"]}, 400),
        ({"ids": [1], "usernames": ["x"]}, 400),
        ({}, 400),
    ],
    ids=lambda part: str(part)[:30],
)
def test_a_body_is_refused_where_the_document_refuses_it(
    service: Service, body: Json, status: int
) -> None:
    fits = unlike(LOOKUPS["schema"], body) == []

    assert post(service, "/users/lookup", body).status == status
    assert fits == (status == 200)
