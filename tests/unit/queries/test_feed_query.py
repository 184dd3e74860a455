"""What the feed is asked for: where to go on, how many events, and whether with values."""

import pytest

from lib.errors import InvalidRequestError
from lib.queries.cursor import Cursor, Cursors
from lib.queries.feed_query import FeedQuery, Place, feed_cursors, parse_feed

CLIENT = "client1"
CURSORS = feed_cursors(lambda: b"key")
PLACE = Place(CLIENT, 7, 3, "0a1b2c", "d3e4f5")


def parsed(**params: str | list[str]) -> FeedQuery:
    """Return what a query string asks."""
    listed = {name: [value] if isinstance(value, str) else value for name, value in params.items()}
    return parse_feed(listed, CLIENT, CURSORS.read)


def test_nothing_asked_is_the_newest_generation_s_start() -> None:
    assert parsed() == FeedQuery(after=None, limit=100, values=False)


def test_a_cursor_is_read_back_as_it_was_written() -> None:
    assert parsed(after=CURSORS.sign(PLACE)).after == PLACE


def test_a_generation_s_number_is_a_place_too() -> None:
    assert parsed(after="12").after == 12


@pytest.mark.parametrize("limit", ["1", "1000"])
def test_a_limit_is_a_number_of_events(limit: str) -> None:
    assert parsed(limit=limit).limit == int(limit)


@pytest.mark.parametrize("limit", ["0", "1001", "", "x", "-1", "1.0", ["1", "2"]])
def test_another_limit_is_refused(limit: str | list[str]) -> None:
    with pytest.raises(InvalidRequestError, match="'limit' is not one number of events"):
        parsed(limit=limit)


def test_values_are_there_for_who_asks_for_them() -> None:
    assert parsed(include="values").values


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"after": ""}, "'after' is not one generation number"),
        ({"after": ["1", "2"]}, "'after' is not one generation number"),
        ({"after": "x"}, "'after' is not a cursor"),
        ({"after": CURSORS.sign(PLACE)[:-1]}, "'after' is not a cursor"),
        ({"include": "value"}, "Did you mean 'values'"),
        ({"since": "1"}, "Unknown parameter 'since'"),
    ],
)
def test_anything_else_is_refused(params: dict[str, str | list[str]], told: str) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        parsed(**params)


def test_another_client_s_cursor_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="cursor of another client"):
        parsed(after=CURSORS.sign(PLACE._replace(client_id="client2")))


def test_a_list_s_cursor_is_none_of_a_feed() -> None:
    text = Cursors(lambda: b"key").write(Cursor(1, 2, 3, "a", "b"))

    with pytest.raises(InvalidRequestError, match="'after' is not a cursor"):
        parsed(after=str(text))


def test_a_question_can_be_asked_again() -> None:
    assert FeedQuery(limit=5, values=True).question("x_y") == "limit=5&include=values&after=x_y"
    assert FeedQuery().question() == "limit=100"
