"""Since when users are as they are: who gets a stamp, who keeps it, and what it costs."""

import json
from typing import Any

import pytest

from lib.directory import diff
from lib.directory.snapshot import Snapshot, snapshot_of
from lib.revalidation.outcomes import Claim, Published, Unchanged
from lib.revalidation.window import Window
from lib.users.dates import iso_date
from lib.users.document import UPDATED_AT
from lib.users.hiding import HidingPolicy
from lib.users.keys import UserKeys
from tests.caller import Caller
from tests.fakes import CLIENT, NOW, FakeOrigin, user, users
from tests.world import World

HOUR = 3600


def world_of(*rows: dict[str, Any], hiding: HidingPolicy | None = None) -> World:
    """Return a world that keeps stamps, whose origin has ``rows`` and was swept an hour ago."""
    world = World(origin=FakeOrigin(rows=list(rows) or users(range(1, 4))), updated_at=True)
    if hiding:
        world = with_(world, hiding=hiding)
    world.publish(age=HOUR)
    return world


def with_(world: World, **changed: Any) -> World:  # noqa: ANN401 - any setting of a world
    """Return the same world, deployed with other settings."""
    settings = {"updated_at": world.updated_at, "hiding": world.hiding, "window": world.window}
    return World(
        clock=world.clock,
        store=world.store,
        origin=world.origin,
        lookups=world.lookups,
        **{**settings, **changed},
    )


def sweep(world: World) -> str:
    """Publish what the origin has now; return the date of that, and let an hour pass."""
    date = iso_date(world.clock.now)
    world.publish(age=HOUR)
    return date


def rename(world: World, user_id: int, name: str) -> None:
    world.origin.rows = [
        row | {"name": name} if row["id"] == user_id else row for row in world.origin.rows
    ]


def snapshot(world: World, number: int = 0) -> Snapshot:
    generation = world.store.generation(CLIENT, number) if number else world.head.generation
    assert generation is not None
    return snapshot_of(world.store, generation)


def lines(world: World) -> list[bytes]:
    return snapshot(world).lines()


def dates(world: World) -> dict[int, str | None]:
    found = map(json.loads, lines(world))
    return {one["id"]: one.get(UPDATED_AT) for one in found}


def changed(world: World, since: int) -> list[tuple[str, int, tuple[str, ...]]]:
    found = diff.changes(snapshot(world, since), snapshot(world))
    return [(change.kind, change.user_id, change.fields) for change in found]


# ---- who gets one ----


def test_nobody_knows_since_when_those_are_as_they_are_who_were_there_from_the_beginning() -> None:
    assert dates(world_of()) == {1: None, 2: None, 3: None}


def test_who_has_changed_or_is_new_is_so_since_the_sweep_began_that_saw_it() -> None:
    world = world_of()
    rename(world, 2, "Another")
    world.origin.rows.append(user(4))

    date = sweep(world)

    assert dates(world) == {1: None, 2: date, 3: None, 4: date}
    assert changed(world, 1) == [("updated", 2, ("name",)), ("created", 4, ())]


def test_who_has_not_changed_again_keeps_his_document_to_the_letter() -> None:
    world = world_of()
    rename(world, 2, "Another")
    first = sweep(world)
    before = dict(snapshot(world)._all_pages()[0].users())  # noqa: SLF001 - the bytes themselves

    rename(world, 3, "Another, too")
    second = sweep(world)

    assert dates(world) == {1: None, 2: first, 3: second}
    assert lines(world)[:2] == [before[1], before[2]]


def test_who_has_changed_back_is_as_he_is_since_then() -> None:
    world = world_of()
    rename(world, 2, "Another")
    sweep(world)
    rename(world, 2, "N2")
    last = sweep(world)

    assert dates(world)[2] == last
    assert changed(world, 1) == []
    assert changed(world, 2) == [("updated", 2, ("name",))]


def test_an_address_of_the_origin_s_for_the_same_field_counts_for_nothing() -> None:
    world = world_of(user(1, updatedAt="2001-01-01T00:00:00.000Z"), user(2))
    assert dates(world) == {1: None, 2: None}

    world.origin.rows[0][UPDATED_AT] = "2002-01-01T00:00:00.000Z"

    assert isinstance(world.revalidate(), Unchanged)


