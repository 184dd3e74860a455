"""Tells whether this machine is quiet enough for a run that is to be kept.

What is compared runs in turns, so a neighbour does not favour anybody; but he fills caches and
takes turns of his own, and so moves ratios, too.
"""

import os
import statistics
import time
from pathlib import Path

_MOST_LOAD = 0.5
_MOST_STOLEN = 0.02
_MOST_WAITED = 1.05
_LOOPS = 40


def disturbances() -> list[str]:
    """Return what disturbs this machine now, found out within a second."""
    before = _ticks()
    waited = statistics.median(_loop() for _ in range(_LOOPS))
    passed, stolen = (after - earlier for after, earlier in zip(_ticks(), before, strict=True))
    return judge(
        load=os.getloadavg()[0] / (os.cpu_count() or 1),
        stolen=stolen / max(1, passed),
        waited=waited,
    )


def judge(*, load: float, stolen: float, waited: float) -> list[str]:
    """Return what of it is too much.

    Load is the load average of a core, stolen the share of its time that the host gave to others,
    waited the time that a loop took to the time in which it had a core.

    >>> judge(load=0.1, stolen=0, waited=1.01)
    []
    """
    told = {
        f"load average of {load:.2f} a core": load > _MOST_LOAD,
        f"{stolen:.0%} of the time stolen by the host": stolen > _MOST_STOLEN,
        f"a loop takes {waited:.2f} times its processor time": waited > _MOST_WAITED,
    }
    return [disturbance for disturbance, much in told.items() if much]


def _loop() -> float:
    """Return the time that a loop of some 20 ms takes, by the processor time of it."""
    began, began_working = time.perf_counter(), time.process_time()
    sum(range(1_000_000))
    return (time.perf_counter() - began) / (time.process_time() - began_working)


def _ticks() -> tuple[int, int]:
    """Return all ticks of all cores since the start, and those stolen (proc(5))."""
    line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    ticks = [int(field) for field in line.split()[1:9]]
    return sum(ticks), ticks[7]
