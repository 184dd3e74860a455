"""What a run found: rows for tables, samples for plots.

Pure but for ``save`` and ``load``.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
RESULTS = BENCH / "results.json"
RUNS = BENCH / "runs.json"
KEPT_RUNS = 5

BOUNDS: Mapping[str, float] = {
    "cold_vs_typical_sam_build": 0.15,
    "cold_vs_floor": 1.0,
    "warm_hit_vs_echo": 1.6,
    "warm_304_vs_echo": 1.3,
    "head_read_hit_over_bare_get_item_ms": 0.25,
    "warm_hit_vs_requests_cache": 0.05,
    "warm_hit_vs_fastapi_mangum_hishel": 0.15,
    "origin_calls_1000_cold_readers": 2,
    "write_units_unchanged_revalidation": 2,
    "write_units_one_change_10k_vs_full": 0.1,
    "window_10k_vs_500": 1.2,
    "lookup_10k_vs_500": 1.2,
    "filter_10k_p50_ms": 25,
    "peak_memory_10k_mb": 128,
}
"""What is promised: the most that a row's ratio may be, or its value where it has no ratio."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``peer`` is the same of what it is compared with, and ``ratio`` value to peer."""

    name: str
    value: float
    unit: str
    peer: float | None = None
    ratio: float | None = None

    @property
    def told(self) -> float:
        """What counts: the ratio if there is one."""
        return self.value if self.ratio is None else self.ratio


@dataclass(slots=True)
class Found:
    """The rows of a run by name, and the samples behind some of them."""

    rows: dict[str, Row] = field(default_factory=dict)
    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        """Add an absolute row."""
        self.rows[name] = Row(name, _rounded(value), unit)

    def compare(self, name: str, value: float, peer: float, unit: str) -> None:
        """Add a row that compares."""
        ratio = _rounded(value / peer)
        self.rows[name] = Row(name, _rounded(value), unit, _rounded(peer), ratio)

    def sample(self, name: str, values: Sequence[float]) -> float:
        """Keep samples of a figure; return their median."""
        self.samples[name] = [_rounded(value) for value in values]
        return statistics.median(values)


def save(found: Found, about: Mapping[str, Any]) -> None:
    """Write ``results.json``, and add the run to those kept."""
    rows = [asdict(row) for row in found.rows.values()]
    RESULTS.write_text(_json_lines(rows), encoding="utf-8")
    runs = [*load(), {"about": dict(about), "rows": rows, "samples": found.samples}]
    RUNS.write_text(json.dumps(runs[-KEPT_RUNS:], indent=1) + "\n", encoding="utf-8")


def load() -> list[dict[str, Any]]:
    """Return the kept runs, the newest last."""
    if not RUNS.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(RUNS.read_text(encoding="utf-8"))
    return runs


def rows_of(run: Mapping[str, Any]) -> dict[str, Row]:
    """Return a kept run's rows by name."""
    rows = [Row(**row) for row in run["rows"]]
    return {row.name: row for row in rows}


def _json_lines(rows: Sequence[object]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n"


def _rounded(value: float) -> float:
    """Return ``value`` with four digits that mean something."""
    return float(f"{value:.4g}")
