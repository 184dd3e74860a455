"""What the origin's answers are taken for: users, nobody, a limit, or a failure of some kind.

Over a real connection ``tests/contract/test_origin_answers.py`` asks more of the same.
"""

import json
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, override

import pytest

from lib.errors import OriginAuthError, OriginBlockedError, OriginError, OriginServerError
from lib.origin.answers import (
    DEFAULT_RESET_SECONDS,
    MAX_RESET_SECONDS,
    MAX_RETRY_AFTER_SECONDS,
    Received,
    found_of,
    members_of,
    rate_limit_of,
    rows_of,
    user_of,
)
from lib.origin.rate_limit import RateLimit
from tests.fakes import NOW, user, users

RESET, PAUSE = "X-RateLimit-Reset-Default", "Retry-After"


class TooMuch(bytes):
    """Bytes that no memory holds once they are text."""

    __slots__ = ()

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Do not return."""
        raise MemoryError


def received(
    content: object = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Received:
    """Return an answer with ``content`` as JSON, or as it is if it is bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Received(status=status, headers=headers or {}, body=body)


def listed(*rows: object) -> dict[str, Any]:
    return {"status": "success", "data": [*rows]}


def refusal(answer: Received, *, user_id: int | None = None) -> OriginError:
    """Return what is raised over an answer to a list, or to a question for one user."""
    with pytest.raises(OriginError) as caught:
        _ = (
            rows_of(answer, most=250, now=NOW)
            if user_id is None
            else user_of(answer, user_id, now=NOW)
        )
    # As a cause, an error of a library would quote the answer.
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value


def test_the_users_of_a_list_pass_as_they_are() -> None:
    rows = [user(1, metadata={"a": [1.5, None]}), user(2, new="field", locale=None)]

    assert rows_of(received(listed(*rows)), most=2, now=NOW) == rows
    assert rows_of(received(listed()), most=2, now=NOW) == []


def test_one_user_passes_as_he_is() -> None:
    answer = received({"status": "success", "data": user(7)})

    assert user_of(answer, 7, now=NOW) == user(7)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not-json"),
        (b"\xff", "not-json"),
        (b"<html>", "not-json"),
        (b"NaN", "not-json"),
        (b"[1e999]", "not-json"),
        (b"[" * 100_000, "too-deep"),
        (TooMuch(b"{}"), "too-large"),
        (None, "wrong-shape"),
        ([], "wrong-shape"),
        ({"status": "error", "data": []}, "wrong-shape"),
        ({"status": "success", "data": None}, "wrong-shape"),
        (listed(None), "wrong-shape"),
        (listed({"id": 1}), "wrong-shape"),
        (listed({"email": "a@example.com"}), "wrong-shape"),
        (listed(user(1) | {"id": "1"}), "wrong-shape"),
        (listed(user(1) | {"id": True}), "wrong-shape"),
        (listed(user(1) | {"id": 0}), "wrong-shape"),
        (listed(user(1) | {"id": 2**53}), "wrong-shape"),
        (listed(user(1) | {"email": None}), "wrong-shape"),
        (listed(*users(range(1, 252))), "too-many-rows"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_list_of_users_is_none_and_never_a_shorter_one(
    content: object, reason: str
) -> None:
    error = refusal(received(content))

    assert (type(error), error.reason, error.received) == (OriginError, reason, 200)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (listed(user(7)), "wrong-shape"),
        ({"status": "success", "data": {"id": 7}}, "wrong-shape"),
        ({"status": "success", "data": user(8)}, "wrong-user"),
        (b"<html>", "not-json"),
    ],
)
def test_what_is_not_the_user_asked_for_is_nobody_either(content: object, reason: str) -> None:
    error = refusal(received(content), user_id=7)

    assert (error.reason, error.received) == (reason, 200)


MESSAGE = "User with ID 7 is not part of this OAuth client."


