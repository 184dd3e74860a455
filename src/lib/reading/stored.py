"""Judges what is stored: how old it is, what a read does with it, whether it may be served.

Pure but for the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lib.caching import freshness
from lib.caching.freshness import Freshness, FreshnessPolicy, Plan
from lib.caching.headers import UNDIRECTED
from lib.caching.provenance import Hit, Provenance
from lib.clock import Time
from lib.directory.generation import Generation
from lib.directory.head import SKEW_SECONDS, Head, Health
from lib.reading.request import ReadRequest
from lib.revalidation import health


class Served(NamedTuple):
    """The generation to answer from, how that came by, and users seen beside it just now."""

    generation: Generation
    came_by: Provenance
    seen: Mapping[int, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Stored:
    """Judges any client's generations under one policy."""

    policy: FreshnessPolicy
    time: Time

    def plan(self, request: ReadRequest, head: Head) -> Plan:
        """Return what a read does with what ``head`` names."""
        generation, directives = head.generation, request.directives
        age = self.age(generation) if generation.published else None
        # Without directives nobody judges that, and most requests have none.
        told = age if directives is UNDIRECTED else self.answer_age(request, generation)
        return freshness.plan(
            self.policy,
            directives,
            age=age,
            answer_age=told,
            failing=bool(self.health(head).last_error),
        )

    def age(self, generation: Generation) -> int:
        """Return how old the last sweep is; a wrong clock's word of it makes nothing fresh."""
        now = self.time.now()
        if generation.swept_at > now + SKEW_SECONDS:
            return self.policy.max_age
        return freshness.age_of(generation.swept_at, now=now)

    def is_fresh(self, generation: Generation) -> bool:
        """Return whether a generation may be served as it is."""
        return self.age(generation) < self.policy.max_age

    def answer_age(self, request: ReadRequest, generation: Generation) -> int:
        """Return the ``Age`` that an answer from a generation would have."""
        return freshness.age_of(request.rests_on(generation), now=self.time.now())

    def usable(self, generation: Generation) -> bool:
        """Return whether a generation may still be served, although nothing newer can be had."""
        expired = freshness.assess(self.policy, age=self.age(generation)) is Freshness.EXPIRED
        return generation.published and (self.policy.frozen or not expired)

    def hit(self, head: Head, *, detail: str | None = None) -> Served:
        """Return the newest generation, and why it is served where it is not simply fresh."""
        generation = head.generation
        age = self.age(generation)
        if detail is None and (age >= self.policy.max_age or self.policy.frozen):
            detail = freshness.stale_detail(
                self.policy, self.health(head), age=age, now=self.time.now()
            )
        return Served(generation, Hit(observed_at=generation.swept_at, detail=detail))

    def health(self, head: Head) -> Health:
        """Return how the origin does, a lease that lapsed included."""
        return health.as_seen(head, now=self.time.now())
