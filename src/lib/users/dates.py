"""Reads and writes dates as the origin does.

Pure: no clock, no I/O.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def iso_date(instant: float) -> str:
    """Return an instant (epoch seconds) in UTC with milliseconds and Z.

    >>> iso_date(1760000000.5)
    '2025-10-09T08:53:20.500Z'
    """
    text = (_EPOCH + round(instant * 1000) * _MILLISECOND).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def instant_of(text: str) -> float:
    """Return the instant of an ISO 8601 date to the millisecond; one without a zone is UTC.

    >>> instant_of("2025-10-09T08:53:20.5009Z"), instant_of("2025-10-09")
    (1760000000.5, 1759968000.0)

    Raises:
        ValueError: it is no date.
        OverflowError: in UTC, it is before the year 1 or after the year 9999.
    """
    date = datetime.fromisoformat(text)
    in_utc = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    return (in_utc - _EPOCH) // _MILLISECOND / 1000
