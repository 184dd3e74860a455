"""Many runs, one a seed, in some processes; and how soon each mutation is found."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.simulation.mutations import MUTATIONS
from tests.simulation.plan import drawn
from tests.simulation.simulation import Kind, Simulation, Violation

_AT_ONCE = 4
"""Seeds that a process is given at a time."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed, or of one seed with a mutation."""

    seed: int
    simulated_seconds: float
    fingerprint: int
    tally: Counter[str]
    violations: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class Found:
    """A mutation was found by the last of this many ``seeds``, as this violation."""

    seeds: int
    violation: Violation


@dataclass(slots=True)
class Total:
    """What came of many seeds."""

    seeds: int = 0
    simulated_hours: float = 0
    tally: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one more."""
        self.seeds += 1
        self.simulated_hours += result.simulated_seconds / 3600
        self.tally += result.tally
        self.violations.extend(result.violations)


def run_one(seed: int, mutation: str = "") -> Result:
    """Run one seed."""
    simulation = Simulation(drawn(seed), MUTATIONS[mutation] if mutation else Kind())
    simulation.run()
    return Result(
        seed,
        simulation.simulated_seconds,
        simulation.scheduler.fingerprint,
        simulation.tally,
        simulation.violations,
    )


def run_many(
    *, first: int, seeds: int | None, seconds: float, processes: int, mutation: str = ""
) -> Iterator[Result]:
    """Run seeds from ``first`` on, until there are that many or the time is over."""
    deadline = time.monotonic() + seconds
    wanted = _seeds(first, seeds, deadline, mutation)
    if processes == 1:
        yield from map(_run, wanted)
        return
    with multiprocessing.Pool(processes) as pool:
        # Not more at a time than is worked on: the time is asked when a seed is given away.
        while batch := [each for _, each in zip(range(processes * _AT_ONCE), wanted, strict=False)]:
            yield from pool.imap_unordered(_run, batch)


def seeds_to_find(mutation: str, *, first: int = 1, most: int = 200) -> Found | None:
    """Return how many seeds it takes to find a mutation, None if ``most`` do not."""
    for tried in range(most):
        result = run_one(first + tried, mutation)
        if result.violations:
            return Found(tried + 1, result.violations[0])
    return None


def _seeds(
    first: int, seeds: int | None, deadline: float, mutation: str
) -> Iterator[tuple[int, str]]:
    seed = first
    while time.monotonic() < deadline and (seeds is None or seed < first + seeds):
        yield seed, mutation
        seed += 1


def _run(wanted: tuple[int, str]) -> Result:
    return run_one(*wanted)
