"""Decides what the control interface under ``/_control/`` does: the double's own API, as JSON.

It serves people at a terminal and tests in another process. Nothing here is limited or remembered
as a call.
"""

import json
import re
from collections.abc import Callable
from copy import replace
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from dev.origin.answers import Answer, json_answer
from dev.origin.faults import Fault
from dev.origin.origin import Origin
from dev.origin.users import demo_users

PREFIX = "/_control/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One control call: what its path and query name, and its JSON body."""

    client_id: str = ""
    user_id: str = ""
    query: dict[str, list[str]]
    body: Any


def control(origin: Origin, method: str, target: str, body: bytes) -> Answer:
    """Carry out one control call: 404 for what does not exist, 400 for a body without sense."""
    path, _, query = target.partition("?")
    for allowed, route, action in _ROUTES:
        if method == allowed and (found := re.fullmatch(PREFIX + route, path)):
            named = {name: unquote(text) for name, text in found.groupdict().items()}
            try:
                order = _Order(**named, query=parse_qs(query), body=json.loads(body or b"null"))
                return json_answer(200, action(origin, order))
            except KeyError as error:
                return json_answer(404, {"error": f"unknown: {error}"})
            except (TypeError, ValueError) as error:
                return json_answer(400, {"error": str(error)})
    return json_answer(404, {"error": f"no such control: {method} {path}"})


def _calls(origin: Origin, order: _Order) -> object:
    calls = [asdict(call) | {"headers": sorted(call.headers)} for call in origin.calls]
    if order.query.get("clear") == ["1"]:
        origin.clear_calls()
    return {"count": len(calls), "calls": calls}


def _users(origin: Origin, order: _Order) -> object:
    users = origin.users(order.client_id)
    return {"count": len(users), "users": users}


def _replace_users(origin: Origin, order: _Order) -> object:
    """Take a list of rows, or ``{"count": n}`` for that many demo users."""
    match order.body:
        case list(rows):
            pass
        case {"count": int(count)}:
            rows = demo_users(order.client_id, count)
        case _:
            raise ValueError('the body has to be a list of rows or {"count": n}')
    origin.replace(order.client_id, rows)
    return {"count": len(rows)}


def _user(origin: Origin, order: _Order) -> object:
    return origin.user(order.client_id, int(order.user_id))


def _create_user(origin: Origin, order: _Order) -> object:
    return origin.create(order.client_id, **(order.body or {}))


def _update_user(origin: Origin, order: _Order) -> object:
    return origin.update(order.client_id, int(order.user_id), **order.body)


def _delete_user(origin: Origin, order: _Order) -> object:
    origin.delete(order.client_id, int(order.user_id))
    return {"deleted": int(order.user_id)}


def _rotate_secret(origin: Origin, order: _Order) -> object:
    match order.body:
        case {"secret": str(secret)}:
            origin.rotate_secret(order.client_id, secret)
            return {"rotated": order.client_id}
        case _:
            raise ValueError('the body has to be {"secret": "…"}')


def _show_faults(origin: Origin, _order: _Order) -> object:
    return {"faults": [asdict(fault) for fault in origin.faults]}


def _set_faults(origin: Origin, order: _Order) -> object:
    origin.faults = [Fault(**fault) for fault in order.body]
    return _show_faults(origin, order)


def _set_limits(origin: Origin, order: _Order) -> object:
    """Change the limits that are named and leave the others; all windows open anew."""
    origin.limits = replace(origin.limits, **order.body)
    return asdict(origin.limits)


def _set_bounds(origin: Origin, order: _Order) -> object:
    """Change the bounds that are named and leave the other."""
    origin.bounds = replace(origin.bounds, **order.body)
    return asdict(origin.bounds)


_USERS = r"clients/(?P<client_id>[^/]+)/users"
_USER = rf"{_USERS}/(?P<user_id>\d+)"
_ROUTES: tuple[tuple[str, str, Callable[[Origin, _Order], object]], ...] = (
    ("GET", "calls", _calls),
    ("GET", _USERS, _users),
    ("PUT", _USERS, _replace_users),
    ("POST", _USERS, _create_user),
    ("GET", _USER, _user),
    ("PATCH", _USER, _update_user),
    ("DELETE", _USER, _delete_user),
    ("PUT", r"clients/(?P<client_id>[^/]+)/secret", _rotate_secret),
    ("GET", "faults", _show_faults),
    ("PUT", "faults", _set_faults),
    ("PUT", "limits", _set_limits),
    ("PUT", "bounds", _set_bounds),
)
