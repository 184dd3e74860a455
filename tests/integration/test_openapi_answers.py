"""Real answers are what ``docs/openapi.json`` says: status, headers and body, both ways.

Every operation is asked in every way there is. Each answer must be documented, and everything that
is documented must have been answered.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from typing import NoReturn, override

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.local.gateway_events import Request, Resource, to_event, to_response
from dev.origin import Fault
from dev.template.literals import api_paths
from handlers import api
from lib.aws import items
from lib.origin.credential import SecretKey
from lib.origin.webhook import MAX_BYTES, signature_of
from lib.queries import lookup_body
from lib.revalidation.observe import Observer
from tests.integration.asking import at, cursor_in, link
from tests.integration.service import (
    CLIENT,
    HURRIED_SECONDS,
    SECRET,
    Answer,
    Context,
    Service,
    running_service,
)
from tests.openapi import (
    BASE,
    COMPONENTS,
    OPERATIONS,
    Json,
    body_of,
    from_gateway,
    parameters,
    query_names,
    resolved,
    responses,
    unlike,
)

# Beside what is documented: what any HTTP answer has, and a word to caches on the way.
UNSAID = {"content-type", "x-content-type-options", "cdn-cache-control"}
WEBHOOK_SECRET = "the-webhook-secret"
CLIENTS: Json = {CLIENT: {"key": SECRET, "webhookSecret": WEBHOOK_SECRET}}
type Answers = dict[tuple[str, str], dict[str, Answer]]

RESOURCES = [Resource(path) for path in api_paths()]


class BrokenContext:
    """A runtime that does not even know the time."""

    aws_request_id = "r1"

    def get_remaining_time_in_millis(self) -> int:
        raise RuntimeError("a fault of the service")


@dataclass(frozen=True)
class Asker:
    """Asks one operation of a service."""

    service: Service
    resource: str
    method: str
    ids: tuple[int, ...]

    def __call__(
        self,
        query: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        client: str = CLIENT,
        context: Context | BrokenContext | None = None,
    ) -> Answer:
        """Return the answer; without a ``query``, to what makes sense to ask."""
        body = self.body()
        usual = {"users": "limit=2", "users/lookup": "limit=1", "cache/changes": "since=1"}
        place = self.resource if self.resource.startswith("/") else BASE + self.resource
        path = place.format(clientId=client, userId=self.ids[0])
        query = usual.get(self.resource, "") if query is None else query
        request = Request(
            method=self.method,
            target=f"/v2{path}?{query}",
            headers=list({"X-Cal-Signature-256": signed(body), **(headers or {})}.items()),
            body=body,
            source_ip="127.0.0.1",
        )
        now = self.service.clock.now
        event = to_event(request, resources=RESOURCES, request_id=str(uuid.uuid4()), now=now)
        return Answer(to_response(api.handler(event, context or self.service.context())))

    def body(self) -> bytes:
        if self.resource == "webhook":
            hosts = [{"id": user_id} for user_id in self.ids]
            return json.dumps({"triggerEvent": "PING", "payload": {"hosts": hosts}}).encode()
        return json.dumps({"ids": self.ids}).encode() if self.method == "POST" else b""

    def cold(
        self, *faults: Fault, headers: Mapping[str, str] | None = None, seconds: float = 29
    ) -> Answer:
        """Ask while nothing is stored and the origin does what ``faults`` say."""
        self.service.origin.faults = list(faults)
        waiting = "wait=true" if self.resource == "cache/refresh" else None
        return self(waiting, headers, context=self.service.context(seconds))


def signed(body: bytes) -> str:
    return signature_of(body, SecretKey(WEBHOOK_SECRET))


@dataclass(frozen=True)
class LongWinded(Asker):
    """Somebody who says a lot."""

    @override
    def body(self) -> bytes:
        body = super().body()
        return body + b" " * MAX_BYTES if self.resource == "webhook" else body


def too_long(ask: Asker) -> Answer:
    return LongWinded(ask.service, ask.resource, ask.method, ask.ids)()


def other_method(ask: Asker) -> Answer:
    answer = replace(ask, method="PUT")()
    # Of HEAD it is said how the headers look; what is answered to PUT has a body beside them.
    return Answer(replace(answer.response, body=b"")) if ask.method == "HEAD" else answer


def next_window(ask: Asker) -> Answer:
    target = link(ask("limit=1"), "next") or "?cursor=none"
    return ask(target.partition("?")[2])


def old_cursor(ask: Asker) -> Answer:
    target = link(ask("limit=1"), "next")
    if target is None:
        return ask("limit=1&cursor=none")
    return ask(at(cursor_in(target)._replace(issued_at=0)).partition("?")[2] + "&limit=1")


def in_a_pause(ask: Asker) -> Answer:
    replace(ask, resource="users", method="GET").cold(Fault("reset"))
    return ask()


def without_a_secret(ask: Asker) -> Answer:
    secrets = ask.service.aws.client("secretsmanager")
    secrets.delete_secret(SecretId=ask.service.secret, ForceDeleteWithoutRecovery=True)
    try:
        return ask.cold()
    finally:
        ask.service.put_secret(CLIENTS)


def too_late(ask: Asker) -> Answer:
    # Of each kind of response one will do: what else is 504 is said at once, to only-if-cached.
    slow = (ask.resource, ask.method) in {("cache/refresh", "POST"), ("users", "HEAD")}
    return ask.cold(Fault("hang"), seconds=HURRIED_SECONDS) if slow else ask()


def broken_down(ask: Asker) -> Answer:
    """Ask while a sweep comes upon what nobody had thought of."""

    def fault(*_: object) -> NoReturn:
        raise RuntimeError("a fault of the service")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Observer, "everyone", fault)
        return ask.cold()


def changed(ask: Asker) -> Answer:
    ask.service.origin.update(CLIENT, ask.ids[0], name=f"Renamed {uuid.uuid4()}")
    ask.service.refresh({"action": "refresh", "clientId": CLIENT})
    ask.service.forget()
    return ask()


def forgotten(ask: Asker) -> Answer:
    """Ask for what happened after a generation that is no longer kept."""
    changed(ask)
    first = items.encode({"pk": f"client#{CLIENT}", "sk": "gen#1"})
    ask.service.table.client.delete_item(TableName=ask.service.table.name, Key=first)
    ask.service.forget()
    return ask("after=1") if ask.resource == "events" else ask()


WAYS: dict[str, Callable[[Asker], Answer]] = {
    "as it is": Asker.__call__,
    "without parameters": lambda ask: ask(""),
    "some fields": lambda ask: ask("fields=id,metadata"),
    "by names": lambda ask: ask("ids=1,2&usernames=x"),
    "a misspelt name": lambda ask: ask("timezone=x"),
    "another client": lambda ask: ask(client="x"),
    "another user": lambda ask: replace(ask, ids=(999_999, 1))(),
    "another method": other_method,
    "who has it": lambda ask: ask(headers={"If-None-Match": "*"}),
    "not changed": lambda ask: ask(headers={"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}),
    "the next window": next_window,
    "an old cursor": old_cursor,
    "too long ago": lambda ask: ask("since=0"),
    "as it was": lambda ask: ask("asOf=1"),
    "as it was long ago": lambda ask: ask("asOf=2001-01-01"),
    "a fault of ours": lambda ask: ask(context=BrokenContext()),
    "what changed": changed,
    "not signed": lambda ask: ask(headers={"X-Cal-Signature-256": "0" * 64}),
    "too long": too_long,
    "waiting for it": lambda ask: ask("wait=true"),
    "from the start": lambda ask: ask("after=0&limit=1"),
    "who has the start": lambda ask: ask("after=0&limit=1", {"If-None-Match": "*"}),
    "forgotten": forgotten,
}
"""How a service is asked that knows its users."""

COLD_WAYS: dict[str, Callable[[Asker], Answer]] = {
    "cold": Asker.cold,
    "the origin fails": lambda ask: ask.cold(Fault("status", status=500)),
    "in a pause": in_a_pause,
    "without a secret": without_a_secret,
    "only if cached": lambda ask: ask.cold(headers={"Cache-Control": "only-if-cached"}),
    "too late": too_late,
    "a sweep breaks down": broken_down,
}
"""How one is asked that knows nothing; the origin may fail."""


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
    return found + unlike(body_of(response)["schema"], answer.body)


def empty(service: Service) -> None:
    """Let the service forget everything, and the origin do as it should."""
    service.origin.faults = []
    for item in service.items():
        key = {name: item[name] for name in ("pk", "sk")}
        service.table.client.delete_item(TableName=service.table.name, Key=key)
    service.forget()


@pytest.fixture(scope="module")
def answers(aws: EmbeddedAws) -> Answers:
    """Every operation's answers, by the way it was asked."""
    with running_service(aws) as service:
        service.put_secret(CLIENTS)
        ids = tuple(user["id"] for user in service.origin.users(CLIENT))
        told: Answers = {}
        for resource, method in OPERATIONS:
            ask = Asker(service, resource, method, ids)
            empty(service)
            service.refresh()
            told[resource, method] = {way: how(ask) for way, how in WAYS.items()}
            for way, how in COLD_WAYS.items():
                empty(service)
                told[resource, method][way] = how(ask)
    return told


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_answered_is_documented(answers: Answers, operation: tuple[str, str]) -> None:
    documented = responses(*operation)

    for way, answer in answers[operation].items():
        assert str(answer.status) in documented, (way, answer.response.body)
        response = COMPONENTS["responses"][documented[str(answer.status)]]
        assert differences(answer, response) == [], way


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_status_that_is_documented_is_answered(
    answers: Answers, operation: tuple[str, str]
) -> None:
    seen = {str(answer.status) for answer in answers[operation].values()}

    assert seen == responses(*operation).keys() - from_gateway(operation[0])


