"""What is asked again: made once, as young as its sweep, and never of other users than it says."""

from collections.abc import Sequence

import pytest

from lib.queries import bodies
from lib.queries.select import Slice
from lib.reading import representations
from lib.reading.representations import Representation, Representations
from lib.revalidation.window import Window
from tests.caller import Caller
from tests.fakes import CLIENT, users
from tests.world import World


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many users each body made from now on shows."""
    shown: list[int] = []

    def counted(generation: object, query: object, rows: Slice, **rest: object) -> str:
        shown.append(len(rows.lines))
        return make(generation, query, rows, **rest)  # type: ignore[arg-type]

    make = bodies.list_body
    monkeypatch.setattr(bodies, "list_body", counted)
    return shown


def world_of(ids: Sequence[int], *, window: Window | None = None) -> World:
    world = World(window=window or Window())
    world.origin.rows = users(ids)
    world.publish()
    return world


@pytest.mark.parametrize("asked", ["", "limit=2&offset=1", "q=n1", "ids=1,2", "fields=id&sort=-id"])
def test_the_same_question_is_answered_by_what_was_made_before(asked: str, made: list[int]) -> None:
    caller = Caller(world_of(range(1, 6)))

    first, again = caller.users(asked), caller.users(asked)

    assert (first.status, len(made)) == (200, 1)
    assert (again.body, again.headers) == (first.body, first.headers)


def test_after_a_sweep_that_finds_the_same_it_is_young_again(made: list[int]) -> None:
    world = world_of(range(1, 6))
    caller = Caller(world)
    caller.users("ids=1,2")
    world.clock.now += 50
    world.publish()
    world.clock.now += 5

    assert (caller.users("ids=1,2").age, made) == (5, [2])


def test_another_generation_is_another_answer_and_a_cursor_still_leads_through_the_old_one(
    made: list[int],
) -> None:
    world = world_of(range(1, 6))
    caller = Caller(world)
    first = caller.users("limit=2")
    world.origin.rows = users(range(2, 9))
    world.publish(age=30)

    assert caller.users("limit=2").ids == [2, 3]
    assert caller.users(first.links["next"]).ids == [3, 4]
    assert caller.users("limit=2").ids == [2, 3]
    assert made == [2, 2, 2]


def test_who_was_looked_up_is_in_no_answer_that_is_kept(made: list[int]) -> None:
    world = world_of(range(1, 8), window=Window(max_limit=5, max_offset=0))
    caller = Caller(world)

    assert [caller.users("ids=1,7").ids for _ in range(2)] == [[1, 7], [1, 7]]
    assert caller.users("").ids == [1, 2, 3, 4, 5]
    assert made == [2, 2, 5]


def test_who_is_not_found_is_told_in_the_order_asked() -> None:
    caller = Caller(world_of(range(1, 6)))

    assert [caller.users(f"ids={ids}").not_found for ids in ("8,9,1", "9,8,1")] == [[8, 9], [9, 8]]


def test_nobody_is_given_what_is_kept_of_another_client() -> None:
    kept = Representations()
    kept.keep(CLIENT, "tag", Representation(Slice([], 0), "body"))

    assert kept.get(CLIENT, "tag") == (Slice([], 0), "body")
    assert kept.get(CLIENT + "x", "tag") is None


@pytest.mark.parametrize(
    ("most", "sizes", "left"),
    [
        (2, [1, 1, 1], ["2", "0"]),
        (0, [1], []),
        (2, [representations.MAX_CHARACTERS, representations.MAX_CHARACTERS + 1], ["0"]),
    ],
)
def test_few_are_kept_and_short_ones(most: int, sizes: Sequence[int], left: Sequence[str]) -> None:
    kept = Representations(most=most)

    for number, size in enumerate(sizes):
        kept.keep(CLIENT, str(number), Representation(Slice([], 0), "x" * size))
        # Asked for all the time, the first is the last to go.
        kept.get(CLIENT, "0")

    tags = map(str, range(len(sizes)))
    assert {tag for tag in tags if kept.get(CLIENT, tag)} == set(left)
