"""``make soak``: ten minutes of readers, writers, faults and kills. Exit code 1: a violation."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.soak.soak import Outcome, soak

_BAR = 30
_MOST_SHOWN = 40


def main() -> int:
    """Run a soak and print what came of it."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--record", type=Path, help="where to keep what the origin was and told")
    given = parser.parse_args()
    started = time.monotonic()

    def tell(outcome: Outcome) -> None:
        done = min(1, (time.monotonic() - started) / given.seconds)
        bar = ("#" * round(done * _BAR)).ljust(_BAR, ".")
        if sys.stderr.isatty():
            print(f"\r[{bar}] {outcome.line()}\033[K", end="", file=sys.stderr, flush=True)

    outcome = soak(
        seconds=given.seconds,
        seed=given.seed,
        readers=given.readers,
        kept=given.record,
        tell=tell,
    )
    print(f"\nseed {given.seed}, {given.seconds:.0f} s: {outcome.line()}")
    print(f"{outcome.origin_calls} origin calls")
    for title, counts in (
        ("Answers", outcome.tally),
        ("Broken", outcome.caused),
        ("Met by origin calls", outcome.met),
        ("Killed", outcome.killed),
    ):
        _print(title, counts)
    for violation in outcome.violations[:_MOST_SHOWN]:
        print(f"VIOLATION {violation}")
    return 1 if outcome.violations else 0


def _print(title: str, counts: Mapping[str, int]) -> None:
    print(f"{title}:")
    for what, number in sorted(counts.items(), key=lambda each: -each[1]):
        print(f"{number:>9,}  {what}")


if __name__ == "__main__":
    sys.exit(main())
