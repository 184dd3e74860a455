"""Reads events that are not HTTP: what the schedule, another function or an operator wants done.

Whatever is in such an event may have been typed by hand. What makes no sense is refused with a
sentence that names the member, before anything is read or written for it.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeIs

from handlers.observing import logger
from handlers.wiring import wiring
from lib.errors import StoreError
from lib.users.keys import possible_id

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST = 2**53
_LATEST = 10**11
"""No instant in seconds is later; one in milliseconds is."""


def members(event: object) -> Mapping[str, Any]:
    """Return the members of ``event``.

    Raises:
        ValueError: it is no JSON object.
    """
    if isinstance(event, Mapping):
        return event
    raise ValueError("an event must be a JSON object")


def client_id(event: Mapping[str, Any]) -> str:
    """Return the client that ``event`` is about.

    Raises:
        ValueError: no client can have this id.
    """
    found = event.get("clientId")
    if isinstance(found, str) and _CLIENT_ID.fullmatch(found):
        return found
    raise ValueError("clientId must be 1 to 64 letters, digits, '-' or '_'")


def possible(client_ids: Sequence[str]) -> list[str]:
    """Return those of the secret's clients that there can be, and say that there are others.

    Nobody can ask for the others, and an event about one would be refused, minute by minute.
    """
    found = [each for each in client_ids if _CLIENT_ID.fullmatch(each)]
    if len(found) < len(client_ids):
        # Not whom: what is no client id may be anything.
        logger.warning("impossible client ids", extra={"count": len(client_ids) - len(found)})
    return found


def generation(event: Mapping[str, Any], name: str) -> int:
    """Return the generation that the member ``name`` names.

    Raises:
        ValueError: it is no number of a generation.
    """
    found = event.get(name)
    if _whole(found):
        return found
    raise ValueError(f"{name} must be the number of a generation, 0 or more")


def user_id(event: Mapping[str, Any]) -> int:
    """Return the user that ``event`` is about.

    Raises:
        ValueError: no user can have this id.
    """
    found = event.get("userId")
    if _whole(found) and possible_id(found):
        return found
    raise ValueError("userId must be the id of a user, a whole number above 0")


def records(event: Mapping[str, Any]) -> Sequence[Any]:
    """Return the records of a batch of the table's stream.

    Raises:
        ValueError: they are no list.
    """
    found = event.get("Records")
    if isinstance(found, list):
        return found
    raise ValueError("Records must be a list")


def check_refresh(event: Mapping[str, Any]) -> None:
    """Check all members of a refresh's event.

    Raises:
        ValueError: one of them makes no sense.
    """
    if "clientIds" in event:
        _check_client_ids(event["clientIds"])
        return
    client_id(event)
    if "lease" in event:
        _check_lease(event["lease"])
    if "requestedAt" in event and not _instant(event["requestedAt"]):
        raise ValueError("requestedAt must be an instant in epoch seconds")
    if not _switch(event.get("believe", False)):
        raise ValueError("believe must be true or false")


def require_known(event: Mapping[str, Any]) -> None:
    """Make sure that a checked refresh's event is about a client that there is.

    One of whom nothing is stored must be in the secret, or the lease would be taken on a head that
    nobody wants. Who was handed a lease is known already.

    Raises:
        NotFoundError: there is none.
        SecretError: nothing is stored, and what is in the secret cannot be told.
    """
    if "lease" in event:
        return
    # If the table fails, whoever works the event off meets the same, and says so.
    with suppress(StoreError):
        if not wiring().store.head(event["clientId"]).generation.published:
            wiring().secrets.credential(event["clientId"])


def _check_client_ids(found: object) -> None:
    if not isinstance(found, list) or not found:
        raise ValueError("clientIds must be a list of clients")
    for each in found:
        client_id({"clientId": each})


def _check_lease(lease: object) -> None:
    whole = (
        isinstance(lease, Mapping)
        and isinstance(lease.get("holder"), str)
        and _whole(lease.get("token"))
        and _instant(lease.get("expiresAt"))
    )
    if not whole:
        raise ValueError(
            "lease must have a holder (text), a token (whole number), an expiresAt (epoch seconds)"
        )


def _whole(value: object) -> TypeIs[int]:
    # A bool is an int to Python, and nothing of the kind here.
    return type(value) is int and 0 <= value < _LARGEST


def _instant(value: object) -> bool:
    # NaN, which JSON cannot say and Python reads, is not below anything.
    return isinstance(value, int | float) and not _switch(value) and 0 <= value < _LATEST


def _switch(value: object) -> bool:
    return value is True or value is False
