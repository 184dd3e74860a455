"""What a month costs, computed from the units that a run measured. Pure.

Prices are list prices in US dollars for us-east-1 and arm64, without any free tier.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from math import ceil

from bench.results import Row
from lib.revalidation.schedule import BATCH, LARGE_USERS, NOTED_SECONDS, SIDE_BY_SIDE

SECONDS = 30 * 86_400
"""A month."""

GB_SECOND, INVOCATION = 0.0000133334, 0.20e-6
READ_UNIT, WRITE_UNIT, STORED_GB = 0.125e-6, 0.625e-6, 0.25
GATEWAY_TIERS = ((333e6, 3.50e-6), (667e6, 2.80e-6), (19e9, 2.38e-6), (float("inf"), 1.51e-6))
HTTP_API_TIERS = ((300e6, 1.00e-6), (float("inf"), 0.90e-6))
METERED_BYTES = 512 * 1_024
"""What one request of an HTTP API is counted by: larger ones count several times."""
ALARM, METRIC, DASHBOARD = 0.10, 0.30, 3.00
"""A month of each."""

COMPRESSION_SECONDS = 0.0003
"""More than a page of 50 users takes to be compressed on a whole core: 0.24 ms in a busy process
(ADR 0020). Assumed for every hit behind an HTTP API, whoever asks and whatever for."""
SCHEDULED, EVENT = 1.00e-6, 1.00e-6
SECRET, SECRET_CALL = 0.40, 0.05 / 10_000
LOGGED_GB = 0.50
QUEUE_REQUEST, QUEUE_REQUESTS = 0.40e-6, 3
"""What a request of SQS costs, and how many a message takes: to be put, received and deleted."""
RECEIVER_SECONDS = 0.2
"""What a webhook's receiver takes: assumed."""
FOLLOWED_SECONDS = 5
"""How often `managed-users mirror --follow` asks for the feed."""
PLATFORM_BYTES = 300
"""Lambda's own START, END and REPORT of an invocation, about as long as AWS documents them."""

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
    """Requests a second, evenly over ``clients``, each with a directory of ``users``.

    Nobody reads ``idle`` clients more.
    """

    rate: float
    clients: int
    users: int
    idle: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What ``template.yaml`` sets, in MB and seconds."""

    api_memory: int
    refresh_memory: int
    interval: int
    idle: int
    fresh: int
    adopted_calls: int


SCENARIOS: Sequence[Scenario] = [
    Scenario(rate=rate, clients=clients, users=users)
    for rate in (1, 100, 1_000)
    for clients in (1, 100)
    for users in (500, 10_000)
] + [
    Scenario(rate=1, clients=5, users=500),
    Scenario(rate=1, clients=5, users=500, idle=95),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What one of each costs, for a directory of some size: seconds in Lambda, and units."""

    hit: float
    head_read: float
    start: float
    sweep_waits: float
    sweep_works: float
    sweep_reads: float
    sweep_writes: float
    change_writes: float
    directory_reads: float
    directory_bytes: float
    log_bytes: float


def units(users: int, rows: Mapping[str, Row], given: Defaults) -> Units:
    """Return the units that ``rows`` found, in the share of a core that the functions get."""
    size = {500: "500", 10_000: "10k"}[users]
    slower, calls = _slower(given.api_memory), 2
    if users > PEER_USERS:
        calls += given.adopted_calls
    over_bare = rows["head_read_hit_over_bare_get_item_ms"].value / 1e3
    working = rows[f"ms_unchanged_revalidation_{size}"].value / 1e3
    return Units(
        hit=rows["warm_hit_vs_echo"].value / 1e6 * slower,
        head_read=over_bare * slower + DYNAMODB_SECONDS,
        start=rows["cold_vs_floor"].value / 1e3 * slower,
        sweep_waits=calls * ORIGIN_SECONDS,
        sweep_works=working * _slower(given.refresh_memory),
        sweep_reads=rows[f"read_units_unchanged_revalidation_{size}"].value,
        sweep_writes=rows["write_units_unchanged_revalidation"].value,
        change_writes=rows[f"write_units_update_{size}"].value,
        # More than any one answer needs: the first window and all pages.
        directory_reads=rows[f"read_units_first_window_{size}"].value
        + rows[f"read_units_first_filter_{size}"].value,
        directory_bytes=rows[f"bytes_all_items_{size}"].value,
        log_bytes=rows["log_bytes_ours"].value,
    )


