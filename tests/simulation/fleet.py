"""Functions and their execution environments, as Lambda keeps them.

An environment works on one invocation at a time. Where none is free another one starts cold; one
that dies is gone with all it remembered; a deployment lets the old ones finish and no more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from handlers.observing import metrics
from lib.errors import ServiceError
from tests.simulation.environment import Environment
from tests.simulation.scheduler import Scheduler, Task
from tests.simulation.wire import Invocation

type Make = Callable[[str, Callable[[], None]], Environment]
"""Makes an environment of that name, whose death is told."""

type Work = Callable[[Environment], None]

_RECYCLED = 0.01
"""How often an environment is not used again."""

_STARTING_SECONDS = 0.05


@dataclass(slots=True, kw_only=True)
class Function:
    """A function with at most ``most`` environments, each invocation of ``timeout`` seconds."""

    name: str
    timeout: float
    most: int
    scheduler: Scheduler
    random: Random
    make: Make
    ended: Callable[[Invocation], None]
    broke: Callable[[BaseException], None]
    idle: list[Environment] = field(default_factory=list)
    running: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _made: "count[int]" = field(default_factory=lambda: count(1))
    _deployment: int = 0

    def start(self, work: Work, *, after: float = 0, told: str = "", request_id: str = "") -> Task:
        """Let an environment do ``work`` in an invocation of its own, if one may."""
        name = f"{self.name}{next(self._numbers)}"
        now = self.scheduler.now
        invocation = Invocation(
            name=name,
            request_id=request_id or name,
            arrived=now + after,
            dies_at=now + after + self.timeout,
        )
        return self.scheduler.spawn(name, lambda: self._invoke(invocation, work, told), after=after)

    def deploy(self) -> None:
        """Let no environment be used again that there is."""
        self._deployment += 1
        self.idle.clear()

    def _invoke(self, invocation: Invocation, work: Work, told: str) -> None:
        if not self.idle and self.running >= self.most:
            self.scheduler.note("is throttled")
            return
        self.running += 1
        deployment = self._deployment
        environment = self._taken()
        environment.wire.invocation = invocation
        self.scheduler.note(f"in {environment.name}: {told}")
        try:
            work(environment)
        except ServiceError as error:
            self.scheduler.note(f"fails: {error!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found
            self.broke(error)
        # Nobody writes them, and a hundred of one kind would be written all the same.
        metrics.clear_metrics()
        self.ended(invocation)
        environment.wire.invocation = None
        self.running -= 1
        if deployment == self._deployment and self.random.random() >= _RECYCLED:
            self.idle.append(environment)

    def _taken(self) -> Environment:
        if self.idle:
            return self.idle.pop(self.random.randrange(len(self.idle)))
        return self.make(f"{self.name}-env{next(self._made)}", self._perish)

    def _perish(self) -> None:
        self.running -= 1
