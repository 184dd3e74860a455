"""Sends requests: signed if need be, conditional where an answer is known, again where that helps.

Only what may succeed later is sent again (429, 502, 503, 504, a broken connection), after the
``Retry-After`` that was told, or after a pause that doubles; never beyond ``patience`` seconds.
"""

import json
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from managed_users import errors

type Json = Any

SERVICE = "execute-api"
_RETRIED = frozenset({429, 502, 503, 504})
_SUCCESSES, _NOT_MODIFIED = range(200, 300), 304
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
_REMEMBERED = 128


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests (AWS Signature Version 4) with the credentials of whoever calls."""

    credentials: Credentials
    region: str

    def headers(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> dict[str, str]:
        """Return ``headers`` and those that sign the request."""
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        SigV4Auth(self.credentials, SERVICE, self.region).add_auth(request)
        return dict(request.headers.items())


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error; header names in any case."""

    url: str
    body: Json
    headers: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Transport:
    """Sends requests of one client; not for several threads at a time.

    ``timeout`` is that of one attempt. ``clock`` is monotonic.
    """

    signer: Signer | None = None
    timeout: float = 35
    patience: float = 60
    session: requests.Session = field(default_factory=requests.Session)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    _remembered: OrderedDict[str, Answer] = field(default_factory=OrderedDict)

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
        deadline = self.clock() + self.patience
        pause = _FIRST_PAUSE
        while True:
            told: float | None = None
            try:
                response = self._attempt(method, url, body, dict(headers or {}))
            except requests.RequestException as error:
                # Its text has the whole URL, and with it maybe addresses.
                failure: errors.ManagedUsersError = errors.ConnectionFailedError(
                    f"no answer from the service: {type(error).__name__}"
                )
                failure.__cause__ = None
            else:
                if _has_result(response):
                    return self._taken(method, url, response)
                failure = errors.of(response.status_code, _object(response))
                if response.status_code not in _RETRIED:
                    raise failure
                told = _retry_after(response.headers.get("Retry-After"))
            wait = told if told is not None else pause * (0.5 + self.random() / 2)
            if self.clock() + wait >= deadline:
                raise failure from None
            self.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _attempt(
        self, method: str, url: str, body: Json, headers: dict[str, str]
    ) -> requests.Response:
        headers.setdefault("Accept", "application/json")
        known = self._remembered.get(url) if method == "GET" else None
        if known is not None:
            headers["If-None-Match"] = known.headers["ETag"]
        text = None
        if body is not None:
            text = json.dumps(body)
            headers["Content-Type"] = "application/json"
        if self.signer is not None:
            headers = self.signer.headers(method, url, text, headers)
        return self.session.request(
            method, url, data=text, headers=headers, timeout=self.timeout, allow_redirects=False
        )

    def _taken(self, method: str, url: str, response: requests.Response) -> Answer:
        if response.status_code == _NOT_MODIFIED:
            known = self._remembered[url]
            # RFC 9111 section 4.3.4: what a 304 says replaces what was stored.
            merged = requests.structures.CaseInsensitiveDict(known.headers)
            merged.update(response.headers)
            answer = Answer(url, known.body, merged)
        else:
            answer = Answer(url, _object(response), response.headers)
            if "data" not in answer.body:
                # A proxy on the way, or another service altogether.
                raise errors.AnswerError(
                    response.status_code, {"message": "the answer is not one of this service"}
                )
        if method == "GET" and "ETag" in answer.headers:
            self._remembered[url] = answer
            self._remembered.move_to_end(url)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return answer


def _has_result(response: requests.Response) -> bool:
    conditional = "If-None-Match" in response.request.headers
    known = response.status_code == _NOT_MODIFIED and conditional
    return known or response.status_code in _SUCCESSES


def _object(response: requests.Response) -> Json:
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
