"""``make simulate``: the whole service in virtual time, seed by seed. Exit code 1: a violation."""

import argparse
import sys
import time

from tests.simulation.many import Total, run_many, seeds_to_find
from tests.simulation.mutations import MUTATIONS
from tests.simulation.plan import drawn
from tests.simulation.simulation import Kind, Simulation

_MOST_SHOWN = 10


def main() -> int:
    """Do what the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, help="how many, if not as many as there is time for")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), default="", metavar="NAME")
    parser.add_argument("--mutations", action="store_true", help="how soon each one is found")
    parser.add_argument("--trace", action="store_true", help="all that happens in the first seed")
    given = parser.parse_args()
    if given.mutations:
        return _print_mutations(given.seed, given.seeds or 200)
    if given.trace:
        return _print_trace(given.seed, given.mutation)
    return _print_many(given)


def _print_many(given: argparse.Namespace) -> int:
    total, started = Total(), time.monotonic()
    for result in run_many(
        first=given.seed,
        seeds=given.seeds,
        seconds=given.minutes * 60,
        processes=given.processes,
        mutation=given.mutation,
    ):
        total.add(result)
        for violation in result.violations:
            if len(total.violations) <= _MOST_SHOWN:
                print(f"{violation.told(given.mutation)}\n", flush=True)
        if sys.stderr.isatty():
            print(f"\r{_summary(total)}\033[K", end="", file=sys.stderr, flush=True)
    print(f"{_summary(total)}, {time.monotonic() - started:.0f} s")
    for what, number in sorted(total.tally.items(), key=lambda each: -each[1]):
        print(f"{number:>12,}  {what}")
    return 1 if total.violations else 0


def _summary(total: Total) -> str:
    failed = len({violation.seed for violation in total.violations})
    return (
        f"{total.seeds:,} seeds, {total.simulated_hours:,.1f} simulated hours, "
        f"{total.tally['answers']:,} answers, {failed} seeds with violations"
    )


def _print_trace(seed: int, mutation: str) -> int:
    kind = MUTATIONS[mutation] if mutation else Kind()
    simulation = Simulation(drawn(seed), kind, whole_trace=True)
    simulation.run()
    print("\n".join(simulation.scheduler.trace))
    return 1 if simulation.violations else 0


def _print_mutations(first: int, most: int) -> int:
    print("| broken | seeds | found by |\n|---|---|---|", flush=True)
    missed = 0
    for name in MUTATIONS:
        found = seeds_to_find(name, first=first, most=most)
        missed += found is None
        what = found.violation.what.partition(": ")[0] if found else "-"
        print(f"| {name} | {found.seeds if found else '-'} | {what} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
