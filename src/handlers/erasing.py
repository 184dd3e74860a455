"""Erases one person on an operator's order; see ``lib.reading.erasure``."""

from collections.abc import Mapping
from typing import Any

from handlers import orders
from handlers.invocation import Context, deadline
from handlers.observing import logger
from handlers.wiring import Wiring, wiring
from lib.errors import InvalidRequestError
from lib.reading.erasure import Erasure


def erasure_of(wired: Wiring) -> Erasure:
    """Return what erases in this environment."""
    return Erasure(
        store=wired.store,
        lookups=wired.lookup_store,
        lookup=lambda: wired.lookup,
        time=wired.time,
        frozen=wired.settings.policy.frozen,
    )


def erase(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return what was erased; ``next`` is the generation to go on ``from``, absent at the end.

    Raises:
        ValueError: the event makes no sense, or the person is still there; the text says so.
        UnavailableError: nobody can tell whether he is, or DynamoDB failed.
    """
    client_id, user_id = orders.client_id(event), orders.user_id(event)
    start = orders.generation(event, "from") if "from" in event else 0
    until = deadline(context, now=wiring().time.now())
    try:
        done = erasure_of(wiring()).run(client_id, user_id, start=start, deadline=until)
    except InvalidRequestError as error:
        raise ValueError(error.message) from error
    told = {"clientId": client_id, "generations": done.generations, "pages": done.pages}
    # Not whom: of somebody who is erased no line is to remain.
    logger.info("erased", extra={"client_id": client_id, "generations": done.generations})
    return {**told, "outcome": "erased"} if not done.next else {**told, "next": done.next}
