"""What follows from an attempt: the rules of the Standard Webhooks specification."""

import pytest

from lib.deliveries.attempts import (
    LONGEST_DELAY_SECONDS,
    Answered,
    Delivered,
    GivenUp,
    Postponed,
    Unanswered,
    Undelivered,
    event_id_of,
    outcome_of,
    postponed,
)

WHY = Undelivered.RECEIVER_STATUS


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    assert outcome_of(Answered(status), tries=1, jitter=0) == Delivered()


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 422, 429, 500, 503])
def test_all_else_is_tried_again(status: int) -> None:
    outcome = outcome_of(Answered(status), tries=1, jitter=0)

    assert outcome == Postponed(5, Undelivered.RECEIVER_STATUS)


def test_gone_is_the_receivers_last_word() -> None:
    assert outcome_of(Answered(410, "5"), tries=1, jitter=0) == GivenUp(Undelivered.RECEIVER_GONE)


def test_no_answer_is_tried_again_for_its_reason() -> None:
    attempt = Unanswered(Undelivered.RECEIVER_TIMEOUT)

    assert outcome_of(attempt, tries=2, jitter=0) == Postponed(15, Undelivered.RECEIVER_TIMEOUT)


def test_pauses_grow_threefold_up_to_an_hour() -> None:
    pauses = [postponed(WHY, tries=n, jitter=0).seconds for n in range(1, 10)]

    assert pauses == [5, 15, 45, 135, 405, 1215, 3600, 3600, 3600]


@pytest.mark.parametrize("tries", [0, -1, 10**9])
def test_a_number_of_tries_that_nobody_expects_is_a_pause_all_the_same(tries: int) -> None:
    assert 5 <= postponed(WHY, tries=tries, jitter=0).seconds <= 3600


def test_jitter_makes_a_pause_up_to_a_fifth_longer() -> None:
    assert postponed(WHY, tries=3, jitter=1).seconds == 54
    assert postponed(WHY, tries=3, jitter=0.5).seconds == 50


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 5),
        ("4", 5),
        ("7200", LONGEST_DELAY_SECONDS),
        ("9" * 5000, LONGEST_DELAY_SECONDS),
        ("-5", 5),
        ("1.5", 5),
        ("²", 5),
        ("soon", 5),
        ("", 5),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 5),
        (None, 5),
    ],
)
def test_retry_after_makes_a_pause_longer_and_not_shorter_within_an_hour(
    asked: str | None, seconds: int
) -> None:
    outcome = outcome_of(Answered(503, asked), tries=1, jitter=0)

    assert outcome == Postponed(seconds, Undelivered.RECEIVER_STATUS)


def test_all_attempts_together_span_days() -> None:
    pauses = [postponed(WHY, tries=n, jitter=0).seconds for n in range(1, 80)]

    assert 3 * 86_400 < sum(pauses) < 4 * 86_400


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"id": "ee566453e20b77279d1eeeaaf87a9c86"}, "ee566453e20b77279d1eeeaaf87a9c86"),
        ({"id": "a.b"}, None),
        ({"id": "ä"}, None),
        ({"id": "a\r\nb"}, None),
        ({"id": ""}, None),
        ({"id": 5}, None),
        ({}, None),
        (["id"], None),
        (None, None),
    ],
)
def test_an_id_is_one_that_a_header_carries_and_no_full_stop_is_in(
    event: object, found: str | None
) -> None:
    assert event_id_of(event) == found
