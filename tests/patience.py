"""How tests wait for what takes real time: for a condition, as long as a busy machine may need."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
"""What a busy machine is given for what takes a moment; only a test that fails waits so long."""


def wait_until(reached: Callable[[], bool]) -> None:
    """Return as soon as ``reached`` tells so, which must happen within ``PATIENCE_SECONDS``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "not reached, however patiently it was waited for"
        time.sleep(0.02)
