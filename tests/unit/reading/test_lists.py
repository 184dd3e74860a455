"""Lists: which users, how old the answer is, where its links lead, and what it says of itself."""

import re
from collections.abc import Sequence
from copy import replace

import pytest

from lib.directory.users_digest import total_of
from lib.errors import GoneError, InvalidRequestError, OriginServerError, Reason
from lib.queries.cursor import LIFETIME_SECONDS, Cursors
from lib.revalidation.window import Window
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from lib.users.keys import Observation, id_key
from tests.caller import Caller
from tests.fakes import CLIENT, FakeOrigin, User, user, users
from tests.world import EXPIRED, FRESH, STALE, VERY_STALE, World

SMALL = Window(max_limit=5, max_offset=5)
"""A window of ten users."""


def address(user_id: int) -> str:
    return f"user{user_id}+{CLIENT}@example.com"


def world_of(size: int, *, age: int = 0, window: Window = SMALL) -> World:
    """Return a world whose origin had ``size`` users when it was swept ``age`` seconds ago."""
    world = World(window=window, origin=FakeOrigin(rows=users(range(1, size + 1))), adopted_calls=0)
    world.publish(age=age)
    return world


def adopting(*ids: int, after: int = 600) -> World:
    """Return a world of fourteen users, ten in its window, that adopted ``ids``.

    They were last seen when they were looked up, ``after`` seconds before the sweep.
    """
    world = world_of(14)
    seen_at = world.clock.now
    for user_id in ids:
        line = canonical(world.origin.rows[user_id - 1])
        world.lookups.answers[id_key(user_id)] = Observation(line, seen_at)
    world.lookups.ids = set(ids)
    world.clock.now += after
    world.publish()
    assert (world.head.generation.adopted, world.head.generation.users) == (len(ids), 10 + len(ids))
    return world


def unconfirmed(*ids: int) -> World:
    """Return a world of ten users, ``ids`` of whom its last sweep missed, a while ago.

    They count as unconfirmed, because the budget did not allow to ask for them.
    """
    world = world_of(10, window=Window(max_limit=20, max_offset=0), age=100)
    world.origin.rows = [row for row in world.origin.rows if row["id"] not in ids]
    claim = world.claim()
    world.store.put_head(calls=72)
    world.run(claim)
    world.clock.now += 120
    assert world.head.generation.incomplete_reason == "unconfirmed-deletions"
    return world


# ---- windows and links ----


@pytest.mark.parametrize(
    ("asked", "total", "before", "ids", "after"),
    [
        ("", 12, None, range(1, 13), None),
        ("limit=12", 12, None, range(1, 13), None),
        ("limit=5", 12, None, range(1, 6), range(6, 11)),
        ("limit=5&offset=5", 12, range(1, 6), range(6, 11), range(11, 13)),
        ("limit=5&offset=3", 12, range(1, 6), range(4, 9), range(9, 13)),
        ("limit=5&offset=10", 12, range(6, 11), range(11, 13), None),
        ("limit=2&q=n1", 4, None, (1, 10), (11, 12)),
        ("limit=2&sort=-id&offset=2", 12, (12, 11), (10, 9), (8, 7)),
    ],
)
def test_a_window_says_how_many_there_are_and_leads_to_those_beside_it(
    asked: str,
    total: int,
    before: Sequence[int] | None,
    ids: Sequence[int],
    after: Sequence[int] | None,
) -> None:
    caller = Caller(world_of(12, window=Window()))

    given = caller.users(asked)

    assert (given.ids, given.headers["X-Total-Count"]) == (list(ids), str(total))
    assert given.links["first"] == (re.sub(r"&?offset=\d+", "", asked) or "limit=50")
    for name, expected in (("prev", before), ("next", after)):
        if expected is None:
            assert name not in given.links
        else:
            assert caller.users(given.links[name]).ids == list(expected)


def test_a_traversal_stays_in_its_generation_and_says_so() -> None:
    world = world_of(12, window=Window())
    first = Caller(world).users("limit=5")
    world.origin.rows = users(range(6, 30))
    world.publish(age=30)

    second = Caller(world).users(first.links["next"], cache_control="no-cache")
    third = Caller(world).users(second.links["next"])

    assert (second.ids, third.ids) == ([6, 7, 8, 9, 10], [11, 12])
    assert second.cache_status == "hit; ttl=90; detail=pinned"
    assert (second.age, second.headers["Cache-Control"]) == (30, "private, no-cache")
    assert second.headers["X-Total-Count"] == "12"
    assert world.origin.calls == []


