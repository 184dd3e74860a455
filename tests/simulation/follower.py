"""Who asks for events: page by page, in any environment, and must come to hear what was pushed."""

import json
from collections.abc import Iterator
from random import Random

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
        self._after = "0"
        self.events: list[Event] = []
        self.complaints: list[str] = []

    def once(self) -> bool:
        """Ask for a page; return whether everything has been told."""
        params = {"after": [self._after], "limit": [str(self._random.choice((1, 2, 5, 100)))]}
        seen = self._ask(Asked(route="events", params=params))
        if seen is None or seen.status != 200:
            if seen is not None and seen.status in {400, 410}:
                self.complaints.append(f"a follower is lost: {seen.told}")
            return False
        body = json.loads(seen.body)
        self.events += body["data"]
        self._after = body["pagination"]["cursor"]
        return not body["pagination"]["hasMore"]

    def judge(self, ledger: Ledger, pushed: list[Event]) -> Iterator[str]:
        """Yield what is wrong with all that was told, when nothing more is to come."""
        for wrong in judge_events(self._plan, ledger, self.events):
            yield f"in the feed {wrong}"
        if {Fault.HIDING, Fault.PAGES_LOST} & self._plan.faults:
            # What is told later shows less, and what was lost meanwhile is a baseline.
            return
        told = [event["id"] for event in self.events]
        if told != list(dict.fromkeys(event["id"] for event in pushed)):
            yield f"the feed has told {len(told)} events, and not those that were pushed"
