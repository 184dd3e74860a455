"""What a run found: rows for tables, and the spread of what was sampled for plots.

Pure but for ``save`` and ``load``.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, override

BENCH = Path(__file__).parent
RESULTS = BENCH / "results.json"
RUNS = BENCH / "runs.json"
LARGE = BENCH / "large.json"
KEPT_RUNS = 5

type Run = Mapping[str, Any]

BOUNDS: Mapping[str, float] = {
    "cold_vs_typical_sam_build": 0.2,
    "cold_vs_floor": 0.75,
    "warm_hit_vs_echo": 1.6,
    "warm_304_vs_echo": 1.3,
    "head_read_vs_bare_get_item": 1.12,
    "warm_hit_vs_requests_cache": 0.05,
    "warm_hit_vs_fastapi_mangum_hishel": 0.15,
    "origin_calls_1000_cold_readers": 2,
    "write_units_unchanged_revalidation": 2,
    "origin_calls_unchanged_organization_sweep_10k": 12,
    "write_units_one_change_10k_vs_full": 0.1,
    "window_10k_vs_500": 1.2,
    "lookup_10k_vs_500": 1.2,
    "filter_10k_vs_json": 0.1,
    "peak_memory_10k_mb": 128,
}
"""What is promised: the most that a row's ratio may be, or its value where it has no ratio.

Of a ratio that was sampled it is the upper end of its interval."""


def number(value: float) -> str:
    """Return ``value`` in three digits or, from a hundred on, in whole numbers.

    >>> [number(value) for value in (0.0325, 1.0871, 21.849, 101.2, 10_090)]
    ['0.0325', '1.09', '21.8', '101', '10,090']
    """
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``peer`` is the same of what it is compared with, and ``ratio`` value to peer.

    Of what was sampled in pairs, the ratio is the median of theirs, with 95 % between ``low`` and
    ``high``.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def upper(self) -> float:
        """What a promise is held to: the upper end of the interval if there is one."""
        return self.told if self.high is None else self.high

    @property
    def told(self) -> float:
        """What counts: the ratio if there is one."""
        return self.value if self.ratio is None else self.ratio

    @override
    def __format__(self, figure: str) -> str:
        """Return ``value``, ``peer`` or ``ratio`` as the page writes figures."""
        return number(getattr(self, figure or "value"))


def interval(rising: Sequence[float]) -> tuple[float, float]:
    """Return between which of the ``rising`` values the median of all there could be lies, by 95 %.

    By rank (the binomial distribution's normal approximation), whatever their distribution.

    >>> interval(range(100))
    (40, 59)
    """
    half = 0.98 * len(rising) ** 0.5
    first = max(0, round(len(rising) / 2 - half))
    return rising[first], rising[-1 - first]


@dataclass(slots=True)
class Found:
    """The rows of a run by name, and the spread of samples behind some of them."""

    rows: dict[str, Row] = field(default_factory=dict)
    spreads: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        """Add an absolute row."""
        self.rows[name] = Row(name, _rounded(value), unit)

    def compare(self, name: str, value: float, peer: float, unit: str) -> None:
        """Add a row that compares."""
        ratio = _rounded(value / peer)
        self.rows[name] = Row(name, _rounded(value), unit, _rounded(peer), ratio)

    def pair(self, name: str, values: Sequence[float], peers: Sequence[float], unit: str) -> None:
        """Add a row that compares what was sampled in turns, a pair a round."""
        ratios = sorted(value / peer for value, peer in zip(values, peers, strict=True))
        medians = statistics.median(values), statistics.median(peers)
        value, peer = map(_rounded, medians)
        ratio, low, high = map(_rounded, (statistics.median(ratios), *interval(ratios)))
        self.rows[name] = Row(name, value, unit, peer, ratio, low, high)

    def sample(self, name: str, values: Sequence[float]) -> float:
        """Keep least, quartiles and most of ``values``; return their median."""
        quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
        self.spreads[name] = [_rounded(v) for v in (min(values), *quartiles, max(values))]
        return statistics.median(values)


def save(found: Found, about: Mapping[str, Any]) -> None:
    """Write ``results.json``, and add the run to those kept."""
    run = _run(found, about)
    RESULTS.write_text(_lines(run["rows"]), encoding="utf-8")
    RUNS.write_text(_lines([*load(), run][-KEPT_RUNS:]), encoding="utf-8")


def save_large(found: Found, about: Mapping[str, Any]) -> None:
    """Keep a run of ``bench.large`` instead of the one before."""
    LARGE.write_text(_lines([_run(found, about)]), encoding="utf-8")


def load(kept: Path = RUNS) -> list[Run]:
    """Return the kept runs, the newest last."""
    if not kept.exists():
        return []
    runs: list[Run] = json.loads(kept.read_text(encoding="utf-8"))
    return runs


def rows_of(run: Run) -> dict[str, Row]:
    """Return a kept run's rows by name."""
    return {row["name"]: Row(**row) for row in run["rows"]}


def spreads_of(run: Run) -> Mapping[str, Sequence[float]]:
    """Return least, quartiles and most of a kept run's samples, by the name of the figure."""
    spreads: Mapping[str, Sequence[float]] = run["spreads"]
    return spreads


def _run(found: Found, about: Mapping[str, Any]) -> Run:
    rows = [asdict(row) for row in found.rows.values()]
    return {"about": dict(about), "rows": rows, "spreads": found.spreads}


def _lines(entries: Sequence[object]) -> str:
    """Return JSON with an entry a line, so that a run changes lines and not the whole file."""
    return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n"


def _rounded(value: float) -> float:
    """Return ``value`` with four digits that mean something."""
    return float(f"{value:.4g}")
