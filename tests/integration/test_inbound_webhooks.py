"""Webhooks come in: who gets a booking is known at once, and no flood costs the origin a call."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from queue import Empty

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from handlers import api
from lib.aws.secret import KEEP_SECONDS, PAUSE_SECONDS
from lib.origin.webhook import MAX_BYTES
from lib.revalidation.hints import BEGUN_SECONDS
from tests.http_api import Received
from tests.integration.service import CLIENT, SECRET, Answer, Json, Service, running_service

WEBHOOK_SECRET = "canary-webhook-secret-41d2"
OTHER = "clxsample0000000000000002"
MARKERS = re.compile(r"canary|kestrel|@example\.(org|com)", re.IGNORECASE)
HINTS: Json = {"action": "hints", "clientId": CLIENT}


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, clients={CLIENT: SECRET, OTHER: "another"}) as running:
        give(running, WEBHOOK_SECRET)
        running.refresh()
        yield running


def give(service: Service, secrets: Json) -> None:
    """Give the client webhook secrets; the other has none."""
    service.put_secret({CLIENT: {"key": SECRET, "webhookSecret": secrets}, OTHER: "another"})


def signature(body: bytes, secret: str = WEBHOOK_SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def booking(*hosts: int, address: str = "guest@example.org") -> bytes:
    """Return a webhook of a booking with these hosts, full of what is nobody's business."""
    members = [{"id": user_id, "name": "Kestrel", "email": address} for user_id in hosts]
    payload = {
        "title": "Canary with Kestrel",
        "organizer": members[0] if members else None,
        "attendees": [{"id": 1, "name": "Kestrel", "email": address}],
        "team": {"name": "Canary", "members": members[1:]},
    }
    return json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": payload}).encode()


def send(
    service: Service, body: bytes, *, by: str = WEBHOOK_SECRET, client: str = CLIENT
) -> Answer:
    headers = {"X-Cal-Signature-256": signature(body, by), "Content-Type": "application/json"}
    path = f"/v2/oauth-clients/{client}/webhook"
    return service.send("POST", path, headers, body=body)


def outcome(answer: Answer) -> Json:
    assert answer.status == 202, answer.response.body
    return answer.body["data"]


def new_user(service: Service, name: str = "Kestrel New") -> int:
    """Let the origin have a user more, and return the user's id."""
    user_id: int = service.origin.create(CLIENT, name=name)["id"]
    return user_id


def invoked(service: Service) -> list[Json]:
    events = []
    while True:
        try:
            events.append(service.invocations.get_nowait())
        except Empty:
            return events


def asked(service: Service) -> int:
    return sum(call.client_id == CLIENT for call in service.origin.calls)


def test_who_gets_a_booking_is_listed_as_soon_as_the_refresh_function_has_run(
    service: Service,
) -> None:
    user_id = new_user(service)
    before = asked(service)

    told = outcome(send(service, booking(user_id)))
    during = asked(service)
    worked = service.refresh(service.next_invocation())
    service.forget()

    assert told == {"outcome": "accepted", "users": 1}
    assert during == before == asked(service) - 1
    assert worked == {"clientId": CLIENT, "outcome": "done", "asked": 1, "dropped": 0}
    assert user_id in service.get(headers={"Cache-Control": "only-if-cached"}).ids


def test_an_attendee_who_is_a_user_of_this_client_is_found_by_his_address(
    service: Service,
) -> None:
    user_id = new_user(service)
    (address,) = [u["email"] for u in service.origin.users(CLIENT) if u["id"] == user_id]

    told = outcome(send(service, booking(address=address)))
    service.refresh(service.next_invocation())
    service.forget()

    assert told["users"] == 1
    assert user_id in service.get(headers={"Cache-Control": "only-if-cached"}).ids


@pytest.mark.parametrize("body", [b'{"triggerEvent":"PING"}', booking(), b"{}"])
def test_a_webhook_that_names_nobody_is_answered_and_costs_nothing(
    service: Service, body: bytes
) -> None:
    before = sorted(map(str, service.items()))

    told = outcome(send(service, body))

    assert told == {"outcome": "ignored", "users": 0}
    assert invoked(service) == []
    assert sorted(map(str, service.items())) == before


