"""Reads what the origin sends by itself: webhooks of Cal.com, taken as hints of whom to ask for.

A body is believed no further than that. It is signed with a secret that Cal.com was given (the
lower-case hex HMAC-SHA256 of the body, in ``X-Cal-Signature-256``) and has no time that is signed,
so it may come twice or late, and whoever it names is asked for at the origin.

Two forms are sent: ``{"triggerEvent": …, "createdAt": …, "payload": {…}}``, and for meetings that
begin or end the booking's members beside ``triggerEvent``. What is in neither is passed over.

Pure: no I/O.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from lib.errors import InvalidRequestError
from lib.origin.credential import SecretKey
from lib.users.address import is_address
from lib.users.keys import UserKeys, possible_id

MAX_BYTES = 256 * 1024
"""The longest body that is read: a booking takes a few KB."""

MAX_USERS = 50
"""Most users that one webhook hints at."""

OTHER = "OTHER"
"""What a trigger is called that has no name of Cal.com's form."""

_TRIGGER = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What is taken of a webhook: its trigger, and the possible users of the client it names."""

    trigger: str
    users: UserKeys


def is_signed(body: bytes, signature: str, secrets: Iterable[SecretKey]) -> bool:
    """Return whether ``signature`` is that of ``body`` by one of ``secrets``."""
    given = signature.encode("utf-8", "backslashreplace")
    return any(hmac.compare_digest(signature_of(body, each).encode(), given) for each in secrets)


def signature_of(body: bytes, secret: SecretKey) -> str:
    """Return the signature of ``body``.

    >>> signature_of(b"{}", SecretKey("hush"))[:16]
    '505c20ac604f6629'
    """
    return hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def parse(body: bytes, client_id: str) -> Webhook:
    """Return what ``body`` hints at.

    Raises:
        InvalidRequestError: it is no JSON object.
    """
    told: Any = None
    # Raised outside the handler: as a cause, the parser's error would quote the body.
    with suppress(ValueError, RecursionError):
        told = json.loads(body)
    if not isinstance(told, dict):
        raise InvalidRequestError("The body must be a JSON object, as Cal.com sends it.")
    trigger = told.get("triggerEvent")
    named = isinstance(trigger, str) and _TRIGGER.fullmatch(trigger)
    # A set would forget the order, in which the organizer comes first.
    keys = dict.fromkeys(_keys(told, client_id))
    first = list(islice(keys, MAX_USERS))
    return Webhook(
        trigger=str(trigger) if named else OTHER,
        users=UserKeys(
            addresses=[key for key in first if isinstance(key, str)],
            ids=[key for key in first if isinstance(key, int)],
        ),
    )


def _keys(told: Mapping[str, Any], client_id: str) -> Iterator[int | str]:
    """Yield the id, or else the address, of each who may be a user of the client.

    An attendee's id, where there is one, is that of an attendee and no user's.
    """
    payload = _mapping(told.get("payload")) or told
    away = _mapping(payload.get("oooEntry"))
    hosts = chain(
        (payload.get("organizer"), payload.get("user"), {"id": payload.get("userId")}),
        (away.get("user"), away.get("toUser")),
        _list(_mapping(payload.get("team")).get("members")),
        _list(payload.get("hosts")),
    )
    for host in map(_mapping, hosts):
        user_id = host.get("id")
        if type(user_id) is int and possible_id(user_id):
            yield user_id
        else:
            yield from _address(host, client_id)
    for attendee in map(_mapping, _list(payload.get("attendees"))):
        yield from _address(attendee, client_id)


def _address(person: Mapping[str, Any], client_id: str) -> Iterator[str]:
    """Yield a person's address if it is one that the origin gives the client's users."""
    address = person.get("email")
    if isinstance(address, str) and f"+{client_id}@" in address and is_address(address):
        yield address


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()
