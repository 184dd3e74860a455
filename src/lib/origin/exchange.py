"""Exchanges a request for a whole answer over HTTP, before a deadline.

One exchange is one request: no redirect is followed, nothing is retried, no cookie is kept and no
.netrc is read. An answer has at most 16 MB. What goes wrong becomes an OriginError without a cause:
the errors of the libraries quote the URL, and with it users' addresses.
"""

import io
from collections.abc import Mapping
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from socket import socket
from time import monotonic
from typing import Any, override

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from lib.errors import OriginError, OriginServerError, OriginTimeoutError, Reason
from lib.origin.answers import Received

MAX_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 3.0
"""How long each of the origin's network addresses may take to accept a connection."""

ANSWER_SECONDS = 10.0
"""How long an answer may take, from the request to its last byte."""

CONNECT_SHARE = 1 / 4
"""What of the time left each address may take: there are several, and then TLS, to try."""

_CHUNK = 64 * 1024
_FINAL = 200


class Exchange:
    """Exchanges with one origin, over connections that are kept."""

    def __init__(self) -> None:
        self._session = _Session()
        self._session.headers["User-Agent"] = "managed-users-proxy"
        self._session.headers["Accept"] = "application/json"
        # With an auth of its own, a session asks no .netrc for one.
        self._session.auth = lambda request: request
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

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


class _Session(requests.Session):
    """A session to which no answer leads elsewhere."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Else it makes ready for the next request, though it may not follow: it reads the whole
        # body, however large, and fails over a Location that is no text.
        return None


class _Answer(HTTPResponse):
    """An answer with one timeout for all of it, and the final one if others come before it."""

    # None until they have been read.
    headers: Any

    def __init__(
        self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_InTime(self.fp.detach(), sock))

    @override
    def begin(self) -> None:
        super().begin()
        # Any number of interim ones may come first (RFC 9110 section 15.2), such as a 103. The
        # base class knows only 100, and would leave the final one to the next request.
        while self.status < _FINAL:
            self.headers = None
            super().begin()


class _InTime(io.RawIOBase):
    """Reads from a socket, whose timeout is for each receive, within one timeout for all."""

    def __init__(self, raw: io.RawIOBase, sock: socket) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = monotonic() + (sock.gettimeout() or 0)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Http(HTTPConnection):
    response_class = _Answer


class _Https(HTTPSConnection):
    response_class = _Answer


class _Adapter(HTTPAdapter):
    """Makes connections whose answers are ``_Answer``, through a proxy or not."""

    @override
    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _Https if pool.scheme == "https" else _Http
        return pool
