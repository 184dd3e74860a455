"""The directory as it was: which generation a moment means, and what is answered from it."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.caching.headers import http_date
from lib.directory.generation import Generation
from lib.errors import GoneError, InvalidRequestError, StoreError
from lib.queries.moment import AsOf
from lib.reading import past
from lib.revalidation.head_updates import HISTORY_SECONDS
from lib.users.dates import iso_date
from lib.users.hiding import HidingPolicy
from tests.caller import Caller, Given
from tests.fakes import CLIENT, NOW, FakeOrigin, user, users
from tests.world import World

DAY = 24 * 3600


def iso(instant: float) -> str:
    return iso_date(instant)


@dataclass
class History:
    """A world in which a day passed after each of its generations: users 1, 1 to 2, and on."""

    world: World

    @property
    def caller(self) -> Caller:
        return Caller(self.world)

    def as_of(self, moment: object, asked: str = "", **fields: str) -> Given:
        return self.caller.users(f"asOf={moment}&{asked}", **fields)

    def published_at(self, number: int) -> float:
        return float(str(self.world.store.manifests[CLIENT, number]["modified_at"]))


def history(days: int = 5) -> History:
    world = World()
    for day in range(1, days + 1):
        world.origin.rows = users(range(1, day + 1))
        world.publish(age=DAY)
    return History(world)


# ---- which generation ----


def generations(*modified_at: int) -> dict[int, Generation]:
    return {
        number: Generation(client_id=CLIENT, number=number, modified_at=at)
        for number, at in enumerate(modified_at, start=1)
    }


def instants(kept: dict[int, Generation]) -> Callable[[int], float | None]:
    """Return what tells ``modified_at`` of those that are kept."""
    return lambda number: kept[number].modified_at if number in kept else None


def number_at(
    instant: float, kept: dict[int, Generation], *, newest: Generation, now: float
) -> int:
    return past.number_of(AsOf(instant=instant), newest, modified_at=instants(kept), now=now)


@given(
    st.lists(st.integers(1, 1_000), min_size=1, max_size=60, unique=True).map(sorted),
    st.floats(0, 1_100),
    st.sets(st.integers(1, 60)),
)
def test_a_moment_means_the_newest_generation_then_and_never_another_one(
    instants: list[int], instant: float, lost: set[int]
) -> None:
    kept = generations(*instants)
    newest = kept[len(kept)]
    expected = sum(at <= instant for at in instants)
    there = {number: one for number, one in kept.items() if number not in lost}

    try:
        number = number_at(instant, there, newest=newest, now=1_100)
    except InvalidRequestError:
        number = 0

    # What is lost is met with nothing: the number is right, or nothing is kept under it.
    assert number == expected or (number in lost and number != newest.number)


def test_the_moment_just_passed_is_found_with_two_reads_and_a_month_with_few() -> None:
    kept = generations(*range(0, 43_200 * 60, 60))
    newest, now, read = kept[43_200], 43_200 * 60, []

    def reading(number: int) -> float | None:
        read.append(number)
        return instants(kept)(number)

    def reads_for(instant: float) -> int:
        read.clear()
        past.number_of(AsOf(instant=instant), newest, modified_at=reading, now=now)
        return len(read)

    assert reads_for(now) == 0
    assert reads_for(newest.modified_at - 1) == 1
    assert reads_for(30) <= 32


def test_numbers_that_began_anew_far_above_do_not_make_it_long() -> None:
    kept = {number: replace(one, number=number) for number, one in generations(10, 20).items()}
    first_anew = 1_800_000_000_000
    newest = replace(kept[2], number=first_anew, modified_at=30)

    number = number_at(25, kept | {first_anew: newest}, newest=newest, now=40)

    # It was the second, but what is asked for is whatever the numbers led to: nothing.
    assert number == first_anew - 1
    assert number not in kept


# ---- lists ----


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_list_by_number_shows_that_generation_and_says_so(number: int) -> None:
    told = history()

    given = told.as_of(number)

    assert given.ids == list(range(1, number + 1))
    assert given.headers["X-Total-Count"] == str(number)
    assert given.age == (6 - number) * DAY
    assert given.cache_status.endswith("detail=pinned")
    assert given.headers["Cache-Control"] == "private, no-cache"
    assert given.headers["Last-Modified"] == http_date(told.published_at(number))


@pytest.mark.parametrize(
    ("after", "number"),
    [(0, 3), (0.001, 3), (DAY - 1, 3), (-0.001, 2), (-DAY, 2), (DAY, 4), (2 * DAY, 5)],
)
def test_a_list_by_date_shows_what_was_answered_from_then(after: float, number: int) -> None:
    told = history()

    given = told.as_of(iso(told.published_at(3) + after))

    assert given.ids == list(range(1, number + 1))


def test_the_origin_is_not_asked_whatever_the_caller_wishes_and_whoever_is_missing() -> None:
    told = history()
    told.world.clock.now += 365 * DAY

    given = told.as_of(2, "ids=1,3,99", cache_control="no-cache")
    alone = told.caller.user(3, as_of="2", cache_control="no-cache")

    assert (given.ids, given.not_found, given.not_asked) == ([1], [3, 99], [])
    assert (alone.status, alone.headers["Cache-Status"][-13:]) == (404, "detail=pinned")
    assert (told.world.origin.calls, told.world.handed_over) == ([], [])


def test_an_answer_of_then_has_the_tag_and_the_body_that_it_had_then() -> None:
    world = World(origin=FakeOrigin(rows=users(range(1, 30))))
    world.publish(age=DAY)
    then = Caller(world).users("q=n1&limit=3")
    one = Caller(world).user(5)
    asked_at = iso(world.clock.now)
    world.origin.rows = [user(5, name="Another")]
    world.publish(age=DAY)
    world.publish(age=DAY)

    again = Caller(world).users(f"q=n1&limit=3&asOf={asked_at}")
    one_again = Caller(world).user(5, as_of=asked_at)

    for was, now in ((then, again), (one, one_again)):
        assert (now.body, now.headers["ETag"]) == (was.body, was.headers["ETag"])
        assert now.headers["Last-Modified"] == was.headers["Last-Modified"]
    assert one_again.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("asked", ["", "q=n"])
def test_who_has_an_answer_of_then_is_told_so(asked: str) -> None:
    told = history()
    tag = told.as_of(3, asked).headers["ETag"]

    given = told.as_of(3, asked, if_none_match=tag)

    assert (given.status, given.body) == (304, None)
    assert given.headers["Cache-Control"] == "private, no-cache"
    assert told.as_of(4, asked, if_none_match=tag).status == 200


def test_links_stay_in_their_generation_by_its_number() -> None:
    told = history(7)

    first = told.as_of(iso(told.published_at(6)), "limit=2&sort=-id")
    second = told.caller.users(first.links["next"])
    third = told.caller.users(second.links["next"])

    assert [given.ids for given in (first, second, third)] == [[6, 5], [4, 3], [2, 1]]
    assert first.links == {
        "first": "limit=2&sort=-id&asOf=6",
        "next": "limit=2&sort=-id&asOf=6&offset=2",
    }
    assert told.caller.users(third.links["prev"]).ids == [4, 3]
    assert told.caller.users(third.links["first"]).ids == [6, 5]
    assert "next" not in third.links


def test_a_link_that_names_users_by_id_stays_in_its_generation_too() -> None:
    told = history(4)
    names = ",".join(["u1", "u2", "u3", *(f"nobody-{n}-{'x' * 20}" for n in range(100))])

    given = told.as_of(3, f"usernames={names}&limit=2")

    assert given.links["next"] == "limit=2&ids=1%2C2%2C3&asOf=3&offset=2"
    assert told.caller.users(given.links["next"]).ids == [3]


# ---- what cannot be answered ----


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (lambda _: 6, "'asOf' is above the newest generation, 5"),
        (lambda told: iso(told.world.clock.now + 0.001), "'asOf' is in the future"),
        (lambda told: iso(told.published_at(1) - 0.001), "'asOf' is before the first generation"),
    ],
)
def test_what_was_not_there_yet_is_refused_in_words(
    moment: Callable[[History], object], said: str
) -> None:
    told = history()

    given = told.as_of(moment(told))

    assert given.status == 400
    assert isinstance(given.error, InvalidRequestError)
    assert said in given.error.message


def test_of_a_client_of_whom_nothing_is_stored_there_is_no_past() -> None:
    world = World()

    by_number, by_date = (Caller(world).users(f"asOf={at}") for at in (1, iso(NOW)))

    assert (by_number.status, by_date.status) == (400, 400)
    assert world.origin.calls == []


@pytest.mark.parametrize("moment", ["2", "a date"])
def test_what_is_not_kept_is_gone_and_the_answer_says_where_to_start_again(moment: str) -> None:
    told = history()
    moment = moment if moment == "2" else iso(told.published_at(2))
    del told.world.store.manifests[CLIENT, 2]

    given = told.as_of(moment, "limit=2&q=n")
    alone = told.caller.user(1, as_of=moment)

    assert given.status == alone.status == 410
    assert given.links == {"first": "limit=2&q=n"}
    assert told.caller.users(given.links["first"]).headers["X-Total-Count"] == "5"


def test_what_is_buried_is_gone_and_leads_nobody_astray() -> None:
    told = history(12)
    for number in range(4, 9):
        told.world.store.bury(CLIENT, number)

    found = [told.as_of(iso(told.published_at(number))) for number in range(1, 13)]

    assert [given.status for given in found] == [200] * 3 + [410] * 5 + [200] * 4
    assert [len(given.ids) for given in found if given.status == 200] == [1, 2, 3, 9, 10, 11, 12]


def test_a_moment_more_than_thirty_days_ago_is_gone_unless_nothing_has_changed_since() -> None:
    told = history(2)
    told.world.clock.now += HISTORY_SECONDS

    assert told.as_of(iso(told.published_at(2) - 1)).status == 410
    assert told.as_of(iso(told.published_at(2))).ids == [1, 2]


@pytest.mark.parametrize("later", [DAY, 7 * DAY, 45 * DAY])
def test_for_thirty_days_after_it_was_the_newest_a_generation_is_kept_with_all_it_names(
    later: int,
) -> None:
    world = World(origin=FakeOrigin(rows=users(range(1, 300))))
    world.publish(age=0)
    # The schedule runs daily at least.
    for _ in range(later // DAY):
        world.clock.now += DAY
        world.revalidation.renew(world.head)
    world.origin.rows[0]["name"] = "Another"
    world.publish()

    first = world.store.generation(CLIENT, 1)
    assert first is not None
    kept_until = [
        world.store.stored_pages[CLIENT, ref.digest][1] for ref in world.store.manifest(first).pages
    ]
    kept_until.append(int(str(world.store.manifests[CLIENT, 1]["expires_at"])))
    assert min(kept_until) >= world.clock.now + HISTORY_SECONDS


def test_a_table_that_is_down_does_not_let_an_older_memory_answer() -> None:
    told = history()
    told.caller.users()
    told.world.store.fail("head", times=9)

    given = told.as_of(iso(told.world.clock.now))

    assert isinstance(given.error, StoreError)
    assert not isinstance(given.error, GoneError)


# ---- what is hidden ----


def test_what_is_hidden_now_is_hidden_in_what_was_before() -> None:
    told = history(2)
    hidden = World(
        store=told.world.store,
        clock=told.world.clock,
        origin=told.world.origin,
        hiding=HidingPolicy(fields=frozenset({"name"})),
    )
    hidden.publish(age=DAY)

    given = Caller(hidden).users("asOf=2&limit=1")
    alone = Caller(hidden).user(1, as_of="2")

    assert "name" not in given.body["data"][0]
    assert "name" not in alone.body["data"]
    assert given.headers["ETag"] != told.as_of(2, "limit=1").headers["ETag"]
    assert given.headers["Cache-Control"] == "private, no-cache"
    assert "Last-Modified" not in given.headers
    assert given.links["next"] == "limit=1&asOf=2&offset=1"
    assert Caller(hidden).users("asOf=2&q=n1").ids == []
