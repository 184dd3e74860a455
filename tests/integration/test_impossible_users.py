"""Users whom nobody can be: asked for past the window, they are told without a call."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.integration.asking import post
from tests.integration.service import Service, running_service

PAST_32_BITS = 2**31


@pytest.fixture
def full(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service that does not know all users, so that it asks for whom it misses."""
    with running_service(aws, users=501) as service:
        service.get()
        service.origin.clear_calls()
        yield service


@pytest.mark.parametrize("address", ["bob@ex\uff41mple.com", "bob@example.c\u00a9m"])
def test_an_address_that_is_none_to_the_origin_is_refused_as_there(
    full: Service, address: str
) -> None:
    listed = full.get(f"/users?emails={quote(address)}")
    posted = post(full, "/users/lookup", {"emails": [address]})

    assert [answer.status for answer in (listed, posted)] == [400, 400]
    assert {answer.error["message"] for answer in (listed, posted)} == {f"Invalid email {address}"}
    assert full.origin.calls == []


def test_an_id_that_no_user_can_have_is_nobody_s_and_holds_nobody_off(full: Service) -> None:
    single = full.get(f"/users/{PAST_32_BITS}")
    listed = full.get(f"/users?ids={PAST_32_BITS}")
    stranger = full.get("/users/2")

    assert single.status == 404
    assert "fwd=" not in single.cache_status + listed.cache_status
    assert (listed.status, listed.body["notFound"]) == (200, [PAST_32_BITS])
    assert stranger.status == 404
    assert [call.user_id for call in full.origin.calls] == ["2"]
