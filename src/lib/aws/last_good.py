"""Keeps what was fetched last, and goes on with it while nothing newer is to be had."""

from collections.abc import Callable
from threading import Lock

from lib.errors import SecretError

PAUSE_SECONDS = 5
"""How long nothing is fetched after a failure, while there is nothing to go on with."""


class LastGood[T]:
    """What ``fetch`` returned last; ``report`` hears of each fetch that failed after a good one.

    Instants are those of ``clock``. Threads that ask at the same time fetch once, and fail at once.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        clock: Callable[[], float],
        report: Callable[[SecretError], None],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._report = report
        self._lock = Lock()
        self._last: tuple[T, float] | None = None
        self._failed: tuple[SecretError, float] | None = None

    def get(self, *, at_most: float) -> T:
        """Return what was fetched no more than ``at_most`` seconds ago, fetched now if need be.

        Raises:
            SecretError: ``fetch`` raised it, and nothing was ever fetched.
        """
        with self._lock:
            now = self._clock()
            if self._last is None or not _within(at_most, self._last[1], now):
                self._last = self._fetched(now), now
            return self._last[0]

    def _fetched(self, now: float) -> T:
        if self._last is None and self._failed and _within(PAUSE_SECONDS, self._failed[1], now):
            failed, _ = self._failed
            raise SecretError(failed.message, reason=failed.reason)
        try:
            return self._fetch()
        except SecretError as error:
            self._failed = error, now
            if self._last is None:
                raise
            self._report(error)
            # Asking again each time would only add load to what is down already.
            return self._last[0]


def _within(seconds: float, at: float, now: float) -> bool:
    # A clock that was set back makes nothing young.
    return 0 <= now - at < seconds
