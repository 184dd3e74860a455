"""Answers that no known origin gives, byte by byte: what the origin's adapter makes of them."""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

import pytest

from lib.directory.head import LONGEST_PAUSE_SECONDS
from lib.errors import OriginAuthError, OriginBlockedError, OriginError, OriginServerError
from lib.origin.answers import MAX_RETRY_AFTER_SECONDS
from lib.origin.backoff import block_until
from lib.origin.client import Answer, Origin
from lib.origin.credential import Credential, SecretKey
from lib.origin.rate_limit import RateLimit
from lib.users.hiding import NOTHING_HIDDEN
from tests.contract.origin_double_client import shown
from tests.fakes import NOW, Clock

CLIENT = "clientid1"
ROW: dict[str, Any] = {"id": 1, "email": f"a+{CLIENT}@example.com"}
KEY = Credential(SecretKey("key"), "v1")
GOOD = json.dumps({"status": "success", "data": [ROW]}).encode()


class Server(ThreadingHTTPServer):
    """A server of which nobody hears when its caller hangs up, as over some answers."""

    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class Scripted:
    """An HTTP server that gives one answer, whatever it is asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body = GOOD
        self.headers: Mapping[str, str] = {}
        self.interim = b""
        self.callers: list[tuple[str, int]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            # The date is up to each test, as are all other headers.
            send_response = BaseHTTPRequestHandler.send_response_only

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                scripted.callers.append(self.client_address)
                self.wfile.write(scripted.interim)
                self.send_response(scripted.status)
                for name, text in scripted.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(scripted.body)))
                self.end_headers()
                self.wfile.write(scripted.body)

            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = Server(("127.0.0.1", 0), Handler)
        url = f"http://127.0.0.1:{self.server.server_port}/v2"
        self.origin = Origin(url, max_rows=250, clock=Clock(), hiding=NOTHING_HIDDEN)

    def ask(self, *, limit: int = 250) -> Answer[Any]:
        """Return what the adapter makes of the answer to the question for a list."""
        return self.origin.list_users(CLIENT, KEY, offset=0, limit=limit, deadline=NOW + 20)

    def ask_for_one(self, user_id: int) -> Answer[Any]:
        """Return what the adapter makes of the answer to the question for one user."""
        return self.origin.get_user(CLIENT, KEY, user_id, deadline=NOW + 20)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()
    thread = threading.Thread(target=script.server.serve_forever, args=(0.01,))
    thread.start()
    yield script
    script.server.shutdown()
    thread.join()
    script.server.server_close()


def test_unknown_fields_and_odd_values_pass_as_they_are(scripted: Scripted) -> None:
    row = ROW | {"locale": None, "weekStart": 7, "metadata": {"a": {"b": [1]}}, "new": "x"}
    scripted.body = json.dumps({"status": "success", "data": [row], "more": 1}).encode()

    answer = scripted.ask()

    assert shown(answer.data) == [row]


def test_a_compressed_answer_is_unpacked(scripted: Scripted) -> None:
    scripted.body, scripted.headers = gzip.compress(GOOD), {"Content-Encoding": "gzip"}

    answer = scripted.ask()

    assert shown(answer.data) == [ROW]


def test_an_answer_that_unpacks_to_more_than_16_megabytes_is_refused(scripted: Scripted) -> None:
    scripted.body = gzip.compress(GOOD + b" " * (17 * 1024 * 1024))
    scripted.headers = {"Content-Encoding": "gzip"}

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert caught.value.reason == "too-large"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not-json"),
        (b"null", "wrong-shape"),
        (b"\xff\xfe\xfd", "not-json"),
        (b"[" * 100_000, "too-deep"),
        (b'{"status":"success","data":[NaN]}', "not-json"),
        (b'{"status":"success","data":[]} x', "not-json"),
        (b"[]", "wrong-shape"),
        (b"5", "wrong-shape"),
        (b'{"data":[]}', "wrong-shape"),
        (b'{"status":"success","data":[{"id":1}]}', "wrong-shape"),
        (b'{"status":"success","data":[{"id":0,"email":"a"}]}', "wrong-shape"),
        (b'{"status":"success","data":[{"id":1.5,"email":"a"}]}', "wrong-shape"),
        (b'{"status":"success","data":[{"id":true,"email":"a"}]}', "wrong-shape"),
        (b'{"status":"success","data":[{"id":9007199254740992,"email":"a"}]}', "wrong-shape"),
    ],
)
def test_what_is_not_a_list_of_this_clients_users_is_refused(
    scripted: Scripted, body: bytes, reason: str
) -> None:
    scripted.body = body

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert (caught.value.reason, caught.value.received) == (reason, 200)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_interim_answers_are_passed_over_and_the_connection_is_used_again(
    scripted: Scripted, status: bytes, times: int
) -> None:
    scripted.interim = b"HTTP/1.1 %b\r\nLink: </x>; rel=preload\r\n\r\n" % status * times

    answers = [scripted.ask() for _ in range(3)]

    assert [shown(answer.data) for answer in answers] == [[ROW]] * 3
    assert len(scripted.callers) == 3
    assert len(set(scripted.callers)) == 1


@pytest.mark.parametrize("interim", [b"HTTP/1.1 101 Switching Protocols\r\n\r\nx", b"junk\r\n\r\n"])
def test_what_comes_before_the_answer_and_is_none_fails_the_connection(
    scripted: Scripted, interim: bytes
) -> None:
    scripted.interim = interim

    with pytest.raises(OriginServerError) as caught:
        scripted.ask()

    assert caught.value.reason == "origin-connection"


def test_another_user_than_asked_for_is_refused(scripted: Scripted) -> None:
    scripted.body = json.dumps({"status": "success", "data": ROW}).encode()

    with pytest.raises(OriginError) as caught:
        scripted.ask_for_one(ROW["id"] + 1)

    assert (caught.value.reason, caught.value.received) == ("wrong-user", 200)


def test_more_rows_than_asked_for_are_refused(scripted: Scripted) -> None:
    scripted.body = json.dumps({"status": "success", "data": [ROW, ROW | {"id": 2}]}).encode()

    with pytest.raises(OriginError) as caught:
        scripted.ask(limit=1)

    assert caught.value.reason == "too-many-rows"


@pytest.mark.parametrize(
    "location", ["https://elsewhere.example/", "//\xff\xfe", "http://[::1", ""]
)
def test_a_redirect_leads_nowhere_whatever_it_says(scripted: Scripted, location: str) -> None:
    scripted.status, scripted.headers = 302, {"Location": location}

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert (caught.value.reason, caught.value.received) == ("origin-status", 302)


def test_a_redirect_of_more_than_16_megabytes_is_not_read_to_its_end(scripted: Scripted) -> None:
    scripted.status, scripted.headers = 302, {"Location": "/"}
    scripted.body = b" " * (17 * 1024 * 1024)

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert caught.value.reason == "too-large"


@pytest.mark.parametrize("status", [201, 204, 304])
def test_another_success_than_200_is_none(scripted: Scripted, status: int) -> None:
    scripted.status, scripted.body = status, b""

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert (caught.value.reason, caught.value.received) == ("origin-status", status)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, None),
        ({"Limit": "500"}, None),
        ({"Limit": "x", "Remaining": "1"}, None),
        ({"Limit": "-5", "Remaining": "1"}, None),
        ({"Limit": "500", "Remaining": "9" * 16}, None),
        ({"Limit": "500", "Remaining": "400", "Reset": "30"}, (500, 400, NOW + 30)),
        ({"Limit": "500", "Remaining": "400"}, (500, 400, NOW + 60)),
        ({"Limit": "500", "Remaining": "400", "Reset": "0"}, (500, 400, NOW + 1)),
        ({"Limit": "500", "Remaining": "400", "Reset": "121"}, (500, 400, NOW + 120)),
        ({"Limit": "500", "Remaining": "400", "Reset": "1800000030"}, (500, 400, NOW + 60)),
    ],
)
def test_the_rate_limit_is_read_defensively(
    scripted: Scripted, headers: dict[str, str], told: tuple[int, int, float] | None
) -> None:
    scripted.headers = {f"X-RateLimit-{name}-Default": text for name, text in headers.items()}

    answer = scripted.ask()

    expected = told and RateLimit(limit=told[0], remaining=told[1], reset_at=told[2])
    assert answer.rate_limit == expected


RESET, PAUSE = "X-RateLimit-Reset-Default", "Retry-After"
TODAY = formatdate(NOW, usegmt=True)
IN_A_MINUTE = formatdate(NOW + 60, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({RESET: "7"}, 7),
        ({}, 60),
        ({RESET: "soon"}, 60),
        ({RESET: "0"}, 1),
        ({RESET: "999"}, 120),
        # Of two, the longer one; one that was told, rather than one that was not.
        ({PAUSE: "30"}, 30),
        ({RESET: "7", PAUSE: "30"}, 30),
        ({RESET: "70", PAUSE: "30"}, 70),
        ({PAUSE: "0"}, 60),
        ({PAUSE: "240"}, 240),
        ({PAUSE: "86400"}, 240),
        ({PAUSE: "-5"}, 60),
        ({PAUSE: "1.5"}, 60),
        ({PAUSE: "never"}, 60),
        ({PAUSE: IN_A_MINUTE, "Date": TODAY, RESET: "7"}, 60),
        ({PAUSE: TODAY, "Date": IN_A_MINUTE, RESET: "7"}, 7),
        ({PAUSE: formatdate(NOW + 86400), "Date": TODAY}, 240),
        ({PAUSE: IN_A_MINUTE, "Date": "today", RESET: "7"}, 60),
    ],
)
def test_a_block_lasts_as_long_as_it_says_within_reason(
    scripted: Scripted, headers: dict[str, str], seconds: int
) -> None:
    scripted.status, scripted.headers = 429, headers

    with pytest.raises(OriginBlockedError) as caught:
        scripted.ask()

    assert caught.value.reset_seconds == seconds


def test_the_longest_block_is_not_taken_for_the_word_of_a_wrong_clock() -> None:
    # Of a clock that is half a minute ahead, too.
    until = block_until(reset_seconds=MAX_RETRY_AFTER_SECONDS, now=NOW + 30)

    assert until <= NOW + LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({PAUSE: "soon"}, None),
        ({PAUSE: ""}, None),
        ({PAUSE: "0"}, 0),
        ({PAUSE: "120"}, 120),
        ({PAUSE: "3600"}, 240),
        ({PAUSE: IN_A_MINUTE, "Date": TODAY}, 60),
    ],
)
@pytest.mark.parametrize("status", [500, 502, 503, 520])
def test_a_failing_origin_may_say_for_how_long(
    scripted: Scripted, status: int, headers: dict[str, str], seconds: int | None
) -> None:
    scripted.status, scripted.headers = status, headers

    with pytest.raises(OriginServerError) as caught:
        scripted.ask()

    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("headers", "kind", "reason"),
    [
        ({"Content-Type": "application/json"}, OriginAuthError, "origin-auth"),
        ({}, OriginAuthError, "origin-auth"),
        ({"cf-mitigated": "challenge"}, OriginError, "origin-challenge"),
        ({"Content-Type": "text/html; charset=UTF-8"}, OriginError, "origin-challenge"),
    ],
)
def test_a_page_instead_of_a_403_of_the_origin_is_no_word_on_the_secret(
    scripted: Scripted, headers: dict[str, str], kind: type[OriginError], reason: str
) -> None:
    scripted.status, scripted.headers = 403, headers

    with pytest.raises(OriginError) as caught:
        scripted.ask()

    assert type(caught.value) is kind
    assert (caught.value.reason, caught.value.received) == (reason, 403)
