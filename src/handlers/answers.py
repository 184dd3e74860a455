"""Puts a view of a snapshot into an HTTP response: validators, ages, conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import time

from handlers.call import Call
from handlers.gateway import Response
from handlers.wiring import wiring
from lib.caching import headers
from lib.caching.freshness import age_of
from lib.caching.headers import http_date, not_modified
from lib.directory.head import Head
from lib.reading.request import Served


@dataclass(frozen=True, slots=True)
class View:
    """What a read makes of a snapshot; ``body`` None stands for 304.

    ``may_be_older``: there may be users in it that the last sweep has not seen.
    """

    etag: str
    body: str | None
    headers: Mapping[str, str]
    may_be_older: bool = False


def response(seen: View, served: Served, *, cache_control: str) -> Response:
    """Return the response for what was ``seen``, come by as ``served`` tells."""
    if seen.may_be_older:
        served = _as_old_as_the_oldest(served)
    fields = {
        "Cache-Status": str(served.status),
        **seen.headers,
        "Cache-Control": cache_control,
        "ETag": seen.etag,
        # Never later than the answer itself (RFC 9110 section 8.8.2.1).
        "Last-Modified": http_date(min(served.head.modified_at, int(time()))),
        "Vary": "Accept-Encoding",
    }
    if served.age is not None:
        fields["Age"] = str(served.age)
    if seen.body is None:
        return Response(HTTPStatus.NOT_MODIFIED, headers=fields)
    return Response(HTTPStatus.OK, seen.body, fields)


def _as_old_as_the_oldest(served: Served) -> Served:
    """Return ``served`` with the age of the user that was seen longest ago."""
    head = served.head
    if served.age is None and head.oldest_observation >= head.swept_at:
        return served
    age = max(served.age or 0, age_of(head.oldest_observation, now=time()))
    ttl = None if served.status.ttl is None else wiring().settings.policy.max_age - age
    return replace(served, age=age, status=replace(served.status, ttl=ttl))


def cacheable() -> str:
    """Return the Cache-Control of answers that a private cache may keep."""
    policy = wiring().settings.policy
    return headers.cache_control(
        max_age=policy.max_age,
        stale_while_revalidate=policy.stale_while_revalidate,
        stale_if_error=policy.stale_if_error,
    )


def unmodified(call: Call, etag: str, head: Head) -> bool:
    """Return whether the caller has the answer with this ``etag`` already."""
    # A POST is no conditional request, whatever it carries (RFC 9110 section 13.1.2).
    if call.request.method == "POST":
        return False
    return not_modified(
        if_none_match=call.request.headers.get("if-none-match"),
        if_modified_since=call.request.headers.get("if-modified-since"),
        etag=etag,
        modified_at=head.modified_at,
    )
