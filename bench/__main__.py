"""Runs all benchmarks and says what came out; a full run is kept and told in the docs.

Each subject is a module with a function that adds its rows. Subjects run one after the other; what
is compared with each other runs in turns within one subject.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import (
    artifacts,
    cold,
    compression,
    growth,
    memory,
    organization,
    plots,
    report,
    results,
    sizes,
    stampede,
    throughput,
    warm,
    writing,
)
from bench.about import about
from bench.machine import disturbances
from bench.neighbours import Neighbours, neighbours
from bench.results import BOUNDS, Found

type Measure = Callable[[Neighbours, Found, Iterable[object]], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured, in how many rounds of a full and of a quick run."""

    name: str
    measure: Measure
    rounds: int
    quick_rounds: int


def _subjects(*, sam: Path, wide: bool) -> list[Subject]:
    return [
        Subject("sizes", sizes.measure, 1, 1),
        Subject("warm answers", warm.measure, 450, 30),
        Subject("head reads", warm.measure_head_reads, 150, 10),
        Subject("logs", warm.measure_logs, 1, 1),
        Subject("growth", growth.measure, 300, 10),
        Subject("compression", partial(compression.measure, sam=sam), 100, 5),
        Subject("units", writing.measure, 1, 1),
        Subject("organization", organization.measure, 1, 1),
        Subject("cold readers", stampede.measure, 1, 1),
        Subject("throughput", throughput.measure, 1, 1),
        Subject("memory", partial(memory.measure, sam=sam), 1, 1),
        Subject("cold starts", partial(cold.measure, sam=sam, wide=wide), 24, 5),
    ]


def main() -> None:
    """Run, print, and keep."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, nothing kept")
    parser.add_argument("--artifact", type=Path, help="a built artifact, instead of building one")
    parser.add_argument("--only", help="subjects whose name has this in it; nothing kept")
    parser.add_argument("--loaded", action="store_true", help="run whatever disturbs the machine")
    parser.add_argument("--report", action="store_true", help="only write the docs anew")
    arguments = parser.parse_args()
    if not arguments.report:
        subjects = _subjects(sam=Path(os.environ["SAM"]), wide=not arguments.quick)
        chosen = [each for each in subjects if (arguments.only or "") in each.name]
        kept = not (arguments.quick or arguments.only)
        disturbed = disturbances()
        if disturbed and kept and not arguments.loaded:
            parser.exit(3, f"not measured, this machine is busy: {'; '.join(disturbed)}\n")
        found = _measure(chosen, quick=arguments.quick, artifact=arguments.artifact)
        _print(found)
        if not kept:
            return
        results.save(found, about(sys.argv[1:]))
    runs = results.load()
    plots.draw(runs[-1])
    report.FILE.write_text(report.page(runs), encoding="utf-8")


def _measure(chosen: list[Subject], *, quick: bool, artifact: Path | None) -> Found:
    found = Found()
    columns = (TextColumn("{task.description:16}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        preparing = progress.add_task("preparing", total=None)
        with artifacts.built(artifact) as directory, neighbours(directory) as running:
            progress.update(preparing, total=1, completed=1)
            for subject in chosen:
                rounds = range(subject.quick_rounds if quick else subject.rounds)
                subject.measure(running, found, progress.track(rounds, description=subject.name))
    return found


def _print(found: Found) -> None:
    for row in found.rows.values():
        bound = BOUNDS.get(row.name)
        promise = f"{bound:8g} {'ok' if row.upper <= bound else 'MISSED'}" if bound else ""
        print(f"{row.name:46} {row.told:8.4g} {row.value:10.4g} {row.unit:5} {promise}")


if __name__ == "__main__":
    main()
