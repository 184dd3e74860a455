"""Decides what an answer looks like on the wire: compact JSON and a weak ETag of its bytes."""

import json
from base64 import b64encode
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from hashlib import sha1
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, headers and a body, before anything is said about how they travel."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(status: int, payload: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Return ``payload`` as the origin's framework would send it."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    digest = b64encode(sha1(body, usedforsecurity=False).digest()).decode().rstrip("=")
    own = {
        "Content-Type": "application/json; charset=utf-8",
        "ETag": f'W/"{len(body):x}-{digest}"',
    }
    return Answer(status=status, body=body, headers={**(headers or {}), **own})


def revalidated(answer: Answer, if_none_match: str | None) -> Answer:
    """Return 304 without a body where the caller already has this 200, weakly compared."""
    etag = answer.headers.get("ETag")
    known = [tag.strip() for tag in (if_none_match or "").split(",")]
    if answer.status != HTTPStatus.OK or not ("*" in known or etag in known):
        return answer
    kept = {name: text for name, text in answer.headers.items() if name != "Content-Type"}
    return replace(answer, status=HTTPStatus.NOT_MODIFIED, body=b"", headers=kept)
