"""Logs and measures what the service does; the only place that knows powertools' API.

No log line or metric carries a query string, a header, an address, a secret or text of an origin
answer; a client id only once it is known to be a configured one.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lib import budget
from lib.budget import Refusal
from lib.errors import OriginBlockedError, QuarantinedError, ServiceError, UnavailableError
from lib.models import Head, Lease
from lib.outcomes import Claim, Failed, Outcome, Published
from lib.revalidation import Revalidation
from lib.wanted import Wanted

# An encoder made once: json.dumps, powertools' default, makes one for every line.
logger = Logger(json_serializer=json.JSONEncoder(separators=(",", ":"), default=str).encode)
metrics = Metrics()


def count(**values: float) -> None:
    """Add each of ``values`` to the metric of its name."""
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_stale(detail: str | None) -> None:
    """Count a stale answer, and its reason: ``Stale`` with Cache-Status's detail in its name."""
    name = (detail or "").removeprefix("stale-").title().replace("-", "")
    count(Stale=1, **{f"Stale{name}": 1})


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
    metrics.add_metadata("level", "INFO")
    metrics.add_metadata("message", "request")
    for name, value in line.items():
        metrics.add_metadata(name, value)
    flush()


def flush() -> None:
    """Write the metrics of this invocation, if there are any."""
    if metrics.metric_set:
        metrics.flush_metrics()
        # Where metrics are switched off they would pile up, and be printed by the hundred.
        metrics.clear_metrics()


class ObservedRevalidation:
    """A revalidation that says what it did."""

    def __init__(self, inner: Revalidation) -> None:
        self._inner = inner

    def claim(self, head: Head, *, holder: str, wanted: Wanted | None = None) -> Claim | Refusal:
        """See ``Revalidation.claim``."""
        return self._inner.claim(head, holder=holder, wanted=wanted)

    def resume(self, lease: Lease) -> Claim | None:
        """See ``Revalidation.resume``."""
        return self._inner.resume(lease)

    def renew(self, head: Head) -> bool:
        """See ``Revalidation.renew``."""
        return self._inner.renew(head)

    def run(
        self,
        claim: Claim,
        *,
        deadline: float,
        forced: bool = False,
        repair: bool = False,
        wanted: Wanted | None = None,
    ) -> Outcome:
        """See ``Revalidation.run``; one log line and one set of metrics a run."""
        started = time.perf_counter()
        outcome = self._inner.run(
            claim, deadline=deadline, forced=forced, repair=repair, wanted=wanted
        )
        took = time.perf_counter() - started
        said = describe(outcome)
        line = {
            "client_id": claim.head.client_id,
            "duration_ms": round(took * 1000),
            "lease_token": claim.lease.token,
            **said,
        }
        count(OriginCalls=outcome.calls)
        seconds(RevalidationDuration=took)
        if isinstance(outcome, Failed):
            quarantined = isinstance(outcome.error, QuarantinedError)
            blocked = isinstance(outcome.error, OriginBlockedError)
            count(RevalidationFailed=1, Quarantined=int(quarantined), Blocked=int(blocked))
            logger.warning("revalidation", extra=line)
        else:
            left = budget.remaining(outcome.head, now=time.time())
            count(Users=outcome.head.users, BudgetLeft=left)
            logger.info("revalidation", extra=line)
        return outcome

    def log_handover_failure(self, client_id: str, error: UnavailableError) -> None:
        """Say that a stale answer's revalidation could not be started elsewhere."""
        count(HandoverFailed=1)
        logger.warning("hand-over failed", extra={"client_id": client_id, "reason": error.reason})


def describe(outcome: Outcome) -> Mapping[str, Any]:
    """Return what a log line says of an outcome."""
    if isinstance(outcome, Failed):
        return {"outcome": "failed", "calls": outcome.calls, **describe_error(outcome.error)}
    return {
        "outcome": "published" if isinstance(outcome, Published) else "unchanged",
        "calls": outcome.calls,
        "generation": outcome.head.generation,
        "users": outcome.head.users,
        "complete": outcome.head.complete,
    }


def describe_error(error: ServiceError) -> Mapping[str, Any]:
    """Return what a log line says of an error: never its message, which may echo the caller."""
    return {
        "error": type(error).__name__,
        "reason": error.reason if isinstance(error, UnavailableError) else error.code,
        "received": getattr(error, "received", None),
    }
