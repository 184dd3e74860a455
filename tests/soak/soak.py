"""Runs the whole service with readers, writers, faults and kills, and says what came of it.

The service runs as ``make run`` runs it, with short lifetimes, behind a relay that can break what
it has of AWS. Which things happen in which order follows from the seed; when exactly they do, and
so what meets what, does not.
"""

import multiprocessing
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import override

import requests

from dev.local.embedded_aws import EmbeddedAws
from dev.local.journal import Journal
from dev.local.settings import CHANGES_HANDLER, LocalSettings
from dev.local.stack import LocalStack
from dev.origin import Limits, Organization, Organizations, demo_members
from tests.integration.relay import Relay
from tests.soak.aftermath import (
    calls_beyond_budget,
    calls_during_block,
    counted,
    what_does_not_settle,
)
from tests.soak.copies import FeedReader, MirrorKeeper, Pushed
from tests.soak.history import Follower
from tests.soak.reader import Job, Report, read
from tests.soak.record import Record, RecordedOrigin
from tests.soak.world import (
    ORGANIZATION,
    ORGANIZED,
    Actor,
    Killer,
    Trouble,
    Writer,
    lose_listing,
)

USERS = {
    # The first is the one of whose organization the secret tells.
    ORGANIZED: 620,
    "clsoaksmall000000000000001": 60,
    "clsoakmost0000000000000002": 430,
    "clsoakmany0000000000000003": 640,
}
"""How many users each client begins with: more than the origin lists, the first and the last."""

_WHOLE = tuple(client_id for client_id, users in USERS.items() if users < 500)
_SECRETS = {client_id: f"secret-of-{client_id}" for client_id in USERS}
_OTHER_MEMBERS = 60
_FRESH_SECONDS = 2
_FUNCTIONS = {
    "FRESH_SECONDS": str(_FRESH_SECONDS),
    "STALE_WHILE_REVALIDATE_SECONDS": "3",
    "STALE_IF_ERROR_SECONDS": "3600",
    "LOOKUP_MISS_SECONDS": "2",
    # Answers are compared with the rows as the origin has them.
    "HIDDEN_METADATA_KEYS": "",
}
_LIMITS = Limits(client=400, window_seconds=60, block_seconds=4)


@dataclass
class Outcome:
    """What a soak has come to so far."""

    tally: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    caused: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    origin_calls: int = 0

    @property
    def answers(self) -> int:
        return self.tally["answers checked"]

    @property
    def faults(self) -> int:
        """How often something was broken."""
        return self.caused.total()

    def line(self) -> str:
        """Return the outcome in one line."""
        return (
            f"{self.answers:,} answers checked, {self.faults} faults,"
            f" {self.killed.total()} kills, {len(self.violations)} violations"
        )


class RelayedAws(EmbeddedAws):
    """An embedded AWS that the service reaches through a relay."""

    def __init__(self) -> None:
        super().__init__()
        self.relay = Relay("http://127.0.0.1")

    @override
    def start(self) -> None:
        super().start()
        self.relay.point_at(self.endpoint)
        self._running.enter_context(self.relay)

    @property
    @override
    def environment(self) -> dict[str, str]:
        return super().environment | {"AWS_ENDPOINT_URL": self.relay.url}


