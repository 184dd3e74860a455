"""A run: one seed's plan from the first request until everything is mended and has settled."""

import json
import traceback
from collections import Counter
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Any

from lib.directory.generation import MEMBERS_UNDECIDED
from lib.directory.head import HEAD_SECONDS, LONGEST_PAUSE_SECONDS, WHOLE
from lib.users.document import UPDATED_AT
from tests.fake_lookups import FakeListings, FakeLookups
from tests.fakes import CLIENT, NOW, FakeStore
from tests.simulation import api, functions
from tests.simulation.api import Asked, Exchange
from tests.simulation.environment import Environment, Outside
from tests.simulation.fleet import Function
from tests.simulation.follower import Follower
from tests.simulation.ledger import Ledger
from tests.simulation.listener import judge_events
from tests.simulation.oracle import Oracle
from tests.simulation.origin import OriginServer
from tests.simulation.plan import Fault, Plan
from tests.simulation.readers import Reader
from tests.simulation.scheduler import Scheduler
from tests.simulation.services import Bus, Event, Vault
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather
from tests.simulation.wire import Wire
from tests.simulation.world import Trouble, Writer

API_SECONDS, REFRESH_SECONDS, CHANGES_SECONDS = 29, 60, 60
"""The functions' timeouts in template.yaml."""

SCHEDULE_SECONDS = 60
_RETRY_SECONDS = 7

ORGANIZATION = 4711
"""The organization of an organized client."""

SETTLED_SECONDS = 180
"""So long after the last fault everything is fresh and true."""

SWEPT_SECONDS = SCHEDULE_SECONDS + 15
"""So often somebody sweeps, while nothing is wrong."""

