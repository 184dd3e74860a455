"""Conditional requests: who has the answer already is told so, and nobody else is."""

from collections.abc import Callable
from email.utils import formatdate

import pytest

from lib.directory.head import HEAD_SECONDS
from lib.revalidation.window import Window
from lib.users.hiding import HidingPolicy
from tests.caller import Caller, Given
from tests.fakes import CLIENT, FakeOrigin, user, users
from tests.world import FRESH, STALE, World

ADDRESS = f"user12+{CLIENT}@example.com"
TAG = 'W/"1-000000000000000000000000"'

type Ask = Callable[..., Given]


def ten_of_twelve(*, age: int = 50) -> World:
    """Return a world whose window shows ten of its twelve users."""
    world = World(
        window=Window(max_limit=5, max_offset=5), origin=FakeOrigin(rows=users(range(1, 13)))
    )
    world.publish(age=age)
    return world


def window(caller: Caller, **fields: str) -> Given:
    return caller.users("limit=5", **fields)


def filtered(caller: Caller, **fields: str) -> Given:
    return caller.users("sort=-id&limit=5", **fields)


def named(caller: Caller, **fields: str) -> Given:
    return caller.users("ids=3,4", **fields)


def pinned(caller: Caller, **fields: str) -> Given:
    return caller.users(caller.users("limit=5").links["next"], **fields)


def looked_up(caller: Caller, **fields: str) -> Given:
    return caller.users(f"emails={ADDRESS}", **fields)


def not_there(caller: Caller, **fields: str) -> Given:
    return caller.users("ids=99", **fields)


def asked_for(caller: Caller, **fields: str) -> Given:
    return caller.users("ids=3,12", cache_control="no-cache", **fields)


def one(caller: Caller, **fields: str) -> Given:
    return caller.user(3, **fields)


def one_looked_up(caller: Caller, **fields: str) -> Given:
    return caller.user(12, **fields)


def one_asked_for(caller: Caller, **fields: str) -> Given:
    return caller.user(3, cache_control="no-cache", **fields)


STORED = [window, filtered, named, pinned, one]
BESIDE = [looked_up, not_there, asked_for, one_looked_up, one_asked_for]


@pytest.mark.parametrize("ask", [*STORED, *BESIDE])
def test_who_has_the_answer_gets_its_header_fields_and_no_body(ask: Ask) -> None:
    caller = Caller(ten_of_twelve())
    full = ask(caller)

    again = ask(caller, if_none_match=f'"other", {full.headers["ETag"]}')

    assert (full.status, again.status, again.body) == (200, 304, None)
    for name in ("ETag", "Cache-Control", "Vary", "Last-Modified"):
        assert again.headers.get(name) == full.headers.get(name)
    assert "Cache-Status" in again.headers


@pytest.mark.parametrize("ask", [*STORED, *BESIDE])
@pytest.mark.parametrize(
    ("tags", "status"), [("*", 304), (TAG, 200), ('"other"', 200), ("unquoted", 200)]
)
def test_any_tag_or_none_of_them_matches(ask: Ask, tags: str, status: int) -> None:
    assert ask(Caller(ten_of_twelve()), if_none_match=tags).status == status


@pytest.mark.parametrize("ask", STORED)
@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 304), (1, 304)])
def test_what_a_generation_holds_has_the_date_of_it(ask: Ask, seconds: int, status: int) -> None:
    world = ten_of_twelve()
    modified_at = world.head.generation.modified_at

    given = ask(Caller(world), if_modified_since=formatdate(modified_at + seconds, usegmt=True))

    assert given.status == status
    assert given.headers["Last-Modified"] == formatdate(modified_at, usegmt=True)


@pytest.mark.parametrize("ask", BESIDE)
def test_what_may_have_changed_at_any_time_has_no_date(ask: Ask) -> None:
    given = ask(Caller(ten_of_twelve()), if_modified_since="Fri, 31 Dec 2100 00:00:00 GMT")

    assert given.status == 200
    assert "Last-Modified" not in given.headers


@pytest.mark.parametrize("ask", [*STORED, *BESIDE])
def test_where_there_are_tags_no_date_counts(ask: Ask) -> None:
    given = ask(
        Caller(ten_of_twelve()),
        if_none_match=TAG,
        if_modified_since="Fri, 31 Dec 2100 00:00:00 GMT",
    )

    assert given.status == 200


