"""HTTP sessions whose answers come whole, within one time, and lead nowhere.

One exchange is one request: no redirect is followed, nothing is retried, no cookie is kept and no
.netrc is read.
"""

import io
from collections.abc import Callable
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from socket import socket
from time import monotonic
from typing import Any, override

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

_FINAL = 200


class Session(requests.Session):
    """A session to which no answer leads elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "managed-users-proxy"
        # With an auth of its own, a session asks no .netrc for one.
        self.auth = lambda request: request
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, Adapter())

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


class Http(HTTPConnection):
    """A connection in plain text."""

    response_class = _Answer


class Https(HTTPSConnection):
    """A connection with TLS."""

    response_class = _Answer


class Adapter(HTTPAdapter):
    """Makes connections of the kinds ``http`` and ``https``, through a proxy or not."""

    http: Callable[..., HTTPConnection] = Http
    https: Callable[..., HTTPSConnection] = Https

    @override
    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = self.https if pool.scheme == "https" else self.http
        return pool
