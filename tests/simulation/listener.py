"""Who listens to events: does what they say, and must come to have the directory."""

import json
from collections.abc import Iterator
from typing import Any

from lib.directory.diff import comparable
from lib.events.event import BASELINE_TYPE
from tests.simulation.ledger import Ledger, hidden
from tests.simulation.ledger_entries import changed
from tests.simulation.plan import Fault, Plan
from tests.simulation.services import Event


def judge_events(plan: Plan, ledger: Ledger, events: list[Event]) -> Iterator[str]:
    """Yield what is wrong with all the events of a run, in the order in which the bus took them."""
    known: dict[str, Event] = {}
    highest = 0
    for event in events:
        number = event["data"]["generation"]
        if event["id"] not in known and number < highest:
            yield f"out of order: {_told(event)}"
        same = known.setdefault(event["id"], event) == event
        # What is sent again later shows no more than may be shown then.
        if not same and Fault.HIDING not in plan.faults:
            yield f"two events have the id of {_told(event)}"
        highest = max(highest, number)
        if hidden(json.dumps(event).encode(), ledger.hiding_now) and len(plan.hidings) == 1:
            yield f"what is hidden is in {_told(event)}"
    yield from _replay(plan, ledger, list(known.values()))


def _replay(plan: Plan, ledger: Ledger, events: list[Event]) -> Iterator[str]:
    """Follow the events from one generation to the next, and compare with what was published."""
    by_generation: dict[int, list[Event]] = {}
    for event in events:
        by_generation.setdefault(event["data"]["generation"], []).append(event)
    # None: whoever listens has begun with a directory of which pages were lost.
    users: set[int] | None = set()
    at = 0
    order = sorted(by_generation)
    for number, following in zip(order, (*order[1:], None), strict=True):
        told = by_generation[number]
        edition = ledger.editions[number]
        # Where pages were lost in the middle of a step, a baseline stands for the rest of it.
        started_over = following is not None and _has_baseline(by_generation[following])
        if _has_baseline(told):
            # Whoever listens starts from the directory itself.
            users, at = set(edition.lines) if edition.whole else None, number
            continue
        for event in told:
            if event["data"]["previousGeneration"] != number - 1:
                yield f"{_told(event)} does not follow on the generation before"
        users, at = None if users is None else _follow(users, told), number
        if not edition.whole:
            continue
        whole_before = ledger.editions[number - 1].whole
        judged = users is not None and whole_before and not started_over
        if judged and users != edition.lines.keys():
            wrong = sorted((users or set()) ^ edition.lines.keys())[:5]
            yield f"after the events of generation {number} users {wrong} differ"
        users = set(edition.lines)
    yield from _unheard(plan, ledger, by_generation, at)


def _has_baseline(told: list[Event]) -> bool:
    return any(event["type"] == BASELINE_TYPE for event in told)


def _unheard(
    plan: Plan, ledger: Ledger, by_generation: dict[int, list[Event]], highest: int
) -> Iterator[str]:
    """Yield generations whose changes nobody was told of."""
    for number in range(2, highest + 1):
        old, new = ledger.editions[number - 1], ledger.editions[number]
        same = (
            old.lines.keys() == new.lines.keys()
            and not all(changed(old, new, hiding) for hiding in plan.hidings)
            and comparable(old.generation, new.generation)
        )
        if number in by_generation or same or not (old.whole and new.whole):
            continue
        # A baseline may stand for what was before it.
        later = (e for n in range(number, highest + 1) for e in by_generation.get(n, ()))
        if not _has_baseline(list(later)):
            yield f"nobody was told of generation {number}"


def _follow(users: set[int], told: list[Event]) -> set[int]:
    kinds: dict[str, set[int]] = {}
    for event in told:
        kinds.setdefault(event["type"].split(".")[-2], set()).add(event["data"]["userId"])
    added = kinds.get("created", set()) | kinds.get("discovered", set())
    return (users - kinds.get("deleted", set())) | added


def _told(event: Event) -> str:
    data: dict[str, Any] = event["data"]
    return f"{event['type'].split('.')[-2]} of {data.get('userId')} in {data['generation']}"
