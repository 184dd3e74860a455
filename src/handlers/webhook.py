"""Takes Cal.com's webhooks in: whom one hints at is noted, and asked for elsewhere.

Whoever finds this route may send to it. Nothing is written before the signature is known to be
good, and nothing of a body is kept or logged but its trigger, users' ids and users' addresses of
this client.
"""

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from handlers import observing
from handlers.call import Call
from handlers.gateway import Response
from handlers.hints import hand_over, hints
from handlers.wiring import wiring
from lib.errors import BodyTooLargeError, ForbiddenError, NotFoundError, StoreError
from lib.origin import webhook
from lib.queries import bodies, list_query


def receive(call: Call) -> Response:
    """Answer ``POST …/webhook``."""
    client_id, body = call.route.client_id, call.request.body.encode("utf-8", "surrogatepass")
    _require_signature(call, body)
    call.line["client_id"] = client_id
    list_query.parse_nothing(call.request.params)
    told = webhook.parse(body, client_id)
    call.line["trigger"] = told.trigger
    keys = told.users.keys
    data = {"outcome": _note(client_id, keys), "users": len(keys)}
    return Response(HTTPStatus.ACCEPTED, bodies.success_body(data))


def _require_signature(call: Call, body: bytes) -> None:
    """Make sure that a body comes from somebody who knows a webhook secret of the client's.

    Raises:
        NotFoundError: the client has none, so there is no such route.
        BodyTooLargeError: it is too long to be looked at.
        ForbiddenError: it does not.
        SecretError: nobody knows.
    """
    client_id, signature = call.route.client_id, call.request.headers.get("x-cal-signature-256", "")
    secrets = wiring().secrets.webhook_secrets(client_id)
    if len(body) <= webhook.MAX_BYTES:
        if webhook.is_signed(body, signature, secrets):
            return
        # It may have been given another one a moment ago.
        secrets = wiring().secrets.webhook_secrets(client_id, anew=True)
        if webhook.is_signed(body, signature, secrets):
            return
    if not secrets:
        raise NotFoundError(f"Cannot {call.request.method} {call.request.public_path}")
    observing.count(WebhookRefused=1)
    if len(body) > webhook.MAX_BYTES:
        raise BodyTooLargeError(f"The body may have {webhook.MAX_BYTES} bytes at most.")
    raise ForbiddenError("The signature of the webhook is not valid.")


def _note(client_id: str, keys: Sequence[str]) -> str:
    """Let ``keys`` be asked for; return what came of that."""
    if not keys or wiring().settings.policy.frozen:
        return "ignored"
    if not wiring().hint_store.note(client_id, keys, now=wiring().time.now()):
        observing.count(HintsDropped=len(keys))
        return "dropped"
    observing.count(Hints=len(keys))
    # If this fails, the next webhook or the schedule has them asked for.
    with suppress(StoreError):
        if hints().begin(client_id):
            hand_over(client_id)
    return "accepted"
