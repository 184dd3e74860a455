"""Builds tables in Markdown from rows. Pure."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from bench.results import BOUNDS, Row, Run, rows_of, spreads_of

type Rows = Mapping[str, Row]


def number(value: float) -> str:
    """Return ``value`` in three digits or, from a hundred on, in whole numbers.

    >>> [number(value) for value in (0.0325, 1.0871, 21.849, 101.2, 10_090)]
    ['0.0325', '1.09', '21.8', '101', '10,090']
    """
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"  # noqa: PLR2004


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are figures."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))


def promises(runs: Sequence[Run]) -> str:
    """Return what is promised, with the median and the range of the runs."""
    lines = []
    for name, bound in BOUNDS.items():
        told = [rows_of(run)[name].told for run in runs]
        median = statistics.median(told)
        newest = rows_of(runs[-1])[name]
        pair = f"{number(newest.value)} {newest.unit}"
        if newest.ratio is not None and newest.peer is not None:
            pair = f"{number(newest.value)} / {number(newest.peer)} {newest.unit}"
        lines.append(
            [
                f"`{name}`",
                f"≤ {bound:g}",
                f"{number(median)}{'' if median <= bound else ' **missed**'}",
                f"{number(min(told))} to {number(max(told))}",
                pair,
            ]
        )
    return table(["", "must be", "median", "from, to", "newest run"], lines)


def missed(runs: Sequence[Run]) -> list[str]:
    """Return the names of promises that the median of the runs does not keep."""
    told = {name: [rows_of(run)[name].told for run in runs] for name in BOUNDS}
    return [name for name, values in told.items() if statistics.median(values) > BOUNDS[name]]


def spread(run: Run, labels: Mapping[str, str], pattern: str, *, unit: str, base: str) -> str:
    """Return medians, middle halves and ranges of a run's samples, beside the median of one.

    ``pattern`` makes a sample's name from a name in ``labels``.
    """
    spreads = spreads_of(run)
    compared = spreads[pattern.format(base)][2]
    lines = []
    for name, label in labels.items():
        if pattern.format(name) in spreads:
            least, low, median, high, most = spreads[pattern.format(name)]
            half, whole = f"{number(low)} to {number(high)}", f"{number(least)} to {number(most)}"
            lines.append([label, number(median), half, whole, number(median / compared)])
    head = [f"median, {unit}", "middle half", "range", f"to {labels[base]}"]
    return table(["", *head], lines)


def sizes(rows: Rows, lines: Mapping[str, str]) -> str:
    """Return figures for 500 and 10,000 users; ``lines`` names rows without their size."""
    return table(
        ["", "500 users", "10,000 users"],
        [
            [label, number(rows[f"{name}_500"].value), number(rows[f"{name}_10k"].value)]
            for name, label in lines.items()
        ],
    )


def growth(rows: Rows, lines: Mapping[str, str]) -> str:
    """Return milliseconds for 500 and 10,000 users and their ratio."""
    found = [(label, rows[f"{name}_10k_vs_500"]) for name, label in lines.items()]
    return table(
        ["", "500 users, ms", "10,000 users, ms", "ratio"],
        [
            [label, number(row.peer or 0), number(row.value), number(row.ratio or 0)]
            for label, row in found
        ],
    )
