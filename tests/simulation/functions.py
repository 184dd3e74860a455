"""What the functions' handlers do with an event, for one environment of many.

``handlers.refresh`` and ``handlers.changes`` use the one wiring of their process; here are many
processes in one, so the same few steps are taken with the environment that is given.
"""

from collections.abc import Mapping
from typing import Any

from handlers.wiring import MARGIN_SECONDS
from lib.directory.head import Lease
from lib.errors import ServiceError, StoreError, UnavailableError
from lib.revalidation.outcomes import Claim
from tests.fakes import CLIENT
from tests.simulation.environment import Environment


def refresh(environment: Environment, event: Mapping[str, Any]) -> None:
    """See ``handlers.refresh.handler``."""
    if event["action"] == "refresh":
        _refresh_one(environment, event)
        return
    client_ids = environment.secrets.client_ids()
    if client_ids == [CLIENT]:
        _refresh_one(environment, {"clientId": CLIENT})
        return
    for client_id in client_ids:
        try:
            environment.invoker.invoke({"action": "refresh", "clientId": client_id, "jitter": True})
        except UnavailableError as error:
            environment.wire.scheduler.note(f"fan-out fails: {error.reason}")


def _refresh_one(environment: Environment, event: Mapping[str, Any]) -> None:
    invocation = environment.wire.running
    deadline = invocation.dies_at + environment.skew - MARGIN_SECONDS
    try:
        if "lease" in event:
            _under_lease(environment, event["lease"], deadline)
        elif "requestedAt" in event:
            invocation.demands = True
            invocation.believed = event.get("believe") is True
            environment.forced_refresh.run(
                CLIENT,
                holder=_holder(environment),
                requested_at=float(event["requestedAt"]),
                deadline=deadline,
                believed=invocation.believed,
            )
        else:
            invocation.demands = True
            _scheduled(environment, deadline, jitter=bool(event.get("jitter")))
    except ServiceError as error:
        environment.wire.scheduler.note(f"refresh: {getattr(error, 'reason', error)}")
    _renew(environment)


def _under_lease(environment: Environment, told: Mapping[str, Any], deadline: float) -> None:
    lease = Lease(
        client_id=CLIENT,
        holder=str(told["holder"]),
        token=int(told["token"]),
        expires_at=float(told["expiresAt"]),
    )
    environment.wire.running.handed_over = lease.token
    claim = environment.revalidation.resume(lease, holder=_holder(environment))
    if claim is None:
        environment.wire.scheduler.note("superseded")
        return
    environment.revalidation.run(claim, deadline=deadline)


def _scheduled(environment: Environment, deadline: float, *, jitter: bool) -> None:
    if jitter:
        time = environment.time
        time.sleep(environment.settings.schedule_jitter_seconds * time.random())
    head = environment.store.head(CLIENT)
    claimed = environment.revalidation.claim(head, holder=_holder(environment))
    if isinstance(claimed, Claim):
        environment.revalidation.run(claimed, deadline=deadline)
    else:
        environment.wire.scheduler.note(f"skipped: {claimed.reason}")


def _holder(environment: Environment) -> str:
    return f"{environment.wire.running.request_id} {environment.time.random()}"


def _renew(environment: Environment) -> None:
    try:
        environment.revalidation.renew(environment.store.head(CLIENT))
    except StoreError as error:
        environment.wire.scheduler.note(f"renewal fails: {error.reason}")


def announce(environment: Environment) -> bool:
    """See ``handlers.changes``; tell whether the record need not be sent again."""
    try:
        environment.announcing.catch_up(CLIENT)
    except ServiceError as error:
        environment.wire.scheduler.note(f"announcing fails: {getattr(error, 'reason', error)}")
        return False
    return True
