"""The client's requests: what is sent again and when, what is conditional, what is signed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, override

import pytest
import requests
from botocore.credentials import Credentials
from requests.adapters import BaseAdapter

from managed_users import (
    AnswerError,
    Client,
    ConnectionFailedError,
    ForbiddenError,
    GoneError,
    InvalidRequestError,
    ManagedUsersError,
    NotFoundError,
    UnavailableError,
)
from managed_users.transport import Signer, Transport

URL = "https://users.example/v2"
CLIENT = "clientid1"
BUSY = (503, {"Retry-After": "7"}, {"error": {"code": "ServiceUnavailableException"}})
EMPTY: dict[str, Any] = {"status": "success", "data": {}}

type Told = tuple[int, Mapping[str, str], Any]


class Adapter(BaseAdapter):
    """Answers with what it was told, in order, and keeps the requests."""

    def __init__(self, *answers: Told | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.requests.append(request)
        told = self.answers.pop(0)
        if isinstance(told, Exception):
            raise told
        response = requests.Response()
        response.status_code = told[0]
        response.headers.update(told[1])
        response._content = json.dumps(told[2]).encode() if told[2] is not None else b""  # noqa: SLF001 - as adapters do.
        response.url = str(request.url)
        response.request = request
        return response

    @override
    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Clock:
    """A clock that only moves while somebody sleeps."""

    now: float = 0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Rig:
    """A client whose service answers as told."""

    adapter: Adapter
    clock: Clock
    client: Client


@pytest.fixture
def rig() -> Callable[..., Rig]:
    def make(*answers: Told | Exception, patience: float = 60, signer: Signer | None = None) -> Rig:
        adapter, clock, session = Adapter(*answers), Clock(), requests.Session()
        session.mount("https://", adapter)
        transport = Transport(
            signer=signer,
            patience=patience,
            session=session,
            clock=clock,
            sleep=clock.sleep,
            random=lambda: 1.0,
        )
        return Rig(adapter, clock, Client(URL, CLIENT, transport=transport))

    return make


def test_what_was_told_to_wait_waits_so_long(rig: Callable[..., Rig]) -> None:
    made = rig(BUSY, BUSY, (200, {}, EMPTY))

    made.client.cache()

    assert made.clock.slept == [7, 7]


def test_without_a_word_on_it_pauses_double(rig: Callable[..., Rig]) -> None:
    broken = requests.ConnectionError("broken")
    made = rig((502, {}, None), broken, (504, {}, {}), (200, {}, EMPTY))

    made.client.cache()

    assert made.clock.slept == [0.5, 1, 2]


def test_patience_ends(rig: Callable[..., Rig]) -> None:
    made = rig(BUSY, BUSY, BUSY, patience=20)

    with pytest.raises(UnavailableError) as caught:
        made.client.cache()

    assert (caught.value.status, caught.value.code) == (503, "ServiceUnavailableException")
    assert made.clock.slept == [7, 7]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, InvalidRequestError),
        (410, GoneError),
        (500, UnavailableError),
    ],
)
def test_what_cannot_succeed_later_is_not_sent_again(
    rig: Callable[..., Rig], status: int, kind: type[ManagedUsersError]
) -> None:
    made = rig((status, {}, {"requestId": "r1", "error": {"message": "no"}}))

    with pytest.raises(kind, match="no") as caught:
        made.client.cache()

    assert made.clock.slept == []
    assert getattr(caught.value, "request_id", None) == "r1"


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (403, "Forbidden", ForbiddenError),
        (404, "Not Found", NotFoundError),
        (429, "Too Many Requests", UnavailableError),
        (500, "Internal Server Error", UnavailableError),
        (503, "Service Unavailable", UnavailableError),
    ],
)
def test_what_an_http_api_answers_by_itself_is_an_error_like_any_other(
    rig: Callable[..., Rig], status: int, told: str, kind: type[AnswerError]
) -> None:
    made = rig((status, {"apigw-requestid": "r1"}, {"message": told}), patience=0)

    with pytest.raises(kind, match=told) as caught:
        made.client.cache()

    assert (caught.value.status, caught.value.code) == (status, "")


def test_who_is_throttled_by_an_http_api_comes_back_without_being_told_when(
    rig: Callable[..., Rig],
) -> None:
    made = rig((429, {}, {"message": "Too Many Requests"}), (200, {}, EMPTY))

    made.client.cache()

    assert made.clock.slept == [0.5]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, {}, None), "not one of this service"),
        ((200, {}, ["list"]), "not one of this service"),
        ((301, {"Location": "https://elsewhere.example/"}, None), "status 301"),
        ((304, {}, None), "status 304"),
    ],
)
def test_an_answer_of_somebody_else_is_an_error(
    rig: Callable[..., Rig], answer: Told, told: str
) -> None:
    made = rig(answer)

    with pytest.raises(AnswerError, match=told):
        made.client.cache()


def test_an_error_of_the_connection_does_not_tell_the_url(rig: Callable[..., Rig]) -> None:
    made = rig(requests.ConnectionError(f"{URL}?emails=canary"), patience=0)

    with pytest.raises(ConnectionFailedError) as caught:
        made.client.page(emails=["canary@example.com"])

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_known_is_asked_for_conditionally(rig: Callable[..., Rig]) -> None:
    user = {"status": "success", "data": {"id": 1}}
    made = rig((200, {"ETag": 'W/"1"', "Age": "3"}, user), (304, {"ETag": 'W/"1"'}, None))

    first, second = made.client.user(1), made.client.user(1)

    assert first == second == {"id": 1}
    assert "If-None-Match" not in made.adapter.requests[0].headers
    assert made.adapter.requests[1].headers["If-None-Match"] == 'W/"1"'


def test_a_window_that_has_not_changed_is_as_old_as_the_304_says(rig: Callable[..., Rig]) -> None:
    body = {"data": [{"id": 1}], "pagination": {}}
    made = rig((200, {"ETag": '"1"', "Age": "3"}, body), (304, {"ETag": '"1"', "Age": "9"}, None))

    ages = [made.client.page().age for _ in range(2)]

    assert ages == [3, 9]


def test_users_are_those_of_all_pages(rig: Callable[..., Rig]) -> None:
    following = {"Link": '<?limit=250>; rel="first", <?limit=250&cursor=abc>; rel="next"'}
    made = rig(
        (200, following, {"data": [{"id": 1}], "pagination": {}}),
        (200, {}, {"data": [{"id": 2}], "pagination": {}}),
    )

    found = list(made.client.users(ids=[1, 2], metadata={"plan": "pro"}))

    urls, question = [r.url for r in made.adapter.requests], "ids=1%2C2&metadata%5Bplan%5D=pro"
    assert found == [{"id": 1}, {"id": 2}]
    assert urls == [
        f"{URL}/oauth-clients/{CLIENT}/users?limit=250&{question}",
        f"{URL}/oauth-clients/{CLIENT}/users?limit=250&cursor=abc&{question}",
    ]


def test_names_of_a_look_up_are_in_no_url(rig: Callable[..., Rig]) -> None:
    made = rig((200, {}, {"data": [], "pagination": {}, "notFound": ["a@example.com"]}))

    page = made.client.look_up(emails=["a@example.com"], fresh=True)

    (request,) = made.adapter.requests
    assert page.not_found == ["a@example.com"]
    assert "example.com" not in str(request.url).partition("/v2")[2]
    assert json.loads(request.body or "") == {"emails": ["a@example.com"]}
    assert request.headers["Cache-Control"] == "no-cache"


def test_a_signer_signs_every_attempt(rig: Callable[..., Rig]) -> None:
    signer = Signer(Credentials("AKIDEXAMPLE", "secret-canary", "token"), "eu-central-1")
    made = rig(BUSY, (200, {}, EMPTY), signer=signer)

    made.client.cache()

    for request in made.adapter.requests:
        signature = request.headers["Authorization"]
        assert "AKIDEXAMPLE/" in signature
        assert "/eu-central-1/execute-api/aws4_request" in signature
        assert request.headers["X-Amz-Security-Token"] == "token"
        assert "secret-canary" not in str(request.headers)
