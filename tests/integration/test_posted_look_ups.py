"""``POST …/users/lookup``: users by names that stay out of URLs."""

import json
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import User
from tests.integration.asking import link, post
from tests.integration.service import CLIENT, Answer, Json, Service, running_service

USERS = 300


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=USERS) as running:
        running.refresh()
        yield running


@pytest.fixture
def users(service: Service) -> list[User]:
    return service.origin.users(CLIENT)


def look_up(service: Service, body: Json, query: str = "", **headers: str) -> Answer:
    return post(service, f"/users/lookup{query}", body, headers)


@pytest.mark.parametrize(("name", "field"), [("emails", "email"), ("ids", "id")])
def test_users_are_found_by_what_names_them(
    service: Service, users: list[User], name: str, field: str
) -> None:
    wanted = [users[7], users[3], users[299]]

    answer = look_up(service, {name: [user[field] for user in wanted]})

    assert answer.body["data"] == sorted(wanted, key=lambda user: user["id"])
    assert answer.body["notFound"] == []
    assert answer.body["pagination"]["totalItems"] == 3


def test_an_id_may_be_written_as_any_json_number(service: Service, users: list[User]) -> None:
    answer = look_up(service, {"ids": [float(users[0]["id"])]})

    assert answer.ids == [users[0]["id"]]


def test_users_are_found_by_username(service: Service, users: list[User]) -> None:
    named = [user for user in users if user["username"]][:2]

    answer = look_up(service, {"usernames": [user["username"] for user in named] + ["nobody"]})

    assert answer.body["data"] == named
    assert answer.body["notFound"] == ["nobody"]


def test_those_not_found_are_told_as_they_were_asked_for(
    service: Service, users: list[User]
) -> None:
    known = users[0]["email"].replace(f"+{CLIENT}", "")
    missing = ["Nobody@example.com", f"nobody+{CLIENT}@example.com"]

    by_address = look_up(service, {"emails": [missing[0], known, missing[1]]})
    by_id = look_up(service, {"ids": [3, users[0]["id"], 4]})

    assert (by_address.ids, by_address.body["notFound"]) == ([users[0]["id"]], missing)
    assert (by_id.ids, by_id.body["notFound"]) == ([users[0]["id"]], [3, 4])


def test_as_many_as_may_be_named_come_in_one_answer(service: Service, users: list[User]) -> None:
    ids = [user["id"] for user in users[:250]]

    answer = look_up(service, {"ids": ids})

    assert answer.ids == ids
    assert link(answer, "next") is None


def test_a_look_up_is_an_answer_as_a_list_is(service: Service, users: list[User]) -> None:
    ids = [user["id"] for user in users[:4]]
    listed = service.get(f"/users?limit=250&ids={','.join(map(str, ids))}")

    answer = look_up(service, {"ids": ids})

    assert answer.body == listed.body
    for name in ("ETag", "Cache-Control", "Cache-Status", "Last-Modified", "X-Total-Count"):
        assert answer.headers[name] == listed.headers[name]


def test_views_go_with_a_look_up(service: Service, users: list[User]) -> None:
    emails = [user["email"].upper() for user in users[:5]]

    answer = look_up(service, {"emails": emails}, "?email_match=folded&fields=id&sort=-id&limit=2")

    assert answer.body["data"] == [{"id": user["id"]} for user in users[4:2:-1]]
    assert answer.headers["X-Total-Count"] == "5"


def test_links_leave_the_names_to_the_body(service: Service, users: list[User]) -> None:
    body = {"emails": [user["email"] for user in users[:250]]}
    first = look_up(service, body, "?limit=200")

    path = link(first, "next") or ""
    second = look_up(service, body, path.removeprefix("/users"))

    assert len(first.headers["Link"]) < 500
    assert "emails" not in first.headers["Link"]
    assert first.ids + second.ids == [user["id"] for user in users[:250]]
    assert link(second, "next") is None


def test_a_link_is_of_no_use_with_other_names(service: Service, users: list[User]) -> None:
    ids = [user["id"] for user in users[:3]]
    path = link(look_up(service, {"ids": ids}, "?limit=2"), "next") or ""

    answer = look_up(service, {"ids": ids[:2]}, path.removeprefix("/users"))

    assert answer.status == 400


def test_a_look_up_is_never_conditional(service: Service, users: list[User]) -> None:
    body = {"ids": [users[0]["id"]]}
    tag = look_up(service, body).headers["ETag"]

    answers = [look_up(service, body, **{"If-None-Match": sent}) for sent in (tag, "*")]

    assert [answer.ids for answer in answers] == [body["ids"], body["ids"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        [],
        "text",
        7,
        None,
        {},
        {"emails": []},
        {"emails": "a@example.com"},
        {"emails": ["a@example.com"], "ids": [1]},
        {"emails": ["a@example.com", None]},
        {"emails": [1]},
        {"emails": [["a@example.com"]]},
        {"emails": ["no address"]},
        {"emails": [f"a@{'b' * 320}.com"]},
        {"ids": ["1"]},
        {"ids": [1.5]},
        {"ids": [-1]},
        {"ids": [10**15]},
        {"ids": [float("nan")]},
        {"ids": [True]},
        {"ids": [None]},
        {"ids": list(range(251))},
        {"usernames": [1]},
        {"usernames": ["x" * 321]},
        {"names": ["x"]},
        {"Emails": ["a@example.com"]},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_that_makes_no_sense_is_refused(service: Service, body: Json) -> None:
    answer = look_up(service, body)

    assert answer.status == 400
    assert answer.error["code"] == "BadRequestException"


@pytest.mark.parametrize("query", ["?offset=-1", "?unknown=1", "?fields=nope", "?cursor=x"])
def test_a_bad_parameter_is_refused(service: Service, query: str) -> None:
    assert look_up(service, {"ids": [1]}, query).status == 400


@pytest.mark.parametrize("username", ["\ud800", "with,comma", " padded ", "", "e\u0301", "'\"\\"])
def test_an_odd_username_is_looked_up_as_it_is(service: Service, username: str) -> None:
    answer = look_up(service, json.dumps({"usernames": [username]}).encode(), "?limit=1")

    assert (answer.ids, answer.body["notFound"]) == ([], [username])


def test_look_ups_can_only_be_posted(service: Service) -> None:
    answer = service.get("/users/lookup")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("query", ["?ids=1001", "?emails=a@example.com", "?usernames=a&emails[]=b"])
def test_names_in_the_query_are_refused(service: Service, query: str) -> None:
    answer = look_up(service, {"ids": [1001]}, query)

    assert answer.status == 400
    assert "belongs into a look-up's body" in answer.error["message"]