def soak(
    *,
    seconds: float,
    seed: int,
    readers: int = 3,
    kept: Path | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Run for ``seconds`` and return what came of it; ``tell`` gets it about once a second.

    The record of what the origin was and told is ``kept`` for who has to find something out.
    """
    outcome = Outcome()
    with TemporaryDirectory() as directory, ExitStack() as running:
        path = kept or Path(directory) / "record.jsonl"
        record = Record(path)
        running.callback(record.close)
        origin = RecordedOrigin(_SECRETS, record)
        origin.limits = _LIMITS
        for client_id, users in USERS.items():
            origin.fill(client_id, users)
        origin.organizations = Organizations([_organization(origin)])
        running.enter_context(origin)
        stack = running.enter_context(_stack(origin))
        assert isinstance(stack.aws, RelayedAws)
        for client_id in USERS:
            _send(stack, client_id, "cache/refresh?wait=true", "POST")
        killer = Killer(stack, record, seed)
        trouble = Trouble(stack, origin, stack.aws.relay, record, seed + 1)
        pushed = Pushed(stack.aws, ORGANIZED, seed + 3)
        feed = FeedReader(stack.url, ORGANIZED, seed + 4)
        mirror = MirrorKeeper(stack.url, origin, ORGANIZED, Path(directory) / "users.db", seed + 5)
        # What was pushed before anybody listened is told again.
        stack.pools[CHANGES_HANDLER].invoke({"action": "replay", "clientId": ORGANIZED, "from": 0})
        copies: list[Actor] = [pushed, feed, mirror]
        actors = [Writer(origin, list(USERS), seed + 2), killer, trouble, *copies]
        job = Job(
            url=stack.url,
            record=path,
            clients=list(USERS),
            whole=_WHOLE,
            organized=(ORGANIZED,),
            fresh_seconds=_FRESH_SECONDS,
            seed=seed,
            until=time.time() + seconds,
        )
        with _acting(actors):
            for report in _reports(job, readers):
                outcome.tally.update(report.tally)
                outcome.violations += report.violations
                outcome.killed, outcome.caused, outcome.met = (
                    killer.killed,
                    trouble.caused,
                    origin.met,
                )
                tell(outcome)
        outcome.violations += [failure for actor in actors for failure in actor.failures]
        follower = Follower(path)
        running.callback(follower.close)
        follower.catch_up()
        calls = counted(origin.calls, {str(ORGANIZATION): ORGANIZED})
        outcome.violations += calls_beyond_budget(calls, _LIMITS, follower.history)
        outcome.violations += calls_during_block(calls, _LIMITS, follower.history)
        # For an hour nobody would ask for a list that was refused.
        lose_listing(stack)
        outcome.violations += what_does_not_settle(stack, origin, {ORGANIZED})
        outcome.violations += mirror.judge()
        outcome.violations += feed.judge(pushed, hiding=bool(follower.history.hiding))
        outcome.tally.update(mirror.tally)
        outcome.tally["events told by the feed"] = len(feed.events)
        outcome.origin_calls = len(origin.calls)
    return outcome


def _organization(origin: RecordedOrigin) -> Organization:
    """Return the organization: its client, and members between whose ids no new user comes."""
    taken = [row["id"] for row in origin.users(ORGANIZED)]
    others = [row for row in demo_members(taken, _OTHER_MEMBERS) if row["id"] < max(taken)]
    return Organization(organization_id=ORGANIZATION, clients=[ORGANIZED], members=others)


@contextmanager
def _stack(origin: RecordedOrigin) -> Iterator[LocalStack]:
    settings = LocalSettings(
        port=0,
        workers=3,
        origin_url=origin.url,
        clients=_SECRETS,
        organization_id=ORGANIZATION,
        schedule_seconds=3,
        function_environment=_FUNCTIONS,
    )
    with LocalStack(settings, journal=Journal(quiet=True), aws=RelayedAws()) as stack:
        yield stack


@contextmanager
def _acting(actors: list[Actor]) -> Iterator[None]:
    for actor in actors:
        actor.start()
    try:
        yield
    finally:
        for actor in actors:
            actor.stop()


def _reports(job: Job, readers: int) -> Iterator[Report]:
    """Yield what readers report until all have ended."""
    context = multiprocessing.get_context("spawn")
    reports: multiprocessing.queues.Queue[Report] = context.Queue()
    processes = [
        context.Process(target=read, args=(_seeded(job, number), reports), daemon=True)
        for number in range(readers)
    ]
    for process in processes:
        process.start()
    try:
        while any(process.is_alive() for process in processes) or not reports.empty():
            try:
                yield reports.get(timeout=0.5)
            except queue.Empty:
                continue
        for process in processes:
            process.join()
            if process.exitcode:
                yield Report({}, [f"a reader ended with exit code {process.exitcode}"])
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()
        reports.close()


def _seeded(job: Job, number: int) -> Job:
    return replace(job, seed=job.seed * 1_000 + number)


def _send(stack: LocalStack, client_id: str, path: str, method: str = "GET") -> requests.Response:
    url = f"{stack.url}/v2/oauth-clients/{client_id}/{path}"
    answer = requests.request(method, url, timeout=60)
    answer.raise_for_status()
    return answer
