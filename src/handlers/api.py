"""Answers HTTP requests from API Gateway.

Cold path first: a hit imports and creates only what reads DynamoDB.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter, time
from typing import Any

from handlers import observing
from handlers.gateway import Request, Response, Route, error_response
from handlers.observing import logger
from handlers.wiring import MARGIN_SECONDS, Context, wiring
from lib import query, representation, views
from lib.errors import (
    MethodNotAllowedError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginBlockedError,
    OriginError,
    ServiceError,
    UnavailableError,
)
from lib.freshness import age_of
from lib.http_cache import (
    CacheStatus,
    RequestDirectives,
    cache_control,
    http_date,
    not_modified,
    retry_after,
)
from lib.models import Head
from lib.proxy import ReadRequest, Served
from lib.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Call:
    """One routed request, and until when its answer is of use (an instant)."""

    request: Request
    route: Route
    holder: str
    arrived_at: float
    deadline: float


@dataclass(frozen=True, slots=True)
class View:
    """What a read makes of a snapshot; ``body`` None stands for 304."""

    etag: str
    body: str | None
    headers: Mapping[str, str]


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return API Gateway's response to its event; no error leaves but as a response."""
    started = perf_counter()
    request = Request.from_event(event, fallback_id=context.aws_request_id)
    line: dict[str, Any] = {"method": request.method, "request_id": request.request_id}
    try:
        response = _answer(request, context, line)
    except ServiceError as error:
        response = _error(request, error, line)
    except Exception:  # noqa: BLE001 - the only one: a caller gets an envelope whatever happens
        logger.exception("unexpected error", extra=line)
        unexpected = ServiceError("Internal server error")
        response = error_response(unexpected, request, now=time(), headers={})
    line["status"] = int(response.status)
    line["duration_ms"] = round((perf_counter() - started) * 1000, 1)
    logger.info("request", extra=line)
    observing.flush()
    return response.to_event(request)


def _answer(request: Request, context: Context, line: dict[str, Any]) -> Response:
    now = time()
    left = context.get_remaining_time_in_millis() / 1000
    route = request.route()
    line["route"] = route.resource
    call = Call(request, route, context.aws_request_id, now, now + left - MARGIN_SECONDS)
    match route.resource:
        case "users":
            return _list_users(call, line)
        case "users/{userId}":
            return _get_user(call, line)
        case "cache":
            return _cache(call, line)
        case _:
            return _refresh(call, line)


def _list_users(call: Call, line: dict[str, Any]) -> Response:
    asked = query.parse_list(call.request.params)

    def view(snapshot: Snapshot) -> View:
        head, etag = snapshot.head, representation.list_etag(snapshot.head, asked)
        if _unmodified(call, etag, head):
            headers = {} if asked.filtered else _extent(asked, head.users)
            return View(etag, None, headers)
        rows = views.select(snapshot, asked)
        return View(etag, representation.list_body(head, asked, rows), _extent(asked, rows.total))

    return _read(call, view, line)


def _get_user(call: Call, line: dict[str, Any]) -> Response:
    fields = query.parse_user_fields(call.request.params)
    user_id = query.parse_user_id(call.route.user_id)

    def view(snapshot: Snapshot) -> View | None:
        found = snapshot.find(user_id)
        if found is None:
            return None
        etag = representation.user_etag(found, fields)
        if _unmodified(call, etag, snapshot.head):
            return View(etag, None, {})
        return View(etag, representation.user_body(views.project(found, fields)), {})

    return _read(
        call, view, line, missing=f"User with ID {user_id} is not part of this OAuth client."
    )


