"""The whole local stack in one object: started and stopped by ``with``, nothing left behind.

Ports are taken first, so that every process can be told all addresses at once and all of them start
at the same time. Stopping goes the other way: the front first, so that no request meets a half
stopped stack, and the embedded AWS last.
"""

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from dev.local.desk import Desk
from dev.local.embedded_aws import EmbeddedAws
from dev.local.front import Front
from dev.local.gateway_events import Request, Resource, Response
from dev.local.journal import Journal, announced, delivered, revalidated
from dev.local.lambda_api import LambdaApi
from dev.local.queue_poller import QueueMapping, QueuePoller
from dev.local.schedule import Schedule
from dev.local.settings import (
    API_HANDLER,
    BUS_NAME,
    CHANGES_HANDLER,
    DELIVERIES_HANDLER,
    REFRESH_HANDLER,
    SECRET_NAME,
    TABLE_NAME,
    LocalSettings,
    process_environment,
)
from dev.local.site import Site
from dev.local.table_stream import SourceMapping, TableStream
from dev.local.timeline import Timeline
from dev.local.webhook import create_webhook, queue_url, remove_webhook
from dev.local.workers import Failure, Function, Result, WorkerPool
from dev.template.literals import FUNCTION, SCHEDULE, api_paths, resource

if TYPE_CHECKING:
    from dev.origin import OriginDouble

_BACKLOG = 1024
_OTHER_MEMBERS = 30
# Lambda would add environments for the refresh function as they are needed.
_SPARE_REFRESH_WORKERS = 3


class PortBusyError(Exception):
    """The port of the front is taken."""


