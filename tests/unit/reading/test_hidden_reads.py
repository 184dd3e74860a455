"""What is hidden is hidden at once, not only from the next sweep on."""

import json

from lib.directory.snapshot import snapshot_of
from lib.users.hiding import HidingPolicy
from tests.fakes import user
from tests.world import World

POLICY = HidingPolicy(fields=frozenset({"name"}), metadata_keys=frozenset({"card"}))


def test_users_published_before_a_policy_are_read_as_it_wants_them() -> None:
    world = World()
    world.origin.rows = [user(1, metadata={"card": "4711", "plan": "pro"})]
    world.publish()

    (line,) = snapshot_of(world.store, world.head.generation, hiding=POLICY).lines()

    shown = json.loads(line)
    assert "name" not in shown
    assert shown["metadata"] == {"plan": "pro"}


def test_users_published_under_the_policy_are_read_as_they_are() -> None:
    world = World()
    world.publish()

    unhidden = list(snapshot_of(world.store, world.head.generation).lines())

    assert (
        list(snapshot_of(world.store, world.head.generation, hiding=HidingPolicy()).lines())
        == unhidden
    )