def test_a_user_of_whom_fields_are_omitted_has_a_stamp_as_well() -> None:
    world = world_of(user(1), user(2))
    world.origin.rows[0] = user(1, bio="x" * 300_000)

    date = sweep(world)
    again = sweep(world)

    (line, _) = lines(world)
    assert line.startswith(b'{"id":1,"updatedAt":"%b","fieldsOmitted":["bio"],' % date.encode())
    assert (dates(world)[1], again) != (again, date)
    assert world.head.generation.incomplete_reason == "fields-omitted"


def test_who_was_asked_for_by_name_is_seen_changed_then_and_answered_so() -> None:
    world = world_of()
    rename(world, 2, "Another")
    date = iso_date(world.clock.now)

    given = Caller(world).user(2, cache_control="no-cache")

    assert (given.body["data"]["name"], given.body["data"][UPDATED_AT]) == ("Another", date)
    world.clock.now += HOUR
    assert Caller(world).user(2).body["data"] == given.body["data"]
    assert dates(world) == {1: None, 2: date, 3: None}
    assert isinstance(world.revalidate(), Unchanged)


def test_adopted_users_are_new_when_they_are_adopted_and_no_newer_when_they_are_asked_again() -> (
    None
):
    world = World(
        window=Window(max_limit=5, max_offset=5),
        origin=FakeOrigin(rows=users(range(1, 14))),
        updated_at=True,
    )
    world.publish(age=HOUR)
    world.look_up(UserKeys(ids=[11, 13]))
    adopted = sweep(world)

    unchanged = world.revalidate()
    world.clock.now += HOUR
    rename(world, 13, "Another")
    renamed = sweep(world)

    assert isinstance(unchanged, Unchanged)
    assert {id_: date for id_, date in dates(world).items() if date} == {11: adopted, 13: renamed}


def test_who_may_be_gone_keeps_his_stamp() -> None:
    world = world_of()
    rename(world, 2, "Another")
    date = sweep(world)
    world.origin.rows = [row for row in world.origin.rows if row["id"] != 2]
    claim = world.claim()
    world.store.put_head(calls=72)

    world.run(claim)

    assert world.head.generation.incomplete_reason == "unconfirmed-deletions"
    assert dates(world) == {1: None, 2: date, 3: None}


def test_of_whom_nothing_can_be_read_any_more_it_is_said_that_he_may_have_changed() -> None:
    world = world_of(*users(range(1, 400)))
    rename(world, 2, "Another")
    first = sweep(world)
    refs = world.store.manifest(world.head.generation).pages
    del world.store.stored_pages[CLIENT, refs[0].digest]
    rename(world, 399, "Another")

    world.run(world.claim(), repair=True)

    now = iso_date(world.clock.now)
    lost = range(1, refs[1].first_id)
    assert 2 in lost
    assert dates(world)[2] == now != first
    assert {id_ for id_, date in dates(world).items() if date == now} == {*lost, 399}


# ---- switched on, off, and beside other versions ----


def test_switched_off_stamps_vanish_and_nobody_has_changed() -> None:
    world = world_of()
    rename(world, 2, "Another")
    sweep(world)
    off = with_(world, updated_at=False)

    assert isinstance(off.revalidate(), Published)
    assert dates(off) == {1: None, 2: None, 3: None}
    assert changed(off, 2) == []
    off.clock.now += HOUR
    assert isinstance(off.revalidate(), Unchanged)


def test_switched_on_nothing_is_published_until_somebody_changes() -> None:
    world = with_(world_of(), updated_at=False)
    sweep(world)
    on = with_(world, updated_at=True)

    assert isinstance(on.revalidate(), Unchanged)
    on.clock.now += HOUR
    rename(on, 2, "Another")
    date = sweep(on)
    assert dates(on) == {1: None, 2: date, 3: None}