def test_every_header_that_is_documented_is_answered(answers: Answers) -> None:
    seen: dict[str, set[str]] = {}
    for operation, told in answers.items():
        for answer in told.values():
            names = seen.setdefault(responses(*operation)[str(answer.status)], set())
            names.update(name.lower() for name in answer.headers)

    missing = {
        name: {header.lower() for header in COMPONENTS["responses"][name]["headers"]} - headers
        for name, headers in seen.items()
    }
    assert {name: headers for name, headers in missing.items() if headers} == {}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_s_headers_are_read_where_they_are_documented(
    answers: Answers, operation: tuple[str, str]
) -> None:
    told = answers[operation]
    heard = {
        "If-None-Match": told["who has it"].status == 304,
        "If-Modified-Since": told["not changed"].status == 304,
        "Cache-Control": told["only if cached"].status == 504,
        "X-Cal-Signature-256": told["not signed"].status == 403,
    }

    documented = {part["name"] for part in parameters(*operation, "header")}
    assert documented == {name for name, is_heard in heard.items() if is_heard}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_misspelt_parameter_is_told_those_that_are_documented(
    answers: Answers, operation: tuple[str, str]
) -> None:
    answer = answers[operation]["a misspelt name"]

    assert answer.status == 400
    if answer.response.body:
        # What a look-up names is in its body, and refused in its URL.
        in_body = lookup_body.NAMES if operation[0] == "users/lookup" else set()
        assert set(answer.error["details"]["allowed"]) - in_body == query_names(*operation)


def test_something_else_would_be_noticed(answers: Answers) -> None:
    answer = answers["users", "GET"]["as it is"]

    said = differences(answer, COMPONENTS["responses"]["User"])
    assert any("Link" in difference for difference in said)
    assert "[{" in str(said)
