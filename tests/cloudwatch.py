"""Whether an alarm of the template goes off, by CloudWatch's documented rules.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html: of the last
``EvaluationPeriods`` periods, ``DatapointsToAlarm`` must breach. CloudWatch looks somewhat further
back, and where enough real datapoints are there, it takes the newest of those; only what is then
still missing is filled in, as ``TreatMissingData`` says.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

type Datapoints = Mapping[int, Sequence[float]]
"""The values that were sent in each minute."""

MINUTE = 60
FURTHER = 2
"""How many periods further back than it must CloudWatch is taken to look."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Average": fmean,
}


def in_alarm(alarm: Mapping[str, Any], sent: Datapoints, *, minute: int) -> bool:
    """Return whether ``alarm`` (its properties) is in alarm at the end of ``minute``."""
    period = int(alarm["Period"]) // MINUTE
    wanted, needed = int(alarm["EvaluationPeriods"]), int(alarm["DatapointsToAlarm"])
    newest = (minute + 1) // period
    found = [
        _datapoint(alarm, sent, range((newest - back - 1) * period, (newest - back) * period))
        for back in range(wanted + FURTHER)
    ]
    real = [value for value in found if value is not None][:wanted]
    missing = min(wanted - len(real), found.count(None))
    breaching = sum(value > float(alarm["Threshold"]) for value in real)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    if alarm["TreatMissingData"] == "breaching":
        breaching += missing
    return breaching >= needed


def _datapoint(alarm: Mapping[str, Any], sent: Datapoints, minutes: range) -> float | None:
    values = [value for minute in minutes for value in sent.get(minute, ())]
    return float(_STATISTICS[alarm["Statistic"]](values)) if values else None
