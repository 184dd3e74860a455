"""The time and the chance that everything else is given, so that tests can hold both.

Pure: whoever wires the service puts the real ones in.
"""

from collections.abc import Callable
from typing import NamedTuple


class Time(NamedTuple):
    """``now`` tells the instant (epoch seconds), ``sleep`` waits seconds, ``random`` is in 0..1."""

    now: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
