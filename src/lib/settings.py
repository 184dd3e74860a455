"""Reads a function's settings from its environment; ``template.yaml`` sets every one of them.

There are no defaults here: a missing or contradictory value fails at start, not at night.
Secrets are never settings.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, Self, override
from urllib.parse import urlsplit

from lib.caching.freshness import FreshnessPolicy
from lib.revalidation.schedule import Schedule
from lib.revalidation.window import Window
from lib.users.hiding import HidingPolicy

VARIABLES = frozenset(
    {
        "TABLE_NAME",
        "SECRET_ID",
        "CAL_API_URL",
        "FRESH_SECONDS",
        "STALE_WHILE_REVALIDATE_SECONDS",
        "STALE_IF_ERROR_SECONDS",
        "FROZEN_MODE",
        "REFRESH_FUNCTION_NAME",
        "ORIGIN_MAX_LIMIT",
        "ORIGIN_MAX_OFFSET",
        "SCHEDULE_EXPRESSION",
        "IDLE_REVALIDATION_SECONDS",
        "AGE_ALARM_SECONDS",
        "ADOPTED_CALLS_PER_SWEEP",
        "MAX_ADOPTED_USERS",
        "LOOKUP_MISS_SECONDS",
        "MEMORY_CACHE_MEGABYTES",
        "HIDDEN_FIELDS",
        "HIDDEN_METADATA_KEYS",
        "EVENT_BUS_NAME",
        "EVENT_VALUES",
        "UPDATED_AT",
    }
)
"""What every function but that of deliveries has in its environment."""

OF_REFRESH = frozenset({"CHANGES_FUNCTION_NAME"})
"""What the refresh function has besides; the changes function cannot refer to itself."""

OF_DELIVERIES = frozenset(
    {"WEBHOOK_URL", "SIGNING_SECRET_ID", "DELIVERIES_QUEUE_URL", "DEAD_LETTERS_URL"}
)
"""What the deliveries function has besides."""


class Settings(NamedTuple):
    """What a deployment decides. ``origin_url`` ends in ``/v2``, without a slash."""

    table_name: str
    secret_id: str
    origin_url: str
    policy: FreshnessPolicy
    refresh_function_name: str
    window: Window
    schedule: Schedule
    adopted_calls: int
    max_adopted: int
    lookup_miss_seconds: int
    memory_cache_bytes: int
    hiding: HidingPolicy
    event_bus_name: str
    event_values: bool
    updated_at: bool
    changes_function_name: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Return the settings in ``env``.

        Raises:
            ValueError: a variable is missing, not a number, out of bounds or contradicts another;
                the text names it.
        """
        _require(VARIABLES, env)
        frozen = _switch(env, "FROZEN_MODE")
        return cls(
            table_name=env["TABLE_NAME"],
            secret_id=env["SECRET_ID"],
            origin_url=_origin_url(env["CAL_API_URL"]),
            policy=FreshnessPolicy(
                max_age=_whole(env, "FRESH_SECONDS"),
                stale_while_revalidate=_whole(env, "STALE_WHILE_REVALIDATE_SECONDS"),
                stale_if_error=_whole(env, "STALE_IF_ERROR_SECONDS"),
                frozen=frozen,
            ),
            refresh_function_name=env["REFRESH_FUNCTION_NAME"],
            window=Window(
                max_limit=_whole(env, "ORIGIN_MAX_LIMIT", least=1),
                max_offset=_whole(env, "ORIGIN_MAX_OFFSET"),
            ),
            schedule=Schedule(
                every=_period(env["SCHEDULE_EXPRESSION"]),
                idle=0 if frozen else _whole(env, "IDLE_REVALIDATION_SECONDS"),
                tolerance=_whole(env, "AGE_ALARM_SECONDS"),
            ),
            adopted_calls=_whole(env, "ADOPTED_CALLS_PER_SWEEP"),
            max_adopted=_whole(env, "MAX_ADOPTED_USERS"),
            lookup_miss_seconds=_whole(env, "LOOKUP_MISS_SECONDS"),
            memory_cache_bytes=_whole(env, "MEMORY_CACHE_MEGABYTES") * 1024 * 1024,
            hiding=HidingPolicy(
                fields=_members(env["HIDDEN_FIELDS"]),
                metadata_keys=_members(env["HIDDEN_METADATA_KEYS"]),
            ),
            event_bus_name=env["EVENT_BUS_NAME"],
            event_values=_switch(env, "EVENT_VALUES"),
            updated_at=_switch(env, "UPDATED_AT"),
            changes_function_name=env.get("CHANGES_FUNCTION_NAME", ""),
        )


class DeliverySettings(NamedTuple):
    """What the deliveries function has besides. ``url`` may hold a token, and is never printed."""

    url: str
    signing_secret_id: str
    queue_url: str
    dead_letters_url: str

    @override
    def __repr__(self) -> str:
        return f"DeliverySettings({self.queue_url})"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Return the settings in ``env``.

        Raises:
            ValueError: a variable is missing, or no event may be posted to the URL.
        """
        _require(OF_DELIVERIES, env)
        if not _is_secure(env["WEBHOOK_URL"]):
            raise ValueError("WEBHOOK_URL must be an https URL, or an http one of this machine")
        return cls(
            url=env["WEBHOOK_URL"],
            signing_secret_id=env["SIGNING_SECRET_ID"],
            queue_url=env["DELIVERIES_QUEUE_URL"],
            dead_letters_url=env["DEAD_LETTERS_URL"],
        )


def _require(names: frozenset[str], env: Mapping[str, str]) -> None:
    missing = sorted(names - env.keys())
    if missing:
        raise ValueError(f"missing environment variables: {', '.join(missing)}")


def _whole(env: Mapping[str, str], name: str, *, least: int = 0) -> int:
    if not env[name].isascii() or not env[name].isdigit() or int(env[name]) < least:
        raise ValueError(f"{name} must be a whole number of at least {least}")
    return int(env[name])


def _period(expression: str) -> int:
    """Return the seconds between two runs of a schedule, as EventBridge writes its rate."""
    rate = re.fullmatch(r"rate\(([1-9][0-9]*) minutes?\)", expression, re.ASCII)
    if rate is None:
        raise ValueError("SCHEDULE_EXPRESSION must be rate(1 minute) or rate(N minutes)")
    return int(rate[1]) * 60


def _switch(env: Mapping[str, str], name: str) -> bool:
    if env[name] not in {"true", "false"}:
        raise ValueError(f"{name} must be 'true' or 'false'")
    return env[name] == "true"


def _members(text: str) -> frozenset[str]:
    return frozenset(member.strip() for member in text.split(",") if member.strip())


def _origin_url(text: str) -> str:
    parts = urlsplit(text)
    # Looked for in the text, since a parser leaves empty parts out.
    further = set(text) & set("@?#")
    if parts.scheme not in {"http", "https"} or not parts.hostname or further:
        raise ValueError("CAL_API_URL must be an http(s) URL of host and path alone")
    base = text.rstrip("/")
    return base if base.endswith("/v2") else f"{base}/v2"


def _is_secure(url: str) -> bool:
    """Return whether ``url`` is one of https, or one of http that stays on this machine."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" and bool(parts.hostname)
    local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return port != 0 and (secure or local)
