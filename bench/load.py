"""Asks at a fixed rate over HTTP, whatever the answers take: an open loop.

A request is timed from when it was due and not from when a connection was free for it, so a server
that stalls is charged with everybody who waits behind (else: coordinated omission). Debian's load
generators are closed loops, which is why this is here; how many requests a second there can be at
most is asked of one of them, wrk.

It is a process of its own: ``python -m bench.load`` reads a ``Load`` as JSON on standard input and
writes an ``Outcome`` on standard output.
"""

import asyncio
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

_CONNECTIONS = 32
_TIMEOUT_SECONDS = 30
_WRK_CONNECTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """``rate`` requests a second to loopback's ``port``; the ``paths`` take turns."""

    port: int
    paths: Sequence[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The seconds from when each request was due to its answer's end, and the answers' statuses."""

    seconds: list[float]
    statuses: list[int]


def at_rate(load: Load) -> Outcome:
    """Return what came of ``load``, asked by another process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Outcome(**json.loads(done.stdout))


def at_most(load: Load) -> float:
    """Return the requests a second that wrk comes to with the first path of ``load``.

    Raises:
        RuntimeError: not all of them were answered well.
    """
    headers = [f"-H{name}: {text}" for name, text in load.headers.items()]
    url = f"http://127.0.0.1:{load.port}{load.paths[0]}"
    counts = [f"-d{math.ceil(load.seconds)}", "-t1", f"-c{_WRK_CONNECTIONS}"]
    done = subprocess.run(  # noqa: S603 - wrk, from the path.
        ["wrk", *counts, *headers, url],  # noqa: S607
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return wrk_rate(done.stdout)


def wrk_rate(said: str) -> float:
    r"""Return the requests a second in what wrk says.

    Raises:
        RuntimeError: some were not answered well, or it says nothing.

    >>> wrk_rate("  120 requests in 1.00s, 2.20MB read\nRequests/sec:    119.70")
    119.7
    """
    found = re.search(r"^Requests/sec: +([0-9.]+)$", said, re.MULTILINE)
    if not found or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"wrk was not answered well: {said}")
    return float(found[1])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of ``values`` that at least ``share`` of them do not exceed (nearest rank).

    >>> percentile([5, 1, 4, 2, 3], 0.5), percentile(range(1, 101), 0.99)
    (3, 99)
    """
    return sorted(values)[math.ceil(share * len(values)) - 1]


def due(rate: int, seconds: float) -> Iterator[float]:
    """Yield when each request is due, in seconds from the start.

    >>> list(due(4, 1))
    [0.0, 0.25, 0.5, 0.75]
    """
    return (number / rate for number in range(round(rate * seconds)))


async def _ask_all(load: Load) -> Outcome:
    outcome = Outcome([], [])
    waiting = enumerate(due(load.rate, load.seconds))
    started = time.perf_counter() + 0.1
    head = "".join(f"{name}: {text}\r\n" for name, text in load.headers.items())
    rest = f" HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n{head}\r\n"
    async with asyncio.timeout(load.seconds + _TIMEOUT_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(_connection(load, waiting, started, rest, outcome))
    return outcome


async def _connection(
    load: Load, waiting: Iterator[tuple[int, float]], started: float, rest: str, outcome: Outcome
) -> None:
    """Take the next request that is due, one after the other, until there are none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    for number, after in waiting:
        await asyncio.sleep(max(0, started + after - time.perf_counter()))
        writer.write(f"GET {load.paths[number % len(load.paths)]}{rest}".encode())
        status = await _read(reader)
        outcome.seconds.append(time.perf_counter() - started - after)
        outcome.statuses.append(status)
    writer.close()


async def _read(reader: asyncio.StreamReader) -> int:
    """Read an answer of a known length, or one that has none; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(maxsplit=2)[1])
    if length := re.search(r"^content-length: *(\d+)", head, re.MULTILINE):
        if status != 304:  # noqa: PLR2004 - which has a length and no body.
            await reader.readexactly(int(length[1]))
    elif "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return status


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_ask_all(Load(**json.loads(sys.stdin.read())))))))