def test_a_list_tells_its_generation_and_the_digest_of_all_in_it() -> None:
    world = world_of(12, window=Window())

    first = Caller(world).users("limit=5&q=user")
    known = Caller(world).users("limit=5", if_none_match="*")

    told = f"{total_of([canonical(row) for row in users(range(1, 13))]):064x}"
    assert (first.headers["X-Generation"], first.headers["X-Users-Digest"]) == ("1", told)
    assert (known.status, known.headers["X-Users-Digest"]) == (304, told)


@pytest.mark.parametrize(
    ("view", "other"), [("", "q=n"), ("q=n", ""), ("sort=-id", "sort=id"), ("fields=id", "")]
)
def test_a_cursor_belongs_to_its_view(view: str, other: str) -> None:
    caller = Caller(world_of(12))
    cursor = caller.users(f"limit=5&{view}").links["next"].partition("cursor=")[2]

    given = caller.users(f"{other}&cursor={cursor}")

    assert isinstance(given.error, InvalidRequestError)
    assert given.status == 400


def test_age_counts_until_all_of_the_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of(12)
    world.publish(age=30)

    def key() -> bytes:
        world.clock.now += 9
        return b"read from a slow table"

    monkeypatch.setattr("tests.caller.CURSORS", Cursors(key))

    given = Caller(world).users("limit=5")

    assert "next" in given.links
    assert (given.age, given.cache_status) == (39, "hit; ttl=81")


@pytest.mark.parametrize(("seconds", "status"), [(3600, 200), (LIFETIME_SECONDS + 60, 410)])
def test_a_cursor_is_good_for_an_hour_and_then_leads_to_the_start(
    seconds: int, status: int
) -> None:
    world = world_of(12)
    cursor = Caller(world).users("limit=5&q=user").links["next"]
    world.clock.now += seconds

    given = Caller(world).users(cursor)

    assert given.status == status
    assert status == 200 or given.links == {"first": "limit=5&q=user"}


def test_a_cursor_of_a_generation_that_is_gone_leads_to_the_start() -> None:
    world = world_of(12)
    cursor = Caller(world).users("limit=5").links["next"]
    world.store.manifests.clear()

    given = Caller(world).users(cursor)

    assert isinstance(given.error, GoneError)
    assert (given.status, given.links) == (410, {"first": "limit=5"})


HIDING = HidingPolicy(fields=frozenset({"name"}))


def hiding_more(world: World, *, frozen: bool = False) -> World:
    """Return another environment over the same table, deployed to hide names."""
    policy = replace(world.policy, frozen=frozen)
    return World(
        clock=world.clock,
        store=world.store,
        origin=world.origin,
        window=world.window,
        hiding=HIDING,
        policy=policy,
    )


def test_a_cursor_from_before_something_else_was_hidden_leads_to_the_start() -> None:
    world = world_of(12)
    cursor = Caller(world).users("limit=5").links["next"]

    given = Caller(hiding_more(world)).users(cursor)

    assert (given.status, given.links) == (410, {"first": "limit=5"})


def test_a_cursor_of_another_generation_of_the_same_number_leads_to_the_start() -> None:
    lost = World(window=Window(), origin=FakeOrigin(rows=users(range(1, 13))), hiding=HIDING)
    lost.publish()
    cursor = Caller(lost).users("limit=5").links["next"]
    begun_anew = world_of(12)

    given = Caller(hiding_more(begun_anew)).users(cursor)

    assert (given.status, given.links) == (410, {"first": "limit=5"})


def test_while_what_is_stored_is_from_before_that_windows_are_counted_from_the_start() -> None:
    caller = Caller(hiding_more(world_of(12), frozen=True))

    first = caller.users("limit=5")
    second = caller.users(first.links["next"])

    assert first.links["next"] == "limit=5&offset=5"
    assert second.ids == [6, 7, 8, 9, 10]
    assert "N6" not in str(second.body)