def _read(
    call: Call,
    view: Callable[[Snapshot], View | None],
    line: dict[str, Any],
    *,
    missing: str = "",
) -> Response:
    """Return the answer that ``view`` makes; None is a 404 with the text ``missing``."""
    headers = call.request.headers
    answer = wiring().proxy.read(
        ReadRequest(
            client_id=call.route.client_id,
            directives=RequestDirectives.parse(headers.get("cache-control"), headers.get("pragma")),
            holder=call.holder,
            arrived_at=call.arrived_at,
            deadline=call.deadline,
        ),
        view,
    )
    served, seen = answer.served, answer.value
    _observe(call, served, line)
    status = {"Cache-Status": str(served.status)}
    if seen is None:
        error = NotFoundError(missing)
        return error_response(error, call.request, now=call.arrived_at, headers=status)
    policy = wiring().settings.policy
    fields = {
        **status,
        **seen.headers,
        "Cache-Control": cache_control(
            max_age=policy.max_age,
            stale_while_revalidate=policy.stale_while_revalidate,
            stale_if_error=policy.stale_if_error,
        ),
        "ETag": seen.etag,
        "Last-Modified": _last_modified(served.head),
        "Vary": "Accept-Encoding",
    }
    if served.age is not None:
        fields["Age"] = str(served.age)
    if seen.body is None:
        return Response(HTTPStatus.NOT_MODIFIED, headers=fields)
    return Response(HTTPStatus.OK, seen.body, fields)


def _observe(call: Call, served: Served, line: dict[str, Any]) -> None:
    age = age_of(served.head.swept_at, now=call.arrived_at)
    line |= {
        "client_id": call.route.client_id,
        "cache_status": str(served.status),
        "age": age,
        "generation": served.head.generation,
    }
    hit = served.status.fwd is None
    stale = age >= wiring().settings.policy.max_age
    observing.count(Hit=int(hit), Stale=int(stale))
    observing.seconds(AgeServed=age)


def _unmodified(call: Call, etag: str, head: Head) -> bool:
    return not_modified(
        if_none_match=call.request.headers.get("if-none-match"),
        if_modified_since=call.request.headers.get("if-modified-since"),
        etag=etag,
        modified_at=head.modified_at,
    )


def _last_modified(head: Head) -> str:
    # Never later than the answer itself (RFC 9110 section 8.8.2.1).
    return http_date(min(head.modified_at, time()))


def _extent(asked: query.ListQuery, total: int) -> dict[str, str]:
    return {"Link": representation.links(asked, total=total), "X-Total-Count": str(total)}


def _cache(call: Call, line: dict[str, Any]) -> Response:
    query.parse_nothing(call.request.params)
    head = _known_head(call, line)
    return Response(
        HTTPStatus.OK, representation.success_body(representation.cache_data(head, now=time()))
    )


def _refresh(call: Call, line: dict[str, Any]) -> Response:
    wait = query.parse_switch(call.request.params, "wait")
    head = _known_head(call, line)
    client_id = call.route.client_id
    if wait:
        done = wiring().forced_refresh.run(
            client_id,
            holder=call.holder,
            requested_at=call.arrived_at,
            deadline=call.deadline,
        )
        data = {"outcome": done.outcome, "generation": done.generation, "calls": done.calls}
        return Response(HTTPStatus.OK, representation.success_body(data))
    wiring().forced_refresh.refuse_if_hopeless(head)
    wiring().invoker.invoke(
        {"action": "refresh", "clientId": client_id, "requestedAt": call.arrived_at}
    )
    return Response(
        HTTPStatus.ACCEPTED,
        representation.success_body({"outcome": "accepted", "generation": head.generation}),
        {"Retry-After": "1"},
    )


def _known_head(call: Call, line: dict[str, Any]) -> Head:
    head = wiring().memory.head(call.route.client_id)
    wiring().proxy.require_known(head)
    line["client_id"] = head.client_id
    return head


def _error(request: Request, error: ServiceError, line: dict[str, Any]) -> Response:
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allow
    elif isinstance(error, NotAskedError):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, OriginBlockedError):
        headers["Retry-After"] = str(retry_after(error.reset_seconds, jitter=wiring().random()))
    elif error.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    if isinstance(error, UnavailableError):
        asked = isinstance(error, OriginError)
        status = CacheStatus(
            hit=False,
            fwd="uri-miss" if asked else None,
            fwd_status=error.received if isinstance(error, OriginError) else None,
            detail=error.reason,
        )
        headers["Cache-Status"] = str(status)
        line |= observing.describe_error(error)
        logger.warning("unavailable", extra=line)
    elif isinstance(error, OnlyIfCachedError):
        headers["Cache-Status"] = str(CacheStatus(hit=False, detail="only-if-cached"))
    return error_response(error, request, now=time(), headers=headers)
