"""Revalidates in the background: on schedule for all clients, or on demand for one.

Events:
    {"action": "refresh-all"}                                        the schedule
    {"action": "refresh", "clientId": …, "jitter": true}             one of several on schedule
    {"action": "refresh", "clientId": …, "lease": {…}}               a reader's claim, handed over
    {"action": "refresh", "clientId": …, "requestedAt": <instant>}   a caller wants a new sweep,
                                                     with "believe": true whatever it misses

Each is idempotent: Lambda may deliver an event twice, and a lease that was used or has expired
starts nothing.
"""

from collections.abc import Mapping
from typing import Any

from handlers import announcements, observing, orders
from handlers.observing import logger
from handlers.reporting import describe
from handlers.wiring import MARGIN_SECONDS, Context, wiring
from lib.directory.head import Lease
from lib.errors import (
    NotAskedError,
    NotFoundError,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.revalidation.outcomes import Claim


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return what was done; raise only for an event that nobody can make sense of.

    Raises:
        ValueError: the event is malformed, and the text says where; Lambda moves it to the
            dead-letter queue.
    """
    try:
        action = orders.members(event).get("action")
        if action == "refresh-all":
            return _refresh_all(context)
        if action == "refresh":
            orders.check_refresh(event)
            return _refused(event) or _refresh_one(event, context)
        raise ValueError("action must be refresh-all, or refresh with a clientId")
    finally:
        observing.flush()


def _refresh_all(context: Context) -> dict[str, Any]:
    """Refresh every configured client; several, each in an invocation of its own."""
    try:
        client_ids = orders.possible(wiring().secrets.client_ids())
    except ServiceError as error:
        return _failed(observing.describe_error(error))
    if len(client_ids) == 1:
        return {"clients": 1, "results": [_refresh_one({"clientId": client_ids[0]}, context)]}
    failed = [client_id for client_id in client_ids if not _fan_out(client_id)]
    return {"clients": len(client_ids), "failed": failed}


def _fan_out(client_id: str) -> bool:
    try:
        wiring().invoker.invoke({"action": "refresh", "clientId": client_id, "jitter": True})
    except UnavailableError as error:
        _failed({"client_id": client_id, **observing.describe_error(error)})
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


def _failed(said: Mapping[str, Any]) -> dict[str, Any]:
    observing.count(RefreshFailed=1)
    logger.error("refresh failed", extra=said)
    return {"outcome": "failed", **said}


def _refresh_one(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    client_id = event["clientId"]
    deadline = wiring().time.now() + context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    try:
        if "lease" in event:
            result = _under_lease(client_id, event["lease"], deadline, context)
        elif "requestedAt" in event:
            result = _forced(client_id, event, deadline, context)
        else:
            result = _scheduled(client_id, deadline, context, jitter=bool(event.get("jitter")))
    except NotAskedError as error:
        result = _skipped(client_id, error.reason)
    except ServiceError as error:
        result = _failed({"client_id": client_id, **observing.describe_error(error)})
    _renew(client_id)
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
    client_id: str, deadline: float, context: Context, *, jitter: bool
) -> dict[str, Any]:
    if jitter:
        # All deployments' schedules fire on the same second of the minute.
        wiring().time.sleep(wiring().settings.schedule_jitter_seconds * wiring().time.random())
    head = wiring().store.head(client_id)
    announcements.ask_if_overdue(head)
    claimed = wiring().revalidation.claim(head, holder=_holder(context))
    if not isinstance(claimed, Claim):
        return _skipped(client_id, claimed.reason)
    return dict(describe(wiring().revalidation.run(claimed, deadline=deadline)))


def _holder(context: Context) -> str:
    """Return what is unique to this execution; an event that comes twice keeps its request id."""
    return f"{context.aws_request_id} {wiring().time.random()}"


def _renew(client_id: str) -> None:
    """Keep the last good snapshot from being collected, whatever the origin answered."""
    try:
        wiring().revalidation.renew(wiring().store.head(client_id))
    except StoreError as error:
        _failed({"client_id": client_id, **observing.describe_error(error)})
