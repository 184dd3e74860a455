"""What answers hold, as ``docs/api.md`` of the service describes it. Durations are seconds."""

from collections.abc import Mapping, Sequence
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


type Named = Mapping[str, Sequence[str | int]]
"""Users by ``emails``, ``ids`` or ``usernames``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A window of a list. ``next_url`` continues it in the same generation; None: this is the last.

    ``not_found`` and ``not_asked`` are names of a look-up that nobody has, or of whom nothing is
    known. ``age`` None: the origin was asked for this very request. ``generation`` is the one that
    the page is from, and ``users_digest`` that of all users of it, None where it is not known.
    ``named`` is whom a look-up named, which is sent to ``next_url`` as well.
    """

    users: Sequence[User]
    pagination: Pagination
    not_found: Sequence[str | int] = ()
    not_asked: Sequence[str | int] = ()
    age: int | None = None
    cache_status: str = ""
    generation: int = 0
    users_digest: str | None = None
    next_url: str | None = None
    named: Named | None = None


class Budget(TypedDict):
    """How many origin calls a minute are allowed, and how many are left of them."""

    limit: int
    remaining: int


class Cache(TypedDict):
    """What is stored for a client, and how old it is."""

    generation: int
    digest: str | None
    usersDigest: str | None
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


class _Changes(TypedDict):
    since: int
    generation: int
    usersDigest: str | None
    created: list[int]
    discovered: list[int]
    updated: list[UpdatedUser]
    deleted: list[int]


class Changes(_Changes, total=False):
    """What changed between two generations; lists are of user ids, rising.

    ``users`` are those who are there, if values were asked for.
    """

    users: list[User]


class Event(TypedDict, total=False):
    """A CloudEvent; ``subject`` is the user's id, and a baseline has none."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A page of events, oldest first. Go on after ``cursor``: at once, if there are ``more``.

    All events up to ``generation`` have been told. ``users_digest`` is that of its users, None
    where it is not known, and where the page ends among the events that lead to the next one.
    """

    events: Sequence[Event]
    cursor: str
    more: bool
    generation: int
    users_digest: str | None


class PageDigest(TypedDict):
    """The digest of the users from ``firstId`` (of the first page: from 0) to the next page's."""

    firstId: int
    lastId: int
    users: int
    usersDigest: str


class PageDigests(TypedDict):
    """The digest of all users of a generation, and of each page of them."""

    generation: int
    users: int
    usersDigest: str
    pages: list[PageDigest]


class Refreshed(TypedDict, total=False):
    """What came of a refresh: published, unchanged, joined, or (without waiting) accepted."""

    outcome: str
    generation: int
    calls: int
