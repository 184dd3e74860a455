"""Draws ``docs/benchmarks/*.svg`` from the newest run, readable on light and on dark pages."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench import report
from bench.results import LARGE, Run, load, rows_of, spreads_of
from dev import ROOT

DIRECTORY = ROOT / "docs/benchmarks"
_TEXT, _OURS, _PEER = "#7d8590", "#2f81f7", "#a0a8b2"
_STYLE = {
    "svg.hashsalt": "benchmarks",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.edgecolor": _TEXT,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "savefig.transparent": True,
}
_OWN = {"ours", "hit", "304"}


def draw(run: Run) -> None:
    """Write all plots."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        _bars(run, "cold_{}_ms", "milliseconds from process start to the first answer", "cold.svg")
        _bars(run, "warm_{}_us", "microseconds an answer (logarithmic)", "warm.svg", log=True)
        _growth(run, "10k_vs_500", "500 users", "10,000 users", "growth.svg")
        (large,) = load(LARGE)
        _growth(large, "100k_vs_10k", "10,000 users", "100,000 users", "large.svg")


def _bars(run: Run, pattern: str, axis: str, file: str, *, log: bool = False) -> None:
    """Draw a bar a peer, the fastest on top, with its middle half."""
    spreads = spreads_of(run)
    peers = report.labels(pattern.format(r"(\w+)"))
    named = {name: spreads[pattern.format(name)] for name in peers}
    ranked = sorted(named, key=lambda name: -named[name][2])
    medians = [named[name][2] for name in ranked]
    below = [named[name][2] - named[name][1] for name in ranked]
    above = [named[name][3] - named[name][2] for name in ranked]
    figure = Figure(figsize=(8, 0.4 * len(ranked) + 0.9), layout="constrained")
    axes = figure.subplots()
    axes.barh(
        [peers[name] for name in ranked],
        medians,
        xerr=[below, above],
        color=[_OURS if name in _OWN else _PEER for name in ranked],
        ecolor=_TEXT,
        log=log,
    )
    ends = [named[name][3] for name in ranked]
    for position, (median, end) in enumerate(zip(medians, ends, strict=True)):
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{median:,.0f}", (end, position), **place)
    axes.margins(x=0.12)
    axes.set_xlabel(axis)
    axes.xaxis.set_major_formatter("{x:,g}")
    _save(figure, file)


def _growth(run: Run, sizes: str, few: str, many: str, file: str) -> None:
    """Draw two bars a question, for directories with ``few`` and with ``many`` users."""
    rows, questions = rows_of(run), report.labels(rf"(\w+)_{sizes}:peer")
    figure = Figure(figsize=(8, 0.55 * len(questions) + 0.9), layout="constrained")
    axes = figure.subplots()
    names = list(questions)[::-1]
    for place, name in enumerate(names):
        row = rows[f"{name}_{sizes}"]
        small = row.peer or 0
        axes.barh(place + 0.18, small, 0.34, color=_PEER, label=few)
        axes.barh(place - 0.18, row.value, 0.34, color=_OURS, label=many)
        axes.text(small, place + 0.18, f"  {small:.2g}", va="center", fontsize=9)
        axes.text(row.value, place - 0.18, f"  {row.value:.2g}", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), [questions[name].replace("`", "") for name in names])
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlabel("milliseconds an answer (logarithmic)")
    axes.xaxis.set_major_formatter("{x:g}")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[:2], labels[:2], frameon=False, loc="upper right")
    _save(figure, file)


def _save(figure: Figure, file: str) -> None:
    figure.savefig(Path(DIRECTORY, file), metadata={"Date": None})
