"""Answers the description of this interface (OpenAPI 3.1), which is part of the deployment."""

import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path

from handlers.call import Call
from handlers.gateway import Response
from lib.caching.headers import not_modified
from lib.queries import list_query


def show_document(call: Call) -> Response:
    """Answer ``GET /v2/openapi.json``."""
    list_query.parse_nothing(call.request.params)
    text, etag = _document()
    # It changes with a deployment; its validator is the content alone.
    headers = {"Cache-Control": "private, max-age=3600", "ETag": etag, "Vary": "Accept-Encoding"}
    asked = call.request.headers.get("if-none-match")
    if asked and not_modified(
        if_none_match=asked, if_modified_since=None, etag=etag, modified_at=0
    ):
        return Response(HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(HTTPStatus.OK, text, headers)


@cache
def _document() -> tuple[str, str]:
    """Return the document and its entity-tag; read when it is first asked for."""
    text = Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")
    return text, f'W/"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'
