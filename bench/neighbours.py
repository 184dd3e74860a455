"""What the measured functions speak to: the embedded AWS and the origin double, over real HTTP.

Two clients have a published directory each, of ``SMALL`` and ``LARGE`` users. Published means: by
the service's own refresh function, from the artifact under test.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.artifacts import OURS
from bench.process import Subject, Worker
from dev.local.embedded_aws import EmbeddedAws
from dev.local.gateway_events import Request, Resource, to_event
from dev.local.settings import API_HANDLER, REFRESH_HANDLER, LocalSettings
from dev.origin import Bounds, Limits, Organization, Organizations, OriginDouble, demo_users
from dev.template.literals import api_paths

type Json = Any

SMALL, LARGE = 500, 10_000
SMALL_CLIENT, LARGE_CLIENT = "clxsmall00000000000000500", "clxlarge00000000000010000"
SMALL_CHANGING, LARGE_CHANGING = "clxsmallchanging000000500", "clxlargechanging000010000"
COLD_CLIENTS = ("clxcold000000000000000001", "clxcold000000000000000002")
USERS = {
    SMALL_CLIENT: SMALL,
    LARGE_CLIENT: LARGE,
    SMALL_CHANGING: SMALL,
    LARGE_CHANGING: LARGE,
    **dict.fromkeys(COLD_CLIENTS, SMALL),
}
"""How many users each client has; only the first two have a published directory."""
ORGANIZED_CLIENT = "clxorganized0000000010000"
"""One of an organization, whose list has all of its ``LARGE`` users."""
SECRET = "key-of-every-client"
TABLE, CLIENTS_TABLE, CACHE_TABLE = "directory", "clients", "http_cache"
_SECRET_NAME = "secret"
_REFRESH = "refresh"
_ORGANIZATION = 4711
# Long enough that nothing goes stale while it is measured; a hit is a hit at any age before.
_FRESH_SECONDS = "86400"
_QUIET = {"POWERTOOLS_METRICS_DISABLED", "POWERTOOLS_LOG_LEVEL"}
_RESOURCES = [Resource(path) for path in api_paths()]


def event(path: str, client_id: str, headers: Mapping[str, str] | None = None) -> Json:
    """Return what API Gateway sends for GET of ``path`` below a client."""
    usual = {"Accept": "application/json", "Host": "api.example.com", "User-Agent": "bench/1"}
    request = Request(
        method="GET",
        target=f"/v2/oauth-clients/{client_id}{path}",
        headers=list({**usual, **(headers or {})}.items()),
        body=b"",
        source_ip="192.0.2.10",
    )
    return to_event(request, resources=_RESOURCES, request_id="bench", now=time.time())


class Neighbours:
    """The neighbours while they run, and the artifacts in ``directory`` as subjects among them."""

    def __init__(self, aws: EmbeddedAws, origin: OriginDouble, directory: Path) -> None:
        self.aws = aws
        self.origin = origin
        self.directory = directory
        self.page_bytes = 0

    def ours(self, handler: str = API_HANDLER, **changes: str) -> Subject:
        """Return one of our functions; ``changes`` go to its environment."""
        environment = {
            "TABLE_NAME": TABLE,
            "CAL_API_URL": self.origin.url,
            "SECRET_ID": _SECRET_NAME,
            "REFRESH_FUNCTION_NAME": _REFRESH,
            "FRESH_SECONDS": _FRESH_SECONDS,
            "STALE_IF_ERROR_SECONDS": "604800",
            "ORIGIN_MAX_LIMIT": "250",
            "ORIGIN_MAX_OFFSET": "250",
        }
        function = LocalSettings().function(handler, {})
        kept = {name: value for name, value in function.environment.items() if name not in _QUIET}
        memory = str(function.memory_megabytes)
        return self._subject(OURS, handler, {**kept, **environment, **changes}, memory=memory)

    def refresh(self, client_id: str, **changes: str) -> Subject:
        """Return the refresh function, for an origin that lists a client's users in two calls.

        They fill its window, so directories of both sizes count as incomplete, as at the origin.
        """
        half = str(USERS[client_id] // 2)
        window = {"ORIGIN_MAX_LIMIT": half, "ORIGIN_MAX_OFFSET": half}
        return self.ours(REFRESH_HANDLER, **window, **changes)

    def peer(self, name: str, **changes: str) -> Subject:
        """Return a peer."""
        environment = {
            "CLIENTS_TABLE": CLIENTS_TABLE,
            "CACHE_TABLE": CACHE_TABLE,
            "CACHE_FILE": f"{changes.get('TMPDIR', '/tmp')}/cache.db",  # noqa: S108 - Lambda's.
            "CAL_SECRET_KEY": SECRET,
            "FRESH_SECONDS": _FRESH_SECONDS,
            "PAGE_BYTES": str(self.page_bytes),
            "POWERTOOLS_SERVICE_NAME": "peer",
            "POWERTOOLS_METRICS_NAMESPACE": "peer",
            # Where no daemon listens: traces are sent over UDP, which nobody waits for.
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
            # As most invocations: not sampled.
            "_X_AMZN_TRACE_ID": "Root=1-6924a1c0-0123456789abcdef01234567;Sampled=0",
        }
        return self._subject(name, "app.handler", {**environment, **changes}, memory="1024")

    def _subject(
        self, name: str, handler: str, environment: Mapping[str, str], *, memory: str
    ) -> Subject:
        artifact = (self.directory / name).resolve()
        process = {
            **self.aws.environment,
            "CAL_API_URL": self.origin.url,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
            "LAMBDA_TASK_ROOT": str(artifact),
            "PATH": "/usr/bin:/bin",
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "NO_PROXY": "127.0.0.1",
            # As in Lambda: nothing is compiled for the next start.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        return Subject(
            name=name, artifact=artifact, handler=handler, environment=process | dict(environment)
        )


@contextmanager
def neighbours(directory: Path) -> Iterator[Neighbours]:
    """Run all that the artifacts in ``directory`` speak to, with both directories published."""
    keys = dict.fromkeys((*USERS, ORGANIZED_CLIENT), SECRET)
    with EmbeddedAws() as aws, OriginDouble(keys, users=0) as origin:
        origin.limits = Limits(client=10**9, ip=10**9)
        origin.bounds = Bounds(max_limit=LARGE // 2, max_offset=LARGE // 2)
        for client_id, users in {**USERS, ORGANIZED_CLIENT: LARGE}.items():
            origin.replace(client_id, demo_users(client_id, users))
        origin.organizations = Organizations(
            [Organization(organization_id=_ORGANIZATION, clients=[ORGANIZED_CLIENT])]
        )
        running = Neighbours(aws, origin, directory)
        organized = {"key": SECRET, "organizationId": _ORGANIZATION}
        fill(aws, {**keys, ORGANIZED_CLIENT: organized})
        _publish(running)
        yield running


def fill(aws: EmbeddedAws, keys: Mapping[str, Json]) -> None:
    """Make the tables, and the secret of some clients."""
    aws.create_table(TABLE)
    aws.put_secret(_SECRET_NAME, keys)
    client = aws.client("dynamodb")
    for table, key in ((CLIENTS_TABLE, "client_id"), (CACHE_TABLE, "key")):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )
    for client_id in keys:
        item = {"client_id": {"S": client_id}, "secret_key": {"S": SECRET}}
        client.put_item(TableName=CLIENTS_TABLE, Item=item)


def _publish(running: Neighbours) -> None:
    for client_id in (SMALL_CLIENT, LARGE_CLIENT):
        with Worker(running.refresh(client_id)) as worker:
            done = worker.ask({"action": "refresh", "clientId": client_id})
        if done.get("outcome") != "published":
            raise RuntimeError(f"the directory of {client_id} was not published: {done}")
    with Worker(running.ours()) as worker:
        page = worker.ask(event("/users", SMALL_CLIENT))
    running.page_bytes = len(page["body"].encode())
