"""A deployment hides what is stored already: at once and for good, whatever way a user came in."""

import json
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Bounds, Fault, demo_users
from handlers.wiring import wiring
from lib.events.announcer import Announcing
from lib.events.event import Event, EventFormat
from lib.events.history import History
from tests.integration.asking import follow, link, post
from tests.integration.hiding import CANARY, HIDDEN, HIDES, stored, watched
from tests.integration.service import CLIENT, REVALIDATE_AGE, Answer, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
NO_CACHE = {"Cache-Control": "no-cache"}
ONE_CALL = 20
WINDOW = 2 * ONE_CALL
USERS = WINDOW + 20
MINUTES = 180
"""So many seconds that no call of before counts any more."""
ALL_KEPT = Fault("status", status=503, match="/users/")
"""With it nobody past the window can be asked for, so all of them are kept as they were."""


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service that hides nothing yet, with more users than the origin lists."""
    with running_service(
        aws, users=0, ORIGIN_MAX_LIMIT=str(ONE_CALL), ORIGIN_MAX_OFFSET=str(ONE_CALL)
    ) as running:
        running.origin.bounds = Bounds(max_limit=ONE_CALL, max_offset=ONE_CALL)
        running.origin.replace(CLIENT, map(watched, demo_users(CLIENT, USERS)))
        assert running.refresh(SCHEDULED)["outcome"] == "published"
        yield running


def in_the_window(_service: Service) -> int:
    return 3


def asked_for_alone(service: Service) -> int:
    service.let_pass(11)
    service.get(f"/users/{_id(service, 3)}", NO_CACHE)
    return 3


def found_by_id(service: Service) -> int:
    service.get(f"/users/{_id(service, USERS - 1)}")
    return USERS - 1


def found_by_address(service: Service) -> int:
    address = service.origin.users(CLIENT)[USERS - 1]["email"]
    post(service, "/users/lookup", {"emails": [address]})
    return USERS - 1


def adopted(service: Service) -> int:
    found_by_id(service)
    service.let_pass(MINUTES)
    service.refresh(SCHEDULED)
    return USERS - 1


def adopted_and_not_seen_since(service: Service) -> int:
    position = adopted(service)
    service.origin.faults = [ALL_KEPT]
    return position


def unconfirmed(service: Service) -> int:
    everybody = service.origin.users(CLIENT)
    service.origin.replace(CLIENT, [*everybody[:3], *everybody[13:]])
    service.let_pass(REVALIDATE_AGE)
    service.refresh(SCHEDULED)
    service.origin.faults = [ALL_KEPT]
    return 3


def changed_and_not_announced(service: Service) -> int:
    user_id = _id(service, 3)
    service.origin.update(CLIENT, user_id, bio=f"{CANARY}-again", name="Renamed")
    service.let_pass(MINUTES)
    service.refresh(SCHEDULED)
    service.origin.update(CLIENT, user_id, bio=f"{CANARY}-and-again")
    service.let_pass(MINUTES)
    service.refresh(SCHEDULED)
    return 3


def _id(service: Service, position: int) -> int:
    user_id: int = service.origin.users(CLIENT)[position]["id"]
    return user_id


WAYS_IN: list[Callable[[Service], int]] = [
    in_the_window,
    asked_for_alone,
    found_by_id,
    found_by_address,
    adopted,
    adopted_and_not_seen_since,
    unconfirmed,
    changed_and_not_announced,
]


def answers(service: Service, user_id: int, address: str, before: str) -> Iterator[Answer]:
    """Yield what every way of asking gets; ``before`` is a link from before anything was hidden."""
    yield from follow(service, "/users?limit=7")
    yield from follow(service, before)
    for query in (
        f"ids={user_id}",
        f"emails={address.replace('+', '%2B')}",
        "sort=-name&limit=50",
        "fields=id,bio,metadata&limit=50",
        "metadata[plan]=visible&limit=50",
    ):
        yield service.get(f"/users?{query}")
    for directives in ({}, NO_CACHE, {"Cache-Control": "only-if-cached"}):
        yield service.get(f"/users/{user_id}", directives)
        yield service.get(f"/users/{user_id}?fields=bio,metadata", directives)
        yield service.get(f"/users?ids={user_id}", directives)
    yield post(service, "/users/lookup", {"ids": [user_id]})
    yield post(service, "/users/lookup", {"emails": [address]})
    yield service.get("/cache")
    yield service.get("/cache/changes?since=1")
    yield service.get("/events?after=1&include=values")


def found_by_what_is_hidden(service: Service, user_id: int) -> list[int]:
    """Return whom filters on hidden values find, each of which should find nobody."""
    return [
        *service.get(f"/users?q={CANARY}").ids,
        *service.get(f"/users?metadata[{HIDDEN[0]}]={CANARY}-{HIDDEN[0]}-{user_id}").ids,
        *service.get(f"/users?ids={user_id}&q={CANARY}").ids,
    ]


def fails(service: Service) -> None:
    service.origin.faults = [*service.origin.faults, Fault("status", status=500)]
    service.let_pass(REVALIDATE_AGE)
    service.refresh(SCHEDULED)
    service.origin.faults = [fault for fault in service.origin.faults if fault.match]


def is_swept(service: Service) -> None:
    service.let_pass(MINUTES)
    assert service.refresh(SCHEDULED)["outcome"] in {"published", "unchanged"}


def is_swept_with_everybody(service: Service) -> None:
    service.origin.faults = []
    is_swept(service)


def announced(service: Service) -> list[Event]:
    """Return the events of what has not been announced yet, with values."""
    sent: list[Event] = []
    service.forget()
    history = History(
        store=wiring().memory,
        event_format=EventFormat(with_values=True),
        hiding=wiring().settings.hiding,
    )
    Announcing(history=history, send=sent.extend).catch_up(CLIENT)
    return sent


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_what_is_hidden_from_now_on_comes_out_nowhere(
    service: Service,
    way_in: Callable[[Service], int],
    monkeypatch: pytest.MonkeyPatch,
    log: StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    everybody = service.origin.users(CLIENT)
    position = way_in(service)
    user_id, address = everybody[position]["id"], everybody[position]["email"]
    link_before = link(service.get("/users?limit=7"), "next") or ""
    assert CANARY in json.dumps(service.get(f"/users/{user_id}").body)
    items_before = service.items()
    for name, value in HIDES.items():
        monkeypatch.setenv(name, value)
    service.forget()

    given, found, events = [], [], []
    for happens in (None, fails, is_swept, is_swept, is_swept_with_everybody):
        if happens:
            happens(service)
        events += announced(service)
        given += list(answers(service, user_id, address, link_before))
        found += found_by_what_is_hidden(service, user_id)

    written = [item for item in service.items() if item not in items_before]
    told = [answer.response.body.decode() for answer in given]
    assert {200, 410} <= {answer.status for answer in given} <= {200, 404, 410, 429, 503, 504}
    assert sum(f'"id":{user_id},' in text for text in told) > len(told) / 4
    assert events
    assert found == []
    printed = log.getvalue() + "".join(capsys.readouterr())
    for text in (*told, *map(json.dumps, events), printed):
        assert CANARY not in text
    assert not any(CANARY.encode() in text for text in stored(written))
