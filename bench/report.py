"""Makes ``docs/benchmarks.md`` of the words in ``bench/benchmarks.md`` and of figures.

Between braces stands the name of a row or a sample of the newest run, of a parameter of
``template.yaml``, or of what is computed here.
"""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

from bench import compression, cost, throughput
from bench.results import BENCH, BOUNDS, LARGE, Row, Run, load, number, rows_of, spreads_of
from dev import ROOT
from dev.template import literals
from dev.template.literals import parameter_defaults
from lib.revalidation.schedule import LARGE_USERS, SIDE_BY_SIDE

type Rows = Mapping[str, Row]

FILE = ROOT / "docs/benchmarks.md"
WORDS = (BENCH / "benchmarks.md").read_text(encoding="utf-8")
_BASES = {"cold": "cold_ours_ms", "warm": "warm_echo_us"}
"""Beside whose median the samples of a kind are told."""


def page(runs: Sequence[Run]) -> str:
    """Return the whole page; ``runs`` are those kept, the newest last."""
    newest, (large,) = runs[-1], load(LARGE)
    rows = rows_of(newest)
    return WORDS.format(
        count=len(runs),
        **newest["about"],
        runs=_lines([run["about"][key] for key in ("date", "commit", "command")] for run in runs),
        promises=_lines(_promise(name, runs) for name in BOUNDS),
        **parameter_defaults(),
        **_samples(newest),
        **rows,
        **rows_of(large),
        **{f"large_{name}": told for name, told in large["about"].items()},
        **{f"paper_{times}": _on_paper(rows, times) for times in (1, 10, 100)},
        **_prices(),
        **_basis(rows),
        **_fixed(),
        throughput=_lines(throughput.table(rows)),
        throughput_rate=throughput.RATE,
        compression=_lines(compression.table(rows)),
        months=_lines(_month(scenario, rows) for scenario in cost.SCENARIOS),
    )


def labels(figure: str) -> dict[str, str]:
    """Return what the page's tables call the figures whose placeholders ``figure`` matches."""
    found = re.findall(rf"^\| (.+?) \| {{{figure}}}", WORDS, re.MULTILINE)
    return {name: label for label, name in found}


def missed(runs: Sequence[Run]) -> list[str]:
    """Return the names of promises that the median of the runs does not keep."""
    return [
        name
        for name, bound in BOUNDS.items()
        if (rows := _measured(name, runs)) and statistics.median(row.upper for row in rows) > bound
    ]


def _measured(name: str, runs: Sequence[Run]) -> list[Row]:
    """Return a figure in those runs that have it: a promise may be younger than some."""
    return [row for run in runs if (row := rows_of(run).get(name))]


