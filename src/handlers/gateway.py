"""Translates between API Gateway's proxy events and this service's own words.

An event is that of a REST API or of an HTTP API (payload 1.0). An HTTP API says ``"version":
"1.0"``, a REST API has no version (so AWS documents both, and so are ``events/list-users.json`` and
``events/list-users-http-api.json``). As there are emulators that give a REST API's events a version
too, it also takes the ``resourceId`` that only an HTTP API sends: the key of its route.

It comes with or without the stage or a custom domain's base path in its path, with ``multiValue…``
members or the single ones, and any of them may be null.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple, override

from lib.errors import MethodNotAllowedError, NotFoundError, ServiceError
from lib.queries.bodies import error_body
from lib.users.dates import iso_date

DOCUMENT = "/openapi.json"
_CLIENT = "/oauth-clients/{clientId}/"
_ROUTE = re.compile(
    r"(?:/v2)?(?:/openapi\.json|/oauth-clients/(?P<client_id>[A-Za-z0-9_-]{1,64})"
    r"/(?P<rest>users|users/lookup|users/(?P<user_id>[^/]+)|cache(?:/(?:changes|pages|refresh))?"
    r"|events|webhook)/?)"
)
METHODS = {
    "users": ("GET", "HEAD"),
    "users/{userId}": ("GET", "HEAD"),
    "users/lookup": ("POST",),
    "cache": ("GET", "HEAD"),
    "cache/changes": ("GET", "HEAD"),
    "cache/pages": ("GET", "HEAD"),
    "cache/refresh": ("POST",),
    "events": ("GET", "HEAD"),
    "webhook": ("POST",),
    DOCUMENT: ("GET", "HEAD"),
}
"""The resources and the methods that each allows; all but the document are below a client."""
_HTTP_API = "1.0"
_PRINCIPAL = re.compile(r"([A-Z0-9]{1,128})(?::.*)?", re.DOTALL)
_TEMPLATES = frozenset(name if name == DOCUMENT else _CLIENT + name for name in METHODS)


class Request(NamedTuple):
    """One HTTP request; header names are lower case.

    ``resource`` and ``path_parameters`` are what API Gateway made of the path, ``full_path`` is the
    whole of it, and ``version`` is the event's, empty from a REST API. ``over_http_api`` tells
    whether an HTTP API sent it, which does not compress. ``caller`` is the id of the role or user
    that signed the request, empty where none did.
    """

    method: str
    path: str
    params: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    request_id: str
    body: str = ""
    resource: str = ""
    path_parameters: Mapping[str, str] = MappingProxyType({})
    full_path: str = ""
    version: str = ""
    over_http_api: bool = False
    caller: str = ""

    @override
    def __repr__(self) -> str:
        # Addresses, credentials and who knows what else are in the rest.
        return f"Request({self.method}, {self.request_id})"

    @classmethod
    def from_event(cls, event: Mapping[str, Any], *, fallback_id: str) -> "Request":
        """Return the request in ``event``; what is missing counts as empty."""
        context = _mapping(event.get("requestContext"))
        # Of payload 2.0, as much as it takes to refuse it.
        http = _mapping(context.get("http"))
        version = str(event.get("version") or "")
        return cls(
            method=str(event.get("httpMethod") or http.get("method") or ""),
            path=str(event.get("path") or http.get("path") or ""),
            params=_multi(
                event.get("multiValueQueryStringParameters"), event.get("queryStringParameters")
            ),
            headers={
                name.lower(): ", ".join(values)
                for name, values in _multi(
                    event.get("multiValueHeaders"), event.get("headers")
                ).items()
            },
            request_id=str(context.get("requestId") or fallback_id),
            body=_body(event),
            resource=str(event.get("resource") or ""),
            path_parameters={
                name: value
                for name, value in _mapping(event.get("pathParameters")).items()
                if isinstance(value, str)
            },
            full_path=str(context.get("path") or ""),
            version=version,
            over_http_api=version == _HTTP_API and " /" in str(context.get("resourceId")),
            caller=_principal(_mapping(context.get("identity")).get("caller")),
        )

    @property
    def public_path(self) -> str:
        """The path as the caller sees it, without a query; where that is unknown, the origin's."""
        if self.full_path.startswith("/"):
            return self.full_path
        return self.path if self.path.startswith("/v2/") else f"/v2{self.path}"

    def route(self) -> "Route":
        """Return which resource is meant.

        Raises:
            NotFoundError: none, in the origin's words.
            MethodNotAllowedError: one, but not by this method.
            ServiceError: the event is of another payload, in which nothing is where it should be.
        """
        if self.version == "2.0":
            raise ServiceError(
                "This function answers a REST API of API Gateway, or payload format 1.0 of an HTTP "
                "API. It was sent payload format 2.0, as HTTP APIs and function URLs do."
            )
        match = _ROUTE.fullmatch(self._place())
        if match is None:
            raise NotFoundError(f"Cannot {self.method} {self.public_path}")
        resource = "users/{userId}" if match["user_id"] else match["rest"] or DOCUMENT
        allowed = METHODS[resource]
        if self.method not in allowed:
            raise MethodNotAllowedError(
                f"Cannot {self.method} {self.public_path}", allow=", ".join(allowed)
            )
        return Route(resource, match["client_id"] or "", match["user_id"] or "")

    def _place(self) -> str:
        """Return the path below the API's root, whatever a custom domain has put before it."""
        if self.resource in _TEMPLATES:
            with suppress(KeyError):
                return self.resource.format_map(self.path_parameters)
        return self.path


