"""The small mutable item of one client: what is current, how the origin does, who may ask it.

Instants are epoch seconds (fractions kept), durations seconds. In the table a head is flat: every
field of every part is an attribute of its own, so that each can be changed without the others.

Pure: no clock, no I/O.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lib.directory.generation import Generation
from lib.errors import Reason, StoreError

FORMAT = 1
"""The newest form of heads and manifests that this code reads, and the one it writes.

Items without a number are of form 1, which was written before numbers were.
"""

LEASE_SECONDS = 15
"""How long a claim lasts if its holder is never heard of again."""

FORCED_FLOOR_SECONDS = 10
"""Least time between the starts of two forced sweeps of one client, successes only."""

SKEW_SECONDS = 30
"""How far apart clocks may be; an instant further ahead is the word of a wrong one."""

LONGEST_PAUSE_SECONDS = 5 * 60
"""A block or pause that ends later than this is the word of a wrong clock, and is not kept."""

HEAD_SECONDS = 1
"""How long an environment may use a head it has read before."""

WHOLE = "whole"
"""The source of a directory that its organization's list has told of."""

PART = "part"
"""The source of one that only a part of that list has told of since the sweep before."""

REFUSED = "refused"
"""The source of one that the window has told of, because that list could not."""

type Value = str | bytes | bool | float | None
"""What an attribute can be; None removes it."""

type HeadUpdate = Mapping[str, Value]
"""Attributes of a head to set or remove; whatever it does not name stays as it is."""


class Health(NamedTuple):
    """How asking the origin went last, and what that means for everybody.

    ``last_error`` is empty once a sweep succeeded. Nobody asks before ``blocked_until`` (the
    origin's own word) or ``retry_at`` (ours); both only rise. Since ``doubted_since`` every sweep
    has lost more users than is believed at once; 0: the last one has not.
    """

    last_error: str = ""
    failures: int = 0
    blocked_until: float = 0
    retry_at: float = 0
    doubted_since: float = 0


class Lease(NamedTuple):
    """Who may revalidate one client until when; ``token`` rises by one per acquisition."""

    client_id: str
    holder: str = ""
    token: int = 0
    expires_at: float = 0

    def held(self, now: float) -> bool:
        """Return whether somebody may be revalidating at ``now``."""
        return now < self.expires_at <= now + LEASE_SECONDS + SKEW_SECONDS

    def is_of(self, other: "Lease") -> bool:
        """Return whether both are one acquisition."""
        return (self.holder, self.token) == (other.holder, other.token)


class CallCounters(NamedTuple):
    """Calls reserved in the minute ``calls_minute`` and the one before, and the origin's limit.

    ``lookups`` are those of ``calls`` that look-ups made. A limit of 0 is not known.
    """

    calls: int = 0
    calls_minute: int = 0
    calls_before: int = 0
    lookups: int = 0
    lookups_before: int = 0
    rate_limit: int = 0
    rate_remaining: int = 0
    rate_reset_at: float = 0


class Head(NamedTuple):
    """The mutable ref of one client, as it was when it was read."""

    client_id: str
    generation: Generation
    health: Health
    lease: Lease
    counters: CallCounters

    validated_at: float = 0
    """When the last successful sweep was stored."""

    forced_at: float = 0
    """When the last forced sweep that succeeded began."""

    window_users: int = -1
    """How many rows the list has that the last sweep saw; -1: not known."""

    source: str = ""
    """Which list that was: ``WHOLE``, ``PART`` or ``REFUSED``; "" is the window, and there is no
    other to be asked."""

    rotation_id: int = 0
    """Whom of the adopted users the next sweep asks for first."""

    cycle_began_at: float = 0
    """When the running round of asking for them began; 0: none is running."""

    pages_expire_at: int = 0
    """Until when everything that the generation names is kept."""

    seen: bytes = b""
    """Names what the last sweep saw, if that is all that the generation holds; see ``stamps``."""

    announced: int = 0
    """Up to which generation changes were announced."""

    read_at: float = 0
    """When somebody read the directory last, to within some minutes."""

    def swept_since(self, instant: float, *, now: float) -> bool:
        """Return whether the last sweep began at ``instant`` or later, and by a clock to trust."""
        return instant <= self.generation.swept_at <= now + SKEW_SECONDS

    def floor_ends(self, now: float) -> float | None:
        """Return until when no further forced sweep may begin, None if one may at ``now``."""
        ends = self.forced_at + FORCED_FLOOR_SECONDS
        return ends if now < ends <= now + FORCED_FLOOR_SECONDS + SKEW_SECONDS else None