def _lines(lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _promise(name: str, runs: Sequence[Run]) -> list[str]:
    """Return a promise, the median and the range of the runs, and the newest with its interval."""
    rows = _measured(name, runs)
    if not rows:
        return [f"`{name}`", f"≤ {BOUNDS[name]:g}", "not measured yet", "", "", ""]
    told, newest = [row.told for row in rows], rows[-1]
    pair = f"{newest}" if newest.ratio is None else f"{newest} / {newest:peer}"
    return [
        f"`{name}`",
        f"≤ {BOUNDS[name]:g}",
        f"{number(statistics.median(told))}{' **missed**' if name in missed(runs) else ''}",
        f"{number(min(told))} to {number(max(told))}",
        f"{pair} {newest.unit}",
        "" if newest.high is None else f"{newest:low} to {newest:high}",
    ]


def _samples(run: Run) -> dict[str, str]:
    """Return median, middle half, range and ratio of what was sampled, as cells of a table."""
    spreads, told = spreads_of(run), {}
    for name, (least, low, median, high, most) in spreads.items():
        if base := _BASES.get(name.partition("_")[0]):
            half, whole = f"{number(low)} to {number(high)}", f"{number(least)} to {number(most)}"
            cells = [number(median), half, whole, number(median / spreads[base][2])]
            told[name] = " | ".join(cells)
    return told


def _on_paper(rows: Rows, times: int) -> str:
    """Return what follows for larger directories from what was measured at 10,000 users."""

    def at(name: str) -> float:
        return rows[name].value * times

    figures = [
        at("write_units_first_publication_10k"),
        at("read_units_first_filter_10k"),
        at("filter_10k_p50_ms"),
        at("bytes_all_items_10k") / 1e6,
    ]
    return " | ".join(map(number, figures))


def defaults() -> cost.Defaults:
    """Return what the template sets of that which costs."""
    given = parameter_defaults()
    minutes = re.search(r"\d+", given["ScheduleExpression"])
    return cost.Defaults(
        api_memory=int(given["ApiMemory"]),
        refresh_memory=int(given["RefreshMemory"]),
        interval=60 * int(minutes[0] if minutes else 1),
        idle=int(given["IdleRevalidationSeconds"]),
        fresh=int(given["FreshSeconds"]),
        adopted_calls=int(given["AdoptedCallsPerSweep"]),
    )


def _deliveries_memory() -> int:
    handler = "handlers.deliveries.handler"
    return int(literals.resource(literals.FUNCTION, Handler=handler)["MemorySize"])


def _basis(rows: Rows) -> dict[str, str]:
    """Return what the months are computed from, by name and size of the directory."""
    told = {
        "interval": f"{defaults().interval}",
        "origin_ms": f"{cost.ORIGIN_SECONDS * 1e3:g}",
        "dynamodb_ms": f"{cost.DYNAMODB_SECONDS * 1e3:g}",
        "environment_hours": f"{cost.ENVIRONMENT_SECONDS / 3600:g}",
        "side_by_side": f"{SIDE_BY_SIDE}",
        "platform_bytes": f"{cost.PLATFORM_BYTES}",
        "platform_at_100": _dollars(_platform_at_100()),
        "large_users": f"{LARGE_USERS:,}",
        "followed_seconds": f"{cost.FOLLOWED_SECONDS}",
        "follower": f"{cost.follower(rows, defaults()):.2f}",
        "receiver_ms": f"{cost.RECEIVER_SECONDS * 1e3:g}",
        "packing_ms": f"{cost.COMPRESSION_SECONDS * 1e3:g}",
    }
    for size, users in {"500": 500, "10k": 10_000}.items():
        each = cost.units(users, rows, defaults())
        figures = {
            "hit_ms": cost.billed(each.hit) * 1e3,
            "head_read_ms": cost.billed(each.head_read) * 1e3,
            "start_ms": each.start * 1e3,
            "sweep_s": each.sweep_waits + each.sweep_works,
            "sweep_works_ms": each.sweep_works * 1e3,
            "sweep_reads": each.sweep_reads,
            "sweep_writes": each.sweep_writes,
            "sweeps": cost.SECONDS / defaults().interval,
            "change_writes": each.change_writes,
            "directory_reads": each.directory_reads,
            "log_bytes": each.log_bytes,
        }
        told |= {f"{name}_{size}": number(value) for name, value in figures.items()}
    return told


def _platform_at_100() -> float:
    """Return what Lambda's own lines of a hundred requests a second cost a month, in dollars."""
    logged = 100 * cost.SECONDS * cost.PLATFORM_BYTES
    return logged / 1024**3 * cost.LOGGED_GB


def _month(scenario: cost.Scenario, rows: Rows) -> list[str]:
    ours = cost.ours(scenario, rows, defaults())
    over_http_api = cost.ours(scenario, rows, defaults(), over_http_api=True)
    peers = cost.peers(scenario, rows, defaults())
    clients = f"{scenario.clients} client{'s' if scenario.clients > 1 else ''}"
    if scenario.idle:
        clients += f" and {scenario.idle} idle"
    return [
        f"{scenario.rate:,g}/s, {clients}, {scenario.users:,} users",
        *map(_dollars, ours.values()),
        f"**{_dollars(sum(ours.values()))}**",
        f"**{_dollars(sum(over_http_api.values()))}**",
        *(f"{_dollars(total)}{'' if able else ' †'}" for total, able in peers.values()),
    ]


def _tiers(tiers: Sequence[tuple[float, float]]) -> str:
    return ", then ".join(f"${price * 1e6:.2f}" for _, price in tiers)


def _fixed() -> dict[str, str]:
    """Return how many alarms and metrics there are, and what a month of them costs."""
    counts = {"alarms": literals.count(literals.ALARM), "metrics": len(metrics())}
    dollars = {
        "alarms_cost": counts["alarms"] * cost.ALARM,
        "metrics_cost": counts["metrics"] * cost.METRIC,
        "dashboard": cost.DASHBOARD,
    }
    prices = {"alarm": cost.ALARM, "metric": cost.METRIC, "fixed_cost": sum(dollars.values())}
    told = {name: f"{amount:.2f}" for name, amount in (dollars | prices).items()}
    return {name: f"{number}" for name, number in counts.items()} | told


def metrics() -> set[str]:
    """Return this service's metrics: what the runbook lists and the dashboard shows."""
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", runbook.split("## Metrics")[1], re.MULTILINE)
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return {*listed, *re.findall(r'"ManagedUsersProxy", "(\w+)"', template)}


def _dollars(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"  # noqa: PLR2004 - cents below.


def _prices() -> dict[str, float | str]:
    """Return prices as they are listed: of a million, of 10,000 calls, or of one."""
    return {
        "gb_second": cost.GB_SECOND,
        "invocations": cost.INVOCATION * 1e6,
        "gateway_tiers": _tiers(cost.GATEWAY_TIERS),
        "http_api_tiers": _tiers(cost.HTTP_API_TIERS),
        "metered_kb": cost.METERED_BYTES // 1_024,
        "units_read": cost.READ_UNIT * 1e6,
        "units_written": cost.WRITE_UNIT * 1e6,
        "stored_gb": cost.STORED_GB,
        "schedules": cost.SCHEDULED * 1e6,
        "events": cost.EVENT * 1e6,
        "secret": cost.SECRET,
        "secret_calls": cost.SECRET_CALL * 1e4,
        "logged_gb": cost.LOGGED_GB,
        "deliveries": cost.delivery(_deliveries_memory()) * 1e6,
    }
