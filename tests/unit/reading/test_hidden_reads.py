"""What is hidden is hidden at once, not only from the next sweep on."""

import json

from lib.directory.diff import Change
from lib.directory.snapshot import snapshot_of
from lib.events.event import EventFormat
from lib.users.document import canonical
from lib.users.hiding import HidingPolicy
from tests.fakes import CLIENT, head_with, user
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


def test_an_event_with_values_never_has_what_is_hidden_now() -> None:
    line = canonical(user(1, metadata={"card": "4711"}))
    change = Change(kind="updated", user_id=1, fields=("name",), before=line, after=line)
    old, new = (head_with(CLIENT, generation=number) for number in (1, 2))

    event = EventFormat(with_values=True, hiding=POLICY).changed(
        change, old=old.generation, new=new.generation
    )

    assert "4711" not in json.dumps(event)
    assert "name" not in event["data"]["after"]
