"""Settings: nothing missing, nothing contradictory, and errors that name the variable."""

import pytest

from lib.caching.freshness import FreshnessPolicy
from lib.revalidation.schedule import Schedule
from lib.revalidation.window import Window
from lib.settings import OF_DELIVERIES, OF_REFRESH, VARIABLES, DeliverySettings, Settings
from lib.users.hiding import HidingPolicy

GOOD = {
    "TABLE_NAME": "table",
    "SECRET_ID": "arn:secret",
    "CAL_API_URL": "https://api.cal.com/v2",
    "FRESH_SECONDS": "120",
    "STALE_WHILE_REVALIDATE_SECONDS": "600",
    "STALE_IF_ERROR_SECONDS": "604800",
    "FROZEN_MODE": "false",
    "REFRESH_FUNCTION_NAME": "refresh",
    "ORIGIN_MAX_LIMIT": "250",
    "ORIGIN_MAX_OFFSET": "250",
    "SCHEDULE_EXPRESSION": "rate(2 minutes)",
    "IDLE_REVALIDATION_SECONDS": "600",
    "AGE_ALARM_SECONDS": "900",
    "HIDDEN_FIELDS": "bio, avatarUrl",
    "HIDDEN_METADATA_KEYS": "stripeCustomerId",
    "EVENT_BUS_NAME": "",
    "EVENT_VALUES": "false",
    "UPDATED_AT": "true",
    "ADOPTED_CALLS_PER_SWEEP": "20",
    "MAX_ADOPTED_USERS": "2000",
    "LOOKUP_MISS_SECONDS": "60",
    "MEMORY_CACHE_MEGABYTES": "48",
}


def test_the_refresh_function_is_told_whom_to_ask_for_announcements() -> None:
    told = Settings.from_env(GOOD | dict.fromkeys(OF_REFRESH, "changes"))

    assert told.changes_function_name == "changes"
    assert Settings.from_env(GOOD).changes_function_name == ""


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(GOOD)

    assert settings == Settings(
        table_name="table",
        secret_id="arn:secret",
        origin_url="https://api.cal.com/v2",
        policy=FreshnessPolicy(
            max_age=120, stale_while_revalidate=600, stale_if_error=604_800, frozen=False
        ),
        refresh_function_name="refresh",
        window=Window(max_limit=250, max_offset=250),
        schedule=Schedule(every=120, idle=600, tolerance=900),
        hiding=HidingPolicy(
            fields=frozenset({"bio", "avatarUrl"}),
            metadata_keys=frozenset({"stripeCustomerId"}),
        ),
        event_bus_name="",
        event_values=False,
        updated_at=True,
        adopted_calls=20,
        max_adopted=2000,
        lookup_miss_seconds=60,
        memory_cache_bytes=48 * 1024 * 1024,
    )
    assert GOOD.keys() == VARIABLES


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_variable_is_named(name: str) -> None:
    env = {key: value for key, value in GOOD.items() if key != name}

    with pytest.raises(ValueError, match=f"missing environment variables: {name}$"):
        Settings.from_env(env)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRESH_SECONDS", ""),
        ("FRESH_SECONDS", "-1"),
        ("FRESH_SECONDS", "1.5"),
        ("FRESH_SECONDS", " 5"),
        ("FRESH_SECONDS", "²"),
        ("STALE_WHILE_REVALIDATE_SECONDS", "x"),
        ("STALE_IF_ERROR_SECONDS", "x"),
        ("STALE_IF_ERROR_SECONDS", "599"),
        ("FROZEN_MODE", "True"),
        ("FROZEN_MODE", "1"),
        ("EVENT_VALUES", "no"),
        ("UPDATED_AT", "yes"),
        ("ORIGIN_MAX_LIMIT", "0"),
        ("ORIGIN_MAX_LIMIT", "22"),
        ("ORIGIN_MAX_OFFSET", "2751"),
        ("ORIGIN_MAX_OFFSET", "-1"),
        ("SCHEDULE_EXPRESSION", "rate(0 minutes)"),
        ("SCHEDULE_EXPRESSION", "rate(1 hour)"),
        ("SCHEDULE_EXPRESSION", "cron(* * * * ? *)"),
        ("IDLE_REVALIDATION_SECONDS", "x"),
        ("AGE_ALARM_SECONDS", "-1"),
        ("ADOPTED_CALLS_PER_SWEEP", "-1"),
        ("MAX_ADOPTED_USERS", "x"),
        ("LOOKUP_MISS_SECONDS", ""),
        ("MEMORY_CACHE_MEGABYTES", "-1"),
        ("CAL_API_URL", ""),
        ("CAL_API_URL", "api.cal.com"),
        ("CAL_API_URL", "ftp://api.cal.com"),
        ("CAL_API_URL", "https://"),
        ("CAL_API_URL", "https://api.cal.com/?a=1"),
        ("CAL_API_URL", "https://api.cal.com/?"),
        ("CAL_API_URL", "https://api.cal.com/#v2"),
        ("CAL_API_URL", "https://user@api.cal.com"),
        ("CAL_API_URL", "https://:password@api.cal.com"),
    ],
)
def test_a_bad_value_is_refused_and_its_variable_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_env(GOOD | {name: value})


