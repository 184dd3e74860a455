"""What a month costs, computed from the units that a run measured. Pure.

Prices are list prices in US dollars for us-east-1 and arm64, without any free tier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bench.results import Row

SECONDS = 30 * 86_400
"""A month."""

GB_SECOND, INVOCATION = 0.0000133334, 0.20e-6
READ_UNIT, WRITE_UNIT, STORED_GB = 0.125e-6, 0.625e-6, 0.25
GATEWAY_TIERS = ((333e6, 3.50e-6), (667e6, 2.80e-6), (19e9, 2.38e-6), (float("inf"), 1.51e-6))
SCHEDULED, EVENT = 1.00e-6, 1.00e-6
SECRET, SECRET_CALL = 0.40, 0.05 / 10_000
LOGGED_GB = 0.50

ORIGIN_SECONDS, DYNAMODB_SECONDS = 0.3, 0.004
"""What a call of the origin and a read of DynamoDB take in AWS: assumed, not measured."""

FULL_CORE_MB = 1769
"""The memory at which a function has the whole of a core; below, it has that share of one."""

CHANGES_AN_HOUR = 1
ENVIRONMENT_SECONDS = 7_200
SECRET_KEPT_SECONDS = 300
ORIGIN_LIMIT = 500
"""Calls a minute that the origin allows a client."""

WINDOW, PEER_USERS = 50, 500
"""Users in an answer; users that the origin lists, and so those whom peers can answer for."""

_MILLISECOND = 0.001
_GB = 1024**3
_MB_PER_GB = 1024
_BLOCK, _READ_BYTES, _WRITE_BYTES = 1_000, 4_096, 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Requests a second, evenly over ``clients``, each with a directory of ``users``."""

    rate: float
    clients: int
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What ``template.yaml`` sets, in MB and seconds."""

    api_memory: int
    refresh_memory: int
    interval: int
    jitter: int
    fresh: int
    adopted_calls: int


SCENARIOS: Sequence[Scenario] = [
    Scenario(rate=rate, clients=clients, users=users)
    for rate in (1, 100, 1_000)
    for clients in (1, 100)
    for users in (500, 10_000)
]


def ours(at: Scenario, rows: Mapping[str, Row], given: Defaults) -> dict[str, float]:
    """Return dollars a month by service."""
    size = {500: "500", 10_000: "10k"}[at.users]
    requests = at.rate * SECONDS
    hit = rows["warm_hit_vs_echo"].value / 1e6 * _slower(given.api_memory)
    head_read = (
        rows["head_read_hit_over_bare_get_item_ms"].value / 1e3 * _slower(given.api_memory)
        + DYNAMODB_SECONDS
    )
    environments = _environments(at.rate, hit + head_read)
    # Each environment reads a client's head at most once a second.
    asked = at.rate / environments / at.clients
    head_reads = requests / (1 + asked)
    starts = environments * SECONDS / ENVIRONMENT_SECONDS
    api_seconds = (
        (requests - head_reads) * _billed(hit)
        + head_reads * _billed(hit + head_read)
        + starts * rows["cold_vs_floor"].value / 1e3 * _slower(given.api_memory)
    )
    sweeps = at.clients * SECONDS / given.interval
    calls = 2 + (given.adopted_calls if at.users > PEER_USERS else 0)
    sweep = (
        given.jitter / 2
        + calls * ORIGIN_SECONDS
        + rows[f"ms_unchanged_revalidation_{size}"].value / 1e3 * _slower(given.refresh_memory)
    )
    changes = at.clients * CHANGES_AN_HOUR * SECONDS / 3_600
    refreshing = ceil(at.clients * sweep / given.interval)
    reads = (
        head_reads
        + sweeps * rows[f"read_units_unchanged_revalidation_{size}"].value
        + (starts * at.clients + changes * environments) * _pages_units(rows, size)
    )
    writes = (
        sweeps * rows["write_units_unchanged_revalidation"].value
        + changes * rows[f"write_units_update_{size}"].value
    )
    stored = at.clients * rows[f"bytes_all_items_{size}"].value / _GB
    return {
        "Lambda": (requests + sweeps + changes) * INVOCATION
        + _gb_seconds(given.api_memory, api_seconds) * GB_SECOND
        + _gb_seconds(given.refresh_memory, sweeps * sweep) * GB_SECOND,
        "API Gateway": gateway(requests),
        "DynamoDB": reads * READ_UNIT + writes * WRITE_UNIT + stored * STORED_GB,
        "EventBridge": SECONDS / given.interval * SCHEDULED + changes * EVENT,
        "Secrets Manager": SECRET + refreshing * SECONDS / SECRET_KEPT_SECONDS * SECRET_CALL,
        "CloudWatch Logs": requests * rows["log_bytes_ours"].value / _GB * LOGGED_GB,
    }


def peers(at: Scenario, rows: Mapping[str, Row], given: Defaults) -> dict[str, tuple[float, bool]]:
    """Return each peer's dollars a month, and whether the origin would allow its calls."""
    requests, slower = at.rate * SECONDS, _slower(given.api_memory)
    windows = at.clients * min(at.users, PEER_USERS) / WINDOW
    refills = windows * SECONDS / given.fresh
    bare = rows["bare_get_item_ms"].value / 1e3
    stored = rows["bytes_page_of_50"].value + _BLOCK
    told = {}

    def tell(name: str, seconds: float, misses: float, dynamodb: float) -> None:
        billed = requests * _billed(seconds) + misses * ORIGIN_SECONDS
        lambda_ = requests * INVOCATION + _gb_seconds(given.api_memory, billed) * GB_SECOND
        logs = requests * rows[f"log_bytes_{name}"].value / _GB * LOGGED_GB
        total = lambda_ + gateway(requests) + dynamodb + logs
        told[name] = (total, misses / SECONDS * 60 / at.clients <= ORIGIN_LIMIT)

    took = (rows["warm_hit_vs_typical"].peer or 0) / 1e6 - bare
    tell("typical", took * slower + DYNAMODB_SECONDS, requests, requests / 2 * READ_UNIT)

    took = (rows["warm_hit_vs_requests_cache"].peer or 0) / 1e6 - bare
    misses = min(requests, refills)
    dynamodb = requests * ceil(stored / _READ_BYTES) / 2 * READ_UNIT
    dynamodb += misses * ceil(stored / _WRITE_BYTES) * WRITE_UNIT
    tell("requests_cache", took * slower + DYNAMODB_SECONDS, misses, dynamodb)

    took = (rows["warm_hit_vs_fastapi_mangum_hishel"].peer or 0) / 1e6 * slower
    # Its cache is a file of each environment.
    misses = min(requests, _environments(at.rate, took) * refills)
    tell("fastapi_hishel", took, misses, 0)
    return told


def _slower(memory: int) -> float:
    return max(1.0, FULL_CORE_MB / memory)


def _billed(seconds: float) -> float:
    return ceil(seconds / _MILLISECOND) * _MILLISECOND


def _environments(rate: float, seconds: float) -> int:
    return max(1, ceil(rate * seconds))


def _gb_seconds(memory: int, seconds: float) -> float:
    return memory / _MB_PER_GB * seconds


def _pages_units(rows: Mapping[str, Row], size: str) -> float:
    """Return the units of reading a whole directory, more than any one answer needs."""
    return rows[f"read_units_first_window_{size}"].value + (
        rows[f"read_units_first_filter_{size}"].value
    )


def gateway(requests: float) -> float:
    """Return dollars for ``requests`` of a month."""
    dollars, left = 0.0, requests
    for size, price in GATEWAY_TIERS:
        dollars += min(left, size) * price
        left -= min(left, size)
    return dollars
