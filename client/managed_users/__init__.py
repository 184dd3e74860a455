"""A client of the managed-users proxy: conditional requests, cursors, retries and signatures."""

from managed_users.client import Client
from managed_users.digest import digest_of
from managed_users.errors import (
    AnswerError,
    ConnectionFailedError,
    ForbiddenError,
    GoneError,
    InvalidRequestError,
    ManagedUsersError,
    NotAskedError,
    NotFoundError,
    UnavailableError,
)
from managed_users.models import (
    Cache,
    Changes,
    Event,
    Events,
    Page,
    PageDigests,
    Refreshed,
    User,
)

__all__ = [
    "AnswerError",
    "Cache",
    "Changes",
    "Client",
    "ConnectionFailedError",
    "Event",
    "Events",
    "ForbiddenError",
    "GoneError",
    "InvalidRequestError",
    "ManagedUsersError",
    "NotAskedError",
    "NotFoundError",
    "Page",
    "PageDigests",
    "Refreshed",
    "UnavailableError",
    "User",
    "digest_of",
]
