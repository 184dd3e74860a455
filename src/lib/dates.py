"""Reads and writes dates as the origin does.

Pure: no clock, no I/O.
"""

from datetime import UTC, datetime


def iso_date(instant: float) -> str:
    """Return an instant (epoch seconds) in UTC with milliseconds and Z.

    >>> iso_date(1760000000.5)
    '2025-10-09T08:53:20.500Z'
    """
    text = datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
