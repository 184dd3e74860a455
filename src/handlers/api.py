"""Answers HTTP requests from API Gateway.

Cold path first: a hit imports and creates only what reads DynamoDB.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter, time
from typing import Any

from handlers import observing, users
from handlers.call import Call
from handlers.gateway import DOCUMENT, Request, Response, error_response
from handlers.invocation import Context, deadline
from handlers.observing import logger
from handlers.wiring import wiring
from lib.caching import provenance
from lib.errors import ServiceError, UnavailableError


def _later(module: str, name: str) -> Callable[[Call], Response]:
    """Return ``name`` of the ``module`` beside, imported when it is asked: no list pays for it."""

    def answer(call: Call) -> Response:
        response: Response = getattr(import_module(f"handlers.{module}"), name)(call)
        return response

    return answer


_ROUTES: Mapping[str, Callable[[Call], Response]] = {
    "users": users.list_users,
    "users/lookup": users.look_users_up,
    "users/{userId}": users.get_user,
    "cache": _later("cache", "show_cache"),
    "cache/changes": _later("cache", "list_changes"),
    "cache/pages": _later("cache", "list_pages"),
    "cache/refresh": _later("cache", "refresh"),
    "events": _later("feed", "list_events"),
    "webhook": _later("webhook", "receive"),
    DOCUMENT: _later("document", "show_document"),
}


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return API Gateway's response to its event; no error leaves but as a response."""
    started = perf_counter()
    request = Request.from_event(event, fallback_id=context.aws_request_id)
    line: dict[str, Any] = {"method": request.method, "request_id": request.request_id}
    if request.caller:
        line["caller"] = request.caller
    try:
        response = _answer(request, context, line)
    except ServiceError as error:
        response = _error(request, error, line)
    except Exception as error:  # noqa: BLE001 - a caller gets an envelope whatever happens
        logger.error("unexpected error", extra={**line, **observing.describe_fault(error)})
        unexpected = ServiceError("Internal server error")
        response = error_response(unexpected, request, now=time(), headers={})
    line["status"] = int(response.status)
    line["duration_ms"] = round((perf_counter() - started) * 1000, 1)
    observing.write_request(line)
    return response.to_event(request)


def _answer(request: Request, context: Context, line: dict[str, Any]) -> Response:
    now = wiring().time.now()
    until = deadline(context, now=now)
    route = request.route()
    line["route"] = route.resource
    return _ROUTES[route.resource](Call(request, route, context.aws_request_id, now, until, line))


def _error(request: Request, error: ServiceError, line: dict[str, Any]) -> Response:
    now = wiring().time.now()
    headers = error.headers(now=now, jitter=wiring().time.random())
    status = provenance.of_error(error)
    if status is not None:
        headers["Cache-Status"] = str(status)
    if isinstance(error, UnavailableError):
        line |= observing.describe_error(error)
        logger.warning("unavailable", extra=line)
    return error_response(error, request, now=now, headers=headers)
