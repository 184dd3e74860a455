"""Checks what the service needs, one thing after the other, and says what to do.

Without a stack, what can be seen over HTTP; with one, the secret, the table and the alarms as well,
with the rights of whoever runs it. A secret's values are looked at and never told.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from managed_users import errors
from managed_users.client import region_of, signer_for
from managed_users.tool.context import Target

_SKEW_SECONDS = 60
_STALE_SECONDS = 900


class State(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Result:
    """A check, its state, and what was seen or is to be done."""

    check: str
    state: State
    told: str


def examine(about: Target) -> Iterator[Result]:
    """Yield the results of all checks that can be made."""
    checks: list[tuple[str, Callable[[Target], Result]]] = [
        ("credentials", _credentials),
        ("service", _service),
        ("client", _client),
        ("clock", _clock),
    ]
    if about.stack is not None:
        checks += [("secret", _secret), ("table", _table), ("alarms", _alarms)]
    for name, check in checks:
        try:
            yield check(about)
        except (errors.ManagedUsersError, BotoCoreError, ClientError) as error:
            yield Result(name, State.FAIL, str(error))
        except requests.RequestException as error:
            yield Result(name, State.FAIL, f"no answer: {type(error).__name__}")
    yield from _health(about)


def _credentials(about: Target) -> Result:
    if not (about.region or region_of(about.base)):
        return Result("credentials", State.OK, "none needed: this is not a deployed API")
    if signer_for(about.base, about.region) is None:
        told = "no AWS credentials found: set AWS_PROFILE, or log in as for the AWS CLI"
        return Result("credentials", State.FAIL, told)
    return Result("credentials", State.OK, "found; requests are signed")


def _service(about: Target) -> Result:
    told = f"{about.base} answers"
    try:
        # A service from before there were versions tells none.
        version = about.client.cache().get("version")
    except errors.NotFoundError as error:
        if not error.code:
            # The service has a code for it; API Gateway's HTTP APIs have none for other paths.
            told = f"{error}: nothing of this service is at {about.base}; does it end in /v2?"
            return Result("service", State.FAIL, told)
        # It answered.
        return Result("service", State.OK, told)
    except errors.ForbiddenError as error:
        told = f"{error}: the signer needs execute-api:Invoke on this API"
        return Result("service", State.FAIL, told)
    return Result("service", State.OK, f"{told}, version {version}" if version else told)


def _client(about: Target) -> Result:
    try:
        generation = about.client.cache()["generation"]
    except errors.NotFoundError:
        told = "unknown to the deployment: is it in the secret? A new one takes up to a minute"
        return Result("client", State.FAIL, told)
    if not generation:
        told = "nothing was ever published: is the secret key right, and the origin reachable?"
        return Result("client", State.FAIL, told)
    return Result("client", State.OK, f"generation {generation}")


def _clock(about: Target) -> Result:
    date = requests.head(about.base, timeout=10).headers.get("Date")
    if date is None:
        return Result("clock", State.WARN, "the service tells no date")
    skew = time.time() - parsedate_to_datetime(date).timestamp()
    if abs(skew) > _SKEW_SECONDS:
        told = f"this machine is {skew:+.0f} s off: signatures fail beyond five minutes"
        return Result("clock", State.FAIL, told)
    return Result("clock", State.OK, f"within {_SKEW_SECONDS} s of the service's")


def _health(about: Target) -> Iterator[Result]:
    try:
        cache = about.client.cache()
    except errors.ManagedUsersError:
        return
    if reason := cache["lastError"]:
        until = cache["blockedUntil"] or cache["retryAt"]
        told = f"the last sweep failed: {reason}; asked again at {until} (runbook: {reason})"
        yield Result("origin", State.FAIL, told)
    else:
        yield Result("origin", State.OK, "the last sweep succeeded")
    age = cache["age"] or 0
    told = f"seen {age} s ago"
    if age > _STALE_SECONDS:
        yield Result("age", State.WARN, f"{told}: does the schedule run?")
    elif cache["generation"]:
        yield Result("age", State.OK, told)
    if reason := cache["incompleteReason"]:
        yield Result("completeness", State.WARN, f"not all is known here: {reason}")
    budget = cache["originBudget"]
    left = f"{budget['remaining']} of {budget['limit']} calls left in this minute"
    yield Result("budget", State.OK if budget["remaining"] else State.WARN, left)


def _secret(about: Target) -> Result:
    answer = about.aws("secretsmanager").get_secret_value(SecretId=about.outputs["SecretArn"])
    text = answer.get("SecretString", "")
    problem = shape_problem(text, about.client_id)
    if problem:
        return Result("secret", State.FAIL, problem)
    return Result("secret", State.OK, "an object that names this client")


def shape_problem(text: str, client_id: str) -> str | None:
    """Return what is wrong with a secret's text, without any of it."""
    try:
        keys: Any = json.loads(text)
    except ValueError:
        return 'not JSON: it must be {"<client id>": "<secret key>"}'
    if not isinstance(keys, dict) or not keys:
        return 'not an object: it must be {"<client id>": "<secret key>"}'
    # In place of a key there may be an object that has it among others.
    values = [each.get("key") if isinstance(each, dict) else each for each in keys.values()]
    if not all(isinstance(key, str) and key for key in values):
        return "a secret key is empty, or no text"
    if client_id not in keys:
        return "it does not name this client"
    return None


def _table(about: Target) -> Result:
    name = about.outputs["TableName"]
    described = about.aws("dynamodb").describe_table(TableName=name)
    status = described["Table"]["TableStatus"]
    return Result("table", State.OK if status == "ACTIVE" else State.WARN, f"{name}: {status}")


def _alarms(about: Target) -> Result:
    pages = about.aws("cloudwatch").get_paginator("describe_alarms")
    found = pages.paginate(AlarmNamePrefix=f"{about.stack}-", AlarmTypes=["MetricAlarm"])
    problem = alarm_problem([alarm for page in found for alarm in page["MetricAlarms"]])
    if problem:
        return Result("alarms", State.WARN, problem)
    return Result("alarms", State.OK, "all have data, and none rings")


def alarm_problem(alarms: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what is to be known of alarms as CloudWatch describes them: who rings, or cannot."""
    if not alarms:
        return "there are none: is this the right stack, and may you see its alarms?"

    def names(state: str) -> str:
        return ", ".join(each["AlarmName"] for each in alarms if each["StateValue"] == state)

    if ringing := names("ALARM"):
        return f"{ringing}: see the runbook"
    if silent := names("INSUFFICIENT_DATA"):
        return f"no data yet: {silent}; after an hour, see whether the schedule runs"
    if not any(each["AlarmActions"] for each in alarms):
        return "they tell nobody: deploy with AlarmTopicArn or AlarmEmail"
    return None
