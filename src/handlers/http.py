"""Translates routed requests into reads, and answers into HTTP responses."""

from handlers import observing
from handlers.call import Call
from handlers.gateway import Response
from handlers.wiring import wiring
from lib.caching.freshness import age_of
from lib.caching.headers import RequestDirectives
from lib.caching.provenance import PINNED, Collapsed, Hit
from lib.directory.head import Head
from lib.reading.request import UNCONDITIONAL, Answer, Conditions, ReadRequest


def read_request(call: Call, *, min_generation: int) -> ReadRequest:
    """Return what a request asks of the directory, but for which users it is about."""
    headers = call.request.headers
    # A POST is no conditional request, whatever it carries (RFC 9110 section 13.1.2).
    conditional = call.request.method != "POST"
    return ReadRequest(
        client_id=call.route.client_id,
        directives=RequestDirectives.parse(headers.get("cache-control"), headers.get("pragma")),
        holder=call.holder,
        arrived_at=call.arrived_at,
        deadline=call.deadline,
        min_generation=min_generation,
        conditions=Conditions(headers.get("if-none-match"), headers.get("if-modified-since"))
        if conditional
        else UNCONDITIONAL,
    )


def known_head(call: Call) -> Head:
    """Return the head of the client that a request is about, as it is now.

    Raises:
        NotFoundError: the client is not configured.
        SecretError: nobody knows.
    """
    head = wiring().memory.head(call.route.client_id)
    wiring().proxy.require_known(head)
    call.line["client_id"] = head.client_id
    return head


def response(call: Call, answer: Answer) -> Response:
    """Return the response that carries ``answer``, and observe it."""
    policy, generation = wiring().settings.policy, answer.generation
    age = age_of(generation.swept_at, now=call.arrived_at)
    call.line.update(
        client_id=generation.client_id,
        cache_status=answer.headers["Cache-Status"],
        age=age,
        generation=generation.number,
    )
    came_by = answer.came_by
    observing.count(Hit=int(isinstance(came_by, Hit)))
    if isinstance(came_by, Hit) and came_by.detail == PINNED:
        # Whoever asks for what is past wants it that old.
        return Response(answer.status, answer.body, answer.headers)
    if age >= policy.max_age:
        observing.count_stale(None if isinstance(came_by, Collapsed) else came_by.detail)
    observing.seconds(AgeServed=age)
    return Response(answer.status, answer.body, answer.headers)
