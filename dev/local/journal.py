"""What the local stack prints: one line an event, kept for tests, never an address or a secret."""

import json
import re
import sys
import threading
import time
from collections import deque
from http import HTTPStatus
from urllib.parse import unquote

from dev.local.gateway_events import Request, Response

_KEPT_LINES = 20_000
_FIGURES = ("reason", "calls", "generation", "users")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


class Journal:
    """Prints lines as they come, from any thread, and keeps the last ones."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._quiet = quiet
        self._lock = threading.Lock()

    @property
    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        with self._lock:
            return list(self._lines)

    def say(self, text: str) -> None:
        """Print one line for the person who runs the stack."""
        self._put(text, to_error=False)

    def event(self, text: str) -> None:
        """Print one line about something that just happened, with the time."""
        self._put(f"{time.strftime('%H:%M:%S')} {text}", to_error=False)

    def pass_on(self, line: str) -> None:
        """Print a line of a worker process, as it is."""
        self._put(line, to_error=True)

    def request(self, request: Request, response: Response, seconds: float) -> None:
        """Print one line about an answered request, unless the page only keeps itself new by it."""
        polled = any(name.lower() == "x-poll" for name, _ in request.headers)
        if polled and response.status < HTTPStatus.BAD_REQUEST:
            return
        headers = {name.lower(): value for name, value in response.headers}
        status = headers.get("cache-status", "-")
        self.event(
            f"{printable(request.method)} {printable(request.path)} {response.status}"
            f" {seconds * 1000:.0f} ms {status}"
        )

    def _put(self, line: str, *, to_error: bool) -> None:
        with self._lock:
            self._lines.append(line)
            if self._quiet:
                return
            try:
                print(line, file=sys.stderr if to_error else sys.stdout, flush=True)
            except (OSError, ValueError):
                # Whoever read the output is gone, which must not fail a request.
                self._quiet = True


def printable(path: str) -> str:
    """Return ``path`` as it may be printed: a segment that could be an address is left out.

    >>> printable("/v2/oauth-clients/abc/users/ada%40example.com")
    '/v2/oauth-clients/abc/users/…'
    """
    segments = ("…" if "@" in unquote(segment) else segment for segment in path.split("/"))
    return "/".join(
        _UNPRINTABLE.sub("?", segment) if segment != "…" else "…" for segment in segments
    )


def announced(event: object, done: object) -> str:
    """Return whose generations the changes function announced, and whether that failed.

    >>> keys = {"pk": {"S": "client#abc"}, "sk": {"S": "gen#7"}}
    >>> announced({"Records": [{"dynamodb": {"Keys": keys}}]}, {"batchItemFailures": []})
    'abc generation=7'
    """
    newest: dict[str, str] = {}
    match event, done:
        case {"Records": [*records]}, {"batchItemFailures": failed}:
            for record in records:
                keys = record["dynamodb"]["Keys"]
                newest[keys["pk"]["S"].partition("#")[2]] = keys["sk"]["S"].partition("#")[2]
            told = ", ".join(f"{client} generation={number}" for client, number in newest.items())
            return f"{told} failed: {len(failed)}" if failed else told
        case {"action": "announce"}, {"clientId": client_id, "outcome": outcome}:
            return f"{client_id} {outcome}"
        case _:
            return "done"


def delivered(event: object, done: object) -> str:
    """Return which events the deliveries function is done with, and which come again.

    >>> body = '{"type": "a.managed-user.updated.v1", "subject": "7"}'
    >>> records = [{"messageId": "m1", "body": body}, {"messageId": "m2", "body": body}]
    >>> delivered({"Records": records}, {"batchItemFailures": [{"itemIdentifier": "m2"}]})
    'managed-user.updated 7 done, managed-user.updated 7 comes again'
    """
    match event, done:
        case {"Records": [*records]}, {"batchItemFailures": [*failures]}:
            failed = {failure["itemIdentifier"] for failure in failures}
            ends = {True: "comes again", False: "done"}
            return ", ".join(
                f"{_kind_and_subject(each)} {ends[each['messageId'] in failed]}" for each in records
            )
        case _:
            return "done"


def _kind_and_subject(record: dict[str, str]) -> str:
    event = json.loads(record["body"])
    kind = event["type"].removesuffix(".v1").partition(".")[2]
    return f"{kind} {event.get('subject', '')}".strip()


def revalidated(_event: object, done: object) -> str:
    """Return what the refresh function said it did."""
    return summary(done)


def summary(done: object) -> str:
    """Return what the refresh function said it did, for one client or for several.

    >>> summary({"clientId": "abc", "outcome": "published", "calls": 2, "users": 120})
    'abc published calls=2 users=120'
    """
    match done:
        case {"results": [*results]}:
            return ", ".join(map(summary, results))
        case {"clientId": client_id, "outcome": outcome, **rest}:
            figures = (f"{key}={rest[key]}" for key in _FIGURES if rest.get(key) is not None)
            return " ".join([str(client_id), str(outcome), *figures])
        case {"clients": clients, "failed": failed}:
            return f"handed out {clients} clients, failed: {len(failed)}"
        case _:
            return "done"
