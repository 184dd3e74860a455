"""Decides what the double answers for ``GET /v2/organizations/{orgId}/users``.

Written from the origin's source and documents: unlike the rest of the double, nothing of it was
recorded. The guards, their order, what each refuses with, and that their positive verdicts are good
for five minutes, are the source's; so are the parameters.

Pure but for what it keeps: the instant of each call is an argument.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from dev.origin.rules import Number, QueryValue, RefusedError, parse_int, parse_query
from dev.origin.users import User, iso_date_of

VERDICT_SECONDS = 300
"""How long the origin remembers that somebody was allowed to call."""

MOST_ROWS = 1000
_DEFAULT_ROWS = 250
_NO_ORGANIZATION = "IsOrgGuard - Organization with ID %s does not exist or is no organization."
_OTHER_ORGANIZATION = "RolesGuard - User is not an admin of organization with ID %s."
_NO_PLAN = "PlatformPlanGuard - Organization with ID %s has no plan that allows this."


@dataclass(slots=True, kw_only=True)
class Organization:
    """An organization, whose OAuth ``clients`` have users, and who is a member besides.

    ``members`` are rows of staff and of users of clients that are not the double's own. ``lacking``
    are ids of users whom its list does not show, ``has_plan`` is whether it may be asked for.
    """

    organization_id: int
    clients: Sequence[str]
    members: list[User] = field(default_factory=list)
    lacking: frozenset[int] = frozenset()
    has_plan: bool = True


class Organizations:
    """All organizations there are; without any, the origin has no such route."""

    def __init__(self, organizations: Iterable[Organization] = ()) -> None:
        self._by_id = {each.organization_id: each for each in organizations}
        self._allowed_until: dict[tuple[str, str], float] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def __getitem__(self, organization_id: int) -> Organization:
        return self._by_id[organization_id]

    def enter(self, organization_id: str, client_id: str, *, now: float) -> Organization:
        """Return the organization that a client asks for.

        Raises:
            RefusedError: it is none, another's, or has no plan.
        """
        number = int(organization_id) if organization_id.isdecimal() else -1
        found = self._by_id.get(number)
        if found is None:
            raise RefusedError(403, _NO_ORGANIZATION % organization_id)
        verdict = (organization_id, client_id)
        if now < self._allowed_until.get(verdict, -math.inf):
            return found
        if client_id not in found.clients:
            raise RefusedError(403, _OTHER_ORGANIZATION % organization_id)
        if not found.has_plan:
            raise RefusedError(403, _NO_PLAN % organization_id)
        self._allowed_until[verdict] = now + VERDICT_SECONDS
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSelection:
    """The rows a query asks for; ``emails`` is None where it does not filter."""

    take: int = _DEFAULT_ROWS
    skip: int = 0
    emails: Sequence[str] | None = None

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read a query string; raise `RefusedError` with a 400 where it is wrong."""
        given = parse_query(query)
        read: dict[str, Any] = {}
        for name, low, high in (("take", 1, MOST_ROWS), ("skip", 0, math.inf)):
            if name in given:
                read[name] = _whole(name, given[name], low=low, high=high)
        if "emails" in given:
            emails = given["emails"]
            # Not split on commas: each has to be an address as it stands.
            read["emails"] = emails if isinstance(emails, list) else [emails]
            if any("," in email or "@" not in email for email in read["emails"]):
                raise RefusedError(400, "each value in emails must be an email")
        return cls(**read)


def _whole(name: str, value: QueryValue, *, low: float, high: float) -> Number:
    number = parse_int(value) if isinstance(value, str) and value else math.nan
    if not low <= number <= high:
        raise RefusedError(400, f"{name} must be a number from {low} to {high}")
    return number


def member_row(user: Mapping[str, Any]) -> User:
    """Return a user as an organization lists him: with ten fields more, and null where none is."""
    return {
        **user,
        "metadata": user.get("metadata"),
        "emailVerified": user["createdDate"],
        "appTheme": None,
        "theme": None,
        "hideBranding": False,
        "brandColor": None,
        "darkBrandColor": None,
        "allowDynamicBooking": True,
        "verified": False,
        "invitedTo": None,
        "profile": {
            "id": user["id"] + 500_000,
            "organizationId": 1,
            "userId": user["id"],
            "username": f"profile-{user['id']}",
        },
    }


def demo_members(taken: Iterable[int], count: int) -> list[User]:
    """Return rows of staff, and of users of two other OAuth clients, between the ids of others.

    The first of each three is one of the staff.
    """
    free = sorted(set(range(1001, 1001 + 3 * (len(ids := set(taken)) + count))) - ids)
    # Spread over all ids, so that every page of the list has some.
    step = max(1, len(free) // count) if count else 1
    chosen = free[::step][:count]
    return [_member(number, user_id) for number, user_id in enumerate(chosen)]


def _member(number: int, user_id: int) -> User:
    suffix = ("", "+clxother00000000000000001", "+clxother00000000000000002")[number % 3]
    kind = "staff" if not suffix else "customer"
    return {
        "id": user_id,
        "email": f"{kind}.{number}{suffix}@example.org",
        "username": f"{kind}-{number}",
        "name": f"{kind.title()} {number}",
        "bio": None,
        "timeZone": "Europe/London",
        "weekStart": "Sunday",
        "createdDate": iso_date_of(number),
        "timeFormat": 12,
        "defaultScheduleId": None,
        "locale": "en",
        "avatarUrl": None,
    }
