"""What ``docs/openapi.json`` says of bodies, errors and headers is what the code makes, and all."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import product
from typing import get_args, get_type_hints

import pytest

from dev.origin import demo_users
from dev.template.literals import API, parameter_defaults, resource
from handlers.gateway import METHODS, Request, Response, error_response
from lib.caching import provenance
from lib.caching.headers import CacheStatus, cache_control, http_date
from lib.directory import pages
from lib.directory.generation import OF_ORGANIZATIONS, Generation, sealed
from lib.directory.head import Head, head_of
from lib.directory.manifest import Manifest
from lib.directory.users_digest import total_of
from lib.errors import (
    CODES,
    BodyTooLargeError,
    ForbiddenError,
    GoneError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginAuthError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
    ServiceError,
    UnavailableError,
    UnexpectedError,
)
from lib.events.change_log import ChangeLog
from lib.events.event import EventFormat
from lib.events.history import History
from lib.origin.webhook import MAX_BYTES
from lib.queries.bodies import (
    MAX_ENVELOPE,
    changes_body,
    fitting,
    list_body,
    list_etag,
    success_body,
    user_body,
)
from lib.queries.failures import Fault
from lib.queries.feed_query import FeedQuery, feed_cursors
from lib.queries.links import first_link, links
from lib.queries.list_query import EVERYBODY, parse_list, parse_user_id
from lib.queries.origin_parameters import MAX_LIMIT
from lib.queries.parameters import MAX_MEMBERS
from lib.queries.select import Slice, project
from lib.reading.feed import Feed
from lib.reading.page_digests import PageDigests
from lib.reading.status import cache_data
from lib.revalidation.forced import Refreshed
from lib.revalidation.reconcile import incomplete_reason
from lib.revalidation.window import WINDOW_FULL
from lib.users.document import OMITTED, SHOWN_FIELDS, canonical
from lib.users.hiding import NOTHING_HIDDEN, REQUIRED_FIELDS, HidingPolicy
from tests.fakes import FakeStore
from tests.openapi import (
    CLIENT,
    COMPONENTS,
    FROM_GATEWAY,
    OPERATIONS,
    Json,
    body_of,
    everything,
    examples,
    fits,
    resolved,
    responses,
    unlike,
)
from tests.world import SCHEDULE

NOW = 1_795_448_604.48
PATH = f"/v2/oauth-clients/{CLIENT}/users"
REQUEST = Request("GET", PATH, {}, {}, "7f8d5f0e-2f8c-4b8e-9d1c-3a5b7c9d1e2f")
HIDING = HidingPolicy(metadata_keys=frozenset({"stripeCustomerId"}))
LINES = [canonical(HIDING.apply(user)) for user in demo_users(CLIENT, 3)]
CUT = canonical({**demo_users(CLIENT, 1)[0], OMITTED: ["bio"]})
HEAD = head_of(
    CLIENT,
    {
        "generation": 7,
        "digest": "8668c155da2ae6fee250e108c8263789addb5db0",
        "users_sum": sealed(total_of(LINES), "8668c155da2ae6fee250e108c8263789addb5db0"),
        "users": 120,
        "complete": True,
        "swept_at": NOW - 42,
        "validated_at": NOW - 42,
        "read_at": NOW - 4,
    },
)
VERSION = "0.1.0+1a2b3c4d5e6f"
SCHEMAS = COMPONENTS["schemas"]
BODIES = {name: part for name, part in COMPONENTS["responses"].items() if "content" in part}
# What may be missing: where nobody is named, where the origin was not asked; of an event, the user
# if it is about all, and values that nobody asked for.
OPTIONAL = {"notFound", "notAsked", "users", "subject", "before", "after", "valuesOmitted"}
ALWAYS = {"Cache-Control", "X-Request-Id"}


def raised(ask: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        ask()
    return caught.value


def too_large() -> object:
    line = b" " * 50_000
    return fitting(Slice(lines=[line] * (MAX_ENVELOPE // len(line) + 1), total=500), shorten=False)


def paused(error: UnavailableError) -> UnavailableError:
    """Return an error as a revalidation leaves it, after which the origin is given a pause."""
    error.until = NOW + 6
    return error


def errors() -> dict[str, ServiceError]:
    """Return one error of each kind that the document shows."""
    first = first_link(EVERYBODY)
    hit = str(CacheStatus(ttl=78))
    return {
        "a misspelt name": raised(lambda: parse_list({"timezone": ["Europe/London"]})),
        "a bad value of the origin's": raised(lambda: parse_list({"limit": ["0"]})),
        "a bad value of our own": raised(lambda: parse_list({"sort": ["username"]})),
        "an empty member": raised(lambda: parse_list({"ids": ["1001,"]})),
        "a bad user id": raised(lambda: parse_user_id("me")),
        "too large": raised(too_large),
        "no such client": NotFoundError("OAuth client with ID clx not found."),
        "no such user": NotFoundError(
            "User with ID 1009 is not part of this OAuth client.", fields={"Cache-Status": hit}
        ),
        "not signed": ForbiddenError("The signature of the webhook is not valid."),
        "too long": BodyTooLargeError(f"The body may have {MAX_BYTES} bytes at most."),
        "another method": raised(REQUEST._replace(method="PUT").route),
        "an old cursor": GoneError(
            "This cursor is no longer valid; start again.", fields={"Link": first}
        ),
        "a moment too long ago": GoneError(
            "This moment is too long ago: generations are kept for 30 days."
        ),
        "an old generation": GoneError("Generation 6 cannot be compared with any more."),
        "an old place in the history": raised(too_old),
        "a fault of ours": ServiceError("Internal server error"),
        "a revalidation broke down": paused(UnexpectedError()),
        "the origin failed": paused(
            OriginServerError(
                "the origin answered with status 500", reason=Reason.ORIGIN_5XX, received=500
            )
        ),
        "the credential was refused": paused(
            OriginAuthError(
                "the origin refused the credential", reason=Reason.ORIGIN_AUTH, received=401
            )
        ),
        "the origin may not be asked": NotAskedError(
            "Nothing usable is stored, and the origin may not be asked now.",
            reason=Reason.ORIGIN_BACKOFF,
            until=NOW + 7,
        ),
        "a generation is awaited": NotAskedError(
            "This generation is not published yet.", reason=Reason.GENERATION_AWAITED
        ),
        "the origin was late": paused(
            OriginTimeoutError("no whole answer in time", reason=Reason.ORIGIN_TIMEOUT)
        ),
        "only if cached": OnlyIfCachedError(
            "Nothing suitable is stored, and only-if-cached was asked."
        ),
    }


def fields_of(error: ServiceError) -> dict[str, str]:
    return error.headers(now=NOW, jitter=0)


def error_bodies(status: int) -> dict[str, Json]:
    return {
        name: json.loads(error_response(error, REQUEST, now=NOW, headers=fields_of(error)).body)
        for name, error in errors().items()
        if error.status == status
    }


def from_gateway(kind: str) -> Json:
    """Return what API Gateway answers by itself, as ``template.yaml`` tells it to."""
    text = resource(API)["GatewayResponses"][kind]["ResponseTemplates"]["application/json"]
    for variable, value in {
        "$context.requestTime": "23/Nov/2026:15:43:24 +0000",
        "$context.path": PATH,
        "$context.requestId": REQUEST.request_id,
    }.items():
        text = text.replace(variable, value)
    return json.loads(text)


def lists() -> dict[str, Json]:
    """Return lists: a window, some fields, and users by name that are not all known."""
    window = parse_list({"limit": ["2"]})
    named = parse_list({"emails": ["nobody@example.com,late@example.com"]})
    some = parse_list({"limit": ["2"], "fields": ["id,name"]})
    cut = [project(line, some.fields) for line in LINES[:2]]
    found = Slice(lines=LINES[:1], total=1, not_found=("nobody@example.com", "late@example.com"))
    bodies = {
        "a window": list_body(HEAD.generation, window, Slice(lines=LINES[:2], total=120)),
        "some fields": list_body(HEAD.generation, some, Slice(lines=cut, total=120)),
        "by name": list_body(HEAD.generation, named, found, not_asked=("late@example.com",)),
    }
    return {name: json.loads(body) for name, body in bodies.items()}


def published(*editions: tuple[int, list[Json]]) -> tuple[FakeStore, Generation]:
    """Return a table with generations, each a number and its users, and the newest of them."""
    store = FakeStore()
    for number, rows in editions:
        draft = pages.draft([canonical(row) for row in rows], complete=True)
        store.put(CLIENT, draft.pages, {}, expires_at=0)
        store.manifests[CLIENT, number] = {
            "generation": number,
            "digest": draft.digest,
            "users": draft.users,
            "complete": True,
            "swept_at": NOW + 60 * number,
            "users_sum": sealed(draft.total, draft.digest),
            "listing": Manifest(draft.refs).pack(),
        }
    newest = store.generation(CLIENT, editions[-1][0])
    assert newest is not None
    return store, newest


LAST = b'{"id":9999}'
ADA = {"id": 1001, "name": "Ada", "timeZone": "UTC"}
EVA = {"id": 1001, "name": "Eva", "timeZone": "Europe/London"}


def changes() -> dict[str, Json]:
    """Return what changed between generations 6 and 8: one user came, one changed, one went."""
    first, *_, new = map(HIDING.apply, demo_users(CLIENT, 3))
    before, after = [first | ADA, {"id": 1009}], [first | EVA, new | {"id": 1412}]
    store, newest = published((6, before), (8, after))
    log = ChangeLog(store)
    return {
        "changes": json.loads(changes_body(*log.since(newest, 6))),
        "with values": json.loads(changes_body(*log.since(newest, 6, values=True))),
    }


def page_digests() -> Json:
    """Return the digests of a directory whose first user ends a page."""
    end = next(n for n in range(1001, 9999) if len(pages.cut([b'{"id":%d}' % n, LAST])) > 1)
    store, newest = published((8, [{"id": end}, {"id": 9999}]))
    return PageDigests(contents=store, hiding=NOTHING_HIDDEN).of(newest)


def events() -> dict[str, Json]:
    """Return pages of events: where to start, one change, and the same with values."""
    ada, eva = (demo_users(CLIENT, 1)[0] | each for each in (ADA, EVA))
    store, newest = published((7, [HIDING.apply(ada)]), (8, [HIDING.apply(eva)]))
    feed = Feed(
        history=History(store=store, event_format=EventFormat(with_values=False)),
        cursors=feed_cursors(lambda: b"the key of examples"),
    )
    asked = {
        "where to start": FeedQuery(),
        "a change": FeedQuery(after=7),
        "a change, with values": FeedQuery(after=7, values=True),
    }
    return {
        name: json.loads(feed.answer(newest, query, if_none_match=None).body)
        for name, query in asked.items()
    }


def too_old() -> object:
    """Ask for what came after a generation that is no longer kept."""
    store, newest = published((8, [EVA]))
    history = History(store=store, event_format=EventFormat(with_values=False))
    feed = Feed(history=history, cursors=feed_cursors(lambda: b"key"))
    return feed.answer(newest, FeedQuery(after=6), if_none_match=None)


def success(data: Json) -> Json:
    return json.loads(success_body(data))


def told_of(head: Head) -> Json:
    return cache_data(head, SCHEDULE, now=NOW, version=VERSION, hiding_digest="")


MADE: dict[str, Callable[[], dict[str, Json]]] = {
    "Users": lists,
    "User": lambda: {"a user": json.loads(user_body(LINES[0]))},
    "Cache": lambda: {
        "stored": success(told_of(HEAD)),
        "nothing yet": success(told_of(head_of(CLIENT, {}))),
    },
    "Changes": changes,
    "Pages": lambda: {"two pages": success(page_digests())},
    "Events": events,
    "Refreshed": lambda: {
        "published": success(dataclasses.asdict(Refreshed("published", 8, 1))),
    },
    "RefreshAccepted": lambda: {"accepted": success({"outcome": "accepted", "generation": 7})},
    "WebhookAccepted": lambda: {
        "hints": success({"outcome": "accepted", "users": 2}),
        "nobody": success({"outcome": "ignored", "users": 0}),
    },
    "NotSigned": lambda: error_bodies(403),
    "ContentTooLarge": lambda: error_bodies(413),
    "Forbidden": lambda: {"not allowed": from_gateway("ACCESS_DENIED")},
    "TooManyRequests": lambda: {"throttled": from_gateway("THROTTLED")},
    "BadRequest": lambda: error_bodies(400),
    "NotFound": lambda: error_bodies(404),
    "MethodNotAllowed": lambda: error_bodies(405),
    "Gone": lambda: error_bodies(410),
    "InternalServerError": lambda: error_bodies(500),
    "BadGateway": lambda: error_bodies(502),
    "ServiceUnavailable": lambda: error_bodies(503),
    "GatewayTimeout": lambda: error_bodies(504),
}
ERRORS = {
    int(status): name.removesuffix("Head")
    for operation in OPERATIONS
    for status, name in responses(*operation).items()
    if int(status) >= 400 and name != "NotSigned"
}
OWN_ERRORS = ERRORS | {403: "NotSigned"}
"""The same, but that what API Gateway forbids is not what the service does."""


def enum_of(schema: Json) -> set[str | None]:
    return set(schema["enum"])


@pytest.mark.parametrize("name", sorted({*BODIES, *MADE} - {"Document"}))
def test_the_examples_of_a_body_are_what_the_code_makes(name: str) -> None:
    body = body_of(BODIES[name])

    shown = examples(body)
    assert shown == MADE[name]()
    assert [unlike(body["schema"], value) for value in shown.values()] == [[]] * len(shown)


def test_what_is_our_own_is_closed_and_always_there() -> None:
    objects = [part for part in everything(SCHEMAS) if "properties" in part]
    details = SCHEMAS["Error"]["properties"]["error"]["properties"]["details"]
    opened = [SCHEMAS["ManagedUser"], details]

    ours = [part for part in objects if part not in opened]
    assert len(ours) > 10
    assert [part for part in ours if part["additionalProperties"] is not False] == []
    assert [part for part in ours if part["properties"].keys() - part["required"] - OPTIONAL] == []
    assert [part for part in opened if "required" in part] == []


def test_a_user_has_the_fields_that_the_code_knows() -> None:
    schema = SCHEMAS["ManagedUser"]

    always = ", ".join(f"`{name}`" for name in REQUIRED_FIELDS)
    assert list(schema["properties"]) == [*SHOWN_FIELDS, OMITTED]
    assert f" {always} are always there" in schema["description"]
    # What the origin may leave out or set to null, and what it adds, is passed on.
    users = [json.loads(line) for line in (*LINES, CUT)]
    assert all(fits(schema, user | {"added": 1}) for user in users)


def test_a_page_is_no_larger_than_what_may_be_asked_for() -> None:
    size = SCHEMAS["Pagination"]["properties"]["itemsPerPage"]

    assert (size["minimum"], size["maximum"]) == (1, max(MAX_LIMIT, MAX_MEMBERS))


def test_every_reason_is_one_that_the_code_gives_and_none_is_missing() -> None:
    incomplete = {
        incomplete_reason(
            complete=complete,
            unconfirmed=unconfirmed,
            full=full,
            users={1: CUT} if cut else {},
            otherwise=otherwise,
        )
        or None
        for complete, unconfirmed, full, cut in product((True, False), repeat=4)
        for otherwise in (WINDOW_FULL, *OF_ORGANIZATIONS)
    }
    outcomes = get_args(get_type_hints(Refreshed)["outcome"])
    cache, refreshed = (
        SCHEMAS[name]["properties"]["data"]["properties"] for name in ("Cache", "Refreshed")
    )

    assert enum_of(SCHEMAS["Pagination"]["properties"]["incompleteReason"]) == incomplete
    assert enum_of(cache["incompleteReason"]) == incomplete
    assert enum_of(refreshed["outcome"]) == set(outcomes)
    assert enum_of(SCHEMAS["Reason"]) == set(Reason)
    assert {"$ref": "#/components/schemas/Reason"} in cache["lastError"]["anyOf"]


def test_every_status_and_code_of_an_error_is_one_that_somebody_answers() -> None:
    own = {error.code for error in errors().values()}
    gateway = {from_gateway(kind)["error"]["code"] for kind in resource(API)["GatewayResponses"]}
    code = SCHEMAS["Error"]["properties"]["error"]["properties"]["code"]

    assert enum_of(code) == own | gateway - {"$context.error.responseType"}
    assert set(CODES.values()) <= own
    assert ERRORS.keys() == {*map(int, CODES), *map(int, FROM_GATEWAY)}
    assert len(set(ERRORS.values())) == len(ERRORS)


def test_every_detail_of_an_error_is_described_and_shown() -> None:
    described = SCHEMAS["Error"]["properties"]["error"]["properties"]["details"]["properties"]

    shown = [body["error"]["details"] for status in CODES for body in error_bodies(status).values()]
    assert described.keys() == {key for details in shown for key in details}
    assert enum_of(described["fault"]) == set(Fault)


@pytest.mark.parametrize("status", CODES)
def test_an_error_has_the_headers_that_the_document_says(status: HTTPStatus) -> None:
    found = {*Response(status).to_event(REQUEST)["headers"]} & ALWAYS
    for error in errors().values():
        if error.status == status:
            found |= error.headers(now=NOW, jitter=0).keys()
            found |= {"Cache-Status"} if provenance.of_error(error) else set()

    assert COMPONENTS["responses"][OWN_ERRORS[status]]["headers"].keys() == found


@pytest.mark.parametrize(("status", "kind"), FROM_GATEWAY.items())
def test_an_answer_of_the_gateway_has_the_headers_of_the_template(status: str, kind: str) -> None:
    told = resource(API)["GatewayResponses"][kind]["ResponseParameters"]["Headers"]

    response = COMPONENTS["responses"][ERRORS[int(status)]]
    assert response["headers"].keys() == told.keys()


def test_what_answers_head_or_who_has_the_answer_has_no_body() -> None:
    for resource_name, method in OPERATIONS:
        for status, name in responses(resource_name, method).items():
            bodiless = method == "HEAD" or status == "304"
            assert ("content" in COMPONENTS["responses"][name]) is not bodiless


def test_what_answers_head_says_what_get_says() -> None:
    for resource_name, method in OPERATIONS:
        if method != "HEAD":
            continue
        got = responses(resource_name, "GET")
        for status, name in responses(resource_name, "HEAD").items():
            whole = {**COMPONENTS["responses"][got[status]]}
            whole.pop("content", None)
            assert COMPONENTS["responses"][name] == whole


def test_an_example_of_a_header_is_what_the_code_writes() -> None:
    shown = {name: header["example"] for name, header in COMPONENTS["headers"].items()}
    defaults = parameter_defaults()
    policy = {
        "max_age": defaults["FreshSeconds"],
        "stale_while_revalidate": defaults["StaleWhileRevalidateSeconds"],
        "stale_if_error": defaults["StaleIfErrorSeconds"],
    }
    modified = parsedate_to_datetime(shown["Last-Modified"]).timestamp()

    assert shown["Cache-Control"] == cache_control(**policy)
    assert shown["Cache-Status"] == str(CacheStatus(ttl=policy["max_age"] - shown["Age"]))
    assert shown["Last-Modified"] == http_date(int(modified))
    assert shown["Link"] == links(EVERYBODY, lambda _place, _view: "qS8uA1kq", end=50, total=120)
    assert shown["Allow"] in {", ".join(allowed) for allowed in METHODS.values()}
    assert shown["X-Total-Count"] == 120
    assert len(shown["ETag"]) == len(list_etag(HEAD.generation, EVERYBODY))
    assert shown["X-Request-Id"] == REQUEST.request_id
    for name, header in COMPONENTS["headers"].items():
        assert unlike(header["schema"], header["example"]) == [], name


def cache_statuses() -> Iterable[str]:
    forwarded = (None, *get_args(provenance.Forwarding.__value__))
    for fwd, received, stored, ttl, detail, hit in product(
        forwarded, (None, 200), (True, False), (None, -3), (None, *Reason), (True, False)
    ):
        yield str(
            CacheStatus(
                fwd=fwd, fwd_status=received, stored=stored, ttl=ttl, detail=detail, hit=hit
            )
        )


def test_a_cache_status_is_as_the_code_writes_it() -> None:
    schema = COMPONENTS["headers"]["Cache-Status"]["schema"]

    assert [text for text in cache_statuses() if not fits(schema, text)] == []
    for text in ("other; hit", "managed-users; fwd=method", "managed-users; hit; age=1"):
        assert not fits(schema, text)


def test_an_entity_tag_is_as_the_code_writes_it() -> None:
    schema = resolved(COMPONENTS["headers"]["ETag"])["schema"]

    assert fits(schema, list_etag(HEAD.generation, EVERYBODY))
    assert not fits(schema, "1-da53a920cad1e52ffe21856a")
