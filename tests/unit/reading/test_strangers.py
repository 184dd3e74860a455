"""What is said of a user who is in no snapshot: not there, not known, or nothing at all.

Whoever reads "not there" may delete or provision on it, so it is the origin's word, or that of a
directory that was complete and fresh. Where nobody is ever asked again, what is stored is all there
is to say.
"""

from collections.abc import Iterator
from copy import replace
from typing import NamedTuple

import pytest

from lib.errors import OriginServerError, Reason
from lib.revalidation.window import Window
from tests.caller import Caller, Given
from tests.fakes import CLIENT, FakeOrigin, users
from tests.world import EXPIRED, FRESH, POLICY, STALE, VERY_STALE, World

STRANGER = 999
ADDRESS = f"user{STRANGER}+{CLIENT}@example.com"
AGES = {"fresh": FRESH, "stale": STALE, "very stale": VERY_STALE, "expired": EXPIRED}
ORIGINS = ("answers", "fails", "blocks", "pauses")
PAUSES = {
    "blocks": ("blocked_until", Reason.ORIGIN_BLOCKED),
    "pauses": ("retry_at", Reason.ORIGIN_5XX),
}

# What is stored, the directive, its age, and what is said while the origin does each of the above.
ONE_USER = """
complete    none            fresh       404 404 404 404
complete    none            stale       404 502 503 503
complete    none            very-stale  404 503 503 503
complete    none            expired     404 502 503 503
complete    no-cache        fresh       404 404 404 404
complete    no-cache        stale       404 502 503 503
complete    no-cache        very-stale  404 502 503 503
complete    no-cache        expired     404 502 503 503
complete    only-if-cached  fresh       404 404 404 404
complete    only-if-cached  stale       504 504 504 504
complete    only-if-cached  very-stale  504 504 504 504
complete    only-if-cached  expired     504 504 504 504
incomplete  none            fresh       404 502 503 503
incomplete  none            stale       404 502 503 503
incomplete  none            very-stale  404 503 503 503
incomplete  none            expired     404 502 503 503
incomplete  no-cache        fresh       404 502 503 503
incomplete  no-cache        stale       404 502 503 503
incomplete  no-cache        very-stale  404 502 503 503
incomplete  no-cache        expired     404 502 503 503
incomplete  only-if-cached  fresh       504 504 504 504
incomplete  only-if-cached  stale       504 504 504 504
incomplete  only-if-cached  very-stale  504 504 504 504
incomplete  only-if-cached  expired     504 504 504 504
"""
A_LIST = """
complete    none            fresh       notFound  notFound  notFound  notFound
complete    none            stale       notFound  notAsked  notAsked  notAsked
complete    none            very-stale  notFound  notAsked  notAsked  notAsked
complete    none            expired     notFound  502       503       503
complete    no-cache        fresh       notFound  notFound  notFound  notFound
complete    no-cache        stale       notFound  notAsked  notAsked  notAsked
complete    no-cache        very-stale  notFound  notAsked  notAsked  notAsked
complete    no-cache        expired     notFound  502       503       503
complete    only-if-cached  fresh       notFound  notFound  notFound  notFound
complete    only-if-cached  stale       notAsked  notAsked  notAsked  notAsked
complete    only-if-cached  very-stale  504       504       notAsked  notAsked
complete    only-if-cached  expired     504       504       504       504
incomplete  none            fresh       notFound  notAsked  notAsked  notAsked
incomplete  none            stale       notFound  notAsked  notAsked  notAsked
incomplete  none            very-stale  notFound  notAsked  notAsked  notAsked
incomplete  none            expired     notFound  502       503       503
incomplete  no-cache        fresh       notFound  notAsked  notAsked  notAsked
incomplete  no-cache        stale       notFound  notAsked  notAsked  notAsked
incomplete  no-cache        very-stale  notFound  notAsked  notAsked  notAsked
incomplete  no-cache        expired     notFound  502       503       503
incomplete  only-if-cached  fresh       notAsked  notAsked  notAsked  notAsked
incomplete  only-if-cached  stale       notAsked  notAsked  notAsked  notAsked
incomplete  only-if-cached  very-stale  504       504       notAsked  notAsked
incomplete  only-if-cached  expired     504       504       504       504
"""


