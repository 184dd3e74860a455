"""Posts to the webhook's receiver over HTTP: once, to public addresses alone, within a time.

Nothing of what the receiver answers is kept but the status and Retry-After. The libraries' errors
quote the URL, which may hold a token, so none of them gets out.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, override

import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from lib.deliveries.addresses import is_loopback, is_public
from lib.deliveries.attempts import Answered, Attempt, Unanswered, Undelivered
from lib.transport import Adapter, Http, Https, Session

ANSWER_SECONDS = 15.0
"""How long all of it may take but the look-up of the name; the specification wants 15 to 30."""

CONNECT_SECONDS = 5.0
"""How long each of the receiver's network addresses may take to accept a connection."""

MOST_BYTES = 16 * 1024
"""What is read of an answer's body, so that the connection can be used again."""

SIDE_BY_SIDE = 10
"""How many connections are kept."""

_LARGEST_EVENT = 1024 * 1024

type LookUp = Callable[..., Sequence[Any]]


class HttpReceiver:
    """The receiver at ``url``, whose name ``look_up`` leads to addresses, as ``getaddrinfo``."""

    def __init__(self, url: str, *, look_up: LookUp = socket.getaddrinfo) -> None:
        self._url = url
        self._session = Session()
        # A proxy would look the name up by itself, and lead wherever it likes.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(look_up))

    def post(self, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """Return how the receiver answered to ``body``."""
        # The stubs know a pair of numbers only; requests takes this as well.
        timeout: Any = Timeout(connect=CONNECT_SECONDS, total=ANSWER_SECONDS)
        try:
            with self._session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                answered = Answered(response.status_code, response.headers.get("Retry-After"))
                _discard(response)
                return answered
        except _NotPublicError:
            return Unanswered(Undelivered.RECEIVER_ADDRESS)
        except (requests.Timeout, Urllib3TimeoutError):
            return Unanswered(Undelivered.RECEIVER_TIMEOUT)
        except (requests.RequestException, HTTPError, OSError):
            return Unanswered(Undelivered.RECEIVER_CONNECTION)


def _discard(response: requests.Response) -> None:
    """Read some of the body, and forget it: what counts has come before it."""
    read = 0
    with suppress(HTTPError, OSError):
        while read < MOST_BYTES and (chunk := response.raw.read1(MOST_BYTES)):
            read += len(chunk)


class _NotPublicError(Exception):
    """The receiver's name leads to an address that nothing may be delivered to."""


class _Pinned:
    """Connects to an address that was looked at, whatever the name leads to a moment later."""

    _dns_host: str
    port: int

    def __init__(self, *args: Any, look_up: LookUp, **options: Any) -> None:  # noqa: ANN401 - urllib3's own.
        super().__init__(*args, **options)
        self._look_up = look_up

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        found = self._look_up(name, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not all(map(self._allowed, addresses)):
            raise _NotPublicError
        try:
            return self._first(addresses)
        finally:
            # TLS is for the name.
            self._dns_host = name

    def _first(self, addresses: Sequence[str]) -> socket.socket:
        *others, last = addresses
        for address in others:
            with suppress(HTTPError):
                return self._connected(address)
        return self._connected(last)

    def _connected(self, address: str) -> socket.socket:
        self._dns_host = address
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        return connection

    def _allowed(self, address: str) -> bool:
        return is_public(address)


class _PublicHttps(_Pinned, Https):
    pass


class _LocalHttp(_Pinned, Http):
    """Plain text goes to this machine and nowhere else."""

    @override
    def _allowed(self, address: str) -> bool:
        return is_loopback(address)


class _Adapter(Adapter):
    def __init__(self, look_up: LookUp) -> None:
        self.http = partial(_LocalHttp, look_up=look_up)
        self.https = partial(_PublicHttps, look_up=look_up)
        super().__init__(pool_maxsize=SIDE_BY_SIDE)

    @override
    def init_poolmanager(self, *args: Any, **options: Any) -> Any:
        # An event is sent in one piece, since the time for sending is for each.
        return super().init_poolmanager(*args, **options, blocksize=_LARGEST_EVENT)
