"""Logs and measures what the service does; the only place that knows powertools' API.

No log line or metric carries a query string, a header, an address, a secret or text of an origin
answer; a client id only once it is known to be a configured one. Libraries log nothing at all.
"""

import json
import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from itertools import islice
from threading import Lock
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

from handlers.version import VERSION
from lib.errors import Reason, ServiceError, UnavailableError

MAX_TOLD = 50
"""Most users that one log line names."""

# Made and asked once: powertools makes an encoder for every line, and asks before every flush.
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_unmeasured = is_metrics_disabled()
logger = Logger(json_serializer=_encode, version=VERSION)
metrics = Metrics()
_reporting = Lock()

# What libraries log quotes URLs with addresses in them and, where a deployment's log level lets it
# through, headers and the secret. Lambda prints whatever reaches the root logger.
for _library in ("boto3", "botocore", "requests", "urllib3"):
    logging.getLogger(_library).propagate = False


def alone[**P, R](report: Callable[P, R]) -> Callable[P, R]:
    """Let one thread report at a time: powertools counts on one, clients are swept side by side."""

    @wraps(report)
    def reporting(*args: P.args, **options: P.kwargs) -> R:
        with _reporting:
            return report(*args, **options)

    return reporting


def count(**values: float) -> None:
    """Add each of ``values`` to the metric of its name."""
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_stale(detail: str | None) -> None:
    """Count a stale answer, and its reason: ``Stale`` with Cache-Status's detail in its name."""
    count(Stale=1)
    if detail:
        reason = detail.removeprefix("stale-").title().replace("-", "")
        count(**{f"Stale{reason}": 1})


def seconds(**values: float) -> None:
    """Add each of ``values``, in seconds, to the metric of its name."""
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


def write_request(line: Mapping[str, Any]) -> None:
    """Write the one line of a request: its metrics, and beside them what ``line`` says of it.

    That is what the embedded metric format is for: CloudWatch takes the metrics out of the line,
    a log query sees one record as the logger would have written it, and it is paid for once.
    """
    if not metrics.metric_set:
        logger.info("request", extra=line)
        return
    # At once: what adds one by one takes longer than the rest of a hit's observing.
    metrics.metadata_set.update(line, level="INFO", message="request")
    flush()


def flush() -> None:
    """Write the metrics of this invocation, if there are any; switched off, they are forgotten."""
    if not metrics.metric_set:
        return
    if not _unmeasured:
        metrics.metadata_set["version"] = VERSION
        print(_encode(metrics.serialize_metric_set()))  # noqa: T201 - CloudWatch reads them there
    metrics.clear_metrics()


def describe_fault(fault: BaseException) -> Mapping[str, Any]:
    """Return what a log line says of an exception that nobody had thought of.

    Its kind and where it was raised, innermost frame last; never its text, which may quote a user.
    """
    frames = traceback.extract_tb(fault.__traceback__)
    return {
        "fault": type(fault).__name__,
        "frames": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames],
    }


def describe_error(error: ServiceError) -> Mapping[str, Any]:
    """Return what a log line says of an error: never its message, which may echo the caller."""
    return {
        "error": type(error).__name__,
        "reason": error.reason if isinstance(error, UnavailableError) else error.code,
        "received": getattr(error, "received", None),
    }


def report_mended(client_id: str, attributes: Collection[str]) -> None:
    """Say that attributes of a stored head could not be read, and were mended."""
    said = {"client_id": client_id, "reason": Reason.BROKEN_HEAD, "attributes": sorted(attributes)}
    logger.warning("head mended", extra=said)


def describe_omitted(omitted: Mapping[int, Sequence[str]]) -> Mapping[str, Any]:
    """Return what a log line says of fields that were too much to be kept: whose, and which."""
    told = {str(user_id): list(fields) for user_id, fields in islice(omitted.items(), MAX_TOLD)}
    return {"fields_omitted": told} if told else {}
