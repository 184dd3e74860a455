"""One execution environment of a Lambda function: the service's own wiring, over one wire."""

from copy import replace
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, cast, override

from handlers.wiring import Wiring
from lib.aws.cursor_key import CursorKey
from lib.aws.directory_store import DirectoryStore
from lib.aws.event_bus import EventBus
from lib.aws.invoker import Invoker
from lib.aws.listing_store import ListingStore
from lib.aws.lookup_store import LookupStore
from lib.aws.secret import Secrets
from lib.clock import Time
from lib.events.announcer import Announcing
from lib.revalidation.outcomes import Claim, Failed, Outcome
from lib.revalidation.revalidation import Revalidation
from lib.settings import Settings
from tests.fake_lookups import FakeListings, FakeLookups
from tests.fakes import FakeStore
from tests.simulation.ledger import Ledger
from tests.simulation.origin import OriginServer, WiredOrigin
from tests.simulation.services import (
    Bus,
    Deliver,
    Vault,
    event_bridge,
    lambda_client,
    secrets_manager,
)
from tests.simulation.stores import WiredCursorKey, WiredListings, WiredLookups, WiredStore
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from lib.origin.client import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What all processes share; ``deliver`` takes events for the refresh function."""

    store: FakeStore
    lookups: FakeLookups
    listings: FakeListings
    server: OriginServer
    vault: Vault
    bus: Bus
    ledger: Ledger
    deliver: Deliver


class Environment(Wiring):
    """The service's wiring with everything outside at the other end of a wire.

    Its clock is ``skew`` seconds ahead of the true one.
    """

    def __init__(
        self, settings: Settings, outside: Outside, wire: Wire, *, name: str, skew: float
    ) -> None:
        super().__init__(settings)
        self.name = name
        self.skew = skew
        self.outside = outside
        self.wire = wire
        self.time = Time(self._now, wire.wait, Random(wire.random.random()).random)  # noqa: S311 - jitter

    def _now(self) -> float:
        return self.wire.scheduler.now + self.skew

    @cached_property
    @override
    def store(self) -> DirectoryStore:
        outside = self.outside
        return cast("DirectoryStore", WiredStore(outside.store, self.wire, outside.ledger))

    @cached_property
    @override
    def lookup_store(self) -> LookupStore:
        digest = self.settings.hiding.digest
        return cast("LookupStore", WiredLookups(self.outside.lookups, self.wire, digest))

    @cached_property
    @override
    def listing_store(self) -> ListingStore:
        return cast("ListingStore", WiredListings(self.outside.listings, self.wire))

    @cached_property
    @override
    def cursor_key(self) -> CursorKey:
        return cast("CursorKey", WiredCursorKey(self.wire))

    @cached_property
    @override
    def secrets(self) -> Secrets:
        client = secrets_manager(self.outside.vault, self.wire)
        return Secrets(
            client,
            self.settings.secret_id,
            clock=self.time.now,
            report=lambda error: self.wire.scheduler.note(f"an old secret: {error.reason}"),
        )

    @cached_property
    @override
    def origin(self) -> "Origin":
        outside, wire = self.outside, self.wire
        wired = WiredOrigin(
            outside.server,
            wire,
            self.time.now,
            self.settings.window.max_limit,
            lambda call: outside.ledger.called(wire.running, call),
            self.settings.hiding,
        )
        return cast("Origin", wired)

    @cached_property
    @override
    def invoker(self) -> Invoker:
        client = lambda_client(self.outside.deliver, self.wire)
        return Invoker(client, self.settings.refresh_function_name)

    @cached_property
    @override
    def revalidation(self) -> Revalidation:
        return replace(super().revalidation, report=self._report)

    @cached_property
    @override
    def announcing(self) -> Announcing:
        client = event_bridge(self.outside.bus, self.wire)
        bus = EventBus(client, self.settings.event_bus_name, sleep=self.time.sleep)
        return Announcing(history=self.history, send=bus.send)

    def _report(self, claim: Claim, outcome: Outcome, took: float) -> None:
        del took
        if isinstance(outcome, Failed):
            told = f"failed, {getattr(outcome.error, 'reason', outcome.error)}"
            self.outside.ledger.failed(self.wire.running, claim.lease.token)
        else:
            told = f"{type(outcome).__name__.lower()}, generation {outcome.head.generation.number}"
        self.wire.scheduler.note(f"run {claim.lease.token}: {told}")
