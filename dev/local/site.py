"""Serves the pages of the local run: ``/`` shows what the service knows, ``/docs`` its interface.

Files as they are, from ``page/`` and, for the viewer of the document, from the powertools wheel.
The pages use the public HTTP interface and, of the run itself, what ``desk`` answers. They load
nothing from elsewhere, which their Content-Security-Policy enforces.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dev.local.gateway_events import Request, Response

_PAGES = Path(__file__).with_name("page")
_NO_CLIENTS: Final = b'id="clients">[]<'
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_VIEWER = {
    "swagger-ui.css": "swagger-ui.min.css",
    "swagger-ui.js": "swagger-ui-bundle.min.js",
}
_NOTHING_ELSE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The viewer writes styles into its elements.
_POLICIES = {"docs.html": _NOTHING_ELSE.replace("style-src", "style-src 'unsafe-inline'")}


class Site:
    """Answers what is outside the stage; ``clients`` are those that the page offers."""

    def __init__(self, clients: Iterable[str]) -> None:
        # Nothing in it can end the block of data that it is written into.
        told = json.dumps(list(clients)).replace("<", "\\u003c")
        self._clients = b'id="clients">%s<' % told.encode()

    def answer(self, request: Request) -> Response | None:
        """Return the answer to ``request``, None if there is no such page."""
        name = _name(request.path)
        if name is None or request.method not in {"GET", "HEAD"}:
            return None
        body = _content(name).replace(_NO_CLIENTS, self._clients)
        etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = [
            ("Content-Type", _TYPES[Path(name).suffix]),
            ("Cache-Control", "no-cache"),
            ("ETag", etag),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", _POLICIES.get(name, _NOTHING_ELSE)),
        ]
        known = dict(request.headers).get("If-None-Match")
        if known == etag:
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers, body=b"")
        return Response(status=HTTPStatus.OK, headers=headers, body=body)


def _name(path: str) -> str | None:
    """Return which file is meant; only those that are there can be."""
    pages = {"/": "index.html", "/docs": "docs.html"}
    if path in pages:
        return pages[path]
    name = path.removeprefix("/page/") if path.startswith("/page/") else ""
    return name if name in _VIEWER or name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(file.name for file in _PAGES.iterdir() if file.suffix in {".css", ".js"})


def _content(name: str) -> bytes:
    """Return a file as it is now: whoever changes the page reloads it."""
    return ((_viewer() if name in _VIEWER else _PAGES) / _VIEWER.get(name, name)).read_bytes()


@cache
def _viewer() -> Path:
    """Return where powertools keeps Swagger UI, without importing it."""
    found = find_spec("aws_lambda_powertools")
    if found is None or found.origin is None:
        raise FileNotFoundError("aws_lambda_powertools is not installed")
    return Path(found.origin).parent / "event_handler" / "openapi" / "swagger_ui"
