"""Translates between HTTP and the proxy events of an API Gateway REST API (payload version 1.0).

What the deployed gateway does to a request, and is easily missed: the query is decoded (``+`` is a
space) and split into the last value and all values of a name; the path stays as the client sent it;
absent things are null, not empty. To a response: some headers come out under another name, and an
answer that is not of the documented form is a 502.

Pure: no clock, no I/O, no randomness.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

STAGE = "v2"
# Headers about one connection, which end at the gateway.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Headers that the gateway writes itself; a function's own come out as x-amzn-Remapped-….
_REMAPPED = frozenset({"connection", "content-length", "date", "server", "www-authenticate"})
_DROPPED = frozenset({"transfer-encoding", "trailer", "upgrade"})
_RESULT_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedResultError(ValueError):
    """What a function returned is not a proxy response; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request as it arrived. ``target`` is the request line's path and query."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str

    @property
    def path(self) -> str:
        """The path as the client sent it, with the stage."""
        return self.target.partition("?")[0]

    @property
    def in_stage(self) -> bool:
        """Whether the path is below the stage; the deployed gateway refuses any other."""
        return self.path == f"/{STAGE}" or self.path.startswith(f"/{STAGE}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response before it is written."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Resource:
    """One path of the API, such as ``/oauth-clients/{clientId}/users``."""

    template: str

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's parameters, or None if the path is another resource's."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        found = re.fullmatch(pattern, path)
        return found and found.groupdict()


# Stands for every path the API does not have. The deployed gateway answers those by itself.
_ELSEWHERE = Resource("/{proxy+}")


def to_event(
    request: Request, *, resources: Iterable[Resource], request_id: str, now: float
) -> dict[str, Any]:
    """Return the event that an API with ``resources`` sends for ``request`` at epoch ``now``."""
    path = request.path.removeprefix(f"/{STAGE}") or "/"
    resource, parameters = _route(path, resources)
    headers = [(key, value) for key, value in request.headers if key.lower() not in _HOP_BY_HOP]
    query = _query(request.target)
    return {
        "resource": resource.template,
        "path": path,
        "httpMethod": request.method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _multi(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _multi(query),
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": _context(request, resource, request_id=request_id, now=now),
        "body": request.body.decode(errors="replace") or None,
        "isBase64Encoded": False,
    }


def _route(path: str, resources: Iterable[Resource]) -> tuple[Resource, dict[str, str]]:
    # Where two match, the deployed gateway takes the one that is spelled out.
    for resource in sorted(resources, key=lambda resource: resource.template.count("{")):
        parameters = resource.match(path)
        if parameters is not None:
            return resource, parameters
    return _ELSEWHERE, {"proxy": path.removeprefix("/")}


def _query(target: str) -> list[tuple[str, str]]:
    return parse_qsl(target.partition("?")[2], keep_blank_values=True, errors="replace")


def _multi(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values or None


def _context(
    request: Request, resource: Resource, *, request_id: str, now: float
) -> dict[str, Any]:
    agents = [value for name, value in request.headers if name.lower() == "user-agent"]
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "127.0.0.1",
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": agents[-1] if agents else None},
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTimeEpoch": int(now * 1000),
        "resourceId": "local",
        "resourcePath": resource.template,
        "stage": STAGE,
    }


def to_response(result: object) -> Response:
    """Return the HTTP response for what a function returned.

    Raises:
        MalformedResultError: the gateway would answer 502.
    """
    if not isinstance(result, dict):
        raise MalformedResultError("not an object")
    unknown = result.keys() - _RESULT_KEYS
    if unknown:
        raise MalformedResultError(f"unknown members: {', '.join(sorted(map(str, unknown)))}")
    headers = _headers(result)
    body = _body(result)
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Response(status=_status(result), headers=headers, body=body)


def _status(result: Mapping[str, Any]) -> int:
    status = result.get("statusCode")
    if isinstance(status, bool) or not isinstance(status, int):
        raise MalformedResultError("statusCode is not an integer")
    if not HTTPStatus.OK <= status <= 599:  # noqa: PLR2004 - the end of the status codes.
        raise MalformedResultError(f"statusCode {status} is out of range")
    return status


def _body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError("body is not a string")
    # The API declares no binary media types, so isBase64Encoded has no effect.
    return body.encode()


def _headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    single = _members(result, "headers")
    several = _members(result, "multiValueHeaders")
    pairs: list[tuple[str, str]] = []
    # A header that is in both counts as it is in multiValueHeaders.
    shadowed = {name.lower() for name in several}
    for name, value in single.items():
        if name.lower() not in shadowed:
            pairs.append(_header(name, value))
    for name, values in several.items():
        if not isinstance(values, list):
            raise MalformedResultError(f"multiValueHeaders: {name} is not a list")
        pairs.extend(_header(name, value) for value in values)
    return [pair for pair in pairs if pair[0].lower() not in _DROPPED]


def _members(result: Mapping[str, Any], key: str) -> dict[str, Any]:
    members = result.get(key)
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise MalformedResultError(f"{key} is not an object")
    return members


def _header(name: str, value: object) -> tuple[str, str]:
    if not isinstance(value, str | int | float):
        raise MalformedResultError(f"header {name} is not a string")
    if not _TOKEN.fullmatch(name) or _UNSAFE_IN_VALUE.search(str(value)):
        raise MalformedResultError(f"header {name!r} cannot be sent")
    prefix = "x-amzn-Remapped-" if name.lower() in _REMAPPED else ""
    return prefix + name, str(value)
