"""What one seed decides in advance: the deployment, the load, and what may go wrong at all.

Each seed leaves most kinds of trouble out, at random. A run with everything at once seldom gets to
where two things in particular must meet (Groce et al., Swarm Testing, 2012).
"""

from copy import replace
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from lib.caching.freshness import FreshnessPolicy
from lib.revalidation.schedule import Schedule
from lib.revalidation.window import Window
from lib.settings import Settings
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy

MEGABYTE = 1024 * 1024


class Fault(StrEnum):
    """What can go wrong, for a while."""

    STORE_REFUSES = "the store refuses"
    STORE_LOSES = "the store does, and its answer is lost"
    STORE_REPEATS = "a write is repeated, because its answer was lost"
    STORE_CONFLICTS = "a transaction conflicts with another"
    PAGES_LOST = "the store has lost pages"
    CRASH = "processes crash"
    PAUSE = "processes pause"
    ORIGIN_FAILS = "the origin answers 5xx"
    ORIGIN_SLOW = "the origin is slow"
    ORIGIN_SHAPE = "the origin's answers have a wrong shape"
    ORIGIN_BLOCKS = "the origin answers 429"
    ORIGIN_SHARED = "others use up the origin's limit"
    LIST_SHORTER = "the origin's list leaves users out"
    LIST_EMPTY = "the origin's list is empty"
    SECRET_DOWN = "Secrets Manager is down"
    SECRET_EMPTY = "the secret is emptied"
    SECRET_LEFT_OUT = "the client is left out of the secret"
    SECRET_ROTATED = "the secret is rotated"
    INVOKE_REFUSED = "the refresh function takes no event"
    INVOKE_LOST = "events to the refresh function are lost"
    INVOKE_TWICE = "events to the refresh function come twice"
    MEMBERS_REFUSED = "the organization's list is refused"
    MEMBERS_TOO_MANY = "the organization's list fails for more than some rows"
    BUS_REFUSES = "the bus refuses events"
    PURGE = "many users are deleted"
    SIGN_UPS = "many users sign up"
    HIDING = "the deployment hides something else"
    WRONG_CLOCK = "one environment's clock is wrong by minutes"


CANARY = "canary"
"""In every value that some deployment hides, and nowhere else."""

_HIDING = (
    NOTHING_HIDDEN,
    HidingPolicy(metadata_keys=frozenset({"stripeCustomerId"})),
    HidingPolicy(fields=frozenset({"bio"}), metadata_keys=frozenset({"stripeCustomerId"})),
)
_LIFETIMES = (
    (120, 600, 604_800),
    (120, 600, 604_800),
    (5, 10, 86_400),
    (20, 100, 86_400),
    (30, 30, 120),
)
_WINDOWS = ((20, 20), (20, 40), (250, 250))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a seed decides in advance; durations are seconds.

    Clocks are off by at most ``skew``. ``pause_between`` are the mean pauses of one reader and of
    the writer; the origin allows ``origin_limit`` calls a minute. If it is ``organized``, the
    client's organization is known; if somebody ``erases``, those who are gone are taken out of the
    past.
    """

    seed: int
    settings: Settings
    faults: frozenset[Fault]
    active_seconds: float
    users: int
    readers: int
    reading_pause: float
    writing_pause: float
    skew: float
    origin_limit: int
    clients: int
    hidings: tuple[HidingPolicy, ...]
    organized: bool
    erases: bool

    @property
    def clocks_agree(self) -> bool:
        """Whether clocks are apart by less than what leases leave between two holders."""
        return self.skew < 0.5 and Fault.WRONG_CLOCK not in self.faults

    @property
    def true_clocks(self) -> bool:
        """Whether there is only one clock."""
        return not self.skew and Fault.WRONG_CLOCK not in self.faults


def drawn(seed: int) -> Plan:
    """Return the plan of a seed."""
    random = Random(f"plan {seed}")  # noqa: S311 - chance, and nothing to guess
    hidings = tuple(random.sample(_HIDING, len(_HIDING)))
    limit, offset = random.choice(_WINDOWS)
    window = Window(max_limit=limit, max_offset=offset)
    share = random.choice((0.15, 0.3, 0.5))
    faults = frozenset(fault for fault in Fault if random.random() < share)
    return Plan(
        seed=seed,
        settings=replace(_settings(random, window, hidings[0]), updated_at=_has("stamps", seed)),
        faults=faults,
        active_seconds=random.choice((120, 240, 400)),
        users=max(0, int(window.size * random.choice((0, 0.3, 0.7, 0.95, 1.0, 1.1)))),
        readers=random.choice((2, 3, 5)),
        reading_pause=random.choice((0.5, 2, 5)),
        writing_pause=random.choice((1, 4, 20)),
        skew=random.choice((0, 0, 0, 0.4, 2)),
        origin_limit=random.choice((120, 120, 500)),
        clients=random.choice((1, 2)),
        hidings=hidings,
        organized=_has("organized", seed),
        erases=_has("erases", seed),
    )


def _has(what: str, seed: int) -> bool:
    """Return one half of all seeds' chance, so that what else a seed decides is as it was."""
    return Random(f"{what} {seed}").random() < 0.5  # noqa: S311 - chance, and nothing to guess


def _settings(random: Random, window: Window, hiding: HidingPolicy) -> Settings:
    fresh, while_revalidating, if_error = random.choice(_LIFETIMES)
    return Settings(
        table_name="table",
        secret_id="secret",
        origin_url="https://origin.example.com/v2",
        policy=FreshnessPolicy(
            max_age=fresh, stale_while_revalidate=while_revalidating, stale_if_error=if_error
        ),
        refresh_function_name="refresh",
        window=window,
        schedule=Schedule(every=60, idle=600, tolerance=900),
        adopted_calls=random.choice((0, 1, 20)),
        max_adopted=random.choice((0, 5, 2_000)),
        lookup_miss_seconds=60,
        memory_cache_bytes=random.choice((0, MEGABYTE, 8 * MEGABYTE, 8 * MEGABYTE)),
        hiding=hiding,
        event_bus_name="bus",
        event_values=random.random() < 0.5,
        updated_at=False,
    )
