"""Has announced what the table's stream has not: the schedule looks at every head anyway."""

from handlers.observing import count, describe_error, logger
from handlers.wiring import wiring
from lib.directory.head import Head
from lib.errors import UnavailableError
from lib.events import overdue


def ask_if_overdue(head: Head) -> None:
    """Ask the changes function for an announcement if ``head``'s is overdue, and say so.

    Whether it is done shows in the next head alone; what is asked for twice is announced once.
    Asks are remembered by this environment only: another one at most asks too early.
    """
    asks, client_id = wiring().announcement_asks, head.client_id
    ask = overdue.due(head, asks.get(client_id), now=wiring().time.now())
    if ask is None:
        return
    asks[client_id] = ask
    said = {
        "client_id": client_id,
        "announced": head.announced,
        "generation": head.generation.number,
        "next_in_seconds": ask.pause,
    }
    logger.warning("announcement overdue", extra=said)
    try:
        wiring().announcer.invoke({"action": "announce", "clientId": client_id})
    except UnavailableError as error:
        count(AnnouncementFailed=1)
        said = {"client_id": client_id, **describe_error(error)}
        logger.error("announcement failed", extra=said)
