"""Sees what a fault comes to: two requests, the origin's calls, what the operator is told."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from http import HTTPStatus

from dev.local.embedded_aws import EmbeddedAws
from tests.faults.faults import LIST, Breakage, Rig, organize
from tests.integration.relay import Relay
from tests.integration.service import CLIENT, ERROR_AGE, Answer, Service, running_service

USERS = 300
STATES = ("fresh", "stale", "nothing stored")
_SETTLING, _MINUTE = 3, 60
_TOLD = ("RevalidationFailed", "Blocked", "Doubted", "Stale")


@dataclass(frozen=True)
class Seen:
    """What came of it: each answer as status and Cache-Status, and the origin's list calls.

    ``last_error`` and ``metrics`` are what the operator is told. ``ids`` are those answered.
    """

    answers: tuple[str, str]
    calls: tuple[int, int]
    last_error: str
    metrics: str
    ids: tuple[list[int], list[int]]

    @property
    def statuses(self) -> tuple[int, int]:
        first, second = self.answers
        return int(first[:3]), int(second[:3])

    def cells(self) -> list[str]:
        """Return the row's cells in docs/reliability.md."""
        alarms = ["Api5xxAlarm"] if max(self.statuses) >= 500 else []
        alarms += ["AgeServedAlarm"] if "Stale" in self.metrics else []
        answers = [
            f"{answer[:3]} `{answer[4:]}`" if answer[4:] else answer for answer in self.answers
        ]
        told = f"`{self.last_error}`" if self.last_error else ""
        return [*answers, "{}, {}".format(*self.calls), told, self.metrics, ", ".join(alarms)]


@contextmanager
def rigged(aws: EmbeddedAws) -> Iterator[Rig]:
    """Run the service with relays between it and DynamoDB and Secrets Manager."""
    with (
        Relay(aws.endpoint) as dynamodb,
        Relay(aws.endpoint) as secrets,
        running_service(
            aws,
            users=USERS,
            AWS_ENDPOINT_URL_DYNAMODB=dynamodb.url,
            AWS_ENDPOINT_URL_SECRETS_MANAGER=secrets.url,
            POWERTOOLS_METRICS_DISABLED="false",
        ) as service,
    ):
        yield Rig(service, dynamodb, secrets)


def see(rig: Rig, breakage: Breakage, state: str) -> Seen:
    """Bring the service into ``state``, break it, ask twice from new environments."""
    service, written = rig.service, io.StringIO()
    if breakage.of == LIST:
        organize(rig)
    if state != "nothing stored":
        service.get()
    if breakage.of == LIST and state != "nothing stored":
        for _ in range(_SETTLING):
            service.let_pass(_MINUTE)
            service.refresh()
    if state == "stale":
        service.let_pass(ERROR_AGE)
    service.forget()
    breakage.do(rig)
    service.origin.clear_calls()
    with redirect_stdout(written):
        first, second = _ask(rig, breakage.seconds), _ask(rig, breakage.seconds)
    last_error = str(service.head().get("last_error", "")) or _refused(service)
    return Seen(
        (_said(first[0]), _said(second[0])),
        (first[1], second[1]),
        last_error,
        _told(written.getvalue()),
        (_ids(first[0]), _ids(second[0])),
    )


def _ask(rig: Rig, seconds: float) -> tuple[Answer, int]:
    before = len(rig.service.origin.list_calls(CLIENT))
    answer = rig.service.get("/users?limit=250", seconds=seconds)
    rig.service.forget()
    return answer, len(rig.service.origin.list_calls(CLIENT)) - before


def _refused(service: Service) -> str:
    """Return why an organization's list is not used, "" if it is or there is none."""
    answer = service.get("/cache")
    told = answer.body["data"].get("organization") if answer.status == HTTPStatus.OK else None
    return str((told or {}).get("reason") or "")


def _said(answer: Answer) -> str:
    status = answer.headers.get("Cache-Status", "").removeprefix("managed-users").lstrip("; ")
    return f"{answer.status} {re.sub(r'ttl=-?[0-9]+', 'ttl=…', status)}".strip()


def _ids(answer: Answer) -> list[int]:
    return [user["id"] for user in answer.body["data"]] if answer.status == 200 else []


def _told(written: str) -> str:
    lines = [json.loads(line) for line in written.splitlines() if '"_aws"' in line]
    return ", ".join(name for name in _TOLD if any(sum(line.get(name, [0])) for line in lines))
