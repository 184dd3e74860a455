"""What a caller is told of a failure that is not his: whose it is, why, and until when.

Pure: no clock, no I/O.
"""

from enum import StrEnum

from lib.errors import (
    OriginAuthError,
    OriginError,
    Reason,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
)

_WHY = {
    Reason.FROZEN: "this deployment never asks it again",
    Reason.LEASE_HELD: "another request is asking it",
    Reason.ORIGIN_BACKOFF: "it failed a moment ago and is given a pause",
    Reason.ORIGIN_BLOCKED: "it had too many calls and takes none for a while",
    Reason.ORIGIN_BUDGET: "the calls that this service may make in a minute are used up",
    Reason.REFRESH_FLOOR: "it was asked less than ten seconds ago",
}
"""Why the origin is not asked, where the reason's name alone would not tell a stranger."""


class Fault(StrEnum):
    """Who can mend it: Cal.com, who set this deployment up, or nobody, but time."""

    ORIGIN = "origin"
    CONFIGURATION = "configuration"
    STORAGE = "storage"
    SERVICE = "service"


_OPENING = {
    Fault.ORIGIN: "Cal.com is at fault: ",
    Fault.CONFIGURATION: "This deployment's secret is at fault: ",
    Fault.STORAGE: "This service's storage is at fault: ",
    Fault.SERVICE: "",
}


def fault_of(error: UnavailableError) -> Fault:
    """Return whose fault ``error`` is."""
    match error:
        case OriginAuthError() | SecretError():
            return Fault.CONFIGURATION
        case OriginError():
            return Fault.ORIGIN
        case StoreError():
            return Fault.STORAGE
        case _ if error.reason in {Reason.ORIGIN_BACKOFF, Reason.ORIGIN_BLOCKED}:
            return Fault.ORIGIN
        case _:
            return Fault.SERVICE


def told(error: ServiceError, *, again_in: int | None) -> tuple[str, dict[str, object]]:
    """Return message and details for the body; ``again_in`` seconds the caller may ask again.

    A fault of the request is told as it is.
    """
    if not isinstance(error, UnavailableError):
        return error.message, error.details
    fault, why = fault_of(error), _WHY.get(error.reason)
    message = error.message.rstrip(".") + (f": {why}." if why else ".")
    # With its cause, a message is a sentence of its own.
    if not why:
        message = f"{_OPENING[fault]}{message}"
    details = error.details | {"fault": fault, "reason": error.reason}
    if again_in is not None:
        message += f" Ask again in {again_in} s."
        details["retryAfter"] = again_in
    message = message[0].upper() + message[1:]
    return message, details | {"message": message}