_RENAMED = {
    (Head, "source"): "list",
    (Generation, "number"): "generation",
    (Generation, "hiding_digest"): "policy",
    (Generation, "packed"): "listing",
    (Lease, "holder"): "lease_holder",
    (Lease, "token"): "lease_token",
    (Lease, "expires_at"): "lease_expires_at",
}
"""Fields whose attributes have other names; those of a stored item never change."""

type _Part = type[Generation | Health | Lease | CallCounters | Head]


type _Attributes = Mapping[str, str]
"""The field of each attribute."""


def _attributes(part: _Part, *, besides: frozenset[str]) -> _Attributes:
    return {
        _RENAMED.get((part, field), field): field for field in part._fields if field not in besides
    }


_OWNER = frozenset({"client_id"})
_GENERATION = _attributes(Generation, besides=_OWNER)
_HEALTH = _attributes(Health, besides=frozenset())
_LEASE = _attributes(Lease, besides=_OWNER)
_COUNTERS = _attributes(CallCounters, besides=frozenset())
_OWN = _attributes(Head, besides=_OWNER | {"generation", "health", "lease", "counters"})

GENERATION_ATTRIBUTES = frozenset(_GENERATION)
"""What a manifest keeps of the head that published it."""

_PARTS: Mapping[_Part, _Attributes] = {
    Generation: _GENERATION,
    Health: _HEALTH,
    Lease: _LEASE,
    CallCounters: _COUNTERS,
    Head: _OWN,
}

KINDS: Mapping[str, Any] = {
    name: part.__annotations__[field]
    for part, attributes in _PARTS.items()
    for name, field in attributes.items()
}
"""Every attribute of a head but its key and its form, with its type."""

ATTRIBUTES = frozenset(KINDS)
"""Their names."""


def _given(values: Mapping[str, Any], attributes: _Attributes) -> dict[str, Any]:
    return {field: values[name] for name, field in attributes.items() if name in values}


def generation_of(client_id: str, values: Mapping[str, Any]) -> Generation:
    """Return the generation in the attributes ``values`` of a manifest or a head.

    Raises:
        StoreError: a newer version of this service wrote them.
    """
    if values.get("format", FORMAT) > FORMAT:
        raise StoreError("a newer version wrote this", reason=Reason.NEWER_FORMAT)
    return Generation(client_id=client_id, **_given(values, _GENERATION))


def head_of(client_id: str, values: Mapping[str, Any]) -> Head:
    """Return the head in the attributes ``values``; what is not there has its default.

    Raises:
        StoreError: a newer version of this service wrote them.
    """
    return Head(
        client_id=client_id,
        generation=generation_of(client_id, values),
        health=Health(**_given(values, _HEALTH)),
        lease=Lease(client_id=client_id, **_given(values, _LEASE)),
        counters=CallCounters(**_given(values, _COUNTERS)),
        **_given(values, _OWN),
    )


def attributes_of(part: Health | Lease | CallCounters | Generation) -> dict[str, Value]:
    """Return every attribute of one part of a head; None for what has its default."""
    values = {name: getattr(part, field) for name, field in _PARTS[type(part)].items()}
    return {name: value or None for name, value in values.items()}


def updated(head: Head, update: HeadUpdate) -> Head:
    """Return ``head`` as it is after ``update``."""
    parts = (head.generation, head.health, head.lease, head.counters)
    values: dict[str, Value] = {name: getattr(head, field) for name, field in _OWN.items()}
    for part in parts:
        values |= attributes_of(part)
    values |= update
    return head_of(
        head.client_id, {name: value for name, value in values.items() if value is not None}
    )
