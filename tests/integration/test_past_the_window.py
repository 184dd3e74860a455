"""Users past the 500 that the origin lists: found, adopted, asked again, and never starved."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import batched
from urllib.parse import parse_qs, quote

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault, User
from handlers.wiring import wiring
from lib.events.announcer import Announcing
from lib.events.event import Event, EventFormat
from lib.events.history import History
from tests.integration.asking import follow, post
from tests.integration.service import CLIENT, Json, Service, running_service

WINDOW = 500
SCHEDULED = {"action": "refresh", "clientId": CLIENT}
NO_CACHE = {"Cache-Control": "no-cache"}
MINUTES = 180
"""So many seconds that no call of before counts any more."""


@pytest.fixture
def full(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service whose origin has 620 users, 500 of them known."""
    with running_service(aws, users=620) as service:
        assert service.refresh(SCHEDULED)["outcome"] == "published"
        yield service


def by_address(service: Service, users: Sequence[User]) -> Json:
    return service.get("/users?limit=250&emails=" + quote(",".join(u["email"] for u in users))).body


def by_ids(service: Service, users: Sequence[User]) -> Json:
    return service.get("/users?limit=250&ids=" + ",".join(str(user["id"]) for user in users)).body


def ask_for(service: Service, users: Sequence[User]) -> None:
    """Ask for users in all the ways there are, and get each of them at once."""
    addressed, listed, single = users[:60], users[60:80], users[80:]
    assert by_address(service, addressed)["data"] == addressed
    assert by_ids(service, listed)["data"] == listed
    for user in single:
        assert service.get(f"/users/{user['id']}").body["data"] == user


def sweep(service: Service) -> Json:
    service.let_pass(MINUTES)
    return service.refresh(SCHEDULED)


def known(service: Service) -> list[int]:
    """Return all users as a traversal by cursor sees them."""
    return [i for answer in follow(service, "/users?limit=250") for i in answer.ids]


def ids(users: Sequence[User]) -> list[int]:
    return [user["id"] for user in users]


def announced(service: Service) -> list[Event]:
    """Return the events of everything that has not been announced yet."""
    sent: list[Event] = []
    service.forget()
    history = History(store=wiring().store, event_format=EventFormat(with_values=False))
    Announcing(history=history, send=sent.extend).catch_up(CLIENT)
    return sent


def told(events: Sequence[Event]) -> list[tuple[str, str, Json]]:
    return [
        (event["type"].split(".")[-2], event["subject"], event["data"]["fields"])
        for event in events
    ]


@pytest.mark.parametrize("first", [0, 20], ids=["the next hundred", "the last hundred"])
def test_asked_for_users_are_in_the_directory_after_one_revalidation(
    full: Service, first: int
) -> None:
    everybody = full.origin.users(CLIENT)
    past = everybody[WINDOW:]
    expected = everybody[:WINDOW] + past[first : first + 100]
    ask_for(full, past[first : first + 100])

    assert sweep(full)["outcome"] == "published"

    windows = [full.get(f"/users?limit=250&offset={offset}") for offset in (0, 250, 500)]
    assert [user for answer in windows for user in answer.body["data"]] == expected
    assert {answer.headers["X-Total-Count"] for answer in windows} == {"600"}
    assert {answer.body["pagination"]["totalItems"] for answer in windows} == {600}
    assert {answer.body["pagination"]["complete"] for answer in windows} == {False}
    assert {a.body["pagination"]["incompleteReason"] for a in windows} == {"window-full"}
    assert known(full) == ids(expected)
    zone = expected[-1]["timeZone"]
    filtered = full.get(f"/users?limit=250&timeZone={quote(zone)}")
    assert filtered.body["data"] == [user for user in expected if user["timeZone"] == zone]
    cache = full.get("/cache").body["data"]
    assert (cache["users"], cache["complete"]) == (600, False)