class Situation(NamedTuple):
    """What is stored, how old it is, how the origin does, and what the caller says beside."""

    stored: str
    directive: str
    age: str
    origin: str

    @property
    def fields(self) -> dict[str, str]:
        return {} if self.directive == "none" else {"cache_control": self.directive}

    def world(self, *, frozen: bool = False) -> World:
        """Return a world in this situation; a snapshot that is incomplete has ten of twelve."""
        small = Window(max_limit=5, max_offset=5)
        world = World(
            policy=replace(POLICY, frozen=frozen),
            window=Window() if self.stored == "complete" else small,
            origin=FakeOrigin(rows=users(range(1, 13))),
        )
        # Frozen is who was thawed once.
        world.revalidation = replace(world.revalidation, frozen=False)
        world.publish(age=AGES[self.age])
        world.revalidation = replace(world.revalidation, frozen=frozen)
        if self.origin == "fails":
            failure = OriginServerError("down", reason=Reason.ORIGIN_5XX, received=500)
            world.origin.errors = [failure] * 20
        elif self.origin != "answers":
            name, reason = PAUSES[self.origin]
            world.store.put_head(**{name: world.clock.now + 60}, last_error=reason, failures=1)
        return world


def cells(table: str) -> Iterator[tuple[Situation, str]]:
    """Yield each situation of a table with what is said in it."""
    for line in table.strip().splitlines():
        stored, directive, age, *told = line.split()
        for origin, expected in zip(ORIGINS, told, strict=True):
            yield Situation(stored, directive, age.replace("-", " "), origin), expected


def cases(table: str) -> list[object]:
    return [
        pytest.param(situation, expected, id=", ".join(situation))
        for situation, expected in cells(table)
    ]


def of_list(given: Given, name: str | int) -> str:
    """Return what a list says of the one user it was asked for."""
    if given.status != 200:
        return str(given.status)
    assert given.ids == []
    said = [key for key in ("notFound", "notAsked") if given.body.get(key) == [name]]
    assert len(said) == 1, given.body
    return said[0]


@pytest.mark.parametrize(("situation", "expected"), cases(ONE_USER))
def test_one_user_who_is_not_stored(situation: Situation, expected: str) -> None:
    given = Caller(situation.world()).user(STRANGER, **situation.fields)

    assert str(given.status) == expected


@pytest.mark.parametrize("asked", [f"ids={STRANGER}", f"emails={ADDRESS}"])
@pytest.mark.parametrize(("situation", "expected"), cases(A_LIST))
def test_a_list_of_a_user_who_is_not_stored(
    situation: Situation, expected: str, asked: str
) -> None:
    name = STRANGER if asked.startswith("ids") else ADDRESS

    given = Caller(situation.world()).users(asked, **situation.fields)

    assert of_list(given, name) == expected


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize(
    ("stored", "directive", "status", "said"),
    [
        ("complete", "none", 404, "notFound"),
        ("complete", "no-cache", 404, "notFound"),
        ("complete", "only-if-cached", 404, "notFound"),
        ("incomplete", "none", 404, "notAsked"),
        ("incomplete", "no-cache", 404, "notAsked"),
        ("incomplete", "only-if-cached", 504, "notAsked"),
    ],
)
def test_where_nobody_is_ever_asked_again(
    stored: str, directive: str, status: int, said: str, age: str
) -> None:
    situation = Situation(stored, directive, age, "answers")
    world = situation.world(frozen=True)

    one = Caller(world).user(STRANGER, **situation.fields)
    listed = Caller(world).users(f"ids={STRANGER}", **situation.fields)

    assert (one.status, of_list(listed, STRANGER)) == (status, said)
    assert world.origin.calls == []


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("stored", ["complete", "incomplete"])
@pytest.mark.parametrize("directive", ["none", "no-cache"])
def test_a_user_whom_the_origin_has_is_found_beyond_what_is_stored(
    stored: str, directive: str, age: str
) -> None:
    situation = Situation(stored, directive, age, "answers")
    known_to_all = (stored, directive, age) == ("complete", "none", "fresh")

    def asked() -> Caller:
        world = situation.world()
        world.origin.rows += users([STRANGER])
        return Caller(world)

    one = asked().user(STRANGER, **situation.fields)
    by_address = asked().users(f"emails={ADDRESS}", **situation.fields)
    by_id = asked().users(f"ids={STRANGER}", **situation.fields)

    assert one.status == (404 if known_to_all else 200)
    assert by_address.ids == by_id.ids == ([] if known_to_all else [STRANGER])
    assert by_address.not_asked == by_id.not_asked == []
