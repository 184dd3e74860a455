"""The response headers of each kind of answer, read by an independent linter of HTTP."""

import json
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
from httplint import HttpRequestLinter, HttpResponseLinter
from httplint.note import levels

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.service import (
    CLIENT,
    ERROR_AGE,
    HURRIED_SECONDS,
    REVALIDATE_AGE,
    Answer,
    Service,
    running_service,
)

type Ask = Callable[[Service], Answer]

# Warnings that say nothing new, and why.
ACCEPTED = {"STATUS_BAD_REQUEST": "every 400 has it"}


def cold(service: Service) -> Answer:
    service.delete_head()
    return service.get()


def stale(service: Service) -> Answer:
    service.let_pass(REVALIDATE_AGE)
    return service.get()


def failing(service: Service, fault: Fault, *, seconds: float = 29) -> Answer:
    service.origin.faults = [fault]
    service.delete_head()
    return service.get(seconds=seconds)


def backing_off(service: Service) -> Answer:
    failing(service, Fault("reset"))
    return service.get()


def too_stale(service: Service) -> Answer:
    service.origin.faults = [Fault("status", status=503)]
    service.let_pass(ERROR_AGE)
    return service.get()


def known(service: Service, method: str, path: str = "/users") -> Answer:
    return service.send(method, path, {"If-None-Match": service.get(path).headers["ETag"]})


ANSWERS: dict[str, tuple[str, int, str, Ask]] = {
    "stored": ("GET", 200, "stored", cold),
    "fresh": ("GET", 200, "hit", lambda service: service.get()),
    "in windows": ("GET", 200, "hit", lambda service: service.get("/users?limit=1&offset=1")),
    "filtered": ("GET", 200, "hit", lambda service: service.get("/users?emails[]=x%40example.com")),
    "stale": ("GET", 200, "stale-while-revalidate", stale),
    "stale after an error": ("GET", 200, "stale-if-error", too_stale),
    "one user": ("GET", 200, "hit", lambda service: service.get(f"/users/{service.get().ids[0]}")),
    "head": ("HEAD", 200, "hit", lambda service: service.send("HEAD")),
    "not modified": ("GET", 304, "hit", lambda service: known(service, "GET")),
    "head not modified": ("HEAD", 304, "hit", lambda service: known(service, "HEAD")),
    "bad request": ("GET", 400, "", lambda service: service.get("/users?limit=0")),
    "unknown user": ("GET", 404, "hit", lambda service: service.get("/users/999999")),
    "unknown route": ("GET", 404, "", lambda service: service.get("/nothing")),
    "unknown client": ("GET", 404, "", lambda service: service.get("/v2/oauth-clients/x/users")),
    "wrong method": ("PUT", 405, "", lambda service: service.send("PUT")),
    "unusable": ("GET", 502, "fwd-status=500", lambda s: failing(s, Fault("status", status=500))),
    "backing off": ("GET", 503, "origin-backoff", backing_off),
    "in time": (
        *("GET", 504, "origin-timeout"),
        lambda service: failing(service, Fault("hang"), seconds=HURRIED_SECONDS),
    ),
    "only if cached": (
        "GET",
        504,
        "only-if-cached",
        lambda service: service.get(headers={"Cache-Control": "only-if-cached, max-age=0"}),
    ),
    "accepted": ("POST", 202, "", lambda service: service.send("POST", "/cache/refresh")),
    "refreshed": (
        "POST",
        200,
        "",
        lambda service: service.send("POST", "/cache/refresh?wait=true"),
    ),
    "cache": ("GET", 200, "", lambda service: service.get("/cache")),
}


def notes(method: str, answer: Answer) -> list[str]:
    """Return the linter's warnings of an answer as it leaves API Gateway, worst first."""
    request, linter = HttpRequestLinter(), HttpResponseLinter()
    uri = f"https://api.example.com/v2/oauth-clients/{CLIENT}/users"
    request.process_request_topline(method.encode(), uri.encode(), b"1.1")
    request.process_headers([(b"Host", b"api.example.com")])
    linter.request = request
    linter.is_head_response = method == "HEAD"
    linter.process_response_topline(b"1.1", str(answer.status).encode(), b"")
    added = [("Date", formatdate(usegmt=True))]
    if method != "HEAD" and answer.status != 304:
        added.append(("Content-Length", str(len(answer.response.body))))
    linter.process_headers(
        [(name.encode(), value.encode()) for name, value in [*answer.response.headers, *added]]
    )
    linter.feed_content(answer.response.body)
    linter.finish_content(complete=True)
    found = sorted(linter.notes, key=lambda note: note.level is not levels.BAD)
    return [
        f"{note.level.name} {type(note).__name__}: {note.subject} {note.summary}"
        for note in found
        if note.level in {levels.BAD, levels.WARN} and type(note).__name__ not in ACCEPTED
    ]


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        yield running


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_passes_the_linter(service: Service, kind: str) -> None:
    method, status, told, ask = ANSWERS[kind]
    service.origin.faults = []
    service.delete_head()
    service.refresh()
    service.let_pass(3, same_environment=True)

    answer = ask(service)

    assert answer.status == status, answer.response.body
    assert told in answer.headers.get("Cache-Status", "")
    assert notes(method, answer) == []


def test_the_linter_would_notice(service: Service) -> None:
    service.origin.faults = []
    answer = service.get()
    headers = [*answer.response.headers, ("Age", "-1"), ("Cache-Status", "=;")]

    broken = Answer(type(answer.response)(status=200, headers=headers, body=b"{}"))

    assert notes("GET", broken)[0].startswith("BAD")
    assert json.loads(answer.response.body)["status"] == "success"
