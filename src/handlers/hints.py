"""Has the refresh function ask for whom webhooks hinted at, and does that there."""

from collections.abc import Sequence
from typing import Any

from handlers import observing
from handlers.reporting import report_handover_failure, report_hints
from handlers.wiring import wiring
from lib.errors import StoreError, UnavailableError
from lib.revalidation.hints import Hints


def hints() -> Hints:
    """Return the hints, over what this environment has wired."""
    wired = wiring()
    return Hints(
        hinted=wired.hint_store,
        lookups=wired.lookup_store,
        store=wired.store,
        revalidation=wired.revalidation,
        schedule=wired.settings.schedule,
        time=wired.time,
    )


def hand_over(client_id: str) -> None:
    """Let the refresh function work a client's hints off, which the caller has begun.

    If it cannot be asked to, they are left to the next webhook or the schedule.
    """
    try:
        wiring().invoker.invoke({"action": "hints", "clientId": client_id})
    except UnavailableError as error:
        report_handover_failure(client_id, error)
        hints().give_up(client_id)


def begin_left_over(client_ids: Sequence[str]) -> None:
    """Have the hints worked off that nobody could see to, or may now."""
    receiving = [each for each in client_ids if wiring().secrets.webhook_secrets(each)]
    if not receiving or wiring().settings.policy.frozen:
        return
    try:
        for client_id in sorted(wiring().hint_store.waiting(receiving)):
            if hints().begin(client_id):
                hand_over(client_id)
    except StoreError as error:
        # The next run looks again.
        observing.logger.warning("hints not begun", extra=observing.describe_error(error))


def work(client_id: str, *, holder: str, deadline: float) -> dict[str, Any]:
    """Work a client's hints off; return what was done."""
    try:
        worked = hints().work(client_id, holder=holder, deadline=deadline)
    except StoreError as error:
        said = {"client_id": client_id, **observing.describe_error(error)}
        observing.logger.warning("hints", extra=said)
        return {"clientId": client_id, "outcome": "failed", "reason": error.reason}
    return {"clientId": client_id, **report_hints(client_id, worked)}
