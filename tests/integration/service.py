"""The two functions in this process, as one Lambda environment between real neighbours.

DynamoDB and Secrets Manager are the embedded AWS, the origin is its double and Lambda's own API is
an endpoint that keeps invocations until a test delivers them. All of it is HTTP over loopback.
Both live by one clock that the test holds: it stands still however slow the machine is, and moves
when the service sleeps or the test says so. Real time is what sockets wait for, and nothing else.
"""

import json
import os
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session
from requests.structures import CaseInsensitiveDict

from dev.local.embedded_aws import EmbeddedAws
from dev.local.gateway_events import Request, Resource, Response, to_event, to_response
from dev.local.lambda_api import LambdaApi
from dev.local.settings import API_HANDLER, LocalSettings
from dev.origin import OriginDouble
from dev.origin.origin import Request as OriginRequest
from dev.template.literals import api_paths
from handlers import api, refresh
from handlers.wiring import wiring
from lib.aws import items
from lib.origin.exchange import ANSWER_SECONDS
from tests.fakes import Clock
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Json = Any  # Bodies are free-form: tests check what they use.

CLIENT = "clxsample0000000000000001"
SECRET = "key-of-the-sample-client"
FUNCTION = "the-refresh-function"
CHANGES_FUNCTION = "the-changes-function"
FRESH, STALE_WHILE_REVALIDATE, STALE_IF_ERROR = 120, 600, 604_800
REVALIDATE_AGE = FRESH + 10
"""An age at which a stale answer is given at once and a revalidation is started."""
ERROR_AGE = FRESH + STALE_WHILE_REVALIDATE + 10
"""An age at which only a failing origin excuses a stale answer."""
# 0 on the second run of this suite: nothing may depend on what is remembered.
MEMORY_CACHE = os.environ.get("MEMORY_CACHE_MEGABYTES", "48")
about_memory = pytest.mark.skipif(MEMORY_CACHE == "0", reason="it is about what is remembered")
EXPIRED_AGE = FRESH + STALE_IF_ERROR + 10
HURRIED_SECONDS = 3.0
"""What to leave an invocation whose origin hangs: sockets really wait, for about half of it."""

_MOMENT = 2**-10
_ENDLESS = {"hang", "slow_drip", "drip_headers"}
_RESOURCES = [Resource(path) for path in api_paths()]
INSTANTS = (
    "swept_at",
    "validated_at",
    "forced_at",
    "cycle_began_at",
    "adopted_seen_at",
    "unconfirmed_since",
    "modified_at",
    "blocked_until",
    "retry_at",
    "doubted_since",
    "lease_expires_at",
    "rate_reset_at",
    "pages_expire_at",
)


@dataclass(frozen=True)
class Context:
    """Lambda's context object, as far as the service uses it; it ends at the instant ``until``."""

    clock: Clock
    until: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return round((self.until - self.clock.now) * 1000)


@dataclass(frozen=True)
class Answer:
    """An HTTP response after API Gateway's translation; header names in any case."""

    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @cached_property
    def headers(self) -> CaseInsensitiveDict[str]:
        return CaseInsensitiveDict(self.response.headers)

    @property
    def cache_status(self) -> str:
        return str(self.headers.get("Cache-Status"))

    @property
    def body(self) -> Json:
        return json.loads(self.response.body)

    @property
    def ids(self) -> list[int]:
        assert self.status == 200, self.response.body[:500]
        return [user["id"] for user in self.body["data"]]

    @property
    def error(self) -> Json:
        return self.body["error"]