def test_a_hundred_webhooks_start_one_worker_who_makes_one_call(service: Service) -> None:
    known = service.get().ids
    before = asked(service)

    for number in range(100):
        send(service, booking(known[number % len(known)]))
    events = invoked(service)
    worked = service.refresh(events[0])

    assert events == [HINTS]
    assert worked["asked"] == len(known)
    assert asked(service) == before + 1


def test_a_webhook_that_comes_again_changes_nothing(service: Service) -> None:
    user_id = new_user(service)
    body, generations = booking(user_id), []

    for _ in range(3):
        send(service, body)
        service.refresh(HINTS)
        generations.append(service.head()["generation"])

    assert generations == [2, 2, 2]


def refused(service: Service, answer: Answer, status: int, code: str) -> None:
    """Check that a webhook was refused without a word too many, and that nothing came of it."""
    assert (answer.status, answer.error["code"]) == (status, code)
    assert not MARKERS.search(answer.response.body.decode())
    assert invoked(service) == []
    assert not [item for item in service.items() if item["sk"]["S"] == "hints"]


def test_what_is_signed_by_nobody_who_knows_the_secret_is_refused(service: Service) -> None:
    body = booking(5)
    path = f"/v2/oauth-clients/{CLIENT}/webhook"

    for headers in (
        {},
        {"X-Cal-Signature-256": "no-secret-provided"},
        {"X-Cal-Signature-256": signature(body, "")},
        {"X-Cal-Signature-256": signature(body, SECRET)},
        {"X-Cal-Signature-256": signature(body).upper()},
        {"X-Cal-Signature-256": signature(body + b"\n")},
        {"X-Cal-Signature-256": "\udcff"},
    ):
        answer = service.send("POST", path, headers, body=body)
        refused(service, answer, 403, "ForbiddenException")


@pytest.mark.parametrize("client", [OTHER, "clxstranger00000000000001"])
def test_where_no_secret_is_configured_there_is_no_such_route(
    service: Service, client: str
) -> None:
    answer = send(service, booking(5), client=client)

    refused(service, answer, 404, "NotFoundException")
    assert answer.error["message"] == f"Cannot POST /v2/oauth-clients/{client}/webhook"


@pytest.mark.parametrize("secret", [None, "", "  ", [], [""], 5, {"a": "b"}, "canary✓"])
def test_a_secret_that_is_none_opens_nothing(service: Service, secret: Json) -> None:
    give(service, secret)
    service.forget()

    answer = send(service, booking(5), by=secret if isinstance(secret, str) else "None")

    refused(service, answer, 404, "NotFoundException")
    assert service.get().status == 200


def test_other_methods_are_told_which_one_there_is(service: Service) -> None:
    answer = service.get("/webhook")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(("more", "status"), [(0, 202), (1, 413)])
def test_a_body_has_a_bound(service: Service, more: int, status: int) -> None:
    body = booking(5)
    body += b" " * (MAX_BYTES - len(body) + more)

    answer = send(service, body)

    assert answer.status == status
    if more:
        refused(service, answer, 413, "PayloadTooLargeException")


@pytest.mark.parametrize("body", [b"", b"type=canary", b'["canary"]', b'{"canary"', b"\xc3\xa9"])
def test_what_is_signed_and_no_json_object_is_refused(service: Service, body: bytes) -> None:
    refused(service, send(service, body), 400, "BadRequestException")


def test_while_one_secret_takes_another_s_place_both_are_good(service: Service) -> None:
    give(service, ["canary-new", WEBHOOK_SECRET])
    service.let_pass(KEEP_SECONDS, same_environment=True)

    statuses = [
        send(service, booking(5), by=each).status for each in (WEBHOOK_SECRET, "canary-new")
    ]
    give(service, "canary-new")
    service.let_pass(KEEP_SECONDS, same_environment=True)
    statuses += [
        send(service, booking(5), by=each).status for each in (WEBHOOK_SECRET, "canary-new")
    ]

    assert statuses == [202, 202, 403, 202]