def test_what_is_hidden_from_now_on_is_no_change_of_anybody_s_own() -> None:
    world = world_of(user(1, bio="x"), user(2))
    rename(world, 2, "Another")
    date = sweep(world)
    hiding = with_(world, hiding=HidingPolicy(fields=frozenset({"bio"})))

    sweep(hiding)

    assert dates(hiding) == {1: None, 2: date}
    assert b"bio" not in lines(hiding)[0]


def test_what_a_version_wrote_that_does_not_know_the_mark_is_read_once_and_known_from_then_on() -> (
    None
):
    world = world_of()
    rename(world, 2, "Another")
    date = sweep(world)
    world.store.put_head(seen=b"of another generation")
    world.forget()

    first, second = world.revalidate(), world.revalidate()

    assert isinstance(first, Unchanged)
    assert isinstance(second, Unchanged)
    assert dates(world) == {1: None, 2: date, 3: None}


# ---- what it costs ----


def test_an_unchanged_sweep_reads_no_page_and_cuts_none() -> None:
    world = world_of()
    rename(world, 2, "Another")
    sweep(world)
    world.forget()

    outcome = world.revalidate()

    assert isinstance(outcome, Unchanged)
    assert world.store.calls["pages"] == world.store.calls["manifest"] == 0
    assert world.store.writes == {"acquire": 1, "update_held": 1}


def test_one_change_writes_one_page() -> None:
    world = world_of(*users(range(1, 400)))
    rename(world, 2, "Another")
    sweep(world)
    world.forget()
    rename(world, 2, "Another one")

    world.revalidate()

    assert world.store.pages_put == 1


@pytest.mark.parametrize("name", ["named", "everyone"])
def test_a_mark_never_hides_a_change_that_somebody_else_published(name: str) -> None:
    world = world_of()
    sweep(world)
    rename(world, 2, "Another")
    if name == "named":
        claim = world.revalidation.claim(world.head, holder="x", wanted=UserKeys(ids=(2,)))
        assert isinstance(claim, Claim)
        world.run(claim, wanted=UserKeys(ids=(2,)))
        world.clock.now += HOUR
    else:
        sweep(world)
    rename(world, 2, "N2")

    sweep(world)

    assert json.loads(lines(world)[1])["name"] == "N2"


# ---- what is asked of them ----


def test_users_are_filtered_and_sorted_by_when_they_were_updated() -> None:
    world = world_of(*users(range(1, 6)))
    rename(world, 4, "Another")
    first = sweep(world)
    rename(world, 2, "Another")
    second = sweep(world)
    ask = Caller(world).users

    assert ask(f"changedSince={first}").ids == [2, 4]
    assert ask(f"changedSince={second}").ids == [2]
    assert ask(f"changedSince={iso_date(NOW + 3 * HOUR)}").ids == []
    assert ask(f"changedSince={first}&ids=1,4").ids == [4]
    assert ask("sort=updatedAt").ids == [4, 2, 1, 3, 5]
    assert ask("sort=-updatedAt").ids == [2, 4, 1, 3, 5]
    assert ask("sort=-updatedAt&limit=1&fields=updatedAt").body["data"] == [{UPDATED_AT: second}]
    assert ask(f"changedSince={first}&limit=1").links["next"].startswith("limit=1&changedSince=")


def test_as_of_then_they_had_been_updated_as_of_then() -> None:
    world = world_of()
    rename(world, 2, "Another")
    first = sweep(world)
    rename(world, 2, "Another one")
    sweep(world)

    then = Caller(world).users("sort=-updatedAt&limit=1&asOf=2")

    assert then.body["data"] == [user(2, name="Another") | {UPDATED_AT: first}]


@pytest.mark.parametrize(
    "asked", ["changedSince=2026-01-31", "sort=updatedAt", "sort=-updatedAt&asOf=1"]
)
def test_where_it_is_not_kept_nothing_is_asked_by_it(asked: str) -> None:
    world = with_(world_of(), updated_at=False)

    given = Caller(world).users(asked)

    assert given.status == 400
    assert given.error
    assert "UpdatedAt" in given.error.message
    assert Caller(world).users("fields=updatedAt").body["data"] == [{}, {}, {}]
