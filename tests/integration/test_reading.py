"""The main job: lists, single users, conditional requests and refusals, as a caller sees them."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from dev.local.embedded_aws import EmbeddedAws
from handlers.version import VERSION
from tests.integration.service import CLIENT, ERROR_AGE, SECRET, Json, Service, running_service
from tests.patience import PATIENCE_SECONDS

LISTED_BY = "/users?emails="


@pytest.fixture(scope="module")
def warm(aws: EmbeddedAws) -> Iterator[Service]:
    """One service for tests that only read; its three users are stored already."""
    with running_service(aws) as running:
        running.get()
        yield running


def test_a_cold_list_is_fetched_and_stored(service: Service) -> None:
    answer = service.get()

    assert answer.status == 200
    assert answer.cache_status == "managed-users; fwd=uri-miss; fwd-status=200; stored"
    assert "Age" not in answer.headers
    assert answer.body["data"] == service.origin.users(CLIENT)


def test_a_second_list_is_a_hit_without_a_call(service: Service) -> None:
    first = service.get()
    service.let_pass(7)
    service.origin.clear_calls()

    second = service.get()

    assert re.fullmatch(r"managed-users; hit; ttl=11[23]", second.cache_status)
    assert second.headers["Age"] in {"7", "8"}
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Cache-Control"].startswith("private, max-age=120, ")
    assert second.body == first.body
    assert service.origin.calls == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{tag}", "{strong}", '"a", {tag} ,W/"b"', "*"])
@pytest.mark.parametrize("path", ["/users", "/users/{id}"])
def test_a_caller_that_has_the_answer_gets_304(
    warm: Service, method: str, form: str, path: str
) -> None:
    path = path.format(id=warm.get().ids[0])
    known = warm.get(path)
    tag = known.headers["ETag"]

    answer = warm.send(
        method, path, {"If-None-Match": form.format(tag=tag, strong=tag.removeprefix("W/"))}
    )

    assert (answer.status, answer.response.body) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Age", "Last-Modified"):
        assert name in answer.headers
    assert "; hit; ttl=" in answer.cache_status
    assert answer.headers["ETag"] == tag


@pytest.mark.parametrize("condition", ['"other"', "W/", "junk", 'w/"x"', ""])
def test_a_caller_that_has_something_else_gets_the_whole_answer(
    warm: Service, condition: str
) -> None:
    answer = warm.get(headers={"If-None-Match": condition})

    assert len(answer.ids) == 3


@pytest.mark.parametrize("age", [0, ERROR_AGE], ids=["cold", "too stale"])
def test_a_read_that_had_to_sweep_finds_users_past_the_window_too(
    aws: EmbeddedAws, age: int
) -> None:
    with running_service(aws, users=620) as service:
        if age:
            service.get()
            service.let_pass(age)
        first, last = service.origin.users(CLIENT)[0], service.origin.users(CLIENT)[-1]
        addresses = ",".join(quote(user["email"]) for user in (last, first))

        listed = service.get(LISTED_BY + addresses)
        service.delete_head()
        single = service.get(f"/users/{service.origin.users(CLIENT)[-2]['id']}")

    assert listed.body["data"] == [first, last]
    assert listed.body["notFound"] == []
    assert single.status == 200


def test_head_says_what_get_says_without_a_body(warm: Service) -> None:
    got = warm.get()

    answer = warm.send("HEAD")

    assert (answer.status, answer.response.body) == (200, b"")
    assert answer.headers["ETag"] == got.headers["ETag"]


def test_a_user_is_found_by_id(warm: Service) -> None:
    wanted = warm.origin.users(CLIENT)[1]

    answer = warm.get(f"/users/{wanted['id']}")

    assert answer.body == {"status": "success", "data": wanted}


def test_an_unknown_user_is_not_found_in_the_origins_words(warm: Service) -> None:
    answer = warm.get("/users/999999")

    assert answer.status == 404
    assert answer.error == asked_of_origin(warm, "/999999")["error"]


def test_addresses_are_found_with_and_without_the_clients_suffix(warm: Service) -> None:
    user = warm.origin.users(CLIENT)[1]
    plain = user["email"].replace(f"+{CLIENT}", "")

    found = [warm.get(LISTED_BY + quote(address)) for address in (plain, user["email"])]

    assert [answer.ids for answer in found] == [[user["id"]], [user["id"]]]
    assert found[0].body["notFound"] == []


def test_an_address_that_nobody_has_is_told(warm: Service) -> None:
    answer = warm.get(LISTED_BY + "nobody@example.com")

    assert answer.ids == []
    assert answer.body["notFound"] == ["nobody@example.com"]


def test_a_generated_clients_fractional_limit_works(warm: Service) -> None:
    answer = warm.get("/users?limit=2.0&offset=1.0")

    assert answer.ids == [user["id"] for user in warm.origin.users(CLIENT)[1:]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=251",
        "limit=abc&offset=-1",
        "limit=",
        "offset=-1",
        "emails=nope",
        "emails[a]=x@example.com",
        "emails[a]=1&limit=0&offset=x",
    ],
)
def test_a_bad_filter_is_refused_with_the_origins_body(warm: Service, query: str) -> None:
    answer = warm.get(f"/users?{query}")

    assert answer.status == 400
    assert answer.error == asked_of_origin(warm, f"?{query}")["error"]
    assert answer.body.keys() >= {"status", "timestamp", "path", "requestId"}
    assert answer.headers["Cache-Control"] == "no-store"


def asked_of_origin(service: Service, rest: str) -> Json:
    url = f"{service.origin.url}/v2/oauth-clients/{CLIENT}/users{rest}"
    return requests.get(url, headers={"x-cal-secret-key": SECRET}, timeout=PATIENCE_SECONDS).json()


def test_a_misspelt_filter_is_refused_with_a_suggestion(warm: Service) -> None:
    answer = warm.get("/users?timezone=Europe/London")

    assert answer.status == 400
    assert answer.error["code"] == "BadRequestException"
    assert answer.error["details"]["parameter"] == "timezone"
    assert answer.error["details"]["suggestion"] == "timeZone"
    assert "'timeZone'" in answer.error["message"]


def test_views_of_our_own_filter_sort_and_project(warm: Service) -> None:
    users = warm.origin.users(CLIENT)
    zone = users[2]["timeZone"]

    answer = warm.get(f"/users?timeZone={quote(zone)}&sort=-id&fields=timeZone,id")

    expected = [user["id"] for user in reversed(users) if user["timeZone"] == zone]
    assert answer.body["data"] == [{"id": user_id, "timeZone": zone} for user_id in expected]


def test_links_walk_the_whole_list(warm: Service) -> None:
    first = warm.get("/users?limit=2")
    following = re.search(r'<([^>]*)>; rel="next"', first.headers["Link"])
    assert following is not None

    last = warm.get(f"/users{following[1]}")

    assert first.ids + last.ids == [user["id"] for user in warm.origin.users(CLIENT)]
    assert 'rel="next"' not in last.headers["Link"]
    assert last.headers["X-Total-Count"] == "3"


def test_an_unknown_client_is_not_found_and_the_origin_is_not_asked(service: Service) -> None:
    paths = ("/users", "/users/1", "/cache")
    answers = [service.get(f"/v2/oauth-clients/unknown{path}") for path in paths]
    answers.append(service.send("POST", "/v2/oauth-clients/unknown/cache/refresh"))

    assert [answer.status for answer in answers] == [404] * 4
    assert {answer.error["code"] for answer in answers} == {"NotFoundException"}
    assert service.origin.calls == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/users", "GET, HEAD"),
        ("POST", "/users", "GET, HEAD"),
        ("DELETE", "/users/1", "GET, HEAD"),
        ("POST", "/cache", "GET, HEAD"),
        ("GET", "/cache/refresh", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    warm: Service, method: str, path: str, allowed: str
) -> None:
    answer = warm.send(method, path)

    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    assert answer.error["code"] == "MethodNotAllowedException"


def test_only_if_cached_of_a_cold_client_is_504_without_a_call(service: Service) -> None:
    answer = service.get(headers={"Cache-Control": "only-if-cached"})

    assert (answer.status, answer.error["code"]) == (504, "GatewayTimeoutException")
    assert "Retry-After" not in answer.headers
    assert service.origin.calls == []


def test_only_if_cached_takes_what_is_stored(warm: Service) -> None:
    answer = warm.get(headers={"Cache-Control": "only-if-cached"})

    assert "; hit; " in answer.cache_status


def test_no_cache_asks_the_origin_again(service: Service) -> None:
    user_id = service.get().ids[0]
    service.origin.update(CLIENT, user_id, name="Renamed")

    answer = service.get(headers={"Cache-Control": "no-cache"})

    assert answer.cache_status == "managed-users; fwd=request; fwd-status=200; stored"
    assert answer.body["data"][0]["name"] == "Renamed"


def test_no_cache_within_the_floor_gets_what_is_stored(service: Service) -> None:
    service.get()
    service.get(headers={"Cache-Control": "no-cache"})
    service.origin.clear_calls()

    answer = service.get(headers={"Cache-Control": "no-cache"})

    assert answer.cache_status.endswith("; detail=refresh-floor")
    assert service.origin.calls == []


def test_cache_status_tells_what_is_stored(warm: Service) -> None:
    answer = warm.get("/cache")

    data = answer.body["data"]
    assert (data["generation"], data["users"], data["complete"]) == (1, 3, True)
    assert data["lastError"] is data["blockedUntil"] is data["retryAt"] is None
    assert data["revalidating"] is False
    assert data["originBudget"]["limit"] == 300
    assert data["version"] == VERSION
