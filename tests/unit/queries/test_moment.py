"""Of which moment an answer must be, as parameters say it."""

import pytest

from lib.errors import InvalidRequestError
from lib.queries.cursor import Cursor, Cursors
from lib.queries.moment import AsOf, Moment, parse_moment

CURSOR = Cursor(generation=3, offset=50, issued_at=7, filters_digest="v", hiding_digest="p")
CURSORS = Cursors(lambda: b"key")
WRITTEN = str(CURSORS.write(CURSOR))


@pytest.mark.parametrize(
    ("params", "moment"),
    [
        ({}, Moment()),
        ({"min_generation": ["7"]}, Moment(min_generation=7)),
        ({"cursor": [WRITTEN], "limit": ["5"]}, Moment(cursor=CURSOR)),
        ({"asOf": ["7"]}, Moment(as_of=AsOf(number=7))),
        ({"asOf": ["20260131"]}, Moment(as_of=AsOf(number=20_260_131))),
        ({"asOf": ["2026-01-31"], "offset": ["1"]}, Moment(as_of=AsOf(instant=1_769_817_600))),
        ({"asOf": ["2026-01-31T12:00:00.5Z"]}, Moment(as_of=AsOf(instant=1_769_860_800.5))),
    ],
)
def test_a_moment_is_a_least_generation_a_cursors_or_a_past_one(
    params: dict[str, list[str]], moment: Moment
) -> None:
    assert parse_moment(params, CURSORS.read) == moment
    assert moment.pinned == bool(moment.cursor or moment.as_of)


@pytest.mark.parametrize(
    "params",
    [
        {"min_generation": ["-1"]},
        {"min_generation": ["1", "2"]},
        {"min_generation": ["9" * 16]},
        {"cursor": ["nonsense"]},
        {"cursor": [WRITTEN, WRITTEN]},
        {"cursor": [WRITTEN], "offset": ["1"]},
        {"cursor": [WRITTEN], "min_generation": ["1"]},
        {"cursor": [WRITTEN], "asOf": ["1"]},
        {"asOf": ["1"], "min_generation": ["1"]},
        {"asOf": ["0"]},
        {"asOf": ["-1"]},
        {"asOf": ["1", "2"]},
        {"asOf": ["yesterday"]},
        {"asOf": ["2026-01-31", "2026-02-01"]},
        {"asOf": ["0001-01-01T00:00:00+01:00"]},
    ],
)
def test_a_moment_that_makes_no_sense_is_refused(params: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequestError):
        parse_moment(params, CURSORS.read)
