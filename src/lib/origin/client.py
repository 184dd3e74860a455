"""Asks the origin (Cal.com API v2) for managed users and vouches for the shape of its answers.

One call is one HTTP request: no redirect is followed, nothing is retried here, an answer has at
most 16 MB and must be complete before the deadline. Values pass as they are; the shape is strict,
because a broken list taken for a short one would look like deleted users. Whose users they are,
the URL, the secret and TLS vouch for, and no address does (docs/adr/0013). No text of an answer
ever reaches an exception.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Annotated, Any, Literal, NoReturn

import requests
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from lib.errors import (
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
)
from lib.origin.credential import Credential
from lib.origin.rate_limit import RateLimit
from lib.users.keys import possible_id

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 250
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
MAX_RESET_SECONDS = 120
DEFAULT_RESET_SECONDS = 60

_CHUNK = 64 * 1024
_EPOCH_FROM = 10**9

type Row = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """Validated data, and the rate limit that came with it."""

    data: T
    rate_limit: RateLimit | None


class Origin:
    """The origin at ``base_url`` (ending in ``/v2``); instants are those of ``clock``.

    Every method raises OriginError or one of its kinds.
    """

    def __init__(self, base_url: str, *, clock: Callable[[], float]) -> None:
        self._base_url = base_url
        self._clock = clock
        self._session = _session()

    def list_users(
        self, client_id: str, credential: Credential, *, offset: int, limit: int, deadline: float
    ) -> Answer[Sequence[Row]]:
        """Return one window of the client's users."""
        query = {"limit": limit, "offset": offset}
        response, body = self._get(client_id, credential, "", query, deadline=deadline)
        return self._rows(response, body, most=limit)

    def _rows(
        self, response: requests.Response, body: bytes, *, most: int
    ) -> Answer[Sequence[Row]]:
        _raise_for_status(response)
        payload = _parse(response, body)
        _validate(UserList, payload)
        rows: Sequence[Row] = payload["data"]
        if len(rows) > most:
            _unusable("more rows than asked for", Reason.TOO_MANY_ROWS)
        return Answer(rows, self._rate_limit(response))

    def find_users(
        self, client_id: str, credential: Credential, *, emails: Sequence[str], deadline: float
    ) -> Answer[Sequence[Row]]:
        """Return the client's users with these addresses, as they are stored at the origin.

        They must be few enough for one URL, and valid: one that is not fails the whole call.
        """
        query: dict[str, int | str] = {"emails": ",".join(emails), "limit": MAX_ROWS}
        response, body = self._get(client_id, credential, "", query, deadline=deadline)
        return self._rows(response, body, most=len(emails))

    def get_user(
        self, client_id: str, credential: Credential, user_id: int, *, deadline: float
    ) -> Answer[Row | None]:
        """Return one user, or None if the origin says in so many words that there is none.

        An id that no user can have is not asked for: the origin fails over it.
        """
        if not possible_id(user_id):
            return Answer(None, None)
        response, body = self._get(client_id, credential, f"/{user_id}", {}, deadline=deadline)
        if response.status_code == HTTPStatus.NOT_FOUND:
            if not _says_no_such_user(_parse(response, body), user_id):
                _unusable("a 404 that is not about the user", Reason.ORIGIN_NOT_FOUND)
            return Answer(None, self._rate_limit(response))
        _raise_for_status(response)
        payload = _parse(response, body)
        _validate(SingleUser, payload)
        row: Row = payload["data"]
        if row["id"] != user_id:
            _unusable("another user than asked for", Reason.WRONG_USER)
        return Answer(row, self._rate_limit(response))

    def _get(
        self,
        client_id: str,
        credential: Credential,
        path: str,
        query: Mapping[str, int | str],
        *,
        deadline: float,
    ) -> tuple[requests.Response, bytes]:
        left = deadline - self._clock()
        if left <= 0:
            raise OriginTimeoutError("no time left to ask the origin", reason=Reason.DEADLINE)
        try:
            with self._session.get(
                f"{self._base_url}/oauth-clients/{client_id}/users{path}",
                params=query,
                headers={
                    "x-cal-client-id": client_id,
                    "x-cal-secret-key": credential.key.reveal(),
                },
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response, self._read(response, deadline)
        except (requests.Timeout, Urllib3TimeoutError) as error:
            raise OriginTimeoutError("no answer in time", reason=Reason.ORIGIN_TIMEOUT) from error
        except (requests.RequestException, HTTPError) as error:
            raise OriginServerError(
                "the connection failed", reason=Reason.ORIGIN_CONNECTION
            ) from error

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        # Read as it comes, so that a drip of bytes cannot outlive the deadline.
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                _unusable("more than 16 MB", Reason.TOO_LARGE, received=response.status_code)
            if self._clock() > deadline:
                raise OriginTimeoutError("no whole answer in time", reason=Reason.ORIGIN_TIMEOUT)
        return bytes(body)

    def _rate_limit(self, response: requests.Response) -> RateLimit | None:
        limit = _header(response, "Limit")
        remaining = _header(response, "Remaining")
        if limit is None or remaining is None:
            return None
        reset_at = self._clock() + _reset_seconds(response)
        return RateLimit(limit=limit, remaining=remaining, reset_at=reset_at)


def _session() -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = "managed-users-proxy"
    session.headers["Accept"] = "application/json"
    # With an auth of its own, a session asks no .netrc for one.
    session.auth = lambda request: request
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _raise_for_status(response: requests.Response) -> None:
    status = response.status_code
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise OriginBlockedError("the origin blocks calls", reset_seconds=_reset_seconds(response))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise OriginAuthError(
            "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=status
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=status)
    _unusable(f"status {status}", Reason.ORIGIN_STATUS, received=status)


def _parse(response: requests.Response, body: bytes) -> Any:  # noqa: ANN401 - not validated yet
    payload: Any = None
    # Raised outside the handler: as a cause, the parser's error would quote the answer.
    with suppress(ValueError, RecursionError):
        payload = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    if payload is None:
        _unusable("not JSON", Reason.NOT_JSON, received=response.status_code)
    return payload


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _validate(model: type[BaseModel], payload: object) -> None:
    valid = False
    # Raised outside the handler: as a cause, the validator's error would quote the answer.
    with suppress(ValidationError):
        model.model_validate(payload)
        valid = True
    if not valid:
        _unusable("a wrong shape", Reason.WRONG_SHAPE, received=HTTPStatus.OK)


def _unusable(what: str, reason: Reason, *, received: int = HTTPStatus.OK) -> NoReturn:
    raise OriginError(f"the origin answered with {what}", reason=reason, received=int(received))


def _says_no_such_user(payload: object, user_id: int) -> bool:
    error = payload.get("error") if isinstance(payload, dict) else None
    return isinstance(error, dict) and (
        error.get("code") == "NotFoundException"
        and error.get("message") == f"User with ID {user_id} is not part of this OAuth client."
    )


def _header(response: requests.Response, name: str) -> int | None:
    text = response.headers.get(f"X-RateLimit-{name}-Default", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004


def _reset_seconds(response: requests.Response) -> int:
    """Return the seconds until the origin's window ends; it says seconds left, not a clock time.

    Third-party descriptions of the header say otherwise, so a value that can only be a clock time
    is not taken for a duration.
    """
    reset = _header(response, "Reset")
    if reset is None or reset > _EPOCH_FROM:
        return DEFAULT_RESET_SECONDS
    return min(max(reset, 1), MAX_RESET_SECONDS)
