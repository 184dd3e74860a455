"""What EventBridge Scheduler is to the deployed service: it fires an event at a fixed rate.

A run that takes longer than the interval delays the next one; they never pile up.
"""

import threading
from collections.abc import Callable


class Schedule:
    """Calls ``fire`` every ``interval_seconds``, for the first time after one interval."""

    def __init__(self, fire: Callable[[], object], *, interval_seconds: float) -> None:
        self._fire = fire
        self._interval_seconds = interval_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="schedule")

    def start(self) -> None:
        """Begin the first interval."""
        self._thread.start()

    def stop(self) -> None:
        """Fire no more; a run under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_seconds):
            self._fire()
