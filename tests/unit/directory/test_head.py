"""Heads: flat attributes in a table, parts in code, and what the parts tell."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.directory.generation import Generation
from lib.directory.head import (
    ATTRIBUTES,
    FORCED_FLOOR_SECONDS,
    FORMAT,
    GENERATION_ATTRIBUTES,
    LEASE_SECONDS,
    SKEW_SECONDS,
    CallCounters,
    Head,
    Health,
    Lease,
    attributes_of,
    generation_of,
    head_of,
    updated,
)
from lib.errors import Reason, StoreError
from tests.fakes import CLIENT, NOW, head_with

INSTANTS = st.floats(0, 2**33).map(lambda instant: round(instant, 3))
NUMBERS = st.integers(0, 2**40)
TEXTS = st.text(max_size=8)
HEADS = st.builds(
    Head,
    client_id=st.just(CLIENT),
    generation=st.builds(
        Generation,
        client_id=st.just(CLIENT),
        number=NUMBERS,
        digest=TEXTS,
        users=NUMBERS,
        complete=st.booleans(),
        incomplete_reason=TEXTS,
        hiding_digest=TEXTS,
        users_sum=st.none() | st.binary(min_size=1, max_size=8),
        packed=st.none() | st.binary(min_size=1, max_size=8),
        modified_at=NUMBERS,
        swept_at=INSTANTS,
        adopted=NUMBERS,
        adopted_seen_at=INSTANTS,
        unconfirmed_since=INSTANTS,
        window_last_id=NUMBERS,
    ),
    health=st.builds(
        Health,
        last_error=TEXTS,
        failures=NUMBERS,
        blocked_until=INSTANTS,
        retry_at=INSTANTS,
        doubted_since=INSTANTS,
    ),
    lease=st.builds(
        Lease, client_id=st.just(CLIENT), holder=TEXTS, token=NUMBERS, expires_at=INSTANTS
    ),
    counters=st.builds(
        CallCounters,
        calls=NUMBERS,
        calls_minute=NUMBERS,
        calls_before=NUMBERS,
        lookups=NUMBERS,
        lookups_before=NUMBERS,
        rate_limit=NUMBERS,
        rate_remaining=NUMBERS,
        rate_reset_at=INSTANTS,
    ),
    validated_at=INSTANTS,
    forced_at=INSTANTS,
    window_users=st.integers(-1, 1000),
    rotation_id=NUMBERS,
    cycle_began_at=INSTANTS,
    pages_expire_at=NUMBERS,
    source=TEXTS,
    seen=st.binary(max_size=8),
    announced=NUMBERS,
    read_at=INSTANTS,
)


@given(HEADS)
def test_a_head_comes_back_from_its_attributes(head: Head) -> None:
    parts = (head.generation, head.health, head.lease, head.counters)
    attributes = {
        name: value
        for part in parts
        for name, value in attributes_of(part).items()
        if value is not None
    }
    own = {"list": head.source} | {
        name: getattr(head, name)
        for name in ATTRIBUTES
        if name in Head._fields and name != "generation"
    }

    assert head_of(CLIENT, {**attributes, **own}) == head
    assert attributes.keys() | own.keys() <= ATTRIBUTES
    assert generation_of(CLIENT, attributes) == head.generation


@given(HEADS)
def test_an_update_of_nothing_changes_nothing(head: Head) -> None:
    assert updated(head, {}) == head


@given(HEADS, HEADS)
def test_an_update_changes_the_parts_that_it_names_and_no_other(old: Head, new: Head) -> None:
    update = attributes_of(new.health) | attributes_of(new.lease)

    after = updated(old, update)

    assert (after.health, after.lease) == (new.health, new.lease)
    assert (after.generation, after.counters) == (old.generation, old.counters)
    assert (after.window_users, after.announced) == (old.window_users, old.announced)


def test_what_an_update_removes_has_its_default() -> None:
    head = head_with(lease_holder="me", window_users=7, last_error="origin-5xx")

    after = updated(head, {"lease_holder": None, "window_users": None})

    assert (after.lease.holder, after.window_users, after.health.last_error) == (
        "",
        -1,
        "origin-5xx",
    )


def test_a_window_of_nobody_is_not_one_that_is_unknown() -> None:
    assert updated(head_with(), {"window_users": 0}).window_users == 0


def test_of_a_client_that_nobody_asked_for_nothing_is_known() -> None:
    head = head_with()

    assert not head.generation.published
    assert not head.lease.held(NOW)
    assert (head.health.last_error, head.window_users) == ("", -1)


def test_a_manifest_keeps_what_makes_a_generation_and_nothing_else() -> None:
    assert GENERATION_ATTRIBUTES < ATTRIBUTES
    assert not GENERATION_ATTRIBUTES & attributes_of(Health()).keys()
    assert {"generation", "digest", "swept_at", "policy", "listing"} <= GENERATION_ATTRIBUTES


@pytest.mark.parametrize("attributes", [{}, {"format": FORMAT}])
def test_items_of_this_form_and_those_from_before_there_was_one_are_read(
    attributes: dict[str, int],
) -> None:
    assert head_of(CLIENT, {**attributes, "users": 7}).generation.users == 7


@pytest.mark.parametrize("read", [generation_of, head_of])
def test_what_a_newer_version_wrote_is_not_guessed_at(
    read: Callable[[str, Mapping[str, int]], Generation | Head],
) -> None:
    with pytest.raises(StoreError) as caught:
        read(CLIENT, {"format": FORMAT + 1})

    assert caught.value.reason is Reason.NEWER_FORMAT


@pytest.mark.parametrize(
    ("ahead", "held"),
    [(-1, False), (0, False), (0.001, True), (LEASE_SECONDS + SKEW_SECONDS, True), (46, False)],
)
def test_a_lease_is_held_until_it_ends_unless_a_wrong_clock_made_it(
    ahead: float, *, held: bool
) -> None:
    assert Lease(client_id=CLIENT, expires_at=NOW + ahead).held(NOW) is held


@pytest.mark.parametrize(
    ("holder", "token", "same"), [("me", 3, True), ("me", 4, False), ("you", 3, False)]
)
def test_one_acquisition_is_one_holder_and_one_token(
    holder: str, token: int, *, same: bool
) -> None:
    mine = Lease(client_id=CLIENT, holder="me", token=3, expires_at=NOW)

    assert mine.is_of(Lease(client_id=CLIENT, holder=holder, token=token)) is same


@pytest.mark.parametrize(
    ("ahead", "since"),
    [(-0.001, False), (0, True), (7, True), (7 + SKEW_SECONDS, True), (7.1 + SKEW_SECONDS, False)],
)
def test_a_sweep_serves_those_who_asked_before_it_began_unless_a_wrong_clock_made_it(
    ahead: float, *, since: bool
) -> None:
    assert head_with(swept_at=NOW + ahead).swept_since(NOW, now=NOW + 7) is since


@pytest.mark.parametrize(
    ("ago", "ends"),
    [
        (FORCED_FLOOR_SECONDS, None),
        (FORCED_FLOOR_SECONDS - 0.5, NOW + 0.5),
        (0, NOW + 10),
        (-SKEW_SECONDS, NOW + 40),
        (-SKEW_SECONDS - 0.5, None),
    ],
)
def test_a_floor_ends_ten_seconds_after_the_forced_sweep_unless_a_wrong_clock_made_it(
    ago: float, ends: float | None
) -> None:
    assert head_with(forced_at=NOW - ago).floor_ends(NOW) == ends