def test_a_traversal_of_users_too_large_for_one_answer_is_shortened() -> None:
    world = World(window=Window())
    world.origin.rows = [user(number, bio="x" * 250_000) for number in range(1, 33)]
    world.publish()
    world.clock.now += 1

    refused = Caller(world).users("limit=32")
    first = Caller(world).users("limit=1")
    second = Caller(world).users(f"limit=32&{first.links['next'].partition('&')[2]}")
    third = Caller(world).users(second.links["next"])

    assert (refused.status, refused.error and refused.error.code) == (400, "ResponseTooLarge")
    assert [*first.ids, *second.ids, *third.ids] == list(range(1, 33))


# ---- how old an answer is ----


@pytest.mark.parametrize(
    ("asked", "age"),
    [
        ("limit=10", 0),
        ("limit=5&offset=5", 0),
        ("limit=11", 600),
        ("limit=1&offset=11", 600),
        ("q=user3", 600),
        ("timeZone=Europe/London&limit=1", 600),
        ("ids=3", 0),
        ("ids=3&fields=id", 0),
        ("ids=3,12", 600),
        ("ids=12", 600),
        (f"emails={address(3)}", 0),
        (f"emails={address(12)}", 600),
        ("usernames=u3", 0),
        ("usernames=u12", 600),
    ],
)
def test_an_answer_is_as_old_as_the_user_in_it_who_was_not_seen_for_longest(
    asked: str, age: int
) -> None:
    given = Caller(adopting(12)).users(asked)

    assert given.age == age
    assert given.cache_status == f"hit; ttl={120 - age}"


@pytest.mark.parametrize(
    "asked",
    [
        "usernames=renamed",  # the one past the window may have this name by now
        "usernames=u3,renamed",
        "ids=3,12&limit=1",  # that there are two is as old as either
        "ids=3,12&timeZone=Europe/Paris",  # the one past the window may have moved there
        "ids=3,12&usernames=u3",
        f"emails={address(3)}&fields=id",
    ],
)
def test_an_answer_is_as_old_as_the_user_who_could_have_been_in_it(asked: str) -> None:
    assert Caller(adopting(12)).users(asked).age == 600


@pytest.mark.parametrize("asked", ["limit=5", "ids=3", "usernames=u3", "q=user3"])
def test_while_somebody_is_unconfirmed_an_answer_is_as_old_as_when_he_was_last_seen(
    asked: str,
) -> None:
    assert Caller(unconfirmed(7)).users(asked).age == 220


@pytest.mark.parametrize(
    ("asked", "age"), [("limit=10", None), ("limit=11", 1320), ("ids=3", None), ("ids=12", 1320)]
)
def test_a_sweep_for_this_request_makes_young_whom_it_has_seen(asked: str, age: int | None) -> None:
    world = adopting(12)
    world.clock.now += VERY_STALE

    given = Caller(world).users(asked)

    assert given.cache_status == "fwd=stale; fwd-status=200; stored"
    assert given.age == age


def test_a_sweep_for_this_request_that_misses_somebody_leaves_the_answer_old() -> None:
    world = world_of(10, window=Window(max_limit=20, max_offset=0), age=VERY_STALE)
    del world.origin.rows[6]
    world.store.put_head(calls=71, calls_minute=int(world.clock.now // 60), rate_limit=120)

    given = Caller(world).users()

    assert given.cache_status == "fwd=stale; fwd-status=200; stored"
    assert given.body["pagination"]["incompleteReason"] == "unconfirmed-deletions"
    assert (given.ids, given.age) == (list(range(1, 11)), VERY_STALE)


# ---- what directives want of it ----


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("limit=10", 200),
        ("limit=11", 504),
        ("ids=3,4", 200),
        ("ids=3,4&fields=id", 200),
        ("ids=3,12", 504),
        ("usernames=u3", 504),  # whose name that is cannot be known before it is read
        ("q=user3", 504),
    ],
)
def test_directives_judge_those_on_whom_the_answer_rests(asked: str, status: int) -> None:
    given = Caller(adopting(12)).users(asked, cache_control="max-age=60, only-if-cached")

    assert given.status == status