@pytest.mark.parametrize("first", [0, 20], ids=["the next one known", "the next one unknown"])
def test_changes_past_the_window_and_in_it_are_told_exactly(full: Service, first: int) -> None:
    everybody = full.origin.users(CLIENT)
    past = everybody[WINDOW:]
    ask_for(full, past[first : first + 100])
    sweep(full)
    announced(full)
    generation = full.head()["generation"]
    renamed, deleted, inside = past[first + 30]["id"], past[first + 40]["id"], everybody[7]["id"]
    full.origin.update(CLIENT, renamed, email="moved@example.com")
    full.origin.delete(CLIENT, deleted)
    full.origin.delete(CLIENT, inside)

    assert sweep(full)["outcome"] == "published"

    moved_in = [] if first == 0 else [past[0]["id"]]
    changes = full.get(f"/cache/changes?since={generation}").body["data"]
    assert changes == {
        "since": generation,
        "generation": generation + 1,
        "usersDigest": full.get("/cache").body["data"]["usersDigest"],
        "created": [],
        "discovered": moved_in,
        "updated": [{"id": renamed, "fields": ["email"]}],
        "deleted": [inside, deleted],
    }
    assert sorted(told(announced(full))) == sorted(
        [
            ("updated", str(renamed), ["email"]),
            ("deleted", str(deleted), []),
            ("deleted", str(inside), []),
            *[("discovered", str(user_id), []) for user_id in moved_in],
        ]
    )
    assert sweep(full)["outcome"] == "unchanged"
    assert announced(full) == []


def test_a_user_adopted_by_address_is_still_found_by_the_old_id_and_the_new_address(
    full: Service,
) -> None:
    user = full.origin.users(CLIENT)[-1]
    full.get(f"/users/{user['id']}")
    sweep(full)
    changed = full.origin.update(CLIENT, user["id"], email="moved@example.com")

    looked_up = by_address(full, [changed])
    fresh = full.get(f"/users/{user['id']}", NO_CACHE)
    full.forget()
    plain = full.get(f"/users/{user['id']}")

    assert looked_up["data"] == [changed]
    assert fresh.body["data"] == plain.body["data"] == changed
    assert fresh.cache_status == "managed-users; fwd=request; fwd-status=200; stored"
    assert "Age" not in fresh.headers
    # An adopted user is said to be as old as the one who was seen longest ago.
    assert int(plain.headers["Age"]) == MINUTES


