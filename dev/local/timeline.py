"""Keeps what happened in the run, for the timeline of the page: sweeps, and what came of them.

Whoever asks the origin is seen here: the refresh function by what it returns, the api function by
what its answers say of themselves (``Cache-Status``, and the body of a refresh). Of users only ids
are kept.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from dev.local.gateway_events import Request, Response

type Entry = dict[str, Any]

_KEPT = 500
_CLIENT = re.compile(r"/v2/oauth-clients/([^/]+)/")
_REFRESH = re.compile(r".*/cache/refresh")
# "superseded" did nothing, and "accepted" has only been put to somebody.
_NOTHING = frozenset({"superseded", "accepted", "joined"})
_TOLD = ("outcome", "reason", "received", "calls", "generation", "users", "complete")


class Timeline:
    """The last entries, oldest first; safe to use from several threads.

    An entry has a ``sequence`` that rises by one, ``time`` (ISO 8601), ``kind`` and ``client``. One
    of kind ``sweep`` says who asked (``by``: schedule, reader, request) and what came of it; one of
    kind ``origin`` says in ``did`` what somebody did to the origin double, for all clients where
    ``client`` is None.
    """

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._sequence = 0
        self._lock = threading.Lock()

    def since(self, sequence: int, client: str) -> tuple[list[Entry], int]:
        """Return the entries of a client after ``sequence``, and the newest sequence of all."""
        with self._lock:
            newer = [
                entry
                for entry in self._entries
                if entry["sequence"] > sequence and entry["client"] in {client, None}
            ]
            return newer, self._sequence

    def add(self, kind: str, client: str | None, **told: object) -> None:
        """Add an entry that happened just now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        with self._lock:
            self._sequence += 1
            entry = {"sequence": self._sequence, "time": f"{now}Z", "kind": kind, "client": client}
            self._entries.append(entry | told)

    def refreshed(self, event: object, done: object) -> None:
        """Add what the refresh function did for one client or for several."""
        match done:
            case {"results": [*results]}:
                for each in results:
                    self.refreshed(event, each)
            case {"clientId": str(client), "outcome": str(outcome), **rest}:
                if outcome not in _NOTHING and "asked" not in rest:
                    self.add(
                        "sweep", client, by=_asker(event), **_told(rest | {"outcome": outcome})
                    )
            case _:
                return

    def answered(self, request: Request, response: Response) -> None:
        """Add the sweep that the api function made for a request, if it made one."""
        found = _CLIENT.match(request.path)
        told = swept(request, response)
        if found and told:
            self.add("sweep", unquote(found[1]), by="request", **told)


def swept(request: Request, response: Response) -> Entry:
    """Return what came of the sweep that was made for a request; nothing if none was made.

    >>> request = Request(method="GET", target="/v2/x", headers=[], body=b"", source_ip="")
    >>> status = "managed-users; fwd=stale; fwd-status=503; ttl=-9; detail=stale-if-error"
    >>> swept(request, Response(status=200, headers=[("Cache-Status", status)], body=b""))
    {'outcome': 'failed', 'received': 503}
    """
    if _REFRESH.fullmatch(request.path) and response.status == HTTPStatus.OK:
        done = json.loads(response.body)["data"]
        return {} if done["outcome"] in _NOTHING else _told(done)
    headers = {name.lower(): value for name, value in response.headers}
    status = _parameters(headers.get("cache-status", ""))
    if "fwd" not in status or "collapsed" in status or status.get("detail") == "look-up":
        return {}
    if "stored" in status:
        generation = headers.get("x-generation", "")
        return {"outcome": "swept"} | ({"generation": int(generation)} if generation else {})
    told: Entry = {"outcome": "failed"}
    if received := status.get("fwd-status"):
        told["received"] = int(received)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR and "detail" in status:
        told["reason"] = status["detail"]
    return told


def _parameters(cache_status: str) -> dict[str, str]:
    _, *parameters = cache_status.split("; ")
    return {name: value for name, _, value in (each.partition("=") for each in parameters)}


def _asker(event: object) -> str:
    match event:
        case {"lease": _}:
            return "reader"
        case {"requestedAt": _}:
            return "request"
        case _:
            return "schedule"


def _told(done: Mapping[Any, Any]) -> Entry:
    return {name: done[name] for name in _TOLD if done.get(name) is not None}
