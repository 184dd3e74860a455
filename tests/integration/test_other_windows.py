"""An origin of one's own that lists another number of users a call than Cal.com's 250."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from dev.origin.rules import Bounds
from tests.integration.asking import post
from tests.integration.service import CLIENT, REVALIDATE_AGE, Service, running_service

LISTED = 30


@pytest.fixture
def small(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service that knows 60 of its origin's 120 users."""
    with running_service(
        aws, users=120, ORIGIN_MAX_LIMIT=str(LISTED), ORIGIN_MAX_OFFSET=str(LISTED)
    ) as service:
        service.origin.bounds = Bounds(max_limit=LISTED, max_offset=LISTED)
        assert len(service.get("/users?limit=250").ids) == 2 * LISTED
        service.origin.clear_calls()
        yield service


def limits(service: Service) -> list[int]:
    return [int(parse_qs(call.query)["limit"][0]) for call in service.origin.list_calls(CLIENT)]


def test_look_ups_ask_for_no_more_than_it_lists(small: Service) -> None:
    past = small.origin.users(CLIENT)[-50:]

    answer = post(small, "/users/lookup", {"emails": [user["email"] for user in past]})

    assert answer.body["data"] == past
    assert all(call.status == 200 for call in small.origin.calls)
    assert limits(small) == [LISTED, 50 - LISTED]


def test_deletions_are_confirmed(small: Service) -> None:
    gone = small.origin.users(CLIENT)[3]
    small.origin.delete(CLIENT, gone["id"])
    small.let_pass(REVALIDATE_AGE)

    result = small.refresh()["results"][0]

    assert result["outcome"] == "published"
    small.forget()
    assert gone["id"] not in small.get("/users?limit=250").ids


def test_nobody_is_said_not_to_exist_because_another_is_told_twice(small: Service) -> None:
    past = small.origin.users(CLIENT)[-2:]
    small.origin.faults = [Fault("duplicate_ids", match="emails=")]

    answer = post(small, "/users/lookup", {"emails": [user["email"] for user in past]})

    assert not answer.body.get("notFound")
