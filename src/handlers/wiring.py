"""Builds each adapter and use case once per environment, and only when a request needs it.

Nothing here is made at import time: an environment restored from a snapshot shares no connection,
no random state and no secret with its siblings. What a hit does not need is imported by the part
that needs it, since a cold start pays for every module.
"""

import os
import time
from functools import cache, cached_property
from random import SystemRandom
from typing import TYPE_CHECKING

from boto3.session import Session

from handlers.environment import client_config, settings_of
from handlers.observing import report_mended
from lib.aws.directory_store import DirectoryStore
from lib.aws.table import Table
from lib.clock import Time
from lib.directory.memory import Memory
from lib.queries.cursor import Cursors
from lib.reading.lists import ListReads
from lib.reading.named import NamedReads
from lib.reading.proxy import Proxy
from lib.reading.representations import MAX_KEPT, Representations
from lib.reading.stored import Stored
from lib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from lib.aws.cursor_key import CursorKey
    from lib.aws.hint_store import HintStore
    from lib.aws.invoker import Invoker
    from lib.aws.listing_store import ListingStore
    from lib.aws.lookup_store import LookupStore
    from lib.aws.secret import Secrets
    from lib.events.announcer import Announcing
    from lib.events.change_log import ChangeLog
    from lib.events.history import History
    from lib.events.overdue import Ask
    from lib.origin.client import Origin
    from lib.reading.asking import Asking
    from lib.reading.feed import Feed
    from lib.reading.lookup import Lookup
    from lib.reading.page_digests import PageDigests
    from lib.reading.single import SingleReads
    from lib.revalidation.forced import ForcedRefresh
    from lib.revalidation.revalidation import Revalidation


@cache
def wiring() -> "Wiring":
    """Return this environment's wiring."""
    return Wiring(settings_of(os.environ))


