"""``docs/events``: the schemas take every event that is made, and the page shows real ones."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from dev import ROOT
from dev.origin import User, demo_users
from lib.directory import diff, pages
from lib.directory.generation import Generation
from lib.directory.manifest import Manifest
from lib.directory.pages import Draft
from lib.directory.snapshot import Snapshot
from lib.events.event import BASELINE_TYPE, MAX_VALUES_BYTES, USER_TYPE, Event, EventFormat
from lib.users.document import canonical
from tests.fakes import generation_with

CLIENT = "clxdemo0000000000000000001"
SWEPT_AT = 1_760_000_000.0
PAGE = Path(ROOT, "docs", "events.md")
SCHEMAS: dict[str, Any] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(ROOT, "docs", "events").glob("*.schema.json"))
}
KINDS = ("created", "discovered", "updated", "deleted")
TYPES = [*(USER_TYPE.format(kind=kind) for kind in KINDS), BASELINE_TYPE]


def before() -> list[User]:
    return demo_users(CLIENT, 40)


def after() -> list[User]:
    """Return the users after one of each change: one renamed, one deleted, two new."""
    (first, _, *rest), (old, new) = before(), demo_users(CLIENT, 42)[40:]
    renamed = first | {"name": "Rafael M.", "timeZone": "Europe/Lisbon"}
    return [renamed, *rest, old, new | {"createdDate": "2025-10-09T09:00:00.000Z"}]


def generation(number: int, draft: Draft) -> tuple[Generation, Snapshot]:
    head = generation_with(
        CLIENT,
        generation=number,
        digest=draft.digest,
        users=draft.users,
        complete=draft.complete,
        incomplete_reason=draft.reason,
        swept_at=SWEPT_AT + 60 * (number - 7),
    )
    stored = {page.ref: page for page in draft.pages}
    return head, Snapshot(
        generation=head,
        manifest=lambda: Manifest(draft.refs),
        load=lambda refs: [stored[ref] for ref in refs],
        load_shards=lambda _: (),
    )


def drafted(users: list[User]) -> Draft:
    lines = [canonical(user) for user in users]
    return pages.draft(lines, complete=False, reason="window-full")


def events(*, with_values: bool, new: list[User] | None = None) -> list[Event]:
    """Return the events of generation 8, by kind, and the baseline it could have been."""
    made = EventFormat(with_values=with_values)
    old_head, old = generation(7, drafted(before()))
    new_head, newest = generation(8, drafted(after() if new is None else new))
    found = diff.changes(old, newest)
    told = [made.changed(change, old=old_head, new=new_head) for change in found]
    return [*told, made.baseline(new_head)]


def of(kind: str, *, with_values: bool = False) -> Event:
    name = next(name for name in TYPES if f".{kind}." in name)
    return next(event for event in events(with_values=with_values) if event["type"] == name)


def check(event: Event) -> None:
    Draft202012Validator(SCHEMAS[event["type"]]).validate(event)


def test_there_is_a_schema_for_each_event_and_an_event_for_each_schema() -> None:
    assert sorted(SCHEMAS) == sorted(TYPES)
    assert {schema["properties"]["type"]["const"] for schema in SCHEMAS.values()} == set(TYPES)
    assert sorted(event["type"] for event in events(with_values=False)) == sorted(TYPES)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("with_values", [False, True])
def test_every_event_is_what_its_schema_says(*, with_values: bool) -> None:
    for event in events(with_values=with_values):
        check(json.loads(json.dumps(event)))


def test_values_are_there_only_where_they_are_asked_for() -> None:
    plain, full = events(with_values=False), events(with_values=True)

    assert not any({"before", "after"} & event["data"].keys() for event in plain)
    assert all({"before", "after"} <= event["data"].keys() for event in full[:-1])
    assert [event["id"] for event in plain] == [event["id"] for event in full]


def test_values_too_long_for_an_event_are_said_to_be_left_out() -> None:
    first, *rest = before()
    long = [first | {"bio": "x" * MAX_VALUES_BYTES}, *rest]

    event, _ = events(with_values=True, new=long)

    check(event)
    assert event["data"]["valuesOmitted"] is True
    assert event["data"]["fields"] == ["bio"]


def test_a_complete_baseline_needs_no_reason() -> None:
    head, _ = generation(1, pages.draft([], complete=True))

    check(EventFormat(with_values=True).baseline(head))


UPDATED, CREATED, BASELINE = of("updated"), of("created"), of("baseline")


@pytest.mark.parametrize(
    "event",
    [
        UPDATED | {"subject": None},
        {name: value for name, value in UPDATED.items() if name != "subject"},
        UPDATED | {"id": "1"},
        UPDATED | {"specversion": "0.3"},
        UPDATED | {"time": "2025-10-09 08:53:20"},
        UPDATED | {"extension": "x"},
        UPDATED | {"data": UPDATED["data"] | {"fields": []}},
        UPDATED | {"data": UPDATED["data"] | {"before": {"id": 1, "email": "a@b.co"}}},
        UPDATED | {"data": UPDATED["data"] | {"name": "Rafael M."}},
        UPDATED | {"data": UPDATED["data"] | {"generation": 0}},
        CREATED | {"data": CREATED["data"] | {"fields": ["name"]}},
        CREATED | {"data": CREATED["data"] | {"before": {"id": 1, "email": "a@b.co"}, "after": {}}},
        BASELINE | {"subject": "1001"},
        BASELINE | {"data": BASELINE["data"] | {"incompleteReason": None}},
        BASELINE | {"data": BASELINE["data"] | {"complete": True}},
    ],
)
def test_a_schema_refuses_what_is_never_sent(event: Event) -> None:
    with pytest.raises(ValidationError):
        check(event)


def examples() -> Iterator[Event]:
    """Yield the events that the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL):
        shown = json.loads(block)
        if "specversion" in shown:
            yield shown


def test_the_page_shows_real_events() -> None:
    shown = list(examples())

    assert shown == [of("updated"), of("deleted", with_values=True), of("baseline")]


def test_the_page_names_every_event_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")

    named = set(re.findall(r"managed-users-proxy\.managed-users?\.[a-z]+\.v\d+", text))
    linked = set(re.findall(r"\(events/([^)]+)\.schema\.json\)", text))
    assert named == linked == set(TYPES)
