"""What tests of traversals and look-ups ask with: links followed, bodies posted."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs

from dev.local.gateway_events import Request, Resource, to_event
from dev.template.literals import api_paths
from handlers.wiring import wiring
from lib.queries.cursor import Cursor
from tests.integration.service import CLIENT, Answer, Json, Service

_RESOURCES = [Resource(path) for path in api_paths()]


def link(answer: Answer, relation: str) -> str | None:
    """Return the path that an answer's Link field names, None where there is no such link."""
    found = re.search(rf'<(\?[^>]*)>; rel="{relation}"', answer.headers.get("Link", ""))
    return f"/users{found[1]}" if found else None


def follow(service: Service, path: str | None, relation: str = "next") -> Iterator[Answer]:
    """Yield the answer at ``path`` and then whatever its links lead to."""
    while path:
        answer = service.get(path)
        yield answer
        path = link(answer, relation)


def cursor_in(path: str | None) -> Cursor:
    """Return the cursor that a link carries."""
    assert path is not None
    return wiring().cursors.read(parse_qs(path.partition("?")[2])["cursor"][0])


def at(place: Cursor, query: str = "") -> str:
    """Return the path that asks from ``place`` on."""
    return f"/users?cursor={wiring().cursors.write(place)}{query}"


def post(
    service: Service,
    path: str,
    body: Json,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Post a body, as it is if it is bytes, else as JSON."""
    request = Request(
        method="POST",
        target=f"/v2/oauth-clients/{CLIENT}{path}",
        headers=list((headers or {}).items()),
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        source_ip="127.0.0.1",
    )
    event = to_event(
        request, resources=_RESOURCES, request_id=str(uuid.uuid4()), now=service.clock.now
    )
    return service.handle(event)