@pytest.mark.parametrize(
    ("content", "nobody"),
    [
        ({"error": {"code": "NotFoundException", "message": MESSAGE}}, True),
        ({"error": {"code": "NotFoundException", "message": MESSAGE.replace("7", "8")}}, False),
        ({"error": {"code": "NotFoundException", "message": "Cannot GET /v2"}}, False),
        ({"error": {"code": "OtherException", "message": MESSAGE}}, False),
        ({"error": MESSAGE}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_only_the_origins_own_word_makes_a_user_nobody(content: object, *, nobody: bool) -> None:
    answer = received(content, status=404)

    if nobody:
        assert user_of(answer, 7, now=NOW) is None
    else:
        error = refusal(answer, user_id=7)
        assert (error.reason, error.received) == ("origin-not-found", 404)


def test_a_404_that_is_a_page_is_nobodys_word() -> None:
    error = refusal(received(b"<html>", status=404), user_id=7)

    assert (error.reason, error.received) == ("not-json", 404)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason"),
    [
        (401, {}, OriginAuthError, "origin-auth"),
        (403, {"Content-Type": "application/json"}, OriginAuthError, "origin-auth"),
        (403, {"Content-Type": "Text/HTML; charset=UTF-8"}, OriginError, "origin-challenge"),
        (403, {"Cf-Mitigated": "Challenge"}, OriginError, "origin-challenge"),
        (401, {"Content-Type": "text/html"}, OriginAuthError, "origin-auth"),
        (500, {}, OriginServerError, "origin-5xx"),
        (599, {}, OriginServerError, "origin-5xx"),
        (201, {}, OriginError, "origin-status"),
        (302, {}, OriginError, "origin-status"),
        (400, {}, OriginError, "origin-status"),
        (404, {}, OriginError, "origin-status"),
    ],
)
def test_each_status_is_one_kind_of_failure(
    status: int, headers: dict[str, str], kind: type[OriginError], reason: str
) -> None:
    error = refusal(received(listed(), status=status, headers=headers))

    assert (type(error), error.reason, error.received) == (kind, reason, status)


def at(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, DEFAULT_RESET_SECONDS),
        ({RESET: "7"}, 7),
        ({RESET: "0"}, 1),
        ({RESET: "999"}, MAX_RESET_SECONDS),
        ({RESET: "1800000007"}, DEFAULT_RESET_SECONDS),
        ({RESET: "\u0667"}, DEFAULT_RESET_SECONDS),
        ({RESET: "7", PAUSE: "30"}, 30),
        ({RESET: "70", PAUSE: "30"}, 70),
        ({PAUSE: " 30 "}, 30),
        ({PAUSE: "86400"}, MAX_RETRY_AFTER_SECONDS),
        ({PAUSE: at(30)}, 30),
        ({PAUSE: at(30), "Date": at(10)}, 20),
        ({PAUSE: at(30), "Date": "today"}, 30),
        ({PAUSE: at(-30), RESET: "7"}, 7),
        ({PAUSE: "Fri, 99 Foo 2027", RESET: "7"}, 7),
    ],
)
def test_a_block_lasts_as_long_as_the_answer_says_within_reason(
    headers: dict[str, str], seconds: int
) -> None:
    error = refusal(received(status=429, headers=headers))

    assert isinstance(error, OriginBlockedError)
    assert error.reset_seconds == seconds


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("soon", None), ("0", 0), ("9", 9)])
def test_a_failing_origin_may_say_for_how_long(text: str | None, seconds: int | None) -> None:
    error = refusal(received(status=503, headers={} if text is None else {PAUSE: text}))

    assert isinstance(error, OriginServerError)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("told", "limit"),
    [
        ({}, None),
        ({"Limit": "500"}, None),
        ({"Remaining": "400"}, None),
        ({"Limit": "500", "Remaining": "-1"}, None),
        ({"Limit": "500", "Remaining": "4" * 16}, None),
        ({"Limit": "500", "Remaining": "400"}, (500, 400, NOW + DEFAULT_RESET_SECONDS)),
        ({"Limit": "500", "Remaining": "400", "Reset": "7"}, (500, 400, NOW + 7)),
    ],
)
def test_a_rate_limit_is_one_that_says_enough(
    told: dict[str, str], limit: tuple[int, int, float] | None
) -> None:
    headers = {f"X-RateLimit-{name}-Default": text for name, text in told.items()}

    found = rate_limit_of(received(headers=headers), now=NOW)

    expected = limit and RateLimit(limit=limit[0], remaining=limit[1], reset_at=limit[2])
    assert found == expected


def test_of_users_found_by_address_nobody_comes_twice() -> None:
    assert len(found_of(received(listed(*users([1, 2]))), most=2, now=NOW)) == 2
    with pytest.raises(OriginError) as caught:
        found_of(received(listed(*users([1, 1]))), most=2, now=NOW)

    assert caught.value.reason == "rows-out-of-order"


def test_of_a_member_no_more_passes_than_a_managed_user_has() -> None:
    member = user(1, metadata={"a": 1}) | {"profile": {"username": "p"}, "verified": True}
    bare = user(2, metadata=None) | {"brandColor": "#fff"}

    rows = members_of(received(listed(member, bare, user(3))), most=3, now=NOW)

    assert list(rows) == [user(1, metadata={"a": 1}), user(2), user(3)]


def test_members_are_held_to_the_same_shape() -> None:
    with pytest.raises(OriginError):
        members_of(received(listed({"id": "1", "email": "a@example.com"})), most=3, now=NOW)
    with pytest.raises(OriginError):
        members_of(received(listed(*users(range(1, 5)))), most=3, now=NOW)
