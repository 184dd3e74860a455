"""Vouches for the shape of the origin's answers, and says what each failure is.

Values pass as they are; the shape is strict, because a broken list taken for a short one would look
like deleted users. Whose users they are, the URL, the secret and TLS vouch for, and no address does
(docs/adr/0013). No text of an answer ever reaches an exception.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from lib.errors import (
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    Reason,
)
from lib.origin.rate_limit import RateLimit
from lib.users.document import USER_FIELDS

MAX_RESET_SECONDS = 120
"""Most seconds that the origin's own rate limit is believed to last: its windows last 60."""

DEFAULT_RESET_SECONDS = 60
"""How long a window or a block lasts where the answer does not say."""

MAX_RETRY_AFTER_SECONDS = 4 * 60
"""Most seconds for which ``Retry-After`` is believed: whoever asks then is told again.

A pause that lasts longer than ``LONGEST_PAUSE_SECONDS`` would be taken for a wrong clock's.
"""

_EPOCH_FROM = 10**9

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came; names in ``headers`` are found in any case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class ManagedUser(BaseModel):
    """What every row must have; everything else passes unseen."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[StrictInt, Field(gt=0, lt=2**53)]
    email: StrictStr


class UserList(BaseModel):
    """The envelope of a list."""

    status: Literal["success"]
    data: list[ManagedUser]


class SingleUser(BaseModel):
    """The envelope of one user."""

    status: Literal["success"]
    data: ManagedUser


def rows_of(received: Received, *, most: int, now: float) -> Sequence[Row]:
    """Return the users of a list that was asked for with a limit of ``most``.

    Raises:
        OriginError: it is no such list.
    """
    _raise_for_status(received, now)
    payload = _parse(received)
    _validate(UserList, payload)
    rows: Sequence[Row] = payload["data"]
    if len(rows) > most:
        raise _unusable("more rows than asked for", Reason.TOO_MANY_ROWS)
    return rows


def found_of(received: Received, *, most: int, now: float) -> Sequence[Row]:
    """Return the users that a list has who were asked for by address.

    Whoever is not in it does not exist, so one that has somebody twice is not believed: cut off at
    its limit it lacks somebody else.

    Raises:
        OriginError: it is no such list.
    """
    rows = rows_of(received, most=most, now=now)
    if len({row["id"] for row in rows}) < len(rows):
        raise _unusable("rows repeat", Reason.ROWS_OUT_OF_ORDER)
    return rows


def members_of(received: Received, *, most: int, now: float) -> Sequence[Row]:
    """Return the members of an organization, of each the fields that managed users have.

    Whatever else this list tells of people goes no further. Where it has null for metadata, the
    list of managed users has none.

    Raises:
        OriginError: it is no such list.
    """
    return [_managed(row) for row in rows_of(received, most=most, now=now)]


def _managed(row: Row) -> Row:
    managed = {name: row[name] for name in USER_FIELDS if name in row}
    if managed.get("metadata") is None:
        managed.pop("metadata", None)
    return managed


def user_of(received: Received, user_id: int, *, now: float) -> Row | None:
    """Return the one user asked for; None if the origin says in so many words that there is none.

    Raises:
        OriginError: it is neither that user nor that word.
    """
    if received.status == HTTPStatus.NOT_FOUND:
        if not _says_no_such_user(_parse(received), user_id):
            raise _unusable(
                "a 404 that is not about the user", Reason.ORIGIN_NOT_FOUND, received=404
            )
        return None
    _raise_for_status(received, now)
    payload = _parse(received)
    _validate(SingleUser, payload)
    row: Row = payload["data"]
    if row["id"] != user_id:
        raise _unusable("another user than asked for", Reason.WRONG_USER)
    return row


def rate_limit_of(received: Received, *, now: float) -> RateLimit | None:
    """Return what an answer says of the rate limit, None if it says too little."""
    limit = _header(received, "Limit")
    remaining = _header(received, "Remaining")
    if limit is None or remaining is None:
        return None
    reset = _reset_seconds(received) or DEFAULT_RESET_SECONDS
    return RateLimit(limit=limit, remaining=remaining, reset_at=now + reset)


def _raise_for_status(received: Received, now: float) -> None:
    status = received.status
    if status == HTTPStatus.OK:
        return
    pause = _retry_after_seconds(received, now)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        told = max(_reset_seconds(received) or 0, pause or 0)
        raise OriginBlockedError(
            "the origin blocks calls", reset_seconds=told or DEFAULT_RESET_SECONDS
        )
    if _is_the_edge_s_refusal(received):
        raise OriginError(
            "the origin's edge did not let the call through",
            reason=Reason.ORIGIN_CHALLENGE,
            received=status,
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise OriginAuthError(
            "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=status
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OriginServerError(
            f"the origin answered with status {status}",
            reason=Reason.ORIGIN_5XX,
            received=status,
            retry_after_seconds=pause,
        )
    raise _unusable(f"status {status}", Reason.ORIGIN_STATUS, received=status)


def _parse(received: Received) -> Any:  # noqa: ANN401 - not validated yet
    try:
        return json.loads(received.body, parse_constant=_no_constant, parse_float=_finite)
    except ValueError:
        failure = _unusable("what is not JSON", Reason.NOT_JSON, received=received.status)
    except RecursionError:
        failure = _unusable("JSON nested too deep", Reason.TOO_DEEP, received=received.status)
    except MemoryError:
        failure = _unusable(
            "more than fits into memory", Reason.TOO_LARGE, received=received.status
        )
    # Raised outside the handlers: as a cause, the parser's error would quote the answer.
    raise failure


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _validate(model: type[BaseModel], payload: object) -> None:
    try:
        model.model_validate(payload)
    except ValidationError:
        failure = _unusable("a wrong shape", Reason.WRONG_SHAPE)
    else:
        return
    # Raised outside the handler: as a cause, the validator's error would quote the answer.
    raise failure


def _unusable(what: str, reason: Reason, *, received: int = HTTPStatus.OK) -> OriginError:
    return OriginError(f"the origin answered with {what}", reason=reason, received=int(received))


def _says_no_such_user(payload: object, user_id: int) -> bool:
    error = payload.get("error") if isinstance(payload, dict) else None
    return isinstance(error, dict) and (
        error.get("code") == "NotFoundException"
        and error.get("message") == f"User with ID {user_id} is not part of this OAuth client."
    )


def _is_the_edge_s_refusal(received: Received) -> bool:
    """Return whether a 403 is of Cloudflare in front of the origin, whose own one is JSON.

    A challenge says so; being shut out altogether is a page as well.
    """
    page = received.headers.get("Content-Type", "").lower().startswith("text/html")
    return received.status == HTTPStatus.FORBIDDEN and (
        page or "challenge" in received.headers.get("Cf-Mitigated", "").lower()
    )


def _header(received: Received, name: str) -> int | None:
    return _number(received.headers.get(f"X-RateLimit-{name}-Default", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004


def _reset_seconds(received: Received) -> int | None:
    """Return the seconds until the origin's window ends; it says seconds left, not a clock time.

    Third-party descriptions of the header say otherwise, so a value that can only be a clock time
    is not taken for a duration.
    """
    reset = _header(received, "Reset")
    if reset is None or reset > _EPOCH_FROM:
        return None
    return min(max(reset, 1), MAX_RESET_SECONDS)


def _retry_after_seconds(received: Received, now: float) -> int | None:
    """Return for how long the origin wants to be left alone (RFC 9110 section 10.2.3).

    A date is taken by the clock that wrote it, where the answer tells that.
    """
    text = received.headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is None:
        date = _instant(text)
        if date is None:
            return None
        written = _instant(received.headers.get("Date", ""))
        seconds = math.ceil(date - (now if written is None else written))
    return min(max(seconds, 0), MAX_RETRY_AFTER_SECONDS)


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