def ours(
    at: Scenario,
    rows: Mapping[str, Row],
    given: Defaults,
    *,
    over_http_api: bool = False,
    platform_bytes: int = PLATFORM_BYTES,
) -> dict[str, float]:
    """Return dollars a month by service; an HTTP API leaves compression to the function.

    ``LogFormat=JSON`` leaves no ``platform_bytes`` of an invocation.
    """
    each = units(at.users, rows, given)
    if over_http_api:
        packing = COMPRESSION_SECONDS * _slower(given.api_memory)
        each = replace(each, hit=each.hit + packing, head_read=each.head_read + packing)
    metered = ceil(rows["bytes_page_of_50"].value / METERED_BYTES)
    requests = at.rate * SECONDS
    environments = _environments(at.rate, each.head_read)
    # Each environment reads a client's head at most once a second.
    asked = at.rate / environments / at.clients
    head_reads = requests / (1 + asked)
    starts = environments * SECONDS / ENVIRONMENT_SECONDS
    api = (requests - head_reads) * billed(each.hit) + head_reads * billed(each.head_read)
    runs = SECONDS / given.interval
    idle_sweeps = at.idle * SECONDS / given.idle
    sweeps = at.clients * runs + idle_sweeps
    invoked, refreshing = _scheduled(sweeps / runs, each, large=at.users > LARGE_USERS)
    changes = at.clients * CHANGES_AN_HOUR * SECONDS / 3_600
    reads = head_reads + sweeps * each.sweep_reads + at.idle * runs - idle_sweeps
    reads += (starts * at.clients + changes * environments) * each.directory_reads
    writes = sweeps * each.sweep_writes + changes * each.change_writes
    writes += at.clients * SECONDS / NOTED_SECONDS
    stored = (at.clients + at.idle) * each.directory_bytes / _GB
    return {
        "Lambda": (requests + runs * invoked + changes) * INVOCATION
        + _gb_seconds(given.api_memory, api + starts * each.start) * GB_SECOND
        + _gb_seconds(given.refresh_memory, runs * refreshing) * GB_SECOND,
        "API Gateway": gateway(requests * metered, HTTP_API_TIERS)
        if over_http_api
        else gateway(requests),
        "DynamoDB": reads * READ_UNIT + writes * WRITE_UNIT + stored * STORED_GB,
        "EventBridge": runs * SCHEDULED + changes * EVENT,
        "Secrets Manager": SECRET
        + ceil(refreshing / given.interval) * SECONDS / SECRET_KEPT_SECONDS * SECRET_CALL,
        "CloudWatch Logs": (
            requests * each.log_bytes + (requests + runs * invoked + changes) * platform_bytes
        )
        / _GB
        * LOGGED_GB,
    }


def _scheduled(sweeps: float, each: Units, *, large: bool) -> tuple[float, float]:
    """Return how many invocations a run of the schedule takes, and seconds in Lambda.

    Sweeps side by side wait for the origin together, and work one after another.
    """
    if large:
        return 1 + sweeps, sweeps * (each.sweep_waits + each.sweep_works)
    waits = sweeps if sweeps < 1 else ceil(sweeps / SIDE_BY_SIDE)
    return max(1, ceil(sweeps / BATCH)), waits * each.sweep_waits + sweeps * each.sweep_works


def peers(at: Scenario, rows: Mapping[str, Row], given: Defaults) -> dict[str, tuple[float, bool]]:
    """Return each peer's dollars a month, and whether the origin would allow its calls."""
    requests, slower = at.rate * SECONDS, _slower(given.api_memory)
    windows = at.clients * min(at.users, PEER_USERS) / WINDOW
    refills = windows * SECONDS / given.fresh
    bare = rows["bare_get_item_ms"].value / 1e3
    stored = rows["bytes_page_of_50"].value + _BLOCK
    told = {}

    def tell(name: str, seconds: float, misses: float, dynamodb: float) -> None:
        time = requests * billed(seconds) + misses * ORIGIN_SECONDS
        lambda_ = requests * INVOCATION + _gb_seconds(given.api_memory, time) * GB_SECOND
        logged = rows[f"log_bytes_{name}"].value + PLATFORM_BYTES
        logs = requests * logged / _GB * LOGGED_GB
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


def delivery(memory: int) -> float:
    """Return dollars for one event that a webhook takes at once, alone in its batch.

    ``memory`` is the deliveries function's, in MB.
    """
    seconds = billed(RECEIVER_SECONDS) * GB_SECOND
    return INVOCATION + _gb_seconds(memory, seconds) + QUEUE_REQUESTS * QUEUE_REQUEST


def follower(rows: Mapping[str, Row], given: Defaults) -> float:
    """Return dollars a month for one who follows a quiet feed: each ask reads the head."""
    each = units(PEER_USERS, rows, given)
    seconds = billed(each.head_read) * GB_SECOND
    ask = INVOCATION + _gb_seconds(given.api_memory, seconds) + READ_UNIT
    asks = SECONDS / FOLLOWED_SECONDS
    return asks * ask + gateway(asks)


def _slower(memory: int) -> float:
    return max(1.0, FULL_CORE_MB / memory)


def billed(seconds: float) -> float:
    """Return the seconds that Lambda bills: whole milliseconds."""
    return ceil(seconds / _MILLISECOND) * _MILLISECOND


def _environments(rate: float, seconds: float) -> int:
    return max(1, ceil(rate * seconds))


def _gb_seconds(memory: int, seconds: float) -> float:
    return memory / _MB_PER_GB * seconds


def gateway(requests: float, tiers: Sequence[tuple[float, float]] = GATEWAY_TIERS) -> float:
    """Return dollars for ``requests`` of a month."""
    dollars, left = 0.0, requests
    for size, price in tiers:
        dollars += min(left, size) * price
        left -= min(left, size)
    return dollars