class Table:
    """The service's table, seen from outside."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self.client = client
        self.name = name

    def head(self, client_id: str) -> dict[str, Any]:
        """Return the head item's attributes, none if there is no head."""
        item = self.client.get_item(
            TableName=self.name, Key=_head_key(client_id), ConsistentRead=True
        )
        return items.decode(item.get("Item", {}))

    def change_head(self, client_id: str, **values: float) -> None:
        """Set attributes of the head item."""
        self.client.update_item(
            TableName=self.name, Key=_head_key(client_id), **items.update(values)
        )

    def delete_head(self, client_id: str) -> None:
        self.client.delete_item(TableName=self.name, Key=_head_key(client_id))

    def let_pass(self, client_id: str, seconds: int) -> None:
        """Move back every instant that the head item holds, for those whose clock nobody holds."""
        head = self.head(client_id)
        moved = {name: head[name] - seconds for name in INSTANTS if head.get(name)}
        if "calls_minute" in head:
            moved["calls_minute"] = head["calls_minute"] - seconds // 60
        if moved:
            self.change_head(client_id, **moved)

    def items(self) -> list[Mapping[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(TableName=self.name)
        return [item for page in pages for item in page["Items"]]


class Service:
    """One Lambda environment of each function; paths without ``/v2`` are those of ``CLIENT``."""

    def __init__(self, aws: EmbeddedAws, origin: OriginDouble, clock: Clock) -> None:
        self.aws = aws
        self.origin = origin
        self.clock = clock
        self.table = Table(aws.client("dynamodb"), f"table-{uuid.uuid4()}")
        self.secret = f"secret-{uuid.uuid4()}"
        self.invocations: SimpleQueue[Json] = SimpleQueue()
        self.announcements: SimpleQueue[Json] = SimpleQueue()
        origin.before_call = self._take_time

    def get(
        self, path: str = "/users", headers: Mapping[str, str] | None = None, *, seconds: float = 29
    ) -> Answer:
        return self.send("GET", path, headers, seconds=seconds)

    def send(
        self,
        method: str,
        path: str = "/users",
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes = b"",
        seconds: float = 29,
    ) -> Answer:
        target = path if path.startswith("/v2") else f"/v2/oauth-clients/{CLIENT}{path}"
        request = Request(
            method=method,
            target=target,
            headers=list((headers or {}).items()),
            body=body,
            source_ip="127.0.0.1",
        )
        request_id = str(uuid.uuid4())
        return self.handle(
            to_event(request, resources=_RESOURCES, request_id=request_id, now=self.clock.now),
            seconds=seconds,
        )

    def handle(self, event: Mapping[str, Any], *, seconds: float = 29) -> Answer:
        return Answer(to_response(api.handler(event, self.context(seconds))))

    def refresh(self, event: Mapping[str, Any] | None = None, *, seconds: float = 29) -> Json:
        """Return what the refresh function makes of ``event``, by default the schedule's."""
        return refresh.handler(event or {"action": "refresh-all"}, self.context(seconds))

    def context(self, seconds: float = 29) -> Context:
        """Return the context of an invocation with ``seconds`` left, a moment after the last."""
        self.clock.now += _MOMENT
        return Context(self.clock, self.clock.now + seconds)

    def next_invocation(self) -> Json:
        """Return the next event that the service queued for its refresh function."""
        return self.invocations.get(timeout=PATIENCE_SECONDS)

    def forget(self) -> None:
        """Go on in a new Lambda environment."""
        wiring.cache_clear()
        wiring().time = wiring().time._replace(now=self.clock, sleep=self.clock.sleep)
        wiring().session = _session()

    def let_pass(self, seconds: float, *, same_environment: bool = False) -> None:
        """Let time pass; then start a new environment."""
        self.clock.now += seconds
        if not same_environment:
            self.forget()

    def head(self) -> dict[str, Any]:
        return self.table.head(CLIENT)

    def delete_head(self, client_id: str = CLIENT) -> None:
        """Make a client cold, for a new environment."""
        self.table.delete_head(client_id)
        self.forget()

    def items(self) -> list[Mapping[str, Any]]:
        return self.table.items()

    def put_secret(self, keys: Mapping[str, Json]) -> None:
        self.aws.put_secret(self.secret, keys)

    def name_organization(self, organization_id: object) -> None:
        """Let the secret name an organization beside the key of ``CLIENT``."""
        entry = {"key": SECRET, "organizationId": organization_id}
        self.aws.put_secret(self.secret, {CLIENT: entry})

    def _take_time(self, call: OriginRequest) -> None:
        """Let the time pass that a slow origin takes, up to what anybody waits for it."""
        for fault in self.origin.faults:
            if fault.match in call.target and fault.kind in _ENDLESS:
                self.clock.now += ANSWER_SECONDS
            elif fault.match in call.target and fault.kind == "delay":
                self.clock.now += min(fault.seconds, ANSWER_SECONDS)


@cache
def _session() -> Session:
    """Return what makes all environments' clients, which take long to make anew from nothing."""
    return Session()


def _head_key(client_id: str) -> dict[str, Any]:
    return items.encode({"pk": f"client#{client_id}", "sk": "head"})


@contextmanager
def running_service(
    aws: EmbeddedAws,
    *,
    users: int = 3,
    clients: Mapping[str, str] | None = None,
    not_platform: Collection[str] = (),
    **environment: str,
) -> Iterator[Service]:
    """Run the service until the end of the block; only one can run at a time."""
    keys, invoked = clients or {CLIENT: SECRET}, LambdaApi()
    # A whole minute, so that calls that are counted by the minute are counted alike every time.
    clock = Clock(now=time.time() // 60 * 60)
    with (
        OriginDouble(keys, users=users, clock=clock, not_platform=not_platform) as origin,
        pytest.MonkeyPatch.context() as patch,
    ):
        service = Service(aws, origin, clock)
        aws.create_table(service.table.name)
        service.put_secret(keys)
        neighbours = {
            "TABLE_NAME": service.table.name,
            "SECRET_ID": service.secret,
            "CAL_API_URL": origin.url,
            "REFRESH_FUNCTION_NAME": FUNCTION,
            "CHANGES_FUNCTION_NAME": CHANGES_FUNCTION,
            "AWS_ENDPOINT_URL_LAMBDA": invoked.url,
            "HIDDEN_METADATA_KEYS": "",
            # A test's readers come and go: who is not read is to be asked for all the same.
            "IDLE_REVALIDATION_SECONDS": "0",
            "MEMORY_CACHE_MEGABYTES": MEMORY_CACHE,
        }
        function = LocalSettings().function(API_HANDLER, aws.environment | neighbours | environment)
        for name, value in function.environment.items():
            patch.setenv(name, value)
        queued = {
            FUNCTION: service.invocations.put,
            CHANGES_FUNCTION: service.announcements.put,
        }
        invoked.start(queued)
        service.forget()
        try:
            yield service
        finally:
            wiring.cache_clear()
            invoked.stop()
