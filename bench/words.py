"""The words of ``docs/benchmarks.md``: its text, and what figures are called in its tables."""

from collections.abc import Mapping

PEERS: Mapping[str, str] = {
    "ours": "this service",
    "hit": "this service, a hit",
    "304": "this service, a 304",
    "empty": "a handler that does nothing",
    "echo": "echo",
    "floor": "floor",
    "echo_plain": "echo, no bytecode",
    "floor_plain": "floor, no bytecode",
    "fastapi_hishel": "FastAPI, Mangum, hishel",
    "requests_cache": "requests-cache",
    "typical": "typical",
}

UNITS: Mapping[str, str] = {
    "write_units_first_publication": "units written by the first publication",
    "write_units_update": "units written for one changed user",
    "write_units_delete": "units written for the first user deleted",
    "write_units_append": "units written for one more user",
    "read_units_unchanged_revalidation": "units read by an unchanged revalidation",
    "dynamodb_calls_first_window": "DynamoDB calls for an environment's first window",
    "read_units_first_window": "units read by them",
    "read_units_first_lookup": "units more for its first look-up by address",
    "read_units_first_filter": "units more for its first filter over all users",
    "bytes_largest_manifest": "bytes of the manifest",
    "bytes_largest_page": "bytes of the largest page",
    "bytes_largest_index": "bytes of the largest shard of the index",
    "bytes_all_items": "bytes in the table, a few generations",
    "ms_unchanged_revalidation": "ms of an unchanged revalidation, the origin answering at once",
}

GROWTH: Mapping[str, str] = {
    "window": "window of 50",
    "cursor_step": "window of 50 by cursor",
    "lookup_by_address": "look-up by address",
    "lookup_by_id": "look-up by id",
    "timezone": "filter by time zone",
    "metadata": "filter by metadata",
    "q": "filter by `q`",
    "sort": "sorted by name, backward",
}

PAGE = """\
# Benchmarks

What it costs to ask this service: cold, warm, and as directories grow; beside what else one might
build. Made by `make bench` (about five minutes; `make bench-quick` takes a minute and keeps
nothing; `BENCH_OPTIONS="--artifact DIR"` measures an artifact that was built elsewhere). The tables
are written from `bench/runs.json`; the newest run alone is in `bench/results.json`, where `peer` is
what `value` is compared with and `ratio` is one by the other. Absolute figures are those of one
machine, so promises are ratios within one run: whatever is compared was measured in turns.

## Promises
Runs kept: {count}.

{promises}

{missed}

`origin_calls…` are list calls in all for 1,000 requests over 8 processes while nothing is stored
and the origin takes a quarter of a second; requests-cache makes {stampede}. The refresh function,
which parses all users, peaks at {refresh_memory} MB. A hit that reads the head takes {head_read} ms
where a bare read takes {bare_read} ms.

## How it is measured
- **Real parts.** Every function runs from its built artifact; ours from what `make build` makes.
  Nothing else can be imported. Between it and the embedded DynamoDB and the origin double there is
  real HTTP over loopback.
- **Cold**: the artifact read-only, no bytecode but what it ships, in Lambda's own runtime client
  under its emulator, from the start of the emulator's process to the first answer. Our store holds
  the snapshot and requests-cache's table the page; FastAPI's cache is a file in `/tmp`, which no
  new environment has. The origin double answers at once, so who asks it is not slowed by it.
- **Warm**: `handler(event, context)` in a process per function, all logs and metrics on and thrown
  away unbuffered; rounds in turns, the median of the rounds' medians. Snapshots are fresh.
- **Units** are computed on the wire from the sizes of all items, because emulated figures are
  approximate.
- **Growth**: the same questions to both directories at 40 places spread over each. Both fill the
  origin's window, so neither counts as complete, and a look-up has to see whether all was found.
- Everything shares the machine's cores, the embedded AWS too. Lambda's own start, the download of
  an artifact and the network between its services are not in any figure.

The peers, in `bench/peers/`, are written as their own documentation shows:

| peer | is |
|---|---|
| typical | powertools with validation and Tracer, a boto3 resource, requests, no cache; the \
files that plain `sam build` gives, which are without bytecode |
| requests-cache | powertools and requests-cache with its DynamoDB backend; plain build |
| FastAPI, Mangum, hishel | hishel's caching middleware around FastAPI, behind Mangum; plain build |
| echo | powertools resolver, logger and metrics answering a constant as long as our page \
of 50 users; with bytecode |
| floor | the same, after reading one small item with boto3's DynamoDB client; with bytecode |

Machine: {machine}. Versions: {versions}.

{runs}

## Cold starts
![Cold starts](benchmarks/cold.svg)

{cold}

{sizes}

## Warm answers
![Warm answers](benchmarks/warm.svg)

One page of 50 users.

{warm}

## Growth
![Growth](benchmarks/growth.svg)

{growth}

{units}

### On paper
No origin with more users than that was at hand, so this is computed, each figure growing with the
number of users. A window, a look-up and a cursor step read as many items at any size.

{paper}

What ends first: a manifest must stay under DynamoDB's 400 KB; and an environment keeps
{cache_megabytes} MB of pages and shards by default, at some 2 KB a user, so that beyond it a filter
reads pages again for every answer. At a hundred thousand users filters want an index of their own.

## What a month costs
Computed from the newest run's units. Prices are list prices for us-east-1 and arm64 as known in
2025, without free tiers; they change, so look them up before you rely on a figure.

{prices}

Assumed: requests come evenly over clients and windows; a call of the origin takes {origin_ms} ms
and a read of DynamoDB {dynamodb_ms} ms; an hour changes one user a client; environments live
{environment_hours} hours. From the template's defaults: {api_memory} MB for the API function and
{refresh_memory_size} MB for the others, with the share of a core that this is; every client
revalidated every {interval} s after up to {jitter} s of jitter; {adopted_calls} calls more a sweep
for users past the window. Each invocation is billed by whole milliseconds. So one of each is:

{basis}

{cost}

† The origin would refuse: more than 500 calls a minute for a client. Peers answer for the first 500
users only, since the origin lists no more, so their 10,000 users cost what 500 do. Not counted:
traffic, access logs, alarms, and $0.30 a month for each metric.
"""
