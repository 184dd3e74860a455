"""Hands a claim over to the refresh function: an answer waits for no revalidation."""

from handlers.reporting import report_handover_failure
from lib.aws.invoker import Invoker
from lib.errors import UnavailableError
from lib.revalidation.outcomes import Claim


def hand_over(claim: Claim, invoker: Invoker) -> None:
    """Let the refresh function revalidate under ``claim``.

    Raises:
        UnavailableError: it could not be asked to.
    """
    lease = claim.lease
    event = {
        "action": "refresh",
        "clientId": lease.client_id,
        "lease": {
            "holder": lease.holder,
            "token": lease.token,
            "expiresAt": lease.expires_at,
        },
    }
    try:
        invoker.invoke(event)
    except UnavailableError as error:
        report_handover_failure(lease.client_id, error)
        raise