class LocalStack:
    """The service with all it needs, on this machine."""

    def __init__(
        self,
        settings: LocalSettings,
        *,
        journal: Journal | None = None,
        aws: EmbeddedAws | None = None,
    ) -> None:
        self.settings = settings
        self.journal = journal or Journal(quiet=True)
        self.timeline = Timeline()
        self.aws = aws or EmbeddedAws(state_directory=settings.state_directory)
        self.origin: OriginDouble | None = None
        self.pools: dict[str, WorkerPool] = {}
        self.url = ""
        self._running = ExitStack()

    @property
    def aws_endpoint(self) -> str:
        """The address of the embedded AWS."""
        return self.aws.endpoint

    @property
    def origin_url(self) -> str:
        """The address of the origin, the double or another."""
        return self.origin.url if self.origin else self.settings.origin_url or ""

    @property
    def log_lines(self) -> list[str]:
        """The last lines that the stack and its worker processes printed."""
        return self.journal.lines

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when requests are answered.

        Raises:
            PortBusyError: the port is taken; nothing was started.
            WorkerStartError: a handler cannot be imported; what it printed says why.
        """
        listener = self._running.enter_context(_listen(self.settings.port))
        self._running.enter_context(self.aws)
        self._start_origin()
        lambda_api = LambdaApi()
        self._running.callback(lambda_api.stop)
        api = self._pool(API_HANDLER, lambda_api, size=self.settings.workers)
        refresh = self._pool(REFRESH_HANDLER, lambda_api, size=1, spare=_SPARE_REFRESH_WORKERS)
        # Started by the first generation, so that nothing waits for it.
        changes = self._pool(CHANGES_HANDLER, lambda_api, size=0, spare=1)
        self._fill_aws()
        self._start_webhook(lambda_api)
        api.wait_ready()
        refresh.wait_ready()
        invoke = self._reporting("revalidate", refresh.invoke)
        announce = self._reporting("announce", changes.invoke, announced)
        functions = {REFRESH_HANDLER: invoke, CHANGES_HANDLER: announce}
        names = {name: self._function(name, lambda_api).name for name in functions}
        lambda_api.start({names[handler]: run for handler, run in functions.items()})
        self._start_schedule(self._reporting("schedule", refresh.invoke))
        self._start_announcing(changes)
        self._start_front(listener, api)

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        self._running.close()

    def _start_origin(self) -> None:
        if self.settings.origin_url is not None:
            return
        # Only where it is used.
        from dev.origin import Organization, Organizations, OriginDouble, demo_members  # noqa: PLC0415

        self.origin = OriginDouble(clients=dict(self.settings.clients), users=self.settings.users)
        if organization_id := self.settings.organization_id:
            first = next(iter(self.settings.clients))
            members = demo_members(
                (user["id"] for user in self.origin.users(first)), _OTHER_MEMBERS
            )
            organization = Organization(
                organization_id=organization_id, clients=[first], members=members
            )
            self.origin.organizations = Organizations([organization])
        self.origin.start()
        self._running.callback(self.origin.stop)

    def _function(self, handler: str, lambda_api: LambdaApi) -> Function:
        addresses = {"CAL_API_URL": self.origin_url, "AWS_ENDPOINT_URL_LAMBDA": lambda_api.url}
        if handler == DELIVERIES_HANDLER and self.settings.webhook:
            addresses |= self.settings.webhook.environment(self.aws)
        environment = process_environment() | self.aws.environment | addresses
        return self.settings.function(handler, environment)

    def _pool(
        self, handler: str, lambda_api: LambdaApi, *, size: int, spare: int = 0
    ) -> WorkerPool:
        function = self._function(handler, lambda_api)
        pool = WorkerPool(function, size=size, spare=spare, print_line=self.journal.pass_on)
        self._running.callback(pool.stop)
        self.pools[handler] = pool
        pool.start()
        return pool

    def _fill_aws(self) -> None:
        self.aws.create_table(TABLE_NAME)
        self.aws.create_bus(BUS_NAME)
        self.aws.put_secret(SECRET_NAME, self.settings.secret)

    def _start_webhook(self, lambda_api: LambdaApi) -> None:
        webhook = self.settings.webhook
        if webhook is None:
            if self.settings.state_directory is not None:
                remove_webhook(self.aws, bus=BUS_NAME)
            return
        create_webhook(self.aws, webhook, bus=BUS_NAME)
        mapping = QueueMapping.of(resource(FUNCTION, Handler=DELIVERIES_HANDLER)["Events"]["Queue"])
        # Started by the first event, so that nothing waits for it.
        pool = self._pool(DELIVERIES_HANDLER, lambda_api, size=0, spare=mapping.side_by_side)
        poller = QueuePoller(
            self.aws.client,
            queue_url(self.aws),
            mapping=mapping,
            invoke=self._reporting("webhook", pool.invoke, delivered),
            print_line=self.journal.event,
        )
        poller.start()
        self._running.callback(poller.stop)

    def _start_announcing(self, changes: WorkerPool) -> None:
        mapping = resource(FUNCTION, Handler=CHANGES_HANDLER)["Events"]["Generations"]
        stream = TableStream(
            self.aws.client,
            TABLE_NAME,
            mapping=SourceMapping.of(mapping),
            invoke=self._reporting("announce", changes.invoke, announced),
            print_line=self.journal.event,
        )
        stream.start()
        self._running.callback(stream.stop)

    def _start_schedule(self, invoke: Callable[[object], object]) -> None:
        event = json.loads(resource(SCHEDULE)["Target"]["Input"])
        interval = self.settings.schedule_seconds
        schedule = Schedule(lambda: invoke(event), interval_seconds=interval)
        schedule.start()
        self._running.callback(schedule.stop)

    def _start_front(self, listener: socket.socket, api: WorkerPool) -> None:
        site, desk = Site(self.settings.clients), Desk(self.timeline, self.origin)
        front = Front(
            listener,
            invoke=api.invoke,
            resources=[Resource(path) for path in api_paths()],
            observe=self._observe,
            print_line=self.journal.event,
            site=lambda request: site.answer(request) or desk.answer(request),
        )
        front.start()
        self._running.callback(front.stop)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _observe(self, request: Request, response: Response, seconds: float) -> None:
        # A page is a dozen files, which nobody wants to read a line about.
        if request.in_stage or response.status >= HTTPStatus.BAD_REQUEST:
            self.journal.request(request, response, seconds)
        self.timeline.answered(request, response)

    def _reporting(
        self,
        word: str,
        invoke: Callable[[object], Result | Failure],
        describe: Callable[[object, object], str] = revalidated,
    ) -> Callable[[object], Result | Failure]:
        def run(event: object) -> Result | Failure:
            started = time.monotonic()
            outcome = invoke(event)
            milliseconds = (time.monotonic() - started) * 1000
            worked = isinstance(outcome, Result)
            told = describe(event, outcome.value) if worked else f"failed: {outcome}"
            if worked and describe is revalidated:
                self.timeline.refreshed(event, outcome.value)
            if outcome is not Failure.STOPPED:
                self.journal.event(f"{word} {told} {milliseconds:.0f} ms")
            return outcome

        return run


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise PortBusyError(f"port {port} cannot be used: {reason}") from error
