"""Answers what is stored, what changed, and the wish for a new sweep."""

from http import HTTPStatus

from handlers.call import Call
from handlers.gateway import Response
from handlers.http import known_head
from handlers.version import VERSION
from handlers.wiring import wiring
from lib.queries import bodies, list_query
from lib.reading import status


def show_cache(call: Call) -> Response:
    """Answer ``GET …/cache``."""
    list_query.parse_nothing(call.request.params)
    head = wiring().memory.head(call.route.client_id)
    if not head.generation.published:
        # Of a client that something is stored of, the reason is told why it is not served.
        wiring().proxy.require_known(head)
    call.line["client_id"] = head.client_id
    settings = wiring().settings
    data = status.cache_data(
        head,
        settings.schedule,
        now=wiring().time.now(),
        version=VERSION,
        hiding_digest=settings.hiding.digest,
        listing=wiring().listing_store.listing(head.client_id) if head.source else None,
    )
    return Response(HTTPStatus.OK, bodies.success_body(data))


def list_changes(call: Call) -> Response:
    """Answer ``GET …/cache/changes?since=<generation>``."""
    since, values = list_query.parse_changes(call.request.params)
    head = known_head(call)
    wiring().proxy.note_read(head, call.arrived_at)
    changes = wiring().change_log.since(head.generation, since, values=values)
    return Response(HTTPStatus.OK, bodies.changes_body(*changes))


def list_pages(call: Call) -> Response:
    """Answer ``GET …/cache/pages``."""
    list_query.parse_nothing(call.request.params)
    head = known_head(call)
    data = wiring().page_digests.of(head.generation)
    return Response(HTTPStatus.OK, bodies.success_body(data))


def refresh(call: Call) -> Response:
    """Answer ``POST …/cache/refresh``."""
    asked = list_query.parse_switches(call.request.params, ("wait", "believe"))
    head = known_head(call)
    client_id = head.client_id
    if asked["wait"]:
        done = wiring().forced_refresh.run(
            client_id,
            holder=call.holder,
            requested_at=call.arrived_at,
            deadline=call.deadline,
            believed=asked["believe"],
        )
        data = {"outcome": done.outcome, "generation": done.generation, "calls": done.calls}
        return Response(HTTPStatus.OK, bodies.success_body(data))
    wiring().forced_refresh.refuse_if_hopeless(head, believed=asked["believe"])
    wiring().invoker.invoke(
        {
            "action": "refresh",
            "clientId": client_id,
            "requestedAt": call.arrived_at,
            "believe": asked["believe"],
        }
    )
    return Response(
        HTTPStatus.ACCEPTED,
        bodies.success_body({"outcome": "accepted", "generation": head.generation.number}),
        {"Retry-After": "1"},
    )