@pytest.mark.parametrize("ask", [window, filtered, pinned])
def test_a_tag_of_a_list_is_compared_without_reading_anybody(ask: Ask) -> None:
    world = ten_of_twelve()
    tag = ask(Caller(world)).headers["ETag"]
    cold = World(clock=world.clock, store=world.store, origin=world.origin, window=world.window)
    world.forget()

    given = ask(Caller(cold), if_none_match=tag)

    assert given.status == 304
    # The first window of a traversal is read for its link.
    assert world.store.calls["pages"] == (1 if ask is pinned else 0)


@pytest.mark.parametrize(
    ("ask", "told"), [(window, True), (filtered, False), (named, False), (pinned, False)]
)
def test_how_many_there_are_is_told_where_that_is_known_without_reading(
    ask: Ask, *, told: bool
) -> None:
    given = ask(Caller(ten_of_twelve()), if_none_match="*")

    assert given.headers.get("X-Total-Count") == ("10" if told else None)
    assert set(given.links) == ({"first", "next"} if told else set())


def test_the_links_of_a_304_are_those_of_the_answer() -> None:
    caller = Caller(ten_of_twelve())

    for asked in ("limit=5", "limit=5&offset=5", "limit=10", "limit=3&offset=50"):
        assert caller.users(asked, if_none_match="*").links == caller.users(asked).links


@pytest.mark.parametrize("age", [FRESH, STALE])
def test_a_304_says_how_old_the_answer_is(age: int) -> None:
    caller = Caller(ten_of_twelve(age=age))

    given = caller.users(if_none_match="*")

    assert (given.status, given.age) == (304, age)
    assert given.cache_status.startswith(f"hit; ttl={120 - age}")


@pytest.mark.parametrize("ask", [window, filtered, named, looked_up, one, one_looked_up])
def test_what_has_changed_is_another_answer(ask: Ask) -> None:
    world = ten_of_twelve()
    before, given_at = ask(Caller(world)), world.clock.now
    world.origin.rows = [user(row["id"], name="Renamed") for row in world.origin.rows]
    world.clock.now += 60
    # The first sweep adopts who was looked up, as he was then; the next one asks for him.
    world.publish(age=60)
    world.publish(age=HEAD_SECONDS + 1)

    after = ask(Caller(world), if_none_match=before.headers["ETag"])
    # Who was given no date may take that of the answer.
    since = before.headers.get("Last-Modified", formatdate(given_at, usegmt=True))

    assert after.status == 200
    assert "Renamed" in str(after.body)
    assert ask(Caller(world), if_modified_since=since).status == 200


def test_a_sweep_that_found_nothing_new_changes_no_tag() -> None:
    world = ten_of_twelve()
    tag = Caller(world).users().headers["ETag"]
    world.clock.now += 100
    world.publish()

    assert Caller(world).users(if_none_match=tag).status == 304


@pytest.mark.parametrize("ask", [window, filtered, named, one])
def test_hiding_something_else_makes_another_answer_of_the_same_generation(ask: Ask) -> None:
    world = ten_of_twelve()
    before = ask(Caller(world))
    later = World(
        clock=world.clock,
        store=world.store,
        origin=world.origin,
        window=world.window,
        hiding=HidingPolicy(fields=frozenset({"name"})),
    )

    by_tag = ask(Caller(later), if_none_match=before.headers["ETag"])
    by_date = ask(Caller(later), if_modified_since=before.headers["Last-Modified"])

    assert (by_tag.status, by_date.status) == (200, 200)
    assert "'name'" not in str(by_tag.body)
    assert ask(Caller(later), if_none_match=by_tag.headers["ETag"]).status == 304


@pytest.mark.parametrize("fields", [(), ("id",), ("id", "name")])
def test_one_users_tag_covers_the_fields_asked_for(fields: tuple[str, ...]) -> None:
    caller = Caller(ten_of_twelve())
    tag = caller.user(3, *fields).headers["ETag"]

    statuses = [
        caller.user(3, *other, if_none_match=tag).status for other in ((), ("id",), ("id", "name"))
    ]

    assert statuses.count(304) == 1
    assert caller.user(3, *fields, if_none_match=tag).status == 304
