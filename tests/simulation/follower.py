"""Who asks for events: page by page, in any environment, and must come to hear what was pushed."""

import json
from collections.abc import Iterator
from random import Random

from lib.events.event import BASELINE_TYPE
from tests.simulation.api import Asked
from tests.simulation.ledger import Ledger
from tests.simulation.listener import judge_events
from tests.simulation.plan import Fault, Plan
from tests.simulation.readers import Ask
from tests.simulation.services import Event


class Follower:
    """Follows the feed from the first generation on, whatever fails.

    ``events`` are all that were told.
    """

    def __init__(self, plan: Plan, random: Random, ask: Ask) -> None:
        self._plan = plan
        self._random = random
        self._ask = ask
        self._after: str | None = "0"
        self.events: list[Event] = []
        self.complaints: list[str] = []

    def once(self) -> bool:
        """Ask for a page; return whether everything has been told."""
        params = {"limit": [str(self._random.choice((1, 2, 5, 100)))]}
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
        return not body["pagination"]["hasMore"]

    def judge(self, ledger: Ledger, pushed: list[Event]) -> Iterator[str]:
        """Yield what is wrong with all that was told, when nothing more is to come."""
        for wrong in judge_events(self._plan, ledger, _whole_steps(self.events)):
            yield f"in the feed {wrong}"
        if {Fault.HIDING, Fault.PAGES_LOST} & self._plan.faults or self._plan.erases:
            # What is told later shows less, and what was lost meanwhile is a baseline.
            return
        if _in_order(self.events) != _in_order(pushed):
            told = len(self.events)
            yield f"the feed has told {told} events, and not those that were pushed"


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
