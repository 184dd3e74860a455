"""Says what happened in the background: revalidations, and what of them could not be done."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.observing import (
    alone,
    count,
    describe_error,
    describe_fault,
    describe_omitted,
    flush,
    logger,
    seconds,
)
from lib.directory.head import REFUSED, Head
from lib.errors import OriginBlockedError, SecretError, UnavailableError, UnexpectedError
from lib.events.overdue import overdue
from lib.origin import budget
from lib.revalidation.outcomes import (
    Claim,
    Failed,
    Outcome,
    Published,
    Unchanged,
    Unfinished,
)
from lib.revalidation.schedule import Schedule, oldest

if TYPE_CHECKING:
    from lib.revalidation.hints import Worked

_NAMES = {Published: "published", Unchanged: "unchanged", Unfinished: "unfinished"}


@alone
def report_revalidation(claim: Claim, outcome: Outcome, took: float) -> None:
    """Say what a revalidation did, in ``took`` seconds: one log line and one set of metrics."""
    line = {
        "client_id": claim.head.client_id,
        "duration_ms": round(took * 1000),
        "lease_token": claim.lease.token,
        **describe(outcome),
    }
    count(OriginCalls=outcome.calls)
    seconds(RevalidationDuration=took)
    if not isinstance(outcome, Failed):
        generation, counters = outcome.head.generation, outcome.head.counters
        left = budget.remaining(counters, now=outcome.head.validated_at)
        doubted = outcome.head.health.doubted_since > 0
        count(Users=generation.users, BudgetLeft=left, Doubted=int(doubted))
        logger.info("revalidation", extra=line)
        _report_source(claim.head, outcome)
        return
    count(RevalidationFailed=1, Blocked=int(isinstance(outcome.error, OriginBlockedError)))
    fault = outcome.error.__cause__
    if isinstance(outcome.error, UnexpectedError) and fault is not None:
        logger.error("revalidation", extra={**line, **describe_fault(fault)})
    else:
        logger.warning("revalidation", extra=line)


def _report_source(before: Head, outcome: Published | Unchanged | Unfinished) -> None:
    """Say once that an organization's list is not used any longer, and that it is used again."""
    after = outcome.head
    if not after.source or (before.source == REFUSED) == (after.source == REFUSED):
        return
    line = {"client_id": after.client_id}
    if isinstance(outcome, Unfinished) or not outcome.refused:
        logger.info("organization listed", extra=line)
    else:
        logger.warning("organization not listed", extra={**line, "reason": outcome.refused})


def report_schedule(schedule: Schedule, heads: Sequence[Head], *, now: float) -> None:
    """Measure how a run of the schedule finds what is stored, whatever the run then does.

    At once: a run that is killed has told of it.
    """
    seconds(SnapshotAge=oldest(heads, schedule, now=now))
    count(
        LateClients=sum(schedule.late(head, now=now) for head in heads),
        LateAnnouncements=sum(overdue(head, now=now) for head in heads),
    )
    flush()


def describe(outcome: Outcome) -> Mapping[str, Any]:
    """Return what a log line says of an outcome."""
    if isinstance(outcome, Failed):
        return {"outcome": "failed", "calls": outcome.calls, **describe_error(outcome.error)}
    generation = outcome.head.generation
    return {
        "outcome": _NAMES[type(outcome)],
        "calls": outcome.calls,
        "generation": generation.number,
        "users": generation.users,
        "complete": generation.complete,
        **describe_omitted(outcome.omitted),
    }


def report_handover_failure(client_id: str, error: UnavailableError) -> None:
    """Say that a stale answer's revalidation could not be started elsewhere."""
    count(HandoverFailed=1)
    logger.warning("hand-over failed", extra={"client_id": client_id, "reason": error.reason})


def report_hints(client_id: str, worked: "Worked") -> Mapping[str, Any]:
    """Say how many users were asked for whom webhooks hinted at; return that."""
    refused = worked.refused
    said: dict[str, Any] = {
        "outcome": "refused" if refused else "done",
        "asked": worked.asked,
        "dropped": worked.dropped,
        **({"reason": refused.reason} if refused else {}),
    }
    if worked.dropped:
        count(HintsDropped=worked.dropped)
    logger.info("hints", extra={"client_id": client_id, **said})
    return said


@alone
def report_secret_failure(error: SecretError) -> None:
    """Say that an earlier secret goes on being used, since the newest cannot be had."""
    count(SecretNotRenewed=1)
    logger.warning("secret not renewed", extra=describe_error(error))