def test_a_secret_that_was_just_given_is_known_after_a_moment(service: Service) -> None:
    send(service, booking(5))
    give(service, "canary-new")

    early = send(service, booking(5), by="canary-new").status
    service.let_pass(PAUSE_SECONDS, same_environment=True)

    assert (early, send(service, booking(5), by="canary-new").status) == (403, 202)


@pytest.mark.parametrize("encoded", [False, True])
def test_behind_an_http_api_the_exact_body_counts_too(service: Service, *, encoded: bool) -> None:
    body = booking(5, address="gäst@example.org")
    text = base64.b64encode(body).decode() if encoded else body.decode()
    event = {
        "version": "1.0",
        "resource": "/oauth-clients/{clientId}/webhook",
        "path": f"/v2/oauth-clients/{CLIENT}/webhook",
        "httpMethod": "POST",
        "headers": {"x-cal-signature-256": signature(body)},
        "pathParameters": {"clientId": CLIENT},
        "requestContext": {"resourceId": "POST /oauth-clients/{clientId}/webhook"},
        "body": text,
        "isBase64Encoded": encoded,
    }

    answer = Received(api.handler(event, service.context()))

    assert (answer.status, answer.body["data"]["users"]) == (202, 1)


def test_what_was_left_over_is_taken_up_by_the_schedule(service: Service) -> None:
    user_id = new_user(service)
    send(service, booking(user_id))
    lost = service.next_invocation()

    service.let_pass(BEGUN_SECONDS)
    service.refresh()
    again = service.next_invocation()

    assert lost == again == HINTS
    assert service.refresh(again)["asked"] == 1
    service.let_pass(BEGUN_SECONDS)
    service.refresh()
    assert invoked(service) == []


def test_while_the_origin_blocks_hints_wait_and_start_nobody(service: Service) -> None:
    user_id = new_user(service)
    service.origin.faults = [Fault("status", status=429)]
    send(service, booking(user_id))
    worked = service.refresh(service.next_invocation())
    service.origin.faults = []

    calls = asked(service)
    for _ in range(5):
        send(service, booking(user_id))
    service.refresh()

    assert (worked["outcome"], worked["reason"]) == ("refused", "origin-blocked")
    assert invoked(service) == []
    assert asked(service) == calls
    service.let_pass(300)
    service.refresh()
    assert service.refresh(service.next_invocation())["asked"] == 1


def test_hints_of_a_client_that_is_known_for_the_first_time_wait_for_its_sweep(
    service: Service,
) -> None:
    service.delete_head()
    send(service, booking(5))

    worked = service.refresh(service.next_invocation())

    assert (worked["outcome"], worked["reason"]) == ("refused", "generation-awaited")


def test_a_frozen_deployment_takes_no_hint(aws: EmbeddedAws) -> None:
    with running_service(aws, FROZEN_MODE="true") as frozen:
        give(frozen, WEBHOOK_SECRET)

        assert outcome(send(frozen, booking(5)))["outcome"] == "ignored"
        assert invoked(frozen) == []


def test_while_the_table_is_down_the_sender_is_told_so(service: Service) -> None:
    send(service, booking(5))
    service.table.client.delete_table(TableName=service.table.name)

    answer = send(service, booking(6))

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailableException")
    assert service.refresh(HINTS)["outcome"] == "failed"


def test_of_a_body_nothing_is_stored_but_who_was_named(service: Service) -> None:
    user_id = new_user(service)

    send(service, booking(user_id, user_id))
    stored = [item for item in service.items() if item["sk"]["S"] != "page"]

    (hints,) = [item for item in stored if item["sk"]["S"] == "hints"]
    assert hints.keys() == {"pk", "sk", "data", "expires_at"}
    assert [bytes(key) for key in hints["data"]["BS"]] == [f"id:{user_id}".encode()]
    assert not MARKERS.search(repr(stored))