class Wiring:
    """Everything a function needs, wired for ``settings``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.time = Time(time.time, time.sleep, SystemRandom().random)

    @cached_property
    def session(self) -> Session:
        """What makes the clients of AWS."""
        return Session()

    @cached_property
    def _table(self) -> Table:
        client = self.session.client("dynamodb", config=client_config(attempts=3))
        return Table(client, self.settings.table_name, sleep=self.time.sleep)

    @cached_property
    def store(self) -> DirectoryStore:
        """The directories in the table."""
        return DirectoryStore(self._table, report=report_mended)

    @cached_property
    def lookup_store(self) -> "LookupStore":
        """The look-ups in the table."""
        from lib.aws.lookup_store import LookupStore

        return LookupStore(self._table, hiding_digest=self.settings.hiding.digest)

    @cached_property
    def listing_store(self) -> "ListingStore":
        """What is known of organizations' lists, in the table."""
        from lib.aws.listing_store import ListingStore

        return ListingStore(self._table)

    @cached_property
    def cursors(self) -> Cursors:
        """Cursors of lists, signed with the table's key."""
        return Cursors(self.cursor_key)

    @cached_property
    def cursor_key(self) -> "CursorKey":
        """The table's key."""
        from lib.aws.cursor_key import CursorKey

        return CursorKey(self._table, new_key=lambda: os.urandom(32))

    @cached_property
    def memory(self) -> Memory:
        """The table as far as this environment remembers it."""
        return Memory(self.store, clock=self.time.now, max_bytes=self.settings.memory_cache_bytes)

    @cached_property
    def secrets(self) -> "Secrets":
        """The OAuth clients' secret keys."""
        from handlers.reporting import report_secret_failure
        from lib.aws.secret import Secrets

        client = self.session.client("secretsmanager", config=client_config(attempts=2))
        return Secrets(
            client, self.settings.secret_id, clock=self.time.now, report=report_secret_failure
        )

    @cached_property
    def origin(self) -> "Origin":
        """The origin."""
        from lib.origin.client import Origin
        from lib.origin.documents import MAX_BYTES

        return Origin(
            self.settings.origin_url,
            max_rows=self.settings.window.max_limit,
            clock=self.time.now,
            hiding=self.settings.hiding,
            max_bytes=MAX_BYTES if self.settings.memory_cache_bytes else 0,
        )

    @cached_property
    def invoker(self) -> "Invoker":
        """The refresh function, from outside."""
        from lib.aws.invoker import Invoker

        return Invoker(self._lambda, self.settings.refresh_function_name)

    @cached_property
    def announcer(self) -> "Invoker":
        """The changes function, from the refresh function."""
        from lib.aws.invoker import Invoker

        return Invoker(self._lambda, self.settings.changes_function_name)

    @cached_property
    def announcement_asks(self) -> "dict[str, Ask]":
        """When this environment asked for an announcement last, by client."""
        return {}

    @cached_property
    def _lambda(self) -> "LambdaClient":
        return self.session.client("lambda", config=client_config(attempts=2))

    @cached_property
    def revalidation(self) -> "Revalidation":
        """Revalidations, logged and measured."""
        from handlers.reporting import report_revalidation
        from lib.revalidation.observe import Observer
        from lib.revalidation.revalidation import Revalidation

        return Revalidation(
            store=self.store,
            origin=lambda: self.origin,
            credentials=lambda: self.secrets,
            observer=Observer(
                contents=self.memory,
                lookups=self.lookup_store,
                listings=self.listing_store,
                window=self.settings.window,
                time=self.time,
                hiding=self.settings.hiding,
                adopted_calls=self.settings.adopted_calls,
                max_adopted=self.settings.max_adopted,
                updated_at=self.settings.updated_at,
            ),
            time=self.time,
            report=report_revalidation,
            frozen=self.settings.policy.frozen,
        )

    @cached_property
    def proxy(self) -> Proxy:
        """Reads."""
        return Proxy(
            store=self.memory,
            require_client=self._require_client,
            stored=self._stored,
            asking=lambda: self.asking,
            time=self.time,
            schedule=self.settings.schedule,
            hiding=self.settings.hiding,
        )

    @cached_property
    def _stored(self) -> Stored:
        return Stored(policy=self.settings.policy, time=self.time)

    @cached_property
    def asking(self) -> "Asking":
        """Reads that ask the origin."""
        from handlers.handover import hand_over
        from lib.reading.asking import Asking

        return Asking(
            store=self.memory,
            stored=self._stored,
            revalidation=lambda: self.revalidation,
            hand_over=lambda claim: hand_over(claim, self.invoker),
            time=self.time,
        )

    @cached_property
    def forced_refresh(self) -> "ForcedRefresh":
        """Forced sweeps."""
        from lib.revalidation.forced import ForcedRefresh

        return ForcedRefresh(
            store=self.store,
            lookups=self.lookup_store,
            revalidation=self.revalidation,
            time=self.time,
        )

    @cached_property
    def lookup(self) -> "Lookup":
        """Look-ups of users that the snapshot does not hold."""
        from lib.reading.lookup import Lookup

        return Lookup(
            store=self.store,
            answers=self.lookup_store,
            origin=lambda: self.origin,
            credentials=lambda: self.secrets,
            keep_found=self.settings.policy.max_age,
            keep_missed=self.settings.lookup_miss_seconds,
            time=self.time,
        )

    @cached_property
    def hint_store(self) -> "HintStore":
        """The hints in the table."""
        from lib.aws.hint_store import HintStore

        return HintStore(self._table)

    @cached_property
    def _named_reads(self) -> NamedReads:
        return NamedReads(
            proxy=self.proxy,
            lookup=lambda: self.lookup,
            policy=self.settings.policy,
        )

    @cached_property
    def list_reads(self) -> ListReads:
        """Lists of users."""
        return ListReads(
            named=self._named_reads,
            policy=self.settings.policy,
            hiding_digest=self.settings.hiding.digest,
            cursors=self.cursors,
            time=self.time,
            updated_at=self.settings.updated_at,
            representations=Representations(
                most=MAX_KEPT if self.settings.memory_cache_bytes else 0
            ),
        )

    @cached_property
    def single_reads(self) -> "SingleReads":
        """Single users."""
        from lib.reading.single import SingleReads

        return SingleReads(named=self._named_reads, policy=self.settings.policy, time=self.time)

    @cached_property
    def change_log(self) -> "ChangeLog":
        """What changed since a generation."""
        from lib.events.change_log import ChangeLog

        return ChangeLog(self.memory, hiding=self.settings.hiding)

    @cached_property
    def page_digests(self) -> "PageDigests":
        """Digests of a directory, page by page."""
        from lib.reading.page_digests import PageDigests

        return PageDigests(contents=self.memory, hiding=self.settings.hiding)

    @cached_property
    def history(self) -> "History":
        """The events that lead from each generation to the next."""
        from lib.events.event import EventFormat
        from lib.events.history import History

        return History(
            store=self.memory,
            event_format=EventFormat(with_values=self.settings.event_values),
            hiding=self.settings.hiding,
        )

    @cached_property
    def feed(self) -> "Feed":
        """The same events, for who asks for them."""
        from lib.queries.feed_query import feed_cursors
        from lib.reading.feed import Feed

        return Feed(history=self.history, cursors=feed_cursors(self.cursor_key))

    @cached_property
    def announcing(self) -> "Announcing":
        """Announcements of changes."""
        from lib.aws.event_bus import EventBus
        from lib.events.announcer import Announcing

        # The bus itself tries again, and only what was refused.
        client = self.session.client("events", config=client_config(attempts=1))
        bus = EventBus(client, self.settings.event_bus_name, sleep=self.time.sleep)
        return Announcing(history=self.history, send=bus.send)

    def _require_client(self, client_id: str) -> None:
        # Not bound at once: a hit of a known client needs no Secrets Manager client.
        self.secrets.credential(client_id)
