"""Answers the questions about users: lists, single users, look-ups."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING

from handlers import observing
from handlers.answers import View, cacheable, response, unmodified
from handlers.call import Call
from handlers.gateway import Response, error_response
from handlers.wiring import wiring
from lib.caching.freshness import age_of
from lib.caching.headers import RequestDirectives
from lib.directory.head import Head
from lib.directory.snapshot import Snapshot
from lib.errors import GoneError, InvalidRequestError, NotFoundError, OnlyIfCachedError
from lib.queries import bodies, links, list_query, lookup_body, select
from lib.queries.cursor import LIFETIME_SECONDS, Cursor
from lib.queries.list_query import ListQuery, Moment
from lib.queries.parameters import MAX_MEMBERS, refuse
from lib.queries.select import Rows
from lib.reading.request import Answer, ReadRequest, Served
from lib.users.address import stored_form
from lib.users.document import id_of
from lib.users.wanted import Wanted

if TYPE_CHECKING:
    from lib.reading.lookup import Found

_INVALID_CURSOR = "This cursor is no longer valid; start again."


def list_users(call: Call) -> Response:
    """Answer ``GET …/users``."""
    params = call.request.params
    return _list(call, list_query.parse_list(params), list_query.parse_moment(params))


def look_users_up(call: Call) -> Response:
    """Answer ``POST …/users/lookup``: a list whose names stay out of URLs and access logs."""
    for name in call.request.params:
        if name.partition("[")[0] in lookup_body.NAMES:
            refuse(name, "belongs into a look-up's body", allowed=('{"ids": [1001]}',))
    asked = replace(_beside_body(call), **lookup_body.parse(call.request.body))
    return _list(call, asked, list_query.parse_moment(call.request.params))


def get_user(call: Call) -> Response:
    """Answer ``GET …/users/{userId}``."""
    fields = list_query.parse_user_fields(call.request.params)
    moment = list_query.parse_moment(call.request.params)
    user_id = list_query.parse_user_id(call.route.user_id)
    wanted = Wanted(ids=(user_id,))

    def missing(snapshot: Snapshot) -> Wanted:
        return Wanted() if snapshot.find(user_id) else wanted

    def view(snapshot: Snapshot, _found: "Found | None") -> View | None:
        line = snapshot.find(user_id)
        if line is None:
            return None
        etag = bodies.user_etag(line, fields)
        known = unmodified(call, etag, snapshot.head)
        body = None if known else bodies.user_body(select.project(line, fields))
        return View(etag, body, {}, may_be_older=_may_be_older(snapshot.head, line))

    answer, found = _read_named(call, moment, wanted, missing, view)
    if answer.value is not None:
        # Found by a look-up just made, the answer rests on nothing older.
        seen, served = _just_asked(call, moment, answer.value, answer.served)
        if found is not None and found.calls > 0:
            seen, served = replace(seen, may_be_older=False), replace(served, age=None)
        return response(seen, served, cache_control=cacheable())
    # A directory that was complete a while ago still tells who was not in it.
    if found is not None and found.unanswered and not answer.served.head.complete:
        _refuse_to_guess(call, found)
    absent = NotFoundError(f"User with ID {user_id} is not part of this OAuth client.")
    status = {"Cache-Status": str(answer.served.status)}
    return error_response(absent, call.request, now=time(), headers=status)


def _refuse_to_guess(call: Call, found: "Found") -> None:
    """Raise why nothing is known of a user; where nobody is ever asked again, he is not there."""
    if found.failure is not None:
        raise found.failure
    if _directives(call).only_if_cached:
        raise OnlyIfCachedError("Nothing is stored of this user, and only-if-cached was asked.")


def _list(call: Call, asked: ListQuery, moment: Moment) -> Response:
    if moment.cursor is not None:
        return _next_window(call, asked, moment.cursor)
    if asked.emails is None and asked.ids is None:
        answer = _read(call, lambda snapshot: _window(call, asked, snapshot), moment)
        return response(answer.value, answer.served, cache_control=cacheable())
    client_id = call.route.client_id

    selected: list[tuple[Snapshot, Rows]] = []

    def missing(snapshot: Snapshot) -> Wanted:
        rows = select.select(snapshot, asked)
        selected[:] = [(snapshot, rows)]
        return _wanted(rows.not_found or (), client_id)

    def view(snapshot: Snapshot, found: "Found | None") -> View:
        # If nobody was missing, the rows are there already.
        known = next((rows for seen, rows in selected if seen is snapshot), None)
        return _window(call, asked, snapshot, found=found, rows=known)

    named = _wanted([*(asked.emails or ()), *(asked.ids or ())], client_id)
    answer, _ = _read_named(call, moment, named, missing, view)
    seen, served = _just_asked(call, moment, answer.value, answer.served)
    return response(seen, served, cache_control=cacheable())


def _just_asked(call: Call, moment: Moment, seen: View, served: Served) -> tuple[View, Served]:
    """Return what was ``seen`` as new as it is, where no-cache asked for just these users."""
    if wiring().named_reads.just_asked(_request(call, moment), served):
        return replace(seen, may_be_older=False), served
    return seen, served


def _wanted(names: Iterable[str | int], client_id: str) -> Wanted:
    """Return the addresses and ids among ``names``; usernames cannot be asked for."""
    named = list(names)
    return Wanted(
        addresses=[stored_form(n, client_id) for n in named if isinstance(n, str) and "@" in n],
        ids=[name for name in named if isinstance(name, int)],
    )


def _next_window(call: Call, asked: ListQuery, cursor: Cursor) -> Response:
    """Answer from the generation that ``cursor`` pins."""
    client_id = call.route.client_id
    if cursor.view != asked.view_digest(client_id):
        raise InvalidRequestError("Parameter 'cursor' belongs to another view.")
    first = f'{links.first_link(_linked(call, asked))}; rel="first"'
    there, policy = replace(asked, offset=cursor.offset), wiring().settings.hiding.digest

    def view(snapshot: Snapshot) -> View:
        # The generation's word, not the cursor's: anybody can write a cursor.
        if snapshot.head.policy != policy:
            raise GoneError(_INVALID_CURSOR)
        return _window(call, there, snapshot, shorten=True)

    if time() - cursor.issued_at >= LIFETIME_SECONDS or cursor.policy != policy:
        raise GoneError(_INVALID_CURSOR, link=first)
    try:
        answer = wiring().proxy.read_pinned(client_id, cursor.generation, view)
    except GoneError as error:
        raise GoneError(error.message, link=first) from error
    _observe(call, answer.served)
    return response(answer.value, answer.served, cache_control="private, no-cache")


def _window(
    call: Call,
    asked: ListQuery,
    snapshot: Snapshot,
    *,
    shorten: bool = False,
    found: "Found | None" = None,
    rows: Rows | None = None,
) -> View:
    head, etag = snapshot.head, bodies.list_etag(snapshot.head, asked)
    older_anywhere = bool(head.adopted) or head.unconfirmed_since > 0

    def cursor_at(offset: int) -> str:
        view = asked.view_digest(head.client_id)
        return Cursor(head.generation, offset, int(time()), view, head.policy).encode()

    if found is None and unmodified(call, etag, head):
        # How many users a filter hides, and how many fit, is not known without reading them.
        if asked.filtered or shorten:
            return View(etag, None, {}, may_be_older=older_anywhere)
        end = asked.offset + asked.limit
        link = links.links(_linked(call, asked), cursor_at, end=end, total=head.users)
        headers = {"Link": link, "X-Total-Count": str(head.users)}
        # Those past the origin's window have the highest ids.
        adopted = head.adopted > 0 and end > head.users - head.adopted
        return View(etag, None, headers, may_be_older=adopted or head.unconfirmed_since > 0)
    rows = bodies.fitting(rows or select.select(snapshot, asked), shorten=shorten)
    not_asked = _not_asked(rows, found, head)
    body: str | None = bodies.list_body(head, asked, rows, not_asked=not_asked)
    if found is not None and body is not None:
        etag = bodies.body_etag(body)
        body = None if unmodified(call, etag, head) else body
    end = asked.offset + len(rows.lines)
    # Users found beyond the snapshot are in no generation that a cursor could pin.
    pinnable = None if found is not None and found.lines else cursor_at
    link = links.links(_linked(call, asked), pinnable, end=end, total=rows.total)
    headers = {"Link": link, "X-Total-Count": str(rows.total)}
    # Rows that are cut to some fields do not tell whose they are.
    older = older_anywhere and (
        bool(asked.fields) or any(_may_be_older(head, line) for line in rows.lines)
    )
    return View(etag, body, headers, may_be_older=older)


def _not_asked(rows: Rows, found: "Found | None", head: Head) -> tuple[str | int, ...]:
    """Return those not found of whom nothing is known, because the origin could not be asked."""
    if found is None or not found.unanswered or head.complete:
        return ()
    return tuple(
        name
        for name in rows.not_found or ()
        if set(_wanted([name], head.client_id).keys) & found.unanswered
    )


def _may_be_older(head: Head, line: bytes) -> bool:
    """Return whether the last sweep may not have seen a user: past its window, or maybe gone."""
    adopted = bool(head.adopted) and id_of(line) > head.window_last_id
    return adopted or head.unconfirmed_since > 0


def _linked(call: Call, asked: ListQuery) -> ListQuery:
    """Return the question as far as links write it: what a body names is sent again in a body."""
    if call.request.method != "POST":
        return asked
    return replace(_beside_body(call), offset=asked.offset)


def _beside_body(call: Call) -> ListQuery:
    """Return what a look-up asks beside its body: as a rule, for all users it names at once."""
    return list_query.parse_list({"limit": [str(MAX_MEMBERS)], **call.request.params})


def _read[T](call: Call, view: Callable[[Snapshot], T], moment: Moment) -> Answer[T]:
    answer = wiring().proxy.read(_request(call, moment), view)
    _observe(call, answer.served)
    return answer


def _read_named[T](
    call: Call,
    moment: Moment,
    wanted: Wanted,
    missing: Callable[[Snapshot], Wanted],
    view: Callable[[Snapshot, "Found | None"], T],
) -> tuple[Answer[T], "Found | None"]:
    request = _request(call, moment, wanted)
    answer, found = wiring().named_reads.read(request, missing=missing, view=view)
    _observe(call, answer.served)
    if found is not None:
        observing.count(LookupCalls=found.calls, LookupUnanswered=len(found.unanswered))
    return answer, found


def _request(call: Call, moment: Moment, wanted: Wanted | None = None) -> ReadRequest:
    return ReadRequest(
        client_id=call.route.client_id,
        directives=_directives(call),
        holder=call.holder,
        arrived_at=call.arrived_at,
        deadline=call.deadline,
        min_generation=moment.min_generation,
        wanted=wanted,
    )


def _directives(call: Call) -> RequestDirectives:
    headers = call.request.headers
    return RequestDirectives.parse(headers.get("cache-control"), headers.get("pragma"))


def _observe(call: Call, served: Served) -> None:
    age = age_of(served.head.swept_at, now=call.arrived_at)
    call.line.update(
        client_id=call.route.client_id,
        cache_status=str(served.status),
        age=age,
        generation=served.head.generation,
    )
    observing.count(Hit=int(served.status.fwd is None))
    if age >= wiring().settings.policy.max_age:
        observing.count_stale(served.status.detail)
    observing.seconds(AgeServed=age)
