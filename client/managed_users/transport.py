"""Sends requests: signed if need be, conditional where an answer is known, again where that helps.

What may succeed later is sent again (429, 502, 503, 504, a connection that broke), after the
``Retry-After`` that was told, or after a pause that doubles; never beyond ``patience`` seconds. An
answer that is fresh (``max-age``, RFC 9111 section 4.2) is not asked for again.
"""

import json
import random
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from managed_users import errors

if TYPE_CHECKING:
    import requests
    from botocore.credentials import Credentials
    from tenacity import RetryCallState

type Json = Any

SERVICE = "execute-api"
_RETRIED = frozenset({429, 502, 503, 504})
_SUCCESSES, _NOT_MODIFIED = range(200, 300), 304
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
_REMEMBERED = 128
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d+)")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests (AWS Signature Version 4) with the credentials of whoever calls."""

    credentials: "Credentials"
    region: str

    def headers(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """Return ``headers`` and those that sign the request."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        SigV4Auth(self.credentials, SERVICE, self.region).add_auth(request)
        return dict(request.headers.items())


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error; header names in any case."""

    url: str
    body: Json
    headers: Mapping[str, str]

    @property
    def age(self) -> int | None:
        """Seconds since what it says was seen at the origin; None: that was asked for it."""
        return int(self.headers["Age"]) if "Age" in self.headers else None


def _session() -> "requests.Session":
    import requests

    return requests.Session()


@dataclass(slots=True, kw_only=True)
class Transport:
    """Sends requests of one client; not for several threads at a time.

    ``timeout`` is that of one attempt. ``clock`` is monotonic. ``on_answer`` is told of each
    answer, ``on_retry`` of each failure after which a request is sent again, and of the seconds
    until then.
    """

    signer: Signer | None = None
    timeout: float = 35
    patience: float = 60
    session: "requests.Session" = field(default_factory=_session)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    on_answer: Callable[[Answer], None] = lambda _answer: None
    on_retry: Callable[[errors.ManagedUsersError, float], None] = lambda _error, _seconds: None
    _remembered: OrderedDict[str, tuple[Answer, float]] = field(default_factory=OrderedDict)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer.

        Raises:
            ManagedUsersError: there is none, or it is an error.
        """
        from tenacity import Retrying, retry_if_exception

        answer = None if headers or method != "GET" else self._fresh(url)
        if answer is None:
            deadline = self.clock() + self.patience
            answer = Retrying(
                retry=retry_if_exception(_may_pass),
                wait=self._pause,
                stop=lambda state: self.clock() + state.upcoming_sleep >= deadline,
                sleep=self.sleep,
                before_sleep=self._tell,
                reraise=True,
            )(self._attempt, method, url, body, headers or {})
        self.on_answer(answer)
        return answer

    def forget(self) -> None:
        """Ask again for whatever is known, fresh or not."""
        self._remembered.clear()

    def _pause(self, state: "RetryCallState") -> float:
        told = getattr(_failure(state), "retry_after", None)
        if told is not None:
            return float(told)
        pause: float = min(_FIRST_PAUSE * 2 ** (state.attempt_number - 1), _LONGEST_PAUSE)
        return pause * (0.5 + self.random() / 2)

    def _tell(self, state: "RetryCallState") -> None:
        failure = _failure(state)
        if isinstance(failure, errors.ManagedUsersError):
            self.on_retry(failure, state.upcoming_sleep)

    def _attempt(self, method: str, url: str, body: Json, given: Mapping[str, str]) -> Answer:
        import requests
        from requests.structures import CaseInsensitiveDict

        headers = {"Accept": "application/json", **given}
        known = self._remembered.get(url) if method == "GET" else None
        if known is not None:
            headers["If-None-Match"] = known[0].headers["ETag"]
        text = None
        if body is not None:
            text = json.dumps(body)
            headers["Content-Type"] = "application/json"
        if self.signer is not None:
            headers = self.signer.headers(method, url, text, headers)
        try:
            response = self.session.request(
                method, url, data=text, headers=headers, timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            from managed_users.connecting import connection_failed

            # Its text has the whole URL, and with it maybe addresses.
            raise connection_failed(error, url) from None
        if response.status_code == _NOT_MODIFIED and known is not None:
            # RFC 9111 section 4.3.4: what a 304 says replaces what was stored.
            merged = CaseInsensitiveDict(known[0].headers)
            merged.update(response.headers)
            return self._kept(method, Answer(url, known[0].body, merged))
        if response.status_code in _SUCCESSES:
            return self._kept(method, Answer(url, _result(response), response.headers))
        told = _retry_after(response.headers.get("Retry-After"))
        raise errors.of(response.status_code, _object(response), retry_after=told)

    def _fresh(self, url: str) -> Answer | None:
        """Return what is known for ``url`` if it is fresh, as old as it is by now."""
        if url not in self._remembered:
            return None
        from requests.structures import CaseInsensitiveDict

        answer, received = self._remembered[url]
        age = (answer.age or 0) + int(self.clock() - received)
        lifetime = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        if lifetime is None or age >= int(lifetime[1]):
            return None
        headers = CaseInsensitiveDict(answer.headers)
        headers["Age"] = str(age)
        return Answer(url, answer.body, headers)

    def _kept(self, method: str, answer: Answer) -> Answer:
        if method == "GET" and "ETag" in answer.headers:
            self._remembered[answer.url] = answer, self.clock()
            self._remembered.move_to_end(answer.url)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return answer


def _failure(state: "RetryCallState") -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, errors.ConnectionFailedError):
        return not error.lasting
    return isinstance(error, errors.AnswerError) and error.status in _RETRIED


def _result(response: "requests.Response") -> Json:
    body = _object(response)
    if "data" not in body:
        # A proxy on the way, or another service altogether.
        told = {"message": "the answer is not one of this service; does its URL end in /v2?"}
        raise errors.AnswerError(response.status_code, told)
    return body


def _object(response: "requests.Response") -> Json:
    """Return the body if it is an object; what a gateway on the way answers may be anything."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(text: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` (RFC 9110 section 10.2.3), None if it has none.

    >>> _retry_after("7"), _retry_after(None), _retry_after("soon")
    (7.0, None, None)
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
