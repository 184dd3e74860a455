"""What is taken of a webhook of Cal.com's, and by whom it must be signed."""

import hashlib
import hmac
import json
from traceback import TracebackException
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidRequestError
from lib.origin.credential import SecretKey
from lib.origin.webhook import MAX_USERS, OTHER, is_signed, parse
from lib.users.keys import UserKeys
from tests.fakes import CLIENT

BODY = b'{"triggerEvent":"PING"}'
OLD, NEW = SecretKey("canary-old"), SecretKey("canary-new")

_MEMBERS = [
    *("payload", "organizer", "user", "userId", "oooEntry", "toUser"),
    *("team", "members", "hosts", "attendees", "id", "email"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4)
    ),
    max_leaves=12,
)


def address(name: str) -> str:
    return f"{name}+{CLIENT}@example.com"


def signature(body: bytes = BODY, *, by: str = "canary-new") -> str:
    return hmac.new(by.encode(), body, hashlib.sha256).hexdigest()


def users(payload: Any, **beside: object) -> UserKeys:  # noqa: ANN401 - bodies are free-form.
    return parse(json.dumps({"payload": payload, **beside}).encode(), CLIENT).users


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        (signature(), True),
        (signature(by="canary-old"), True),
        (signature(by="canary-other"), False),
        (signature(BODY + b" "), False),
        (signature().upper(), False),
        (f"sha256={signature()}", False),
        (signature()[:-1], False),
        ("", False),
        ("no-secret-provided", False),
        ("ü\ud800", False),
    ],
)
def test_a_body_must_be_signed_by_one_of_the_secrets(given: str, *, signed: bool) -> None:
    assert is_signed(BODY, given, [OLD, NEW]) is signed


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed(BODY, signature(by=""), [])


BOOKING = {
    "type": "60min",
    "title": "canary",
    "organizer": {"id": 5, "name": "Canary", "email": address("host"), "timeZone": "Europe/London"},
    "attendees": [
        {"id": 77, "name": "Canary", "email": "guest@example.org", "language": {"locale": "en"}},
        {"id": 78, "name": "Canary", "email": address("guest")},
    ],
    "team": {"name": "T", "members": [{"id": 6, "email": address("m")}, {"email": address("n")}]},
}


def test_of_a_booking_hosts_are_named_by_id_and_attendees_by_address() -> None:
    told = parse(
        json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": BOOKING}).encode(), CLIENT
    )

    assert told.trigger == "BOOKING_CREATED"
    assert told.users == UserKeys(ids=[5, 6], addresses=[address("n"), address("guest")])


def test_of_somebody_away_both_he_and_who_stands_in_are_named() -> None:
    away = {"id": 1, "user": {"id": 5}, "toUser": {"id": 6, "email": "x@example.org"}}

    assert users({"oooEntry": away}) == UserKeys(ids=[5, 6], addresses=[])
    assert users({"oooEntry": {"user": {"id": 5}, "toUser": None}}).ids == [5]


def test_a_meeting_that_begins_or_ends_has_its_members_beside_the_trigger() -> None:
    told = {
        "triggerEvent": "MEETING_ENDED",
        "id": 9,
        "userId": 5,
        "user": {"email": address("host")},
        "attendees": [{"email": address("guest")}],
    }

    named = parse(json.dumps(told).encode(), CLIENT)

    assert named.trigger == "MEETING_ENDED"
    assert named.users == UserKeys(ids=[5], addresses=[address("host"), address("guest")])


@pytest.mark.parametrize(
    "person",
    [
        None,
        7,
        "x",
        [],
        {},
        {"id": 0},
        {"id": -1},
        {"id": 2**31},
        {"id": True},
        {"id": 5.0},
        {"id": "5"},
        {"email": "host@example.com"},
        {"email": "host+otherclient1@example.com"},
        {"email": f"host@{CLIENT}.example.com"},
        {"email": f"ho st+{CLIENT}@example.com"},
        {"email": ["x"]},
    ],
)
def test_who_cannot_be_a_user_of_the_client_is_passed_over(person: object) -> None:
    everywhere = {
        "organizer": person,
        "user": person,
        "hosts": [person],
        "team": {"members": [person]},
        "attendees": [person],
        "oooEntry": {"user": person, "toUser": person},
    }

    assert users(everywhere).keys == []


@pytest.mark.parametrize("payload", [None, [], "x", {"team": [], "attendees": {}, "hosts": 1}])
def test_a_payload_of_another_form_names_nobody(payload: object) -> None:
    assert users(payload).keys == []


def test_everybody_is_named_once_and_no_more_than_some_the_organizer_first() -> None:
    members = [{"id": number} for number in (5, 5, *range(1_000, 1_100))]

    named = users({"organizer": {"id": 5}, "team": {"members": members}})

    assert named.ids == [5, *range(1_000, 1_000 + MAX_USERS - 1)]


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ("BOOKING_CREATED", "BOOKING_CREATED"),
        ("ada@example.com", OTHER),
        ("A\n", OTHER),
        ("A" * 65, OTHER),
        ("", OTHER),
        (None, OTHER),
        (["PING"], OTHER),
    ],
)
def test_only_what_looks_like_a_trigger_is_told(trigger: object, told: str) -> None:
    assert parse(json.dumps({"triggerEvent": trigger}).encode(), CLIENT).trigger == told


@pytest.mark.parametrize(
    "body",
    [b"", b"canary=1", b'["canary"]', b"null", b"\xff\xfe", b'{"canary": ' * 50_000, b'{"canary"'],
)
def test_what_is_no_object_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(body, CLIENT)

    assert "canary" not in "".join(TracebackException.from_exception(caught.value).format())


@given(st.dictionaries(st.sampled_from(["triggerEvent", "payload", "userId", "user"]), JSON))
def test_whatever_is_signed_is_understood_or_passed_over(told: dict[str, Any]) -> None:
    assert len(parse(json.dumps(told).encode(), CLIENT).users.keys) <= MAX_USERS
