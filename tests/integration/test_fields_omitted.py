"""One user who is too much to be kept: he is there all the same, and stops nobody else."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.asking import follow, post
from tests.integration.service import (
    CLIENT,
    REVALIDATE_AGE,
    Json,
    Service,
    running_service,
)

USERS = 30
SCHEDULED = {"action": "refresh", "clientId": CLIENT}
NO_CACHE = {"Cache-Control": "no-cache"}
LARGE = "ä" * 140_000
"""280 KB, which compress well: what is kept does not depend on luck."""


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=USERS) as running:
        yield running


def spoil(service: Service, kind: Any, number: int = 2) -> Json:  # noqa: ANN401 - a fault's kind
    """Let the origin show one user with too much, and return him as he is without that."""
    user = service.origin.users(CLIENT)[number]
    service.origin.faults = [Fault(kind, user_id=user["id"])]
    field = {"huge_text": "bio", "deep_metadata": "metadata"}[kind]
    return without(user, field)


def without(user: Json, *fields: str) -> Json:
    kept = {name: value for name, value in user.items() if name not in fields}
    return kept | {"fieldsOmitted": sorted(fields)}


def expected(service: Service, cut: Json) -> list[Json]:
    """Return everybody as the origin has them, but for one."""
    users = service.origin.users(CLIENT)
    return [cut if user["id"] == cut["id"] else user for user in users]


def listed(service: Service) -> Json:
    service.forget()
    return service.get("/users?limit=250").body


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [record.__dict__ for record in caplog.records if record.message == message]


@pytest.mark.parametrize("kind", ["huge_text", "deep_metadata"])
def test_a_cold_client_is_served_with_everybody(
    service: Service, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    cut = spoil(service, kind)

    body = listed(service)

    assert body["data"] == expected(service, cut)
    told = body["pagination"]
    assert (told["complete"], told["incompleteReason"]) == (False, "fields-omitted")
    (line,) = logged(caplog, "revalidation")
    assert line["fields_omitted"] == {str(cut["id"]): cut["fieldsOmitted"]}


@pytest.mark.parametrize("kind", ["huge_text", "deep_metadata"])
def test_all_others_go_on_being_updated_and_so_does_he(service: Service, kind: str) -> None:
    users = service.origin.users(CLIENT)
    service.refresh()
    service.origin.update(CLIENT, users[2]["id"], name="Cut")
    service.origin.update(CLIENT, users[3]["id"], name="Whole")
    service.origin.delete(CLIENT, users[4]["id"])
    created = service.origin.create(CLIENT)
    cut = spoil(service, kind)
    service.let_pass(REVALIDATE_AGE)

    service.refresh()

    assert listed(service)["data"] == expected(service, cut)
    told = service.get("/cache/changes?since=1").body["data"]
    (field,) = cut["fieldsOmitted"]
    was_there = [field] if field in users[2] else []
    assert (told["created"], told["deleted"]) == ([created["id"]], [users[4]["id"]])
    assert [each["id"] for each in told["updated"]] == [users[2]["id"], users[3]["id"]]
    assert set(told["updated"][0]["fields"]) == {"name", "fieldsOmitted", *was_there}
    assert service.get("/cache").body["data"]["lastError"] is None


@pytest.mark.parametrize(
    ("fields", "omitted"),
    [
        ({"name": LARGE}, ["name"]),
        ({"username": LARGE}, ["username"]),
        ({"avatarUrl": f"https://example.com/{LARGE}"}, ["avatarUrl"]),
        ({"metadata": {"a": LARGE}}, ["metadata"]),
        ({"metadata": {str(n): n for n in range(30_000)}}, ["metadata"]),
        ({"added": [LARGE]}, ["added"]),
        ({"bio": LARGE[:100_000], "name": LARGE[:80_000]}, ["bio"]),
        ({"bio": LARGE, "name": LARGE, "locale": "de"}, ["bio", "name"]),
        ({"metadata": json.loads("[" * 65 + "]" * 65)}, ["metadata"]),
        ({"bio": LARGE, "metadata": json.loads("[" * 65 + "]" * 65)}, ["bio", "metadata"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_no_more_is_left_out_than_must_be(
    service: Service, fields: Json, omitted: list[str]
) -> None:
    first = service.origin.users(CLIENT)[0]
    cut = without(service.origin.update(CLIENT, first["id"], **fields), *omitted)

    assert listed(service)["data"] == expected(service, cut)


@pytest.mark.parametrize(
    "fields",
    [{"bio": LARGE[:129_000]}, {"metadata": json.loads("[" * 64 + "]" * 64)}],
    ids=["just small enough", "just shallow enough"],
)
def test_what_can_be_kept_is(service: Service, fields: Json) -> None:
    service.origin.update(CLIENT, service.origin.users(CLIENT)[0]["id"], **fields)

    body = listed(service)

    assert body["data"] == service.origin.users(CLIENT)
    assert body["pagination"]["incompleteReason"] is None


def test_he_says_so_himself_wherever_he_is_answered(service: Service) -> None:
    cut = spoil(service, "huge_text")
    listed(service)
    path = f"/users/{cut['id']}"

    assert service.get(path).body["data"] == cut
    assert service.get(path, NO_CACHE).body["data"] == cut
    assert post(service, "/users/lookup", {"emails": [cut["email"]]}).body["data"] == [cut]
    assert service.get(f"{path}?fields=bio,id").body["data"] == {
        "id": cut["id"],
        "fieldsOmitted": ["bio"],
    }
    assert service.get(f"{path}?fields=name").body["data"] == {"name": cut["name"]}
    assert [
        user for answer in follow(service, "/users?limit=7") for user in answer.body["data"]
    ] == (expected(service, cut))


def test_once_he_is_small_enough_nothing_is_missing_any_more(service: Service) -> None:
    spoil(service, "huge_text")
    service.refresh()
    service.origin.faults = []
    service.let_pass(REVALIDATE_AGE)

    service.refresh()

    body = listed(service)
    assert body["data"] == service.origin.users(CLIENT)
    assert (body["pagination"]["complete"], body["pagination"]["incompleteReason"]) == (True, None)


def test_no_cache_of_him_alone_tells_whether_anything_is_missing(service: Service) -> None:
    user = service.origin.users(CLIENT)[2]
    path = f"/users/{user['id']}"
    service.refresh()

    cut = spoil(service, "huge_text")
    assert service.get(path, NO_CACHE).body["data"] == cut
    assert listed(service)["pagination"]["incompleteReason"] == "fields-omitted"

    service.origin.faults = []
    assert service.get(path, NO_CACHE).body["data"] == user
    assert listed(service)["pagination"]["incompleteReason"] is None


def test_who_is_not_there_is_nobody_without_a_call(service: Service) -> None:
    spoil(service, "huge_text")
    listed(service)
    service.origin.clear_calls()

    assert service.get("/users/999999999").status == 404
    assert service.origin.calls == []


def test_the_same_again_is_no_new_generation(service: Service) -> None:
    spoil(service, "huge_text")
    service.refresh()
    service.let_pass(REVALIDATE_AGE)

    result = service.refresh()

    assert result["results"][0]["outcome"] == "unchanged"


def test_what_is_hidden_anyway_is_not_said_to_be_left_out(aws: EmbeddedAws) -> None:
    with running_service(aws, users=USERS, HIDDEN_FIELDS="bio,metadata") as service:
        user = service.origin.users(CLIENT)[2]
        kinds: list[Any] = ["huge_text", "deep_metadata"]
        service.origin.faults = [Fault(kind, user_id=user["id"]) for kind in kinds]

        body = listed(service)

    hidden = {"bio", "metadata"}
    assert body["data"][2] == {name: user[name] for name in user if name not in hidden}
    assert body["pagination"]["incompleteReason"] is None


def test_past_the_window_he_is_looked_up_and_adopted_like_anybody(
    aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_service(
        aws,
        users=USERS,
        ORIGIN_MAX_LIMIT="10",
        ORIGIN_MAX_OFFSET="10",
        # Request lines carry metrics, and are not written without them.
        POWERTOOLS_METRICS_DISABLED="false",
    ) as service:
        service.refresh()
        cut = spoil(service, "huge_text", number=25)

        found = [
            service.get(f"/users/{cut['id']}").body["data"],
            *service.get(f"/users?emails={quote(cut['email'])}").body["data"],
        ]
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        service.let_pass(REVALIDATE_AGE)
        service.refresh()
        body = listed(service)

    assert found == [cut, cut]
    told = [line["fields_omitted"] for line in lines if line.get("message") == "request"]
    assert told == [{str(cut["id"]): ["bio"]}] * 2
    assert body["data"][-1] == cut
    # That others may be missing altogether is told before it.
    assert body["pagination"]["incompleteReason"] == "window-full"
