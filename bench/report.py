"""Writes ``docs/benchmarks.md`` from the kept runs and the template, and from nothing else."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil

from bench import cost, tables
from bench.reasons import REASONS
from bench.results import Row, Run, rows_of
from bench.tables import number, table
from bench.words import GROWTH, PAGE, PEERS, UNITS
from dev import ROOT
from dev.template.literals import parameter_defaults

type Rows = Mapping[str, Row]

FILE = ROOT / "docs/benchmarks.md"
_ON_PAPER = (100_000, 1_000_000)


def page(runs: Sequence[Run]) -> str:
    """Return the whole page; ``runs`` are those kept, the newest last."""
    newest = runs[-1]
    rows, about = rows_of(newest), newest["about"]
    parts = {
        "count": str(len(runs)),
        "machine": about["machine"],
        "versions": about["versions"],
        "runs": table(
            ["run", "commit", "command"],
            [[run["about"][key] for key in ("date", "commit", "command")] for run in runs],
        ),
        "promises": tables.promises(runs),
        "missed": _missed(runs),
        "cold": tables.spread(newest, PEERS, "cold_{}_ms", unit="ms", base="ours"),
        "warm": tables.spread(newest, PEERS, "warm_{}_us", unit="µs", base="echo"),
        "growth": tables.growth(rows, GROWTH),
        "units": tables.sizes(rows, UNITS),
        "paper": _on_paper(rows),
        "cost": _cost(rows),
        "basis": _basis(rows),
        "sizes": _artifacts(rows),
        "stampede": number(rows["origin_calls_1000_cold_readers_requests_cache"].value),
        "refresh_memory": number(rows["peak_memory_10k_refresh_mb"].value),
        "head_read": number(rows["head_read_hit_ms"].value),
        "bare_read": number(rows["bare_get_item_ms"].value),
        "origin_ms": f"{cost.ORIGIN_SECONDS * 1e3:g}",
        "dynamodb_ms": f"{cost.DYNAMODB_SECONDS * 1e3:g}",
        "prices": _prices(),
        "cache_megabytes": str(parameter_defaults()["MemoryCacheMegabytes"]),
        "api_memory": str(defaults().api_memory),
        "refresh_memory_size": str(defaults().refresh_memory),
        "interval": str(defaults().interval),
        "jitter": str(defaults().jitter),
        "adopted_calls": str(defaults().adopted_calls),
        "environment_hours": f"{cost.ENVIRONMENT_SECONDS / 3600:g}",
    }
    return PAGE.format(**parts)


def _missed(runs: Sequence[Run]) -> str:
    names = tables.missed(runs)
    if not names:
        return "All of it is kept."
    return "\n".join(f"- `{name}`: {REASONS.get(name, 'not explained yet.')}" for name in names)


def _artifacts(rows: Rows) -> str:
    lines = [
        [label, number(rows[f"artifact_{name}_zipped_mb"].value), number(row.value)]
        for name, label in PEERS.items()
        if (row := rows.get(f"artifact_{name}_unzipped_mb"))
    ]
    return table(["artifact", "zipped, MB", "unzipped, MB"], lines)


def _on_paper(rows: Rows) -> str:
    """Return what follows for larger directories from what was measured at 10,000 users."""
    measured = {name: rows[f"{name}_10k"].value for name in UNITS if name.startswith("w")}
    manifest = rows["bytes_largest_manifest_10k"].value
    filtering = rows["filter_10k_p50_ms"].value
    reading = rows["read_units_first_filter_10k"].value
    stored = rows["bytes_all_items_10k"].value
    pages = measured["write_units_update"] - _transaction_units(manifest)
    lines = []
    for users in (10_000, *_ON_PAPER):
        times = users / 10_000
        lines.append(
            [
                f"{users:,}{'' if times == 1 else ' (computed)'}",
                number(manifest * times / 1e3),
                number(measured["write_units_first_publication"] * times),
                number(pages + _transaction_units(manifest * times)),
                number(reading * times),
                number(filtering * times),
                number(stored * times / 1e6),
            ]
        )
    head = ["manifest, KB", "units, first publication", "units, one change"]
    head += ["units, first filter", "filter, ms", "in the table, MB"]
    return table(["users", *head], lines)


def _transaction_units(size: float) -> int:
    return 2 * ceil(size / 1024)


def defaults() -> cost.Defaults:
    """Return what the template sets of that which costs."""
    given = parameter_defaults()
    minutes = re.search(r"\d+", given["ScheduleExpression"])
    return cost.Defaults(
        api_memory=int(given["ApiMemory"]),
        refresh_memory=int(given["RefreshMemory"]),
        interval=60 * int(minutes[0] if minutes else 1),
        jitter=int(given["ScheduleJitterSeconds"]),
        fresh=int(given["FreshSeconds"]),
        adopted_calls=int(given["AdoptedCallsPerSweep"]),
    )


def _basis(rows: Rows) -> str:
    """Return what the months are computed from."""
    small, large = (cost.units(users, rows, defaults()) for users in (500, 10_000))
    lines: Mapping[str, Callable[[cost.Units], float]] = {
        "a hit, billed ms": lambda each: cost.billed(each.hit) * 1e3,
        "a hit that reads the head, billed ms": lambda each: cost.billed(each.head_read) * 1e3,
        "the start of an environment, ms": lambda each: each.start * 1e3,
        "a revalidation, s": lambda each: each.sweep,
        "a revalidation, units read": lambda each: each.sweep_reads,
        "a revalidation, units written": lambda each: each.sweep_writes,
        "revalidations a month and client": lambda _: cost.SECONDS / defaults().interval,
        "a change, units written": lambda each: each.change_writes,
        "an environment's whole directory, units read": lambda each: each.directory_reads,
        "a request, bytes logged": lambda each: each.log_bytes,
    }
    told = [[label, number(unit(small)), number(unit(large))] for label, unit in lines.items()]
    return table(["", "500 users", "10,000 users"], told)


def _cost(rows: Rows) -> str:
    lines = []
    head: list[str] = []
    for scenario in cost.SCENARIOS:
        ours = cost.ours(scenario, rows, defaults())
        peers = cost.peers(scenario, rows, defaults())
        head = [*ours, "**in all**", *(PEERS[name] for name in peers)]
        clients = f"{scenario.clients} client{'s' if scenario.clients > 1 else ''}"
        lines.append(
            [
                f"{scenario.rate:,g}/s, {clients}, {scenario.users:,} users",
                *(_dollars(each) for each in ours.values()),
                f"**{_dollars(sum(ours.values()))}**",
                *(f"{_dollars(total)}{'' if able else ' †'}" for total, able in peers.values()),
            ]
        )
    return table(["a month, $", *head], lines)


def _dollars(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2f}"  # noqa: PLR2004 - cents below.


def _prices() -> str:
    tiers = ", then ".join(f"${price * 1e6:.2f}" for _, price in cost.GATEWAY_TIERS)
    lines = {
        "Lambda, a GB-second": f"${cost.GB_SECOND:.10f}",
        "Lambda, a million requests": f"${cost.INVOCATION * 1e6:.2f}",
        "API Gateway (REST), a million requests": tiers,
        "DynamoDB on demand, a million units": (
            f"${cost.READ_UNIT * 1e6:.3f} read, ${cost.WRITE_UNIT * 1e6:.3f} written"
        ),
        "DynamoDB, a GB stored": f"${cost.STORED_GB:.2f}",
        "EventBridge, a million": (
            f"${cost.SCHEDULED * 1e6:.2f} schedules, ${cost.EVENT * 1e6:.2f} events"
        ),
        "Secrets Manager": (
            f"${cost.SECRET:.2f} a secret, ${cost.SECRET_CALL * 1e4:.2f} for 10,000 calls"
        ),
        "CloudWatch Logs, a GB": f"${cost.LOGGED_GB:.2f}",
    }
    return table(["", "price"], list(lines.items()))
