"""Judges a soak as a whole: how the origin was treated, and what is wrong once all is mended."""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from dev.local.settings import TABLE_NAME
from dev.local.stack import LocalStack
from dev.origin import Call, Limits, OriginDouble
from tests.soak.history import History, beside_hidden

BUDGET_SHARE = 0.6
"""Of what the origin allows in a minute: more is never asked."""

_LISTED_BY_ORIGIN = 500
_UNDER_WAY_SECONDS = 1.0
_SETTLE_SECONDS = 300
"""What is documented: 180, and two minutes more for who is doubted and asked for by id."""
_PAGE = 250


@dataclass(frozen=True, slots=True)
class Counted:
    """A call of the origin, and the client whose limit it was counted against."""

    client_id: str | None
    time: float
    status: int | None


def counted(calls: list[Call], organizations: Mapping[str, str]) -> list[Counted]:
    """Return ``calls`` by whose they are; ``organizations`` are asked by one client each."""
    return [
        Counted(
            call.client_id or organizations.get(call.organization_id or ""), call.time, call.status
        )
        for call in calls
    ]


def calls_beyond_budget(calls: list[Counted], limits: Limits, history: History) -> Iterator[str]:
    """Yield the minutes in which a client's calls were more than its share.

    Who counts by a wrong clock counts for another minute.
    """
    most = limits.client * BUDGET_SHARE
    for client_id in {call.client_id for call in calls}:
        times = [call.time for call in calls if call.client_id == client_id]
        first = 0
        for last, instant in enumerate(times):
            while times[first] <= instant - limits.window_seconds:
                first += 1
            wrong = history.was_broken("clock", times[first] - limits.window_seconds, instant)
            if last - first + 1 > most and not wrong:
                yield f"{client_id}: {last - first + 1} calls of the origin in a minute"
                break


def calls_during_block(calls: list[Counted], limits: Limits, history: History) -> Iterator[str]:
    """Yield calls that were made although a 429 had told everybody to wait.

    One that was under way already is not meant, nor what nobody could write down: the table was
    broken, the process that had been told died, or its clock was wrong.
    """
    told: dict[str | None, float] = {}
    for call in calls:
        since = told.get(call.client_id)
        if since is not None and call.time < since + limits.block_seconds:
            excused = (
                call.time < since + _UNDER_WAY_SECONDS
                or history.was_broken("table", since - 1, call.time)
                or history.was_broken("clock", since - _SETTLE_SECONDS, call.time)
                or any(
                    history.was_killed(name, since - 1, call.time) for name in ("api", "refresh")
                )
            )
            if not excused:
                late = call.time - since
                yield f"{call.client_id}: a call of the origin {late:.1f} s after a 429"
        elif call.status == requests.codes.too_many_requests:
            told[call.client_id] = call.time


def what_does_not_settle(
    stack: LocalStack, origin: OriginDouble, organized: Collection[str]
) -> Iterator[str]:
    """Yield what is still wrong a while after everything was mended."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    for client_id in stack.settings.clients:
        listed = None if client_id in organized else _LISTED_BY_ORIGIN
        while wrong := _what_is_wrong(stack, origin, client_id, listed):
            if time.monotonic() > deadline:
                yield f"{client_id}: in the end {wrong}"
                break
            time.sleep(0.5)


def _what_is_wrong(
    stack: LocalStack, origin: OriginDouble, client_id: str, listed: int | None
) -> str | None:
    shown = {row["id"]: beside_hidden(row) for row in _directory(stack, client_id)}
    there = {row["id"]: beside_hidden(row) for row in origin.users(client_id)}
    if missing := set(sorted(there)[:listed]) - shown.keys():
        return f"{len(missing)} users are missing"
    if wrong := [each for each, row in shown.items() if there.get(each) != row]:
        gone = len(shown.keys() - there.keys())
        return f"{len(wrong)} users are not so, of whom {gone} are gone: {wrong[:5]}"
    if not _all_announced(stack, client_id):
        return "not every generation was announced"
    return None


def _directory(stack: LocalStack, client_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        url = f"{stack.url}/v2/oauth-clients/{client_id}/users?limit={_PAGE}&offset={len(rows)}"
        answer = requests.get(url, timeout=60)
        answer.raise_for_status()
        body = answer.json()
        rows += body["data"]
        if not body["pagination"]["hasNextPage"]:
            return rows


def _all_announced(stack: LocalStack, client_id: str) -> bool:
    key = {"pk": {"S": f"client#{client_id}"}, "sk": {"S": "head"}}
    head = stack.aws.client("dynamodb").get_item(TableName=TABLE_NAME, Key=key)["Item"]
    return head.get("announced") == head["generation"]
