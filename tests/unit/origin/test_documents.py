"""Lists are read once for all that the same bytes are told."""

from collections.abc import Sequence

import pytest

from lib.errors import OriginError, Reason
from lib.origin.documents import Documents
from lib.users.document import canonical
from tests.fakes import user

LINES = [canonical(user(user_id)) for user_id in range(1, 4)]


class Making:
    """Makes documents, and counts how often."""

    def __init__(self, lines: Sequence[bytes] = LINES) -> None:
        self.lines = lines
        self.times = 0

    def __call__(self) -> Sequence[bytes]:
        """Return the documents."""
        self.times += 1
        return self.lines


def test_the_same_bytes_are_read_once() -> None:
    documents, make = Documents(max_bytes=10_000), Making()

    made = [list(documents.of(b"body", (200, "rows", 250), make)) for _ in range(3)]

    assert made == [LINES] * 3
    assert make.times == 1


@pytest.mark.parametrize(
    ("body", "asked"),
    [(b"other", (200, "rows", 250)), (b"body", (200, "rows", 2)), (b"body", (404, "rows", 250))],
)
def test_other_bytes_and_other_questions_are_read_anew(
    body: bytes, asked: tuple[object, ...]
) -> None:
    documents, make = Documents(max_bytes=10_000), Making(LINES[:1])
    documents.of(b"body", (200, "rows", 250), Making())

    assert list(documents.of(body, asked, make)) == LINES[:1]


def test_nobody_stays_nobody() -> None:
    documents, make = Documents(max_bytes=10_000), Making([])

    assert [list(documents.of(b"body", (), make)) for _ in range(2)] == [[], []]


def test_what_failed_is_tried_again() -> None:
    documents, make = Documents(max_bytes=10_000), Making()

    def fail() -> Sequence[bytes]:
        raise OriginError("unusable", reason=Reason.WRONG_SHAPE)

    with pytest.raises(OriginError):
        documents.of(b"body", (), fail)

    assert list(documents.of(b"body", (), make)) == LINES


def test_what_was_told_longest_ago_goes_first_when_there_is_no_room() -> None:
    documents = Documents(max_bytes=300)
    asked = [Making([b"%d" % n * 1000 + bytes(range(200)).replace(b"\n", b"")]) for n in range(3)]

    for n in (0, 1, 0, 2, 0, 1):
        assert list(documents.of(b"%d" % n, (), asked[n])) == asked[n].lines

    assert [making.times for making in asked] == [3, 2, 1]


def test_without_room_nothing_is_kept() -> None:
    documents, make = Documents(max_bytes=0), Making()

    for _ in range(2):
        documents.of(b"body", (), make)

    assert make.times == 2
