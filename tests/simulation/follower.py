"""Who asks for events: page by page, in any environment, and must come to hear what was pushed."""

import json
from collections.abc import Iterator
from random import Random

from lib.events.event import BASELINE_TYPE
from managed_users.digest import total_of, written
from tests.simulation.api import Asked
from tests.simulation.ledger import Ledger
from tests.simulation.listener import judge_events
from tests.simulation.plan import Fault, Plan
from tests.simulation.readers import Ask
from tests.simulation.services import Event


class Follower:
    """Follows the feed from the first generation on, whatever fails.

    ``events`` are all that were told. ``proofs`` are after how many of them the service told which
    generation they lead to, and its digest.
    """

    def __init__(self, plan: Plan, random: Random, ask: Ask) -> None:
        self._plan = plan
        self._random = random
        self._ask = ask
        self._after: str | None = "0"
        self.events: list[Event] = []
        self.proofs: list[tuple[int, int, str]] = []
        self.complaints: list[str] = []

    def once(self) -> bool:
        """Ask for a page; return whether everything has been told."""
        params = {
            "limit": [str(self._random.choice((1, 2, 5, 100)))],
            "include": ["values"],
        }
        if self._after is not None:
            params["after"] = [self._after]
        seen = self._ask(Asked(route="events", params=params))
        if seen is None or seen.status != 200:
            if seen is not None and seen.status == 410 and self._plan.erases:
                # What he has not heard of was erased meanwhile.
                self._after = None
            elif seen is not None and seen.status in {400, 410}:
                self.complaints.append(f"a follower is lost: {seen.told}")
            return False
        body = json.loads(seen.body)
        self.events += body["data"]
        self._after = body["pagination"]["cursor"]
        if digest := body["pagination"]["usersDigest"]:
            self.proofs.append((len(self.events), body["pagination"]["generation"], digest))
        return not body["pagination"]["hasMore"]

    def judge(self, ledger: Ledger, pushed: list[Event]) -> Iterator[str]:
        """Yield what is wrong with all that was told, when nothing more is to come."""
        for wrong in judge_events(self._plan, ledger, _whole_steps(self.events)):
            yield f"in the feed {wrong}"
        if {Fault.HIDING, Fault.PAGES_LOST} & self._plan.faults or self._plan.erases:
            # What is told later shows less, and what was lost meanwhile is a baseline.
            return
        yield from self._unequal(ledger)
        if _in_order(self.events) != _in_order(pushed):
            told = len(self.events)
            yield f"the feed has told {told} events, and not those that were pushed"

    def _unequal(self, ledger: Ledger) -> Iterator[str]:
        """Yield where a copy that does what the events say has not the service's digest."""
        # None: it has to be made anew, and the pages were lost.
        copy: dict[int, int] | None = None
        done = 0
        for count, number, digest in self.proofs:
            for event in self.events[done:count]:
                copy = _done(copy, event, ledger)
            done = count
            if copy is not None and written(sum(copy.values())) != digest:
                yield f"a copy that follows the feed is not equal to generation {number}"
                return


def _done(copy: dict[int, int] | None, event: Event, ledger: Ledger) -> dict[int, int] | None:
    """Return the copy, users' digests by id, after an event."""
    data = event["data"]
    if event["type"] == BASELINE_TYPE:
        edition = ledger.editions[data["generation"]]
        rows = {user_id: json.loads(line) for user_id, line in edition.stored.items()}
        return {id_: total_of(row) for id_, row in rows.items()} if edition.whole else None
    if copy is None:
        return None
    kept = {user_id: total for user_id, total in copy.items() if user_id != data["userId"]}
    return kept | {data["userId"]: total_of(data["after"])} if data["after"] else kept


def _whole_steps(events: list[Event]) -> list[Event]:
    """Return ``events`` without those of steps that were cut short: a baseline starts over."""
    whole: list[Event] = []
    for event in events:
        if event["type"] == BASELINE_TYPE and whole:
            last = whole[-1]["data"]["generation"]
            whole = [each for each in whole if each["data"]["generation"] != last]
        whole.append(event)
    return whole


def _in_order(events: list[Event]) -> list[tuple[int, str]]:
    """Return what names events, each once; a bus that refuses some changes the order in a step."""
    named = dict.fromkeys((event["data"]["generation"], event["id"]) for event in events)
    return sorted(named)
