"""What the page may ask of the run itself, under ``/local/``: nothing that a deployment has.

``GET /local/timeline?client=…&after=<sequence>`` is what happened, and which faults the origin
double has. ``/local/origin/…`` is the double's own control interface. Both are for pages of this
origin and for people on this machine: another site that a browser shows, or another name for this
machine, is refused.
"""

import json
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from dev.local.gateway_events import Request, Response
from dev.local.timeline import Timeline

if TYPE_CHECKING:
    from dev.origin import Fault, OriginDouble

_ORIGIN = "/local/origin/"
_TIMELINE = "/local/timeline"


class Desk:
    """Answers what is under ``/local/``; ``origin`` is None where the run uses a real one."""

    def __init__(self, timeline: Timeline, origin: "OriginDouble | None") -> None:
        self._timeline = timeline
        self._origin = origin

    def answer(self, request: Request) -> Response | None:
        """Return the answer to ``request``, None if there is no such thing."""
        if not request.path.startswith("/local/"):
            return None
        if not _from_here(request):
            return _json(HTTPStatus.FORBIDDEN, {"error": "this is for pages of this machine alone"})
        if request.path == _TIMELINE and request.method == "GET":
            return self._told(request)
        if self._origin and request.path.startswith(_ORIGIN):
            return self._controlled(request, self._origin)
        return None

    def _told(self, request: Request) -> Response:
        query = parse_qs(urlsplit(request.target).query)
        client, after = query.get("client", [""])[0], query.get("after", ["0"])[0]
        entries, sequence = self._timeline.since(int(after) if after.isdecimal() else 0, client)
        faults = [_name(fault) for fault in self._origin.faults] if self._origin else []
        return _json(
            HTTPStatus.OK,
            {
                "entries": entries,
                "sequence": sequence,
                "origin": {"faults": faults} if self._origin else None,
            },
        )

    def _controlled(self, request: Request, origin: "OriginDouble") -> Response:
        # Not before the page is used: what starts the run need not know of it.
        from dev.origin.control import PREFIX, control  # noqa: PLC0415

        target = PREFIX + request.target.removeprefix(_ORIGIN)
        answer = control(origin, request.method, target, request.body)
        if request.method != "GET" and answer.status == HTTPStatus.OK:
            self._note(request, json.loads(answer.body))
        return _json(answer.status, json.loads(answer.body))

    def _note(self, request: Request, done: dict[str, object]) -> None:
        """Add to the timeline what was done to the double."""
        what, *rest = map(unquote, request.path.removeprefix(_ORIGIN).split("/"))
        did: dict[str, object] = {"method": request.method}
        match what, rest:
            case "faults", []:
                did |= {"what": "faults", "faults": done["faults"]}
            case "clients", [_, "users", *_]:
                user = done.get("id", done.get("deleted"))
                did |= {"what": "users", "user": user, "count": done.get("count")}
            case _:
                return
        client = rest[0] if what == "clients" else None
        self._timeline.add("origin", client, did=did)


def _name(fault: "Fault") -> str:
    return f"{fault.kind} {fault.status}" if fault.status else fault.kind


def _from_here(request: Request) -> bool:
    """Return whether somebody on this machine asks, and no site that only runs in a browser here.

    A browser says from where a page asks. A name that leads here could be anybody's, so only
    addresses and ``localhost`` are taken for this machine.
    """
    headers = {name.lower(): value for name, value in request.headers}
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin", f"http://{headers.get('host')}")
    return (
        site in {"same-origin", "none"}
        and origin == f"http://{headers.get('host')}"
        and (host == "localhost" or _is_loopback(host))
        and _is_loopback(request.source_ip)
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _json(status: int, body: object) -> Response:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    return Response(status=status, headers=headers, body=json.dumps(body).encode())