def test_no_cache_of_ids_or_addresses_asks_for_just_those() -> None:
    world = world_of(14, age=50)

    given = Caller(world).users(f"ids=3,12&emails={address(3)}", cache_control="no-cache")

    assert given.ids == [3]
    assert [call.rpartition(" ")[0] for call in world.origin.calls] == ["find 1", "get 12"]
    assert (given.cache_status, given.age) == ("fwd=request; fwd-status=200; stored", None)
    assert "cursor" not in str(given.links)


@pytest.mark.parametrize("asked", ["usernames=u3", "ids=3&usernames=u3", "q=user3", ""])
def test_no_cache_of_anybody_else_sweeps(asked: str) -> None:
    world = world_of(14, age=50)

    given = Caller(world).users(asked, cache_control="no-cache")

    assert [call.rpartition(" ")[0] for call in world.origin.calls] == ["list 5+5", "list 0+5"]
    assert given.cache_status == "fwd=request; fwd-status=200; stored"


# ---- users beyond the snapshot ----


def test_who_is_looked_up_is_in_the_answer_and_no_generation_has_him() -> None:
    world = world_of(14, age=50)

    given = Caller(world).users(f"emails={address(3)},{address(12)},{address(99)}&limit=1")

    assert (given.ids, given.not_found) == ([3], [address(99)])
    assert given.headers["X-Total-Count"] == "2"
    assert given.cache_status == "fwd=miss; fwd-status=200; stored; detail=look-up"
    assert given.age == 50
    assert "offset=1" in given.links["next"]
    assert "Last-Modified" not in given.headers


def test_where_nobody_was_found_beyond_it_the_generation_can_be_traversed() -> None:
    world = world_of(14, age=50)

    first = Caller(world).users("ids=3,4,99&limit=1")
    second = Caller(world).users(first.links["next"])

    assert (first.ids, first.not_found) == ([3], [99])
    assert (second.ids, second.not_found) == ([4], [99])
    assert second.cache_status.endswith("detail=pinned")


def test_of_whom_nothing_is_known_no_window_of_a_traversal_says_that_he_is_not_there() -> None:
    world = world_of(14, age=50)
    world.store.put_head(retry_at=world.clock.now + 30, last_error="origin-5xx")

    first = Caller(world).users("ids=3,4,12&limit=1")
    second = Caller(world).users(first.links["next"])

    assert (first.not_found, first.not_asked) == ([], [12])
    assert (second.ids, second.not_found, second.not_asked) == ([4], [], [12])


@pytest.mark.parametrize("asked", ["emails[]=nonsense", "usernames=a@b"])
def test_what_cannot_be_asked_for_is_simply_not_found(asked: str) -> None:
    world = world_of(14, age=50)
    world.store.put_head(retry_at=world.clock.now + 30, last_error="origin-5xx")

    given = Caller(world).users(asked)

    assert given.not_found == [asked.partition("=")[2]]
    assert given.not_asked == []


def test_a_remembered_look_up_after_a_sweep_that_failed_is_no_hit() -> None:
    world = world_of(14)
    world.clock.now += VERY_STALE
    line = canonical(world.origin.rows[11])
    world.lookups.answers[id_key(12)] = Observation(line, world.clock.now - 7)
    failure = OriginServerError("down", reason=Reason.ORIGIN_5XX, received=503)
    world.origin.errors = [failure, failure]

    given = Caller(world).users("ids=12")

    assert given.ids == [12]
    assert given.cache_status == "fwd=stale; fwd-status=503; ttl=-600; detail=stale-if-error"
    assert given.age == VERY_STALE


def test_names_in_a_body_stay_out_of_links() -> None:
    given = Caller(world_of(10)).look_up("limit=1", ids=(3, 4))

    assert given.ids == [3]
    assert given.links["first"] == "limit=1"
    assert "ids" not in given.links["next"]


def named(row: User) -> User:
    return row | {"name": "Somebody"}


@pytest.mark.parametrize("age", [FRESH, STALE, EXPIRED - 1])
def test_a_stale_list_is_answered_and_asked_for_again_elsewhere_or_at_once(age: int) -> None:
    world = world_of(3, window=Window(), age=age)
    world.origin.rows = list(map(named, world.origin.rows))

    given = Caller(world).users()

    assert (given.body["data"][0]["name"] == "Somebody") is (age > VERY_STALE)
    assert len(world.handed_over) == (1 if age == STALE else 0)
