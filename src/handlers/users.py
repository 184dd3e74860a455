"""Answers the questions about users: lists, single users, look-ups."""

from copy import replace
from typing import TYPE_CHECKING

from handlers import observing
from handlers.call import Call
from handlers.gateway import Response
from handlers.http import read_request, response
from handlers.wiring import wiring
from lib.queries import list_query, lookup_body
from lib.queries.list_query import ListQuery
from lib.queries.moment import parse_moment
from lib.queries.parameters import MAX_MEMBERS, refuse
from lib.reading.lists import ListRequest
from lib.users.document import omitted_in

if TYPE_CHECKING:
    from lib.reading.lookup import Found


def list_users(call: Call) -> Response:
    """Answer ``GET …/users``."""
    query = list_query.parse_list(call.request.params)
    return _list(call, query, linked=query)


def look_users_up(call: Call) -> Response:
    """Answer ``POST …/users/lookup``: a list whose names stay out of URLs and access logs."""
    params = call.request.params
    for name in params:
        if name.partition("[")[0] in lookup_body.NAMES:
            refuse(name, "belongs into a look-up's body", allowed=('{"ids": [1001]}',))
    # As a rule, what a body names is asked for at once.
    beside = list_query.parse_list({"limit": [str(MAX_MEMBERS)], **params})
    return _list(call, replace(beside, **lookup_body.parse(call.request.body)), linked=beside)


def get_user(call: Call) -> Response:
    """Answer ``GET …/users/{userId}``."""
    fields = list_query.parse_user_fields(call.request.params)
    moment = parse_moment(call.request.params, wiring().cursors.read)
    user_id = list_query.parse_user_id(call.route.user_id)
    request = read_request(call, min_generation=moment.min_generation)
    answer, found = wiring().single_reads.answer(request, user_id, fields, moment.as_of)
    _observe(call, found)
    return response(call, answer)


def _list(call: Call, query: ListQuery, *, linked: ListQuery) -> Response:
    moment = parse_moment(call.request.params, wiring().cursors.read)
    request = read_request(call, min_generation=moment.min_generation)
    answer, found = wiring().list_reads.answer(
        ListRequest(read=request, query=query, linked=linked, moment=moment)
    )
    _observe(call, found)
    return response(call, answer)


def _observe(call: Call, found: "Found | None") -> None:
    if found is not None:
        observing.count(LookupCalls=found.calls, LookupUnanswered=len(found.unanswered))
        call.line.update(observing.describe_omitted(omitted_in(found.lines)))
