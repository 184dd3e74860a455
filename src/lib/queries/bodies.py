"""Builds bodies, entity tags and links of answers; the same snapshot gives the same bytes.

Nothing that changes with time (age, now) is in a body, so a body's tag can be told from the
snapshot's digest and the question alone.

Pure: no clock, no I/O.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lib.directory.generation import Generation
from lib.errors import InvalidRequestError, ServiceError
from lib.queries.list_query import ListQuery
from lib.queries.select import Slice

VERSION = "2"
"""Changes whenever the same snapshot and question give other bytes than before."""

MAX_ENVELOPE = 6 * 1024 * 1024
"""Most bytes that Lambda returns, the body escaped as a JSON string within (documented: 6 MB)."""

ROOM_FOR_THE_REST = 128 * 1024
"""Of these, what headers, pagination and the addresses not found may take."""


_dumps = json.JSONEncoder(separators=(",", ":")).encode


def list_etag(generation: Generation, query: ListQuery) -> str:
    """Return the weak tag of a list; weak, because API Gateway may compress the body."""
    return _etag(generation.digest, query.key())


def user_etag(line: bytes, fields: Sequence[str]) -> str:
    """Return the weak tag of one user's answer: it changes with that user alone."""
    return _etag(line.decode("utf-8"), repr(fields))


def body_etag(body: str) -> str:
    """Return the weak tag of an answer that rests on more than a snapshot."""
    return _etag(body)


def _etag(*parts: str) -> str:
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=12)
    return f'W/"{VERSION}-{digest.hexdigest()}"'


def fitting(rows: Slice, *, shorten: bool) -> Slice:
    """Return the rows if they fit into Lambda's response, else as many as do if ``shorten``.

    Raises:
        InvalidRequestError: they do not fit; the message names the largest ``limit`` that does.
    """
    room, count = MAX_ENVELOPE - ROOM_FOR_THE_REST, 0
    # Escaping doubles a text at most, so most windows need not be measured.
    if 2 * sum(map(len, rows.lines)) + len(rows.lines) <= room:
        return rows
    for line in rows.lines:
        room -= encoded_size(line) + 1
        if room < 0:
            break
        count += 1
    if count == len(rows.lines):
        return rows
    if shorten and count:
        return rows._replace(lines=rows.lines[:count])
    smaller = f"Ask for at most limit={count} at this offset, or for" if count else "Ask for"
    raise InvalidRequestError(
        f"The answer would be larger than 6 MB. {smaller} fewer fields with fields=.",
        code="ResponseTooLarge",
    )


def list_body(
    generation: Generation, query: ListQuery, rows: Slice, *, not_asked: Sequence[str | int] = ()
) -> str:
    """Return the body of a list whose rows fit.

    ``not_asked`` are those of whom nothing is known, because the origin could not be asked.
    """
    rest: dict[str, Any] = {"pagination": pagination(generation, query, rows)}
    if rows.not_found is not None:
        rest["notFound"] = [name for name in rows.not_found if name not in not_asked]
    if not_asked:
        rest["notAsked"] = list(not_asked)
    head, tail = b'{"status":"success","data":[', b"]," + _dumps(rest)[1:].encode()
    if not rows.lines:
        return (head + tail).decode()
    # Joined and decoded once: a body may be as long as 6 MB.
    first, *others = rows.lines
    parts = [head + first, *others]
    parts[-1] += tail
    return b",".join(parts).decode()


def encoded_size(line: bytes) -> int:
    """Return the bytes that ``line`` takes inside the JSON that a function returns."""
    return len(line) + line.count(b'"') + line.count(b"\\")


def user_body(line: bytes) -> str:
    """Return the body of one user's answer."""
    return f'{{"status":"success","data":{line.decode("utf-8")}}}'


def changes_body(named: Mapping[str, Any], lines: Sequence[bytes] | None) -> str:
    """Return the body of changes, with the users in ``lines`` if they are asked for.

    Raises:
        InvalidRequestError: they do not fit into Lambda's response.
    """
    if lines is None:
        return success_body(named)
    if sum(encoded_size(line) + 1 for line in lines) > MAX_ENVELOPE - ROOM_FOR_THE_REST:
        raise InvalidRequestError(
            "The answer would be larger than 6 MB. Ask without include=values, or for the events "
            "since then, which come in pages.",
            code="ResponseTooLarge",
        )
    return f'{success_body(named)[:-2]},"users":[{b",".join(lines).decode()}]}}}}'


def success_body(data: Mapping[str, Any]) -> str:
    """Return the envelope of any other success."""
    return _dumps({"status": "success", "data": data})


def error_body(
    error: ServiceError, *, timestamp: str, path: str, request_id: str, again_in: int | None = None
) -> str:
    """Return the origin's error envelope, with the request's id added.

    ``again_in`` seconds the caller may ask again; None: nobody knows.
    """
    # Imported here, since only a refused request needs it.
    from lib.queries.failures import told  # noqa: PLC0415

    message, details = told(error, again_in=again_in)
    envelope = {
        "status": "error",
        "timestamp": timestamp,
        "path": path,
        "requestId": request_id,
        "error": {"code": error.code, "message": message, "details": details},
    }
    return _dumps(envelope)


def pagination(generation: Generation, query: ListQuery, rows: Slice) -> dict[str, Any]:
    """Return where the window lies, in the names of Cal.com's paginated endpoints."""
    end = query.offset + len(rows.lines)
    return {
        "totalItems": rows.total,
        "remainingItems": max(0, rows.total - end),
        "returnedItems": len(rows.lines),
        "itemsPerPage": query.limit,
        "currentPage": query.offset // query.limit + 1,
        "totalPages": -(-rows.total // query.limit),
        "hasNextPage": end < rows.total,
        "hasPreviousPage": query.offset > 0,
        "complete": generation.complete,
        "incompleteReason": generation.incomplete_reason or None,
    }
