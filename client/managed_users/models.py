"""What answers hold, as ``docs/api.md`` of the service describes it. Durations are seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict


class User(TypedDict, total=False):
    """A managed user in the origin's own names; with ``fields``, some of them.

    ``fieldsOmitted`` names fields that he has at the origin and that were too much to be kept.
    ``updatedAt`` is when the service first saw him as he is, where it keeps that and knows it.
    """

    id: int
    email: str
    username: str | None
    name: str | None
    bio: str | None
    timeZone: str
    weekStart: str
    createdDate: str
    timeFormat: int | None
    defaultScheduleId: int | None
    locale: str | None
    avatarUrl: str | None
    metadata: dict[str, Any] | None
    fieldsOmitted: list[str]
    updatedAt: str


class Pagination(TypedDict):
    """Where a page lies in the whole list, and whether that may lack users."""

    totalItems: int
    remainingItems: int
    returnedItems: int
    itemsPerPage: int
    currentPage: int
    totalPages: int
    hasNextPage: bool
    hasPreviousPage: bool
    complete: bool
    incompleteReason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A window of a list. ``next_url`` continues it in the same generation; None: this is the last.

    ``not_found`` and ``not_asked`` are names of a look-up that nobody has, or of whom nothing is
    known. ``age`` None: the origin was asked for this very request.
    """

    users: Sequence[User]
    pagination: Pagination
    not_found: Sequence[str | int] = ()
    not_asked: Sequence[str | int] = ()
    age: int | None = None
    cache_status: str = ""
    next_url: str | None = None


class Budget(TypedDict):
    """How many origin calls a minute are allowed, and how many are left of them."""

    limit: int
    remaining: int


class Cache(TypedDict):
    """What is stored for a client, and how old it is."""

    generation: int
    digest: str | None
    users: int
    complete: bool
    incompleteReason: str | None
    age: int | None
    oldestObservationAge: int | None
    validatedAt: str | None
    revalidating: bool
    revalidationInterval: int
    lastReadAt: str | None
    lastError: str | None
    blockedUntil: str | None
    retryAt: str | None
    originBudget: Budget
    version: str


class UpdatedUser(TypedDict):
    """A user and the names of the fields that changed."""

    id: int
    fields: list[str]


class Changes(TypedDict):
    """What changed between two generations; lists are of user ids, rising."""

    since: int
    generation: int
    created: list[int]
    discovered: list[int]
    updated: list[UpdatedUser]
    deleted: list[int]


class Refreshed(TypedDict, total=False):
    """What came of a refresh: published, unchanged, joined, or (without waiting) accepted."""

    outcome: str
    generation: int
    calls: int