@pytest.mark.parametrize(("given", "seconds"), [("rate(1 minute)", 60), ("rate(15 minutes)", 900)])
def test_the_schedule_is_read_as_eventbridge_writes_it(given: str, seconds: int) -> None:
    assert Settings.from_env(GOOD | {"SCHEDULE_EXPRESSION": given}).schedule.every == seconds


def test_nobody_is_idle_where_nothing_is_revalidated() -> None:
    assert Settings.from_env(GOOD | {"FROZEN_MODE": "true"}).schedule.idle == 0


@pytest.mark.parametrize("hidden", ["id", "email", "createdDate", "nope", "bio,nope"])
def test_a_field_that_cannot_be_hidden_is_refused(hidden: str) -> None:
    with pytest.raises(ValueError, match="cannot be hidden"):
        Settings.from_env(GOOD | {"HIDDEN_FIELDS": hidden})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.cal.com", "https://api.cal.com/v2"),
        ("https://api.cal.com/", "https://api.cal.com/v2"),
        ("https://api.cal.com/v2/", "https://api.cal.com/v2"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v2"),
        ("https://cal.example/api/v2", "https://cal.example/api/v2"),
    ],
)
def test_the_origins_url_ends_in_its_version(given: str, url: str) -> None:
    assert Settings.from_env(GOOD | {"CAL_API_URL": given}).origin_url == url


@pytest.mark.parametrize("given", ["", " ", ",", " , "])
def test_nothing_may_be_hidden(given: str) -> None:
    settings = Settings.from_env(GOOD | {"HIDDEN_FIELDS": given, "HIDDEN_METADATA_KEYS": given})

    assert settings.hiding == HidingPolicy()


DELIVERIES = {
    "WEBHOOK_URL": "https://hooks.example.com/users?token=t0ken",
    "SIGNING_SECRET_ID": "arn:signing",
    "DELIVERIES_QUEUE_URL": "https://sqs.example.com/1/deliveries",
    "DEAD_LETTERS_URL": "https://sqs.example.com/1/dead",
}


def test_what_deliveries_need_is_read_and_the_url_not_shown() -> None:
    settings = DeliverySettings.from_env(DELIVERIES)

    assert settings == DeliverySettings(
        url="https://hooks.example.com/users?token=t0ken",
        signing_secret_id="arn:signing",
        queue_url="https://sqs.example.com/1/deliveries",
        dead_letters_url="https://sqs.example.com/1/dead",
    )
    assert DELIVERIES.keys() == OF_DELIVERIES
    assert "t0ken" not in repr(settings)


@pytest.mark.parametrize("name", sorted(DELIVERIES))
def test_a_missing_variable_of_deliveries_is_named(name: str) -> None:
    env = {key: value for key, value in DELIVERIES.items() if key != name}

    with pytest.raises(ValueError, match=f"missing environment variables: {name}$"):
        DeliverySettings.from_env(env)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://localhost/", "http://[::1]:9/"])
def test_events_go_in_plain_text_to_this_machine(url: str) -> None:
    assert DeliverySettings.from_env(DELIVERIES | {"WEBHOOK_URL": url}).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
        "ftp://127.0.0.1/",
        "https://",
        "https://[::1/",
        "https://hooks.example.com:port/",
        "http://127.0.0.1:0/",
        "hooks.example.com",
        "",
    ],
)
def test_events_go_in_plain_text_and_without_a_host_nowhere_else(url: str) -> None:
    with pytest.raises(ValueError, match="WEBHOOK_URL"):
        DeliverySettings.from_env(DELIVERIES | {"WEBHOOK_URL": url})