_KEPT_TRACE = 400
_TOLD_TRACE = 30
_MOST_VIOLATIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a simulation is made of: the table, and what is changed in each environment."""

    store: Callable[[], FakeStore] = FakeStore
    broken: Callable[[Environment], None] | None = None


@dataclass(slots=True)
class Violation:
    """Something that must never be, and what happened before."""

    seed: int
    at: float
    what: str
    trace: list[str]

    def told(self, mutation: str = "") -> str:
        """Return it with what led to it, and the command that does it again."""
        options = f"--seed {self.seed} --seeds 1"
        if mutation:
            options += f" --mutation '{mutation}'"
        return "\n".join(
            (
                f"VIOLATION in seed {self.seed} after {self.at:.3f} s: {self.what}",
                *(f"    {line}" for line in self.trace),
                f'again: make simulate SIMULATE_OPTIONS="{options}" (and --trace for all of it)',
            )
        )


class Simulation:
    """One run of ``plan``; ``violations`` are what was found."""

    def __init__(self, plan: Plan, kind: Kind | None = None, *, whole_trace: bool = False) -> None:
        self.plan = plan
        self.kind = kind or Kind()
        self.violations: list[Violation] = []
        self.tally: Counter[str] = Counter()
        self.until = NOW + plan.active_seconds
        self.settings = plan.settings
        self.scheduler = Scheduler(
            self._random("scheduler"), trace_length=None if whole_trace else _KEPT_TRACE
        )
        self.weather = Weather(self._random("weather"))
        self.truth = Truth(plan.hidings)
        self.store = self.kind.store()
        self.lookups = FakeLookups()
        self.listings = FakeListings()
        organization = ORGANIZATION if plan.organized else None
        self.vault = Vault("key1", plan.clients, organization_id=organization)
        self.bus = Bus()
        self.server = OriginServer(
            truth=self.truth,
            weather=self.weather,
            random=self._random("origin"),
            key="key1",
            limit=plan.origin_limit,
        )
        self.ledger = Ledger(
            plan, self.store, self.lookups, lambda: self.scheduler.now, self._complain
        )
        self.ledger.others = self.server.others
        self.oracle = Oracle(plan, self.truth, self.ledger, self.vault)
        self.outside = Outside(
            store=self.store,
            lookups=self.lookups,
            listings=self.listings,
            server=self.server,
            vault=self.vault,
            bus=self.bus,
            ledger=self.ledger,
            deliver=self._deliver,
        )
        self.environments: list[Environment] = []
        self._clocks = self._random("clocks")
        self.api = self._function("api", API_SECONDS, most=4)
        self.refresh = self._function("refresh", REFRESH_SECONDS, most=6)
        self.changes = self._function("changes", CHANGES_SECONDS, most=2)
        self.writer = Writer(
            plan=plan,
            truth=self.truth,
            others=self.server.others,
            scheduler=self.scheduler,
            random=self._random("writer"),
        )
        self._unannounced = 0
        self.follower = Follower(plan, self._random("feed"), self.ask)
        self.followed = False

    def run(self) -> None:
        """Let everything happen."""
        self.writer.fill()
        scheduler = self.scheduler
        scheduler.spawn("writer", self._write)
        scheduler.spawn("schedule", self._schedule)
        scheduler.spawn("stream", self._stream)
        scheduler.spawn("follower", self._follow)
        if self.plan.erases:
            scheduler.spawn("eraser", self._erase)
        for number in range(self.plan.readers):
            scheduler.spawn(f"reader{number}", partial(self._read, number))
        trouble = self._trouble()
        # In order: a set of texts has another one in each process.
        for fault in sorted(self.plan.faults):
            scheduler.spawn("trouble", partial(trouble.go_on, fault))
        scheduler.run(until=self.until)
        self._mend()
        scheduler.spawn("operator", self._believe)
        scheduler.spawn("reader", self._go_on_reading)
        # What a wrong clock wrote is believed for as long as the longest pause.
        longer = LONGEST_PAUSE_SECONDS if Fault.WRONG_CLOCK in self.plan.faults else 0
        scheduler.run(until=self.until + SETTLED_SECONDS + longer)
        self._settle()
        scheduler.close()
        self.tally["calls of the origin"] = len(self.ledger.calls)
        self.tally["generations"] = len(self.ledger.editions)
        self.tally["events"] = len(self.bus.events)
        self.tally += Counter({str(fault): times for fault, times in self.weather.struck.items()})

    # What goes on.

    def _write(self) -> None:
        random = self._random("writing")
        while True:
            self.scheduler.sleep(random.expovariate(1 / self.plan.writing_pause))
            if self.scheduler.now >= self.until:
                return
            self.writer.once()

    def _schedule(self) -> None:
        random = self._random("schedule")
        self.scheduler.sleep(random.uniform(0, SCHEDULE_SECONDS))
        while True:
            if not self.weather.strikes(Fault.INVOKE_LOST):
                self._deliver({"action": "refresh-all"}, "")
            # Every sweep that fails for it makes a pause, too.
            self.scheduler.sleep(_RETRY_SECONDS)

    def _read(self, number: int) -> None:
        random = self._random(f"reader {number}")
        reader = Reader(self.plan, self.truth, self.ledger, random, self.ask, self._judge)
        while True:
            self.scheduler.sleep(random.expovariate(1 / self.plan.reading_pause))
            if self.scheduler.now >= self.until:
                return
            reader.once()
            for complaint in reader.complaints:
                self._complain(complaint)
            reader.complaints.clear()

    def _follow(self) -> None:
        """Follow the feed until nothing more is to come."""
        random = self._random("follower")
        while True:
            pause = 20 if self.scheduler.now < self.until else 1
            self.scheduler.sleep(random.expovariate(1 / pause))
            self.followed = self.follower.once() and self.scheduler.now >= self.until
            for complaint in self.follower.complaints:
                self._complain(complaint)
            self.follower.complaints.clear()

    def _erase(self) -> None:
        """Take people who are gone out of the past."""
        random = self._random("eraser")
        while self.scheduler.now < self.until:
            self.scheduler.sleep(random.expovariate(1 / 40))
            gone = sorted(self.truth.versions.keys() - self.truth.rows.keys())
            if gone:
                user_id = random.choice(gone)
                self._deliver({"action": "erase", "clientId": CLIENT, "userId": user_id}, "")

    def _stream(self) -> None:
        """Tell of each new generation until that has succeeded, as a stream does."""
        random, announced = self._random("stream"), 0
        while True:
            self.scheduler.sleep(random.expovariate(1 / 0.3))
            newest = self.ledger.moments[-1].number
            for attempt in range(10 if newest > announced else 0):
                done: list[bool] = []
                task = self.changes.start(lambda each: done.append(functions.announce(each)))  # noqa: B023
                self.scheduler.wait_for(task)
                if done and done[0]:
                    break
                self.scheduler.sleep(min(30, 2**attempt))
            announced = newest

    def _deliver(self, event: Event, request_id: str) -> None:
        if event.get("clientId", CLIENT) == CLIENT:
            seconds = self._clocks.expovariate(1 / 0.05)
            self.refresh.start(
                lambda each: functions.refresh(each, event),
                after=seconds,
                told=str(event),
                request_id=request_id,
            )

    def ask(self, asked: Asked) -> Exchange | None:
        """Ask the service and wait for the answer; None: none came."""
        answers: list[Exchange] = []
        task = self.api.start(lambda each: answers.append(api.answer(each, asked)), told=asked.told)
        self.scheduler.wait_for(task)
        return answers[0] if answers else None

    def _judge(self, seen: Exchange, known_body: str) -> None:
        self.tally["answers"] += 1
        self.tally[f"status {seen.status}"] += 1
        for wrong in self.oracle.judge(seen, known_body=known_body):
            self._complain(f"{wrong}: {seen.told}")

    def _trouble(self) -> Trouble:
        return Trouble(
            weather=self.weather,
            scheduler=self.scheduler,
            random=self._random("trouble"),
            writer=self.writer,
            vault=self.vault,
            server=self.server,
            redeploy=self._redeploy,
            lose_pages=self._lose_pages,
            until=self.until,
        )

    def _redeploy(self) -> None:
        hiding = self._clocks.choice(self.plan.hidings)
        self.settings = replace(self.settings, hiding=hiding)
        self.ledger.hiding_now = hiding
        for function in (self.api, self.refresh, self.changes):
            function.deploy()

    def _lose_pages(self) -> None:
        pages = list(self.store.stored_pages)
        for key in self._clocks.sample(pages, min(2, len(pages))):
            del self.store.stored_pages[key]

    # How it ends.

    def _mend(self) -> None:
        self.scheduler.note("MENDED: no fault from here on")
        self.weather.likely.clear()
        if Fault.WRONG_CLOCK in self.plan.faults:
            for environment in self.environments:
                environment.skew = 0

    def _believe(self) -> None:
        """Do what the runbook says of an origin that lists nobody, if nobody else may say so.

        With the last pages lost there is nobody left to ask for, and an empty list may be a fault.
        """
        while Fault.PAGES_LOST in self.plan.faults and not self.truth.rows:
            said = self.ask(Asked(route="refresh", params={"wait": ["true"], "believe": ["true"]}))
            if said is not None and said.status == HTTPStatus.OK:
                return
            self.scheduler.sleep(SCHEDULE_SECONDS)

    def _go_on_reading(self) -> None:
        """Read for half a minute: of whom nobody reads nothing is promised in minutes.

        A note that was lost a moment ago is not made again within a second, and a client that was
        left out of the secret is not served at once.
        """
        for _ in range(10):
            self.ask(Asked(route="users"))
            self.scheduler.sleep(3 * HEAD_SECONDS)

    def _settle(self) -> None:
        self.scheduler.spawn("settled", self._check_settled)
        self.scheduler.run(until=self.scheduler.now + 60)
        # Who is doubted is asked for after a minute, twenty a sweep.
        doubted = len(self.truth.versions) - len(self.truth.rows)
        self.scheduler.run(until=self.scheduler.now + 120 + SCHEDULE_SECONDS * (doubted // 20 + 1))
        self.scheduler.spawn("truth", lambda: self._check_truth(doubts=False))
        self.scheduler.run(until=self.scheduler.now + 60)
        for wrong in (
            *self.ledger.beyond_budget(),
            *self.ledger.hidden_in_store(),
            *judge_events(self.plan, self.ledger, self.bus.events),
            *self.follower.judge(self.ledger, self.bus.events),
        ):
            self._complain(wrong)
        if not self.followed:
            self._complain("in the end the feed has more to tell")
        head = self.store.peek(CLIENT)
        if head.announced != head.generation.number:
            self._complain(f"in the end {head.announced} of {head.generation.number} is announced")

    def _check_settled(self) -> None:
        late = self.scheduler.now - self.ledger.moments[-1].swept_at
        # Asking for doubted users uses up the calls of this minute and the next.
        asking = self.store.peek(CLIENT).generation.unconfirmed_since > 0
        if late > SWEPT_SECONDS + 60 * asking:
            self._complain(f"in the end the last sweep began {late:.0f} s ago")
        self._check_truth(doubts=True)

    def _check_truth(self, *, doubts: bool) -> None:
        """Compare the directory with the origin; ``doubts``: who may be gone may be listed."""
        told = self._directory()
        if told is None:
            return
        shown = {row["id"]: row for page in told for row in page["data"]}
        for row in shown.values():
            row.pop(UPDATED_AT, None)
        listed = self.truth.window(0, self.plan.settings.window.size)
        if self.store.peek(CLIENT).source == WHOLE and told[0]["pagination"]["complete"]:
            listed = list(self.truth.everybody())
        there = {row["id"]: self.settings.hiding.apply(row) for row in listed}
        if missing := there.keys() - shown.keys():
            self._complain(f"in the end users {sorted(missing)[:5]} are missing")
        if wrong := [id_ for id_, row in there.items() if shown.get(id_, row) != row]:
            self._complain(f"in the end users {wrong[:5]} are not so")
        reason = told[0]["pagination"]["incompleteReason"]
        gone = shown.keys() - self.truth.rows.keys()
        if not self.plan.settings.adopted_calls:
            # Whoever is past the window, or not in an organization's list, is not asked for again.
            gone &= {user_id for user_id in gone if user_id <= max(there, default=0)}
            gone -= self.listings.listing(CLIENT).strays
        if gone and not (doubts and reason in {"unconfirmed-deletions", MEMBERS_UNDECIDED}):
            self._complain(f"in the end users {sorted(gone)[:5]} are listed ({reason})")

    def _directory(self) -> list[dict[str, Any]] | None:
        """Return all pages of the directory, None if there is no answer."""
        pages: list[dict[str, Any]] = []
        numbers: set[int] = set()
        while not pages or pages[-1]["pagination"]["hasNextPage"]:
            params = {"limit": ["250"], "offset": [str(250 * len(pages))]}
            seen = self.ask(Asked(route="users", params=params))
            if seen is None or seen.status != 200:
                self._complain(f"in the end there is no answer: {seen and seen.told}")
                return None
            numbers.add(seen.generation.number if seen.generation else 0)
            pages.append(json.loads(seen.body))
        # Where it moved on between two pages, they say nothing together.
        return pages if len(numbers) == 1 else self._directory()

    # The rest.

    def _function(self, name: str, timeout: float, *, most: int) -> Function:
        return Function(
            name=name,
            timeout=timeout,
            most=most,
            scheduler=self.scheduler,
            random=self._random(name),
            make=self._make,
            ended=self.ledger.ended,
            broke=self._broke,
        )

    def _make(self, name: str, perish: Callable[[], None]) -> Environment:
        wire = Wire(
            self.scheduler,
            self.weather,
            self._random(name),
            until=self.until,
            perish=perish,
        )
        skew = self._clocks.uniform(-self.plan.skew, self.plan.skew)
        wrong = Fault.WRONG_CLOCK in self.plan.faults and self._clocks.random() < 0.15
        if wrong and self.scheduler.now < self.until:
            skew = self._clocks.choice((-907, -60, 60, 907))
        made = Environment(self.settings, self.outside, wire, name=name, skew=skew)
        if self.kind.broken:
            self.kind.broken(made)
        self.environments.append(made)
        return made

    def _broke(self, error: BaseException) -> None:
        self._complain("".join(traceback.format_exception(error)))

    def _complain(self, what: str) -> None:
        self.scheduler.note(f"VIOLATION {what}")
        if len(self.violations) < _MOST_VIOLATIONS:
            trace = [line for line in self.scheduler.trace if _matters(line)][-_TOLD_TRACE:]
            self.violations.append(Violation(self.plan.seed, self.scheduler.now - NOW, what, trace))

    @property
    def simulated_seconds(self) -> float:
        """How long the run was, by its own clock."""
        return self.scheduler.now - NOW

    def _random(self, name: str) -> Random:
        return Random(f"{name} {self.plan.seed}")  # noqa: S311 - chance, and nothing to guess


def _matters(line: str) -> bool:
    """Return whether a line of the trace is more than somebody reading what is stored."""
    return " in api" not in line and "VIOLATION" not in line
