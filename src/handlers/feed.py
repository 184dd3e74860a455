"""Answers what happened since a caller asked last."""

from handlers.call import Call
from handlers.gateway import Response
from handlers.http import known_head
from handlers.wiring import wiring


def list_events(call: Call) -> Response:
    """Answer ``GET …/events?after=<cursor>``."""
    from lib.queries.feed_query import parse_feed  # noqa: PLC0415 - a hit does not need it

    feed = wiring().feed
    query = parse_feed(call.request.params, call.route.client_id, feed.cursors.read)
    head = known_head(call)
    wiring().proxy.note_read(head, call.arrived_at)
    asked = call.request.headers.get("if-none-match")
    answer = feed.answer(head.generation, query, if_none_match=asked)
    return Response(answer.status, answer.body, answer.headers)
