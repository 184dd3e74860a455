"""Exchanges a request for a whole answer over HTTP, before a deadline.

An answer has at most 16 MB. What goes wrong becomes an OriginError without a cause: the errors of
the libraries quote the URL, and with it users' addresses.
"""

from collections.abc import Mapping
from typing import Any

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from lib.errors import OriginError, OriginServerError, OriginTimeoutError, Reason
from lib.origin.answers import Received
from lib.transport import Session

MAX_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 3.0
"""How long each of the origin's network addresses may take to accept a connection."""

ANSWER_SECONDS = 10.0
"""How long an answer may take, from the request to its last byte."""

CONNECT_SHARE = 1 / 4
"""What of the time left each address may take: there are several, and then TLS, to try."""

_CHUNK = 64 * 1024


class Exchange:
    """Exchanges with one origin, over connections that are kept."""

    def __init__(self) -> None:
        self._session = Session()
        self._session.headers["Accept"] = "application/json"

    def get(
        self,
        url: str,
        *,
        query: Mapping[str, int | str],
        headers: Mapping[str, str],
        seconds: float,
    ) -> Received:
        """Return the whole answer, received within ``seconds``.

        Only the look-up of the origin's name has a bound of its own, which is the system's.

        Raises:
            OriginTimeoutError: there was none in time.
            OriginServerError: the connection failed.
            OriginError: it is too large.
        """
        failure: OriginError
        # The stubs know a pair of numbers only; requests takes this as well.
        timeout: Any = Timeout(
            connect=min(CONNECT_SECONDS, seconds * CONNECT_SHARE),
            read=ANSWER_SECONDS,
            total=seconds,
        )
        try:
            with self._session.get(
                url,
                params=query,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _body(response)
                return Received(response.status_code, response.headers, body)
        except (requests.Timeout, Urllib3TimeoutError):
            failure = OriginTimeoutError("no whole answer in time", reason=Reason.ORIGIN_TIMEOUT)
        except (requests.RequestException, HTTPError):
            failure = OriginServerError("the connection failed", reason=Reason.ORIGIN_CONNECTION)
        raise failure


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BYTES:
            raise OriginError(
                "the answer has more than 16 MB",
                reason=Reason.TOO_LARGE,
                received=response.status_code,
            )
    return bytes(body)
