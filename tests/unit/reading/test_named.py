"""Reads of named users: when the origin is asked beyond the snapshot, and how that is told."""

import json
from copy import replace
from dataclasses import dataclass, field

import pytest

from lib.caching import provenance
from lib.caching.headers import RequestDirectives
from lib.directory.snapshot import Snapshot
from lib.errors import OriginError, Reason
from lib.reading.lookup import Found
from lib.reading.named import NamedReads, looked_up
from lib.reading.request import ReadRequest
from lib.revalidation.window import Window
from lib.users.keys import UserKeys, id_key
from tests.fakes import CLIENT, NOW, FakeOrigin, user, users
from tests.world import EXPIRED, FRESH, POLICY, STALE, VERY_STALE, World

PAST = 12
"""A user past the window of ten."""

LOOKED_UP = "fwd=miss; fwd-status=200; stored; detail=look-up"


@dataclass
class Reader:
    """A directory of ten users, with two past its window, and who reads it."""

    world: World = field(
        default_factory=lambda: World(
            window=Window(max_limit=5, max_offset=5), origin=FakeOrigin(rows=users(range(1, 13)))
        )
    )

    def read(
        self, *ids: int, cache_control: str | None = None
    ) -> tuple[list[int], str, int | None, Found | None]:
        """Return which of ``ids`` are found, Cache-Status and Age, and the look-up made."""
        world = self.world
        named = NamedReads(proxy=world.proxy, lookup=lambda: world.lookup, policy=world.policy)

        def missing(snapshot: Snapshot) -> UserKeys:
            return UserKeys(ids=[user_id for user_id in ids if snapshot.find(user_id) is None])

        def view(snapshot: Snapshot, _found: Found | None) -> list[int]:
            return [user_id for user_id in ids if snapshot.find(user_id)]

        request = ReadRequest(
            client_id=CLIENT,
            directives=RequestDirectives.parse(cache_control),
            holder=f"reader {next(world.invocations)}",
            arrived_at=world.clock.now,
            deadline=world.clock.now + 25,
            wanted=UserKeys(ids=ids),
        )
        read, found = named.read(request, missing=missing, view=view)
        generation = read.generation
        beside = {json.loads(line)["id"] for line in found.lines} if found else set()
        stored = [user_id for user_id in read.value if user_id not in beside]
        oldest = min([generation.swept_at, *map(generation.observed_at, stored)])
        came_by = looked_up(read.resting_on(oldest), found)
        status = provenance.cache_status(came_by, world.policy, now=world.clock.now)
        told = str(status).removeprefix("managed-users; ")
        return read.value, told, provenance.age(came_by, now=world.clock.now), found

    @property
    def calls(self) -> list[str]:
        return [call.rpartition(" ")[0] for call in self.world.origin.calls]


def published(*, age: int = 0, size: int = 12) -> Reader:
    reader = Reader()
    reader.world.origin.rows = users(range(1, size + 1))
    reader.world.publish(age=age)
    return reader


def test_who_is_in_the_snapshot_is_not_looked_up() -> None:
    reader = published(age=FRESH)

    assert reader.read(1, 10) == ([1, 10], "hit; ttl=1", FRESH, None)
    assert reader.calls == []


def test_who_is_not_in_an_incomplete_snapshot_is_looked_up() -> None:
    reader = published(age=FRESH)

    value, status, age, found = reader.read(1, PAST, 99)

    assert (value, status, age) == ([1, PAST], LOOKED_UP, FRESH)
    assert reader.calls == [f"get {PAST}", "get 99"]
    assert found is not None
    assert found.calls == 2


def test_a_remembered_look_up_is_a_hit_as_old_as_it_or_the_snapshot() -> None:
    reader = published()
    reader.read(PAST)
    reader.world.clock.now += 50

    assert reader.read(PAST)[:3] == ([PAST], "hit; ttl=70; detail=look-up", 50)
    assert len(reader.calls) == 1


def test_one_call_does_not_make_what_is_remembered_younger() -> None:
    reader = published()
    reader.read(PAST)
    reader.world.clock.now += 100
    reader.world.revalidation.run(reader.world.claim(), deadline=NOW + 130)

    value, status, age, _ = reader.read(11, 99)

    assert (value, age) == ([11], 0)
    assert status == LOOKED_UP
    reader.world.clock.now += 19
    assert reader.read(11, 98)[2] == 19


@pytest.mark.parametrize(
    ("age", "size", "asked"),
    [(FRESH, 9, False), (STALE, 9, True), (FRESH, 10, True), (FRESH, 12, True)],
)
def test_only_a_complete_and_fresh_snapshot_tells_of_everybody(
    age: int,
    size: int,
    asked: bool,  # noqa: FBT001 - a table of cases
) -> None:
    reader = published(age=age, size=size)

    value, _, _, found = reader.read(99)

    assert value == []
    assert (found is not None) is asked
    assert reader.calls == (["get 99"] if asked else [])


def test_only_if_cached_asks_nobody() -> None:
    reader = published(age=FRESH)

    value, status, age, found = reader.read(PAST, cache_control="only-if-cached")

    assert (value, status, age) == ([], "hit; ttl=1", FRESH)
    assert found is not None
    assert found.unanswered == {f"id:{PAST}"}
    assert reader.calls == []


