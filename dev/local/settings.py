"""What a run of the local stack can be told, and where what it is not told comes from.

The functions' environment starts from ``template.yaml``'s parameter defaults; any of its variables
that is set outside wins. Everything is checked before the first process starts.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dev.local.constraints import broken_constraint, misspelt
from dev.local.embedded_aws import REGION, EmbeddedAws
from dev.local.webhook import Webhook
from dev.local.workers import Function
from dev.template.literals import (
    FUNCTION,
    function_environment,
    function_variables,
    parameter_defaults,
    parameters_of,
    resource,
)

API_HANDLER = "handlers.api.handler"
REFRESH_HANDLER = "handlers.refresh.handler"
CHANGES_HANDLER = "handlers.changes.handler"
DELIVERIES_HANDLER = "handlers.deliveries.handler"
_HANDLERS = (API_HANDLER, REFRESH_HANDLER, CHANGES_HANDLER)
STACK_NAME = "managed-users-proxy"
TABLE_NAME = f"{STACK_NAME}-table"
SECRET_NAME = f"{STACK_NAME}-secret"
BUS_NAME = STACK_NAME
_OWN = frozenset(
    {
        "PORT",
        "WORKERS",
        "USERS",
        "CAL_OAUTH_CLIENTS",
        "SCHEDULE_SECONDS",
        "STATE_DIR",
        "WEBHOOK_URL",
        "WEBHOOK_SECRET",
        "CAL_WEBHOOK_SECRET",
        "ORGANIZATION_ID",
    }
)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEMO_CLIENTS = {"clxdemo0000000000000000001": "demo-secret"}
DEMO_SIGNING_SECRET = "whsec_ZGVtby1zaWduaW5nLXNlY3JldC0wMDAx"
DEMO_CALCOM_WEBHOOK_SECRET = "demo-webhook-secret"

_FIXED = {
    "TABLE_NAME": TABLE_NAME,
    "SECRET_ID": SECRET_NAME,
    "REFRESH_FUNCTION_NAME": f"{STACK_NAME}-refresh",
    "CHANGES_FUNCTION_NAME": f"{STACK_NAME}-changes",
    "POWERTOOLS_SERVICE_NAME": STACK_NAME,
}
_IDLE_SECONDS = str(parameter_defaults()["IdleRevalidationSeconds"])
_MAX_PORT = 65_535
# What a terminal can read: no metrics, no line for what went well.
_QUIET = {"POWERTOOLS_LOG_LEVEL": "WARNING", "POWERTOOLS_METRICS_DISABLED": "true"}
_DECIDED_HERE = frozenset({"CAL_API_URL", "SCHEDULE_EXPRESSION", "WEBHOOK_URL"})
_PASSED_ON_TOO = re.compile("POWERTOOLS_.*|IDLE_REVALIDATION_SECONDS|EVENT_BUS_NAME")


class LocalSettingsError(ValueError):
    """A setting makes no sense; the text names its environment variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """What decides a run. ``origin_url`` None means: run the origin double with ``users`` users.

    The first client belongs to the organization ``organization_id``, if there is one, which has
    other members, too. ``function_environment`` holds variables of the functions that differ from
    the template. Without a ``webhook``, change events stay on the bus. Webhooks of Cal.com's are
    signed with ``calcom_webhook_secret``, whichever client they are for; without it, none are
    taken.
    """

    port: int = 8080
    workers: int = 4
    users: int = 120
    origin_url: str | None = None
    clients: Mapping[str, str] = field(default_factory=lambda: DEMO_CLIENTS, repr=False)
    organization_id: int = 0
    schedule_seconds: float = 60
    state_directory: Path | None = None
    function_environment: Mapping[str, str] = field(default_factory=dict)
    api_handler: str = API_HANDLER
    refresh_handler: str = REFRESH_HANDLER
    webhook: Webhook | None = None
    calcom_webhook_secret: str = field(default=DEMO_CALCOM_WEBHOOK_SECRET, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Return the settings in ``env``; a variable that is empty counts as not set.

        Raises:
            LocalSettingsError: a value makes no sense.
        """
        given = {name: value for name, value in env.items() if value}
        # A deployment takes https alone; here the function itself says what it takes.
        deployable = {name: value for name, value in given.items() if name != "WEBHOOK_URL"}
        wrong = misspelt(given, _known()) or broken_constraint(deployable)
        if wrong:
            raise LocalSettingsError(wrong)
        state = given.get("STATE_DIR")
        settings = cls(
            port=_whole(given, "PORT", 8080, least=0, most=_MAX_PORT),
            workers=_whole(given, "WORKERS", 4, least=1, most=64),
            users=_whole(given, "USERS", 120, least=0, most=100_000),
            origin_url=given.get("CAL_API_URL"),
            clients=_clients(given),
            organization_id=_whole(given, "ORGANIZATION_ID", 0, least=0, most=999_999_999),
            schedule_seconds=_whole(given, "SCHEDULE_SECONDS", 60, least=1, most=86_400),
            state_directory=Path(state).absolute() if state else None,
            webhook=_webhook(given),
            calcom_webhook_secret=given.get("CAL_WEBHOOK_SECRET", DEMO_CALCOM_WEBHOOK_SECRET),
            function_environment={
                name: value for name, value in given.items() if name in _passed_on(given)
            },
        )
        settings.check_functions()
        return settings

    @property
    def secret(self) -> Mapping[str, object]:
        """What the functions find in their secret, for each client."""
        first = next(iter(self.clients))
        return {client_id: self._entry(client_id, first) for client_id in self.clients}

    def _entry(self, client_id: str, first: str) -> object:
        more: dict[str, object] = {}
        if self.calcom_webhook_secret:
            more["webhookSecret"] = self.calcom_webhook_secret
        if self.organization_id and client_id == first:
            more["organizationId"] = self.organization_id
        key = self.clients[client_id]
        return {"key": key, **more} if more else key

    def check_functions(self) -> None:
        """Check the functions' environment before they do, each with a traceback.

        Raises:
            LocalSettingsError: they would refuse it.
        """
        # src is on the path by now.
        from lib.deliveries.signing import keys_of  # noqa: PLC0415
        from lib.errors import SecretError  # noqa: PLC0415
        from lib.settings import DeliverySettings, Settings  # noqa: PLC0415

        origin = {"CAL_API_URL": self.origin_url or "http://127.0.0.1"}
        try:
            Settings.from_env(self.function(API_HANDLER, origin).environment)
            if self.webhook:
                DeliverySettings.from_env(self.webhook.environment(EmbeddedAws()))
                keys_of(self.webhook.secret)
        except ValueError as error:
            raise LocalSettingsError(str(error)) from error
        except SecretError as error:
            raise LocalSettingsError(f"WEBHOOK_SECRET: {error.message}") from None

    def function(self, handler: str, environment: Mapping[str, str]) -> Function:
        """Return the function of ``template.yaml`` with ``handler``, in ``environment``."""
        properties = resource(FUNCTION, Handler=handler)
        replaced = {API_HANDLER: self.api_handler, REFRESH_HANDLER: self.refresh_handler}
        return Function(
            name=f"{STACK_NAME}-{handler.split('.')[1]}",
            handler=replaced.get(handler, handler),
            timeout_seconds=properties["Timeout"],
            memory_megabytes=properties["MemorySize"],
            environment={
                **function_environment(handler),
                **_FIXED,
                # The template turns it off where a webhook listens.
                "IDLE_REVALIDATION_SECONDS": "0" if self.webhook else _IDLE_SECONDS,
                **_QUIET,
                **self.function_environment,
                "EVENT_BUS_NAME": BUS_NAME,
                **environment,
            },
        )


def process_environment() -> dict[str, str]:
    """Return what child processes inherit: nothing that could lead to the real AWS."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "POWERTOOLS_", "LAMBDA_"))
    }
    # Lambda's environments have byte code too; without it, imports take several times as long.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    loopback = ",".join(filter(None, (inherited.get("NO_PROXY"), "127.0.0.1")))
    return inherited | {
        "AWS_REGION": REGION,
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "PYTHONPATH": "src",
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = env.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise LocalSettingsError(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def _webhook(env: Mapping[str, str]) -> Webhook | None:
    url = env.get("WEBHOOK_URL")
    return Webhook(url=url, secret=env.get("WEBHOOK_SECRET", DEMO_SIGNING_SECRET)) if url else None


def _known() -> frozenset[str]:
    """Return the variables that mean something to a run."""
    return _OWN.union(*(function_variables(handler) for handler in _HANDLERS))


def _passed_on(names: Iterable[str]) -> set[str]:
    """Return what functions are told: whatever a deployment's parameters tell them, and more."""
    told = {name for handler in _HANDLERS for name in parameters_of(handler)} - _DECIDED_HERE
    return told | {name for name in names if _PASSED_ON_TOO.fullmatch(name)}


def _clients(env: Mapping[str, str]) -> Mapping[str, str]:
    text = env.get("CAL_OAUTH_CLIENTS")
    if text is None and "CAL_API_URL" in env:
        raise LocalSettingsError(
            "CAL_API_URL needs CAL_OAUTH_CLIENTS: nobody else knows the demo's"
        )
    if text is None:
        return DEMO_CLIENTS
    try:
        clients = json.loads(text)
    except json.JSONDecodeError:
        clients = None
    # The value holds secrets, so it is never part of the message.
    if not isinstance(clients, dict) or not clients or not _all_text(clients):
        raise LocalSettingsError(
            'CAL_OAUTH_CLIENTS must be a JSON object: {"<client id>": "<secret key>"}'
        )
    if not all(_CLIENT_ID.fullmatch(client_id) for client_id in clients):
        raise LocalSettingsError(
            "CAL_OAUTH_CLIENTS has a client id that is not of letters, digits, - and _, 64 at most"
        )
    return clients


def _all_text(clients: Mapping[object, object]) -> bool:
    return all(isinstance(value, str) and value for value in clients.values())
