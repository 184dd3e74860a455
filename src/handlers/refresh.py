"""Revalidates in the background: on schedule for all clients, or on demand for one.

Events:
    {"action": "refresh-all"}                                        the schedule
    {"action": "refresh", "clientIds": […]}                          some of many on schedule
    {"action": "refresh", "clientId": …, "lease": {…}}               a reader's claim, handed over
    {"action": "refresh", "clientId": …, "requestedAt": <instant>}   a caller wants a new sweep,
                                                     with "believe": true whatever it misses
    {"action": "hints", "clientId": …}                               webhooks hinted at users
    {"action": "erase", "clientId": …, "userId": …}                  an operator's order,
                                                     with "from": <generation> where it goes on

Each is idempotent: Lambda may deliver an event twice, and a lease that was used or has expired
starts nothing.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from handlers import announcements, hints, observing, orders
from handlers.invocation import Context, deadline
from handlers.observing import logger
from handlers.reporting import describe, report_schedule
from handlers.wiring import wiring
from lib.directory.head import LEASE_SECONDS, Head, Lease
from lib.errors import (
    NotAskedError,
    NotFoundError,
    Reason,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.revalidation.outcomes import Claim
from lib.revalidation.schedule import SIDE_BY_SIDE


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return what was done; raise only for an event that nobody can make sense of.

    Raises:
        ValueError: the event is malformed, and the text says where; Lambda moves it to the
            dead-letter queue.
        UnavailableError: nobody could be erased now.
    """
    try:
        action = orders.members(event).get("action")
        if action == "refresh-all":
            return _refresh_all(context)
        if action == "refresh":
            orders.check_refresh(event)
            if "clientIds" in event:
                return {"results": _refresh_several(event["clientIds"], context, {})}
            return _refused(event) or _refresh_one(event, context)
        if action == "hints":
            orders.client_id(event)
            return _refused(event) or hints.work(
                event["clientId"],
                holder=_holder(context),
                deadline=deadline(context, now=wiring().time.now()),
            )
        if action == "erase":
            # Imported here, since hardly any invocation is about that.
            from handlers import erasing  # noqa: PLC0415

            return erasing.erase(event, context)
        raise ValueError(
            "action must be refresh-all, refresh with a clientId or clientIds, or hints or erase"
            " with a clientId"
        )
    finally:
        observing.flush()


def _refresh_all(context: Context) -> dict[str, Any]:
    """Refresh every client that is due: a batch here, each further one in another invocation."""
    schedule, now = wiring().settings.schedule, wiring().time.now()
    try:
        client_ids = orders.possible(wiring().secrets.client_ids())
        heads = wiring().store.heads(client_ids)
    except ServiceError as error:
        return _failed(observing.describe_error(error))
    report_schedule(schedule, heads, now=now)
    for head in heads:
        _renew(head)
        announcements.ask_if_overdue(head)
    # Whose head could not be read with the others is read alone, where that can be mended.
    unread = tuple(set(client_ids) - {head.client_id for head in heads})
    hints.begin_left_over(client_ids)
    batches = [batch for batch in (unread, *schedule.batches(heads, now=now)) if batch]
    here, *elsewhere = batches or [()]
    failed = [client_id for batch in elsewhere if not _fan_out(batch) for client_id in batch]
    return {
        "clients": len(client_ids),
        "results": _refresh_several(here, context, {head.client_id: head for head in heads}),
        "elsewhere": sum(map(len, elsewhere)) - len(failed),
        "failed": failed,
    }


def _refresh_several(
    client_ids: Sequence[str], context: Context, heads: Mapping[str, Head]
) -> list[dict[str, Any]]:
    """Refresh some clients side by side: most of a sweep is waiting for the origin.

    ``heads`` are those that were read just now.
    """

    def refresh(client_id: str) -> dict[str, Any]:
        return _refresh_one({"clientId": client_id}, context, heads.get(client_id))

    if len(client_ids) == 1:
        return [refresh(client_ids[0])]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(refresh, client_ids))


def _fan_out(client_ids: Sequence[str]) -> bool:
    try:
        wiring().invoker.invoke({"action": "refresh", "clientIds": list(client_ids)})
    except UnavailableError as error:
        _failed({"client_ids": list(client_ids), **observing.describe_error(error)})
        return False
    return True


def _refused(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return why nothing is done for ``event``, None if it is to be worked off."""
    try:
        orders.require_known(event)
    except (NotFoundError, SecretError) as error:
        # The line does not say whose: who is in no secret may be anything.
        done = _failed(observing.describe_error(error))
        return {"clientId": event["clientId"], **done, "message": error.message}
    return None


def _skipped(client_id: str, reason: str) -> dict[str, Any]:
    logger.info("refresh skipped", extra={"client_id": client_id, "reason": reason})
    return {"outcome": "skipped", "reason": reason}


@observing.alone
def _failed(said: Mapping[str, Any]) -> dict[str, Any]:
    observing.count(RefreshFailed=1)
    logger.error("refresh failed", extra=said)
    return {"outcome": "failed", **said}


def _refresh_one(
    event: Mapping[str, Any], context: Context, head: Head | None = None
) -> dict[str, Any]:
    client_id = event["clientId"]
    until = deadline(context, now=wiring().time.now())
    try:
        if "lease" in event:
            result = _under_lease(client_id, event["lease"], until, context)
        elif "requestedAt" in event:
            result = _forced(client_id, event, until, context)
        else:
            result = _scheduled(client_id, until, context, head)
    except NotAskedError as error:
        result = _skipped(client_id, error.reason)
    except ServiceError as error:
        result = _failed({"client_id": client_id, **observing.describe_error(error)})
    return {"clientId": client_id, **result}


def _under_lease(
    client_id: str, told: Mapping[str, Any], deadline: float, context: Context
) -> dict[str, Any]:
    lease = Lease(
        client_id=client_id,
        holder=str(told["holder"]),
        token=int(told["token"]),
        expires_at=float(told["expiresAt"]),
    )
    claim = wiring().revalidation.resume(lease, holder=_holder(context))
    if claim is None:
        return {"outcome": "superseded"}
    return dict(describe(wiring().revalidation.run(claim, deadline=deadline)))


def _forced(
    client_id: str, event: Mapping[str, Any], deadline: float, context: Context
) -> dict[str, Any]:
    done = wiring().forced_refresh.run(
        client_id,
        holder=_holder(context),
        requested_at=float(event["requestedAt"]),
        deadline=deadline,
        believed=event.get("believe") is True,
    )
    return {"outcome": done.outcome, "calls": done.calls, "generation": done.generation}


def _scheduled(
    client_id: str, deadline: float, context: Context, head: Head | None
) -> dict[str, Any]:
    if deadline - wiring().time.now() < LEASE_SECONDS:
        # Begun and not finished would count as a failure; the next run begins with the oldest.
        return _skipped(client_id, Reason.DEADLINE)
    head = head or wiring().store.head(client_id)
    claimed = wiring().revalidation.claim(head, holder=_holder(context))
    if not isinstance(claimed, Claim):
        return _skipped(client_id, claimed.reason)
    return dict(describe(wiring().revalidation.run(claimed, deadline=deadline)))


def _holder(context: Context) -> str:
    """Return what is unique to this execution; an event that comes twice keeps its request id."""
    return f"{context.aws_request_id} {wiring().time.random()}"


def _renew(head: Head) -> None:
    """Keep the last good snapshot from being collected, whatever the origin answers."""
    try:
        wiring().revalidation.renew(head)
    except StoreError as error:
        _failed({"client_id": head.client_id, **observing.describe_error(error)})
