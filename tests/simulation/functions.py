"""What the functions' handlers do with an event, for one environment of many.

``handlers.refresh`` and ``handlers.changes`` use the one wiring of their process; here are many
processes in one, so the same few steps are taken with the environment that is given.
"""

from collections.abc import Mapping
from typing import Any

from handlers import erasing
from handlers.invocation import MARGIN_SECONDS
from lib.directory.head import LEASE_SECONDS, Lease
from lib.errors import ServiceError, StoreError
from lib.revalidation.outcomes import Claim
from tests.fakes import CLIENT
from tests.simulation.environment import Environment


def refresh(environment: Environment, event: Mapping[str, Any]) -> None:
    """See ``handlers.refresh.handler``."""
    if event["action"] == "refresh":
        _refresh_one(environment, event)
        return
    if event["action"] == "erase":
        _erase(environment, event["userId"])
        return
    if CLIENT in environment.secrets.client_ids():
        _renew(environment)
        head, now = environment.store.head(CLIENT), environment.time.now()
        if environment.settings.schedule.due(head, now=now):
            _refresh_one(environment, {"clientId": CLIENT})


def _refresh_one(environment: Environment, event: Mapping[str, Any]) -> None:
    invocation, deadline = environment.wire.running, _deadline(environment)
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
            _scheduled(environment, deadline)
    except ServiceError as error:
        environment.wire.scheduler.note(f"refresh: {getattr(error, 'reason', error)}")


def _erase(environment: Environment, user_id: int) -> None:
    """See ``handlers.erasing``; who is interrupted goes on where he was."""
    erasure, start = erasing.erasure_of(environment), 0
    newest = environment.outside.store.peek(CLIENT).generation.number
    try:
        while True:
            done = erasure.run(CLIENT, user_id, start=start, deadline=_deadline(environment))
            if not done.next:
                break
            start = done.next
    except ServiceError as error:
        environment.wire.scheduler.note(f"erase: {getattr(error, 'reason', error)}")
        return
    environment.wire.scheduler.note(f"erased {user_id} from {done.generations} generations")
    environment.outside.ledger.erased(user_id, newest)


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


def _scheduled(environment: Environment, deadline: float) -> None:
    if deadline - environment.time.now() < LEASE_SECONDS:
        environment.wire.scheduler.note("skipped: no time")
        return
    head = environment.store.head(CLIENT)
    claimed = environment.revalidation.claim(head, holder=_holder(environment))
    if isinstance(claimed, Claim):
        environment.revalidation.run(claimed, deadline=deadline)
    else:
        environment.wire.scheduler.note(f"skipped: {claimed.reason}")


def _deadline(environment: Environment) -> float:
    return environment.wire.running.dies_at + environment.skew - MARGIN_SECONDS


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
