"""What of a stored head or manifest can be read: told from its attributes alone."""

import math
from typing import Any

import pytest

from lib.directory.damage import unreadable
from lib.directory.head import FORMAT
from lib.errors import StoreError
from tests.world import World

SOUND = {"generation": 3, "digest": "d3", "swept_at": 1_800_000_000.5, "users": 2}


def test_nothing_is_wrong_with_what_is_not_there() -> None:
    assert unreadable({}) == frozenset()
    assert unreadable(SOUND) == frozenset()


def test_nothing_is_wrong_with_what_the_service_writes() -> None:
    world = World()
    world.publish()
    world.claim()

    assert unreadable(world.store.items[world.head.client_id]) == frozenset()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("users", "2"),
        ("users", None),
        ("users", True),
        ("users", 2.5),
        ("users", -2),
        ("users", 2**53),
        ("swept_at", "now"),
        ("swept_at", math.nan),
        ("swept_at", 1e11),
        ("modified_at", 10**11),
        ("lease_expires_at", None),
        ("digest", 7),
        ("digest", b"d3"),
        ("listing", "AA=="),
        ("complete", 1),
        ("last_error", None),
    ],
)
def test_an_attribute_that_cannot_be_is_named(name: str, value: object) -> None:
    assert unreadable(SOUND | {name: value}) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [("window_users", -1), ("window_last_id", 2**53 - 1), ("swept_at", 1_800_000_000)],
)
def test_an_attribute_that_can_be_is_not(name: str, value: object) -> None:
    assert unreadable(SOUND | {name: value}) == frozenset()


@pytest.mark.parametrize("name", ["digest", "swept_at"])
def test_a_generation_without_what_each_has_is_broken(name: str) -> None:
    values = {each: value for each, value in SOUND.items() if each != name}

    assert unreadable(values) == {name}
    assert unreadable(values | {"generation": 0}) == frozenset()


def test_what_the_origin_told_of_its_limit_is_kept_or_given_up_at_once() -> None:
    told = {"rate_limit": 120, "rate_remaining": "odd", "rate_reset_at": 1_800_000_060}

    assert unreadable(told) == told.keys()
    assert unreadable({"rate_remaining": "odd"}) == {"rate_remaining"}


@pytest.mark.parametrize("form", [FORMAT + 1, 1.5, "1", None, True])
def test_a_form_that_may_be_newer_is_not_ours_to_judge(form: Any) -> None:  # noqa: ANN401 - any
    with pytest.raises(StoreError) as caught:
        unreadable({"format": form, "users": "odd"})

    assert caught.value.reason == "newer-format"