class Route(NamedTuple):
    """A resource; ``client_id`` and ``user_id`` are as in the path, empty where there is none."""

    resource: str
    client_id: str
    user_id: str


class Response(NamedTuple):
    """One HTTP response."""

    status: HTTPStatus
    body: str = ""
    headers: Mapping[str, str] = MappingProxyType({})

    def to_event(self, request: Request) -> dict[str, Any]:
        """Return what Lambda hands to API Gateway; HEAD and 304 have no body.

        A REST API compresses by itself; an HTTP API passes on what it is given.
        """
        bodiless = request.method == "HEAD" or self.status is HTTPStatus.NOT_MODIFIED
        headers = {
            "Cache-Control": "no-store",
            "X-Request-Id": request.request_id,
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        if self.status is not HTTPStatus.NOT_MODIFIED:
            headers["Content-Type"] = "application/json; charset=utf-8"
        event = {
            "statusCode": int(self.status),
            "headers": headers,
            "body": "" if bodiless else self.body,
            "isBase64Encoded": False,
        }
        if request.over_http_api and self.status is not HTTPStatus.NOT_MODIFIED:
            _compress(event, self.body, request)
        return event


def error_response(
    error: ServiceError, request: Request, *, now: float, headers: Mapping[str, str]
) -> Response:
    """Return ``error`` in the origin's envelope, with the request's id."""
    told = headers.get("Retry-After")
    body = error_body(
        error,
        again_in=int(told) if told else None,
        timestamp=iso_date(now),
        path=request.public_path,
        request_id=request.request_id,
    )
    return Response(error.status, body, headers)


def _compress(event: dict[str, Any], body: str, request: Request) -> None:
    """Put ``body`` into ``event`` in gzip if the request prefers it, and say which it is.

    HEAD is told what GET is, so ``event`` may have no body.
    """
    from lib.caching.coding import LEAST_BYTES, gzipped, prefers_gzip  # noqa: PLC0415 - see api.py

    plain = body.encode()
    if len(plain) < LEAST_BYTES:
        return
    event["headers"]["Vary"] = "Accept-Encoding"
    if not prefers_gzip(request.headers.get("accept-encoding")):
        return
    packed = b64encode(gzipped(plain)).decode("ascii")
    # Longer, it might no longer fit into what Lambda returns.
    if len(packed) < len(plain):
        event["headers"]["Content-Encoding"] = "gzip"
        if event["body"]:
            event |= {"body": packed, "isBase64Encoded": True}


def _body(event: Mapping[str, Any]) -> str:
    body = event.get("body")
    if not isinstance(body, str):
        return ""
    if not event.get("isBase64Encoded"):
        return body
    with suppress(ValueError):
        return b64decode(body).decode()
    return ""


def _principal(caller: object) -> str:
    """Return a principal's id without its session's name, which may be somebody's address."""
    match = _PRINCIPAL.fullmatch(caller) if isinstance(caller, str) else None
    return match[1] if match else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _multi(multi: object, single: object) -> dict[str, list[str]]:
    if isinstance(multi, dict) and multi:
        return {
            str(name): [str(value) for value in values]
            for name, values in multi.items()
            if isinstance(values, list) and values
        }
    return {
        str(name): [str(value)] for name, value in _mapping(single).items() if value is not None
    }