def test_two_thousand_adopted_users_are_asked_for_again_in_turn_and_within_the_budget(
    aws: EmbeddedAws,
) -> None:
    calls = 7
    with running_service(aws, users=2_500, ADOPTED_CALLS_PER_SWEEP=str(calls)) as service:
        past = service.origin.users(CLIENT)[WINDOW:]
        sweep(service)
        for run in batched(past, 250, strict=False):
            found = post(service, "/users/lookup", {"emails": [user["email"] for user in run]})
            assert found.ids == [user["id"] for user in run]
            service.let_pass(MINUTES)
        assert sweep(service)["outcome"] == "published"
        assert service.get("/cache").body["data"]["users"] == 2_500

        asked: list[set[str]] = []
        while len(set().union(*asked)) < len(past):
            assert len(asked) < 10
            service.origin.clear_calls()
            result = sweep(service)
            made = service.origin.list_calls(CLIENT)
            assert result["calls"] == len(service.origin.calls) == len(made) <= 2 + calls
            asked.append({address for call in made for address in addresses(call.query)})
            ages = service.get("/cache").body["data"]
            assert ages["age"] <= 5
            assert ages["oldestObservationAge"] <= MINUTES * (2 * len(asked) + 10)
            assert ages["originBudget"]["remaining"] >= 0
        batches = -(-sum(len(quote(u["email"] + ",", safe="")) for u in past) // 6_000)
        assert len(asked) <= -(-(batches + 1) // calls)
        seen = [sweep(service) and service.get("/cache").body["data"] for _ in asked]

    oldest = [ages["oldestObservationAge"] for ages in seen]
    assert max(oldest) <= MINUTES * 2 * len(asked)
    assert min(oldest) >= MINUTES * (len(asked) - 1)


def addresses(query: str) -> list[str]:
    return parse_qs(query).get("emails", [""])[0].split(",")


def test_answers_are_as_old_as_the_adopted_users_in_them(aws: EmbeddedAws) -> None:
    with running_service(aws, users=620, ADOPTED_CALLS_PER_SWEEP="0") as service:
        past = service.origin.users(CLIENT)[-1]
        service.refresh(SCHEDULED)
        service.get(f"/users/{past['id']}")
        sweep(service)
        sweep(service)
        inside = service.get("/users?limit=10")
        pages = list(follow(service, "/users?limit=250"))
        named = [
            service.get(path)
            for path in (
                f"/users/{past['id']}",
                f"/users?ids={past['id']}",
                f"/users?ids={past['id']}&fields=name",
                "/users?sort=-id&limit=1",
            )
        ]
        unmodified = [
            service.get(path, {"If-None-Match": "*"})
            for path in (f"/users/{past['id']}", "/users?limit=1&offset=500", "/users?limit=10")
        ]
        swept = service.get("/users?limit=1&offset=500", NO_CACHE)
        plain = service.get("/users?limit=10", NO_CACHE)

    # The look-up was made before the first of the two sweeps.
    aged = str(2 * MINUTES)
    assert inside.headers["Age"] == "0"
    # What is pinned is as old as its generation, which the second sweep left as it was.
    assert [page.headers["Age"] for page in pages] == ["0", str(MINUTES), aged]
    assert {answer.headers["Age"] for answer in named} == {aged}
    assert [answer.headers["Age"] for answer in unmodified] == [aged, aged, "0"]
    assert {answer.status for answer in unmodified} == {304}
    assert swept.headers["Age"] == aged
    assert plain.cache_status.endswith("detail=refresh-floor")


@pytest.mark.parametrize("headers", [{}, NO_CACHE], ids=["look-ups", "no-cache"])
def test_a_caller_who_asks_for_unknown_users_all_the_time_starves_no_sweep(
    full: Service, headers: dict[str, str]
) -> None:
    sweep(full)
    full.origin.clear_calls()
    limit = full.get("/cache").body["data"]["originBudget"]["limit"]

    answers = [full.get(f"/users/{unknown}", headers) for unknown in range(10**6, 10**6 + limit)]

    assert len(full.origin.calls) <= limit / 3
    assert {answer.status for answer in answers} == {404, 503}
    assert answers[-1].status == 503
    assert int(answers[-1].headers["Retry-After"]) > 0
    result = full.refresh(SCHEDULED)
    assert (result["outcome"], result.get("reason")) == ("unchanged", None)
    assert full.head().get("last_error") is None


def test_a_look_up_that_the_budget_cannot_pay_for_is_answered_as_far_as_it_goes(
    full: Service,
) -> None:
    unknown = list(range(10**6, 10**6 + 200))

    listed = full.get("/users?limit=250&ids=" + ",".join(map(str, unknown))).body
    again = full.get("/users?limit=250&ids=" + ",".join(map(str, unknown))).body

    assert listed["data"] == []
    assert listed["notFound"] + listed["notAsked"] == unknown
    assert 0 < len(listed["notAsked"]) < len(unknown)
    assert again == listed


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault("reset"), 502, "BadGatewayException"),
        (Fault("status", status=500), 502, "BadGatewayException"),
        (Fault("status", status=429), 503, "ServiceUnavailableException"),
        pytest.param(
            *(Fault("hang"), 504, "GatewayTimeoutException"), marks=pytest.mark.real_seconds
        ),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_failing_origin_is_told_by_id_and_left_out_of_a_list(
    full: Service, fault: Fault, status: int, code: str
) -> None:
    inside, past = full.origin.users(CLIENT)[0], full.origin.users(CLIENT)[-1]
    full.origin.faults = [fault]

    single = full.get(f"/users/{past['id']}", seconds=4)
    full.origin.faults = []
    again = full.get(f"/users/{past['id']}")
    other = full.get(f"/users/{full.origin.users(CLIENT)[-2]['id']}")
    fresh = full.get("/users?limit=1")
    full.origin.faults = [fault]
    listed = full.get(f"/users?emails={quote(inside['email'])},{quote(past['email'])}", seconds=4)

    assert (single.status, single.error["code"]) == (status, code)
    assert single.body["requestId"]
    assert again.status == 503
    assert int(again.headers["Retry-After"]) >= 1
    # One look-up that failed pauses itself and nobody else; a block concerns all.
    assert other.status == (503 if fault.status == HTTPStatus.TOO_MANY_REQUESTS else 200)
    assert listed.status == 200
    assert listed.body["data"] == [inside]
    assert (listed.body["notFound"], listed.body["notAsked"]) == ([], [past["email"]])
    assert fresh.ids == [inside["id"]]


def test_look_ups_say_how_they_were_answered(full: Service) -> None:
    user = full.origin.users(CLIENT)[-1]
    path = f"/users?emails={quote(user['email'])}"

    first, second = full.get(path), full.get(path)
    missed = [full.get("/users/1000000") for _ in range(2)]
    only_stored = {"Cache-Control": "only-if-cached"}
    silent = [full.get(f"/users/{number}", only_stored) for number in (1000000, 1000001)]
    listed = full.get(f"/users?ids=1000000,1000001,{user['id']}", only_stored)

    looked_up = "managed-users; fwd=miss; fwd-status=200; stored; detail=look-up"
    assert first.cache_status == looked_up
    assert re.fullmatch(r"managed-users; hit; ttl=1[12]\d; detail=look-up", second.cache_status)
    assert first.body == second.body
    assert first.headers["ETag"] == second.headers["ETag"]
    assert [answer.status for answer in missed] == [404, 404]
    assert missed[0].cache_status == looked_up.replace("200", "404")
    assert missed[1].cache_status.endswith("detail=look-up")
    assert [answer.status for answer in silent] == [404, 504]
    assert silent[1].cache_status == "managed-users; detail=only-if-cached"
    assert listed.ids == [user["id"]]
    assert (listed.body["notFound"], listed.body["notAsked"]) == ([1000000], [1000001])
    assert len(full.origin.calls) == 4


def test_beyond_the_adoption_limit_users_are_found_and_not_kept(aws: EmbeddedAws) -> None:
    with running_service(aws, users=620, MAX_ADOPTED_USERS="2") as service:
        past = service.origin.users(CLIENT)[WINDOW:]
        sweep(service)
        for user in past[:3]:
            assert service.get(f"/users/{user['id']}").status == 200
        outcomes = [sweep(service)["outcome"] for _ in range(2)]
        for headers in ({}, NO_CACHE):
            service.let_pass(MINUTES)
            assert service.get(f"/users/{past[2]['id']}", headers).body["data"] == past[2]
        outcomes.append(sweep(service)["outcome"])
        cache = service.get("/cache").body["data"]

    assert outcomes == ["published", "unchanged", "unchanged"]
    assert (cache["users"], cache["incompleteReason"]) == (502, "adoption-limit")


def test_a_user_who_waited_and_is_in_the_window_by_now_is_there_once(full: Service) -> None:
    everybody = full.origin.users(CLIENT)
    full.get(f"/users/{everybody[WINDOW]['id']}")
    full.origin.delete(CLIENT, everybody[0]["id"])

    sweep(full)

    assert known(full) == ids(everybody[1 : WINDOW + 1])
    assert full.head().get("adopted") is None


@pytest.mark.parametrize(
    "query", ["emails={stored}", "emails={typed}", "emails={typed}&email_match=folded"]
)
def test_an_address_is_looked_up_as_stored_and_as_people_type_it(full: Service, query: str) -> None:
    user = full.origin.users(CLIENT)[-1]
    typed = user["email"].replace(f"+{CLIENT}", "")

    answer = full.get("/users?" + query.format(stored=quote(user["email"]), typed=quote(typed)))

    assert answer.body["data"] == [user]
    assert answer.body["notFound"] == []
