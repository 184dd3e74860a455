"""Whatever happens, the origin's secret and users' addresses are printed and stored nowhere else.

A secret and addresses that cannot occur by chance go through every kind of traffic. Then nothing
that any process printed holds one, and neither does the table outside its pages.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import pytest

from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from dev.origin import Fault, User, demo_users
from tests.integration.service import ERROR_AGE, REVALIDATE_AGE
from tests.integration.stack import Caller
from tests.patience import wait_until

CLIENT = "clxwatched00000000000000001"
SECRET = "canary-secret-5e1f0c"
ROTATED = "canary-secret-77ab90"
WEBHOOK_SECRET = "canary-secret-of-webhooks-c09d"
DOMAIN = "canary-bird.example"
MARKERS = re.compile(r"canary|%40|kestrel", re.IGNORECASE)

FAULTS = [
    Fault("reset"),
    Fault("truncate"),
    Fault("html"),
    Fault("redirect"),
    Fault("status", status=500),
    Fault("status", status=401),
    Fault("status", status=404),
    Fault("status_error_200"),
    *(Fault("wrong_shape", shape=shape) for shape in ("null", "array", "null_row", "no_id")),
    Fault("wrong_shape", shape="text_id"),
    Fault("duplicate_ids"),
    Fault("unordered_ids"),
    Fault("status", status=429),
]


def watched_users() -> list[User]:
    return [
        user | {"email": f"kestrel.{user['id']}+{CLIENT}@{DOMAIN}", "name": f"Kestrel {user['id']}"}
        for user in demo_users(CLIENT, 40)
    ]


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """Return a caller whose stack has been through all kinds of traffic."""
    settings = LocalSettings(
        port=0,
        workers=2,
        users=0,
        clients={CLIENT: SECRET},
        calcom_webhook_secret=WEBHOOK_SECRET,
        schedule_seconds=3600,
        function_environment={
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_METRICS_DISABLED": "false",
        },
    )
    with LocalStack(settings) as stack:
        caller = Caller(stack, CLIENT)
        caller.origin.replace(CLIENT, watched_users())
        read_in_every_way(caller)
        send_webhooks(caller)
        revalidate_in_every_way(caller)
        fail_in_every_way(caller)
        yield caller


def read_in_every_way(caller: Caller) -> None:
    address = watched_users()[0]["email"].replace("+", "%2B")
    headers = {"x-cal-secret-key": SECRET, "If-None-Match": f'"{address}"', "X-Request-Id": address}
    for path in (
        "/users",
        f"/users?emails={address}",
        f"/users?emails[]={address}&emails[]=nobody@{DOMAIN}",
        f"/users?emails=kestrel@@{DOMAIN}",
        f"/users?emails={address},",
        f"/users?limit={address}",
        f"/users?email={address}",
        f"/users?{address}=1",
        f"/users?sort={address}",
        f"/users?timeZone={address}",
        f"/users?fields={address}",
        f"/users?clientId={address}",
        f"/users/{address}",
        f"/{address}",
        f"/cache?{address}",
        f"/users/{watched_users()[0]['id']}",
    ):
        for method in ("GET", "HEAD", "PUT"):
            caller.send(method, path, headers)
    assert caller.get("/users/1?fields=id").status_code == 404


def send_webhooks(caller: Caller) -> None:
    """Send what Cal.com sends: signed well and badly, naming users by id and by address."""
    known, *others = watched_users()
    person = {"id": known["id"], "name": known["name"], "email": known["email"]}
    payload = {
        "title": f"Canary with {known['name']}",
        "organizer": person,
        "attendees": [{"name": "Kestrel", "email": each["email"]} for each in others[:3]],
    }
    for told in (
        {"triggerEvent": "BOOKING_CREATED", "payload": payload},
        {"triggerEvent": f"canary@{DOMAIN}", "payload": payload},
        ["canary"],
    ):
        body = json.dumps(told).encode()
        for secret in (WEBHOOK_SECRET, "canary-of-another"):
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            headers = {"X-Cal-Signature-256": signature}
            assert caller.send("POST", "/webhook", headers, body).status_code in {202, 400, 403}
    settled = {"pk", "sk", "expires_at"}
    wait_until(lambda: any(settled == each.keys() for each in caller.table.items()))


def revalidate_in_every_way(caller: Caller) -> None:
    caller.origin.update(CLIENT, watched_users()[3]["id"], name="Kestrel renamed")
    caller.let_pass(REVALIDATE_AGE)
    swept_at = caller.table.head(CLIENT)["swept_at"]
    wait_until(lambda: caller.get().ok and caller.table.head(CLIENT)["swept_at"] > swept_at)
    caller.origin.rotate_secret(CLIENT, ROTATED)
    caller.stack.aws.put_secret("managed-users-proxy-secret", {CLIENT: ROTATED})
    assert caller.send("POST", "/cache/refresh?wait=true").status_code == 200
    caller.send("POST", f"/cache/refresh?wait=kestrel@{DOMAIN}")


def fail_in_every_way(caller: Caller) -> None:
    for fault in FAULTS:
        caller.origin.faults = [fault]
        caller.let_pass(REVALIDATE_AGE)
        answer = caller.get(headers={"Cache-Control": "no-cache"})
        assert answer.status_code == 200
    caller.let_pass(ERROR_AGE)
    assert caller.send("POST", "/cache/refresh").status_code == 202
    wait_until(lambda: any('"refresh failed"' in line for line in caller.stack.log_lines))


def test_nothing_printed_holds_a_secret_or_an_address(caller: Caller) -> None:
    lines = caller.stack.log_lines

    failed = [line for line in lines if '"outcome":"failed"' in line]
    assert len(failed) >= len(FAULTS)
    assert any('"_aws"' in line for line in lines)
    assert any('"trigger":"BOOKING_CREATED"' in line and '"Hints"' in line for line in lines)
    assert any('"WebhookRefused"' in line for line in lines)
    assert [line for line in lines if MARKERS.search(line)] == []


def test_nothing_unexpected_happened(caller: Caller) -> None:
    tracebacks = [line for line in caller.stack.log_lines if "Traceback" in line]

    assert tracebacks == []


def test_nothing_stored_outside_the_pages_holds_a_secret_or_an_address(caller: Caller) -> None:
    items = caller.table.items()
    outside = [
        {name: value for name, value in item.items() if name != "data"}
        if item["sk"]["S"] == "page"
        else item
        for item in items
    ]

    assert len(items) > 2
    assert [item for item in outside if MARKERS.search(repr(item))] == []


def test_an_answer_never_holds_the_secret(caller: Caller) -> None:
    caller.origin.faults = []
    answers = [caller.get(path) for path in ("/users", "/cache", "/nothing")]

    assert all("canary-secret" not in answer.text for answer in answers)
    assert all("canary-secret" not in str(answer.headers) for answer in answers)


def test_the_origin_gets_the_secret_in_its_own_header_only(caller: Caller) -> None:
    calls = caller.origin.list_calls(CLIENT)

    assert all("x-cal-secret-key" in call.headers for call in calls)
    assert not [call for call in calls if "canary-secret" in call.path + call.query]