def test_only_if_cached_takes_what_a_look_up_was_told() -> None:
    reader = published()
    reader.read(PAST)

    value, status, _, found = reader.read(PAST, 99, cache_control="only-if-cached")

    assert (value, status) == ([PAST], "hit; ttl=120; detail=look-up")
    assert found is not None
    assert found.unanswered == {"id:99"}
    assert len(reader.calls) == 1


def test_frozen_nobody_is_asked() -> None:
    reader = published(age=EXPIRED)
    reader.world.policy = replace(POLICY, frozen=True)
    proxy = reader.world.proxy
    stored = replace(proxy.stored, policy=reader.world.policy)
    reader.world.proxy = replace(proxy, stored=stored)

    value, status, _, found = reader.read(PAST)

    assert (value, status) == ([], f"hit; ttl={120 - EXPIRED}; detail=frozen")
    assert found is not None
    assert found.unanswered == {f"id:{PAST}"}
    assert reader.calls == []


def test_no_cache_asks_for_just_the_named_and_keeps_them_in_a_new_generation() -> None:
    reader = published(age=100)
    head = reader.world.head
    reader.world.origin.rows[2] = user(3, name="renamed")

    value, status, age, found = reader.read(3, PAST, 99, cache_control="no-cache")

    assert value == [3, PAST]
    assert (status, age, found) == ("fwd=request; fwd-status=200; stored", None, None)
    assert reader.calls == ["get 3", f"get {PAST}", "get 99"]
    after = reader.world.head
    assert (after.generation.number, after.generation.swept_at) == (
        head.generation.number + 1,
        head.generation.swept_at,
    )
    assert (after.generation.users, after.generation.adopted) == (11, 1)
    assert after.generation.oldest_observation == head.generation.swept_at


def test_no_cache_of_unchanged_users_publishes_nothing_and_makes_nothing_young() -> None:
    reader = published(age=100)
    head = reader.world.head

    reader.read(3, cache_control="no-cache")

    after = reader.world.head
    assert (after.generation.number, after.generation.swept_at) == (
        head.generation.number,
        head.generation.swept_at,
    )


def test_no_cache_forgets_the_deleted() -> None:
    reader = published(age=100)
    del reader.world.origin.rows[2]

    assert reader.read(3, cache_control="no-cache")[0] == []
    assert reader.world.head.generation.users == 9


def test_no_cache_past_the_adoption_limit_still_finds() -> None:
    reader = Reader(
        World(
            window=Window(max_limit=5, max_offset=5),
            origin=FakeOrigin(rows=users(range(1, 13))),
            max_adopted=1,
        )
    )
    reader.world.publish(age=100)

    found = [reader.read(user_id, cache_control="no-cache")[0] for user_id in (11, 12, 11)]

    assert found == [[11], [12], [11]]
    assert (reader.world.head.generation.users, reader.world.head.generation.adopted) == (11, 1)
    assert reader.world.head.generation.incomplete_reason == "adoption-limit"


@pytest.mark.parametrize("age", [VERY_STALE, EXPIRED])
def test_after_an_inline_sweep_who_is_past_the_window_is_looked_up(age: int) -> None:
    reader = published(age=age)

    value, status, told, found = reader.read(PAST)

    assert (value, told) == ([PAST], None)
    assert "fwd-status=200; stored" in status
    assert found is not None
    assert reader.calls == ["list 5+5", "list 0+5", f"get {PAST}"]


def test_a_failed_look_up_leaves_what_is_known() -> None:
    reader = published(age=FRESH)
    reader.world.origin.errors = [OriginError("shape", reason=Reason.WRONG_SHAPE, received=200)]

    value, status, age, found = reader.read(1, PAST)

    assert (value, age) == ([1], FRESH)
    assert status == "fwd=miss; fwd-status=200; detail=look-up"
    assert found is not None
    assert found.failure is not None


def test_no_cache_loops_leave_the_sweeps_their_budget() -> None:
    reader = published(age=200)

    statuses = [reader.read(99, cache_control="no-cache")[1] for _ in range(40)]

    assert len(reader.calls) == 24
    assert statuses[-1].startswith("hit; ")
    assert reader.world.head.health.last_error == ""
    assert reader.world.claim().reserved == 2


def test_who_was_nobody_is_asked_for_again_if_the_caller_wants_it_newer() -> None:
    reader = published()
    reader.read(999)
    reader.world.origin.rows.append(user(999))
    reader.world.clock.now += 30

    remembered, *_ = reader.read(999, cache_control="max-age=60")
    asked = len(reader.calls)
    newer, status, age, found = reader.read(999, cache_control="max-age=10")

    assert (remembered, newer) == ([], [999])
    assert (status, age) == ("fwd=request; fwd-status=200; stored", None)
    assert found is not None
    assert reader.calls[asked:] == ["list 5+5", "list 0+5", "get 999"]


def test_that_he_was_nobody_a_moment_ago_is_no_answer_if_nothing_newer_can_be_had() -> None:
    reader = published()
    reader.read(999)
    origin = reader.world.origin
    origin.rows.append(user(999))
    reader.world.clock.now += 30

    def fail_for_one() -> None:
        if origin.calls[-1].startswith("get"):
            raise OriginError("shape", reason=Reason.WRONG_SHAPE, received=200)

    origin.before_call = fail_for_one

    value, _, _, found = reader.read(999, cache_control="max-age=10")

    assert value == []
    assert found is not None
    assert found.unanswered == {id_key(999)}
