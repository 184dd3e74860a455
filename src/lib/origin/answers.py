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

MAX_RESET_SECONDS = 120
DEFAULT_RESET_SECONDS = 60

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


def rows_of(received: Received, *, most: int) -> Sequence[Row]:
    """Return the users of a list that was asked for with a limit of ``most``.

    Raises:
        OriginError: it is no such list.
    """
    _raise_for_status(received)
    payload = _parse(received)
    _validate(UserList, payload)
    rows: Sequence[Row] = payload["data"]
    if len(rows) > most:
        raise _unusable("more rows than asked for", Reason.TOO_MANY_ROWS)
    return rows


def user_of(received: Received, user_id: int) -> Row | None:
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
    _raise_for_status(received)
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
    return RateLimit(limit=limit, remaining=remaining, reset_at=now + _reset_seconds(received))


def _raise_for_status(received: Received) -> None:
    status = received.status
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise OriginBlockedError("the origin blocks calls", reset_seconds=_reset_seconds(received))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise OriginAuthError(
            "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=status
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=status)
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


def _header(received: Received, name: str) -> int | None:
    text = received.headers.get(f"X-RateLimit-{name}-Default", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004


def _reset_seconds(received: Received) -> int:
    """Return the seconds until the origin's window ends; it says seconds left, not a clock time.

    Third-party descriptions of the header say otherwise, so a value that can only be a clock time
    is not taken for a duration.
    """
    reset = _header(received, "Reset")
    if reset is None or reset > _EPOCH_FROM:
        return DEFAULT_RESET_SECONDS
    return min(max(reset, 1), MAX_RESET_SECONDS)
