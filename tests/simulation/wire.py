"""What is between one process and everything else: time passes, answers get lost, processes die."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NoReturn

from lib.errors import Reason, StoreError
from tests.simulation.ledger_entries import Run
from tests.simulation.plan import Fault
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Weather

STORE_SECONDS = 0.006
"""Mean time of one exchange with the table."""

_PAUSES = (0.5, 1.5, 4, 9, 14, 16, 31)
_READS = frozenset(
    {
        "cursor_key",
        "generation",
        "head",
        "history",
        "manifest",
        "modified_at",
        "pages",
        "paused_until",
        "pending_adoption",
        "remembered",
        "shards",
    }
)


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One invocation of a function, and what became of it; instants are those of the one clock.

    ``request_id`` is that of its event, which may come twice. ``demands``: it may sweep what is
    fresh; ``handed_over``: the token of a lease that another one took for it. ``gate_at``: when it
    last saw a head. ``blocked_until`` are the instants until which it was told to wait.
    """

    name: str
    request_id: str
    arrived: float
    dies_at: float
    demands: bool = False
    believed: bool = False
    handed_over: int | None = None
    origin_calls: int = 0
    reads_failed: int = 0
    writes_failed: int = 0
    gate_at: float = 0
    run: Run | None = None
    blocked_until: list[float] = field(default_factory=list)


class Wire:
    """The way out of one process; ``perish`` is told when the process has died."""

    def __init__(
        self,
        scheduler: Scheduler,
        weather: Weather,
        random: Random,
        *,
        until: float,
        perish: Callable[[], None],
    ) -> None:
        self.scheduler = scheduler
        self.weather = weather
        self.random = random
        self.invocation: Invocation | None = None
        self._until = until
        self._perish = perish

    @property
    def running(self) -> Invocation:
        """The invocation that is being worked on."""
        assert self.invocation is not None
        return self.invocation

    def wait(self, seconds: float) -> None:
        """Let time pass; who has none left is killed."""
        dies_at = self.running.dies_at
        if self.scheduler.now + seconds >= dies_at:
            self.scheduler.sleep(dies_at - self.scheduler.now)
            self.crash("out of time")
        self.scheduler.sleep(seconds)

    def crash(self, why: str) -> NoReturn:
        """Die, without a word to anybody."""
        self.scheduler.note(f"DIES: {why}")
        self._perish()
        self.scheduler.die()

    def travel(self, mean_seconds: float, what: str) -> None:
        """Let a message take its time; the process may pause or die meanwhile."""
        self.wait(self.random.expovariate(1 / mean_seconds))
        if self.weather.strikes(Fault.CRASH):
            self.crash(what)
        if self.weather.strikes(Fault.PAUSE):
            pause = min(self.random.choice(_PAUSES), max(0.0, self._until - self.scheduler.now))
            self.scheduler.note(f"pauses {pause:.1f} s {what}")
            self.wait(pause)

    def ask[T](self, what: str, work: Callable[[], T], *, told: str = "") -> T:
        """Return what the table makes of ``work``.

        Raises:
            StoreError: it did not do it, or did it and was not heard.
        """
        self.travel(STORE_SECONDS, f"before {what}")
        reads = what in _READS
        if self.weather.strikes(Fault.STORE_REFUSES):
            raise self._fail(what, "refused", reads=reads)
        if what == "publish" and self.weather.strikes(Fault.STORE_CONFLICTS):
            raise self._fail(what, "conflicts", reads=reads)
        result = work()
        if told or not reads:
            self.scheduler.note(f"{what} {told}-> {_short(result)}")
        if not reads and self.weather.strikes(Fault.STORE_REPEATS):
            self.scheduler.note(f"{what} is repeated")
            result = work()
        self.travel(STORE_SECONDS, f"after {what}")
        if self.weather.strikes(Fault.STORE_LOSES):
            raise self._fail(what, "not heard of", reads=reads)
        return result

    def _fail(self, what: str, how: str, *, reads: bool) -> StoreError:
        self.scheduler.note(f"{what} {how}")
        if reads:
            self.running.reads_failed += 1
        else:
            self.running.writes_failed += 1
        return StoreError("the table is down", reason=Reason.STORE_UNREACHABLE)


def _short(result: object) -> str:
    return str(result) if isinstance(result, bool | None) else type(result).__name__
