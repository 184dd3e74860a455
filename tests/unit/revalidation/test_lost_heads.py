"""A head that was lost, or restored to what it was: no generation is ever published over."""

from lib.events.announcer import Announcing
from lib.events.change_log import ChangeLog
from lib.events.event import Event, EventFormat
from lib.events.history import History
from lib.revalidation.outcomes import Published
from tests.fakes import CLIENT, NOW, users
from tests.world import World


def after_three_generations() -> World:
    """Return a world of users 1 to 5, whose first two generations had 1 to 3 and 1 to 4."""
    world = World()
    for last in (4, 5, 6):
        world.origin.rows = users(range(1, last))
        world.publish(age=60)
    return world


def publish_after_loss(world: World, **restored: object) -> int:
    """Lose the head, all but what is ``restored``, and publish users 2 to 6; return the number."""
    world.store.items[CLIENT] = {name: value for name, value in restored.items() if value}  # type: ignore[misc]
    world.origin.rows = users(range(2, 7))
    outcome = world.revalidate()
    assert isinstance(outcome, Published)
    return outcome.head.generation.number


def test_numbers_that_were_used_are_not_used_again() -> None:
    world = after_three_generations()
    kept = {number: world.store.generation(CLIENT, number) for number in (1, 2, 3)}

    number = publish_after_loss(world)

    assert number == 1000 * int(NOW + 180)
    assert {n: world.store.generation(CLIENT, n) for n in kept} == kept


def test_after_that_they_rise_by_one_again() -> None:
    world = after_three_generations()
    first = publish_after_loss(world)
    world.origin.rows = users(range(2, 8))

    world.revalidate()

    assert world.head.generation.number == first + 1


def test_who_knows_an_earlier_generation_is_told_everything_since() -> None:
    world = after_three_generations()
    publish_after_loss(world)

    told = ChangeLog(world.store).since(world.head.generation, 2).named

    assert (told["created"], told["deleted"]) == ([5, 6], [1])


def test_listeners_get_a_baseline_and_no_old_news() -> None:
    world = after_three_generations()
    number, sent = publish_after_loss(world), list[Event]()
    history = History(store=world.store, event_format=EventFormat(with_values=False))
    announcing = Announcing(history=history, send=sent.extend)

    announcing.catch_up(CLIENT)

    assert [(event["type"], event["data"]["generation"]) for event in sent] == [
        ("managed-users-proxy.managed-users.baseline.v1", number)
    ]
    assert world.head.announced == number


def test_a_head_restored_to_an_earlier_generation_goes_on_elsewhere() -> None:
    world = after_three_generations()
    first = world.store.generation(CLIENT, 1)
    assert first is not None
    restored = dict(world.store.manifests[CLIENT, 1], generation=1)

    number = publish_after_loss(world, **restored)

    assert number == 1000 * int(NOW + 180)
    assert ChangeLog(world.store).since(world.head.generation, 3).named["deleted"] == [1]
