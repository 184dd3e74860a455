"""Logs and measures revalidations."""

import time
from collections.abc import Mapping
from typing import Any

from handlers.observing import count, describe_error, logger, seconds
from lib.directory.head import Head, Lease
from lib.errors import OriginBlockedError, QuarantinedError, UnavailableError
from lib.origin import budget
from lib.origin.budget import Refusal
from lib.revalidation.outcomes import Claim, Failed, Outcome, Published
from lib.revalidation.revalidation import Revalidation
from lib.users.wanted import Wanted


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
