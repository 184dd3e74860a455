"""Bodies, entity tags and links: the same snapshot gives the same bytes."""

import json
from urllib.parse import parse_qs

import pytest

from lib.directory.listing import Listing
from lib.errors import InvalidRequestError, NotFoundError
from lib.queries import bodies, links
from lib.queries.bodies import MAX_ENVELOPE, fitting
from lib.queries.list_query import ListQuery, parse_list
from lib.queries.select import Slice
from lib.reading import status
from tests.fakes import CLIENT, NOW, head_with
from tests.world import SCHEDULE

HEAD = head_with(CLIENT, generation=3, digest="d3", users=120, complete=True)
VERSION = "0.1.0+1a2b3c4d5e6f"


def rows(count: int, total: int | None = None, size: int = 0) -> Slice:
    """Return ``count`` rows of at least ``size`` bytes, out of ``total``."""
    lines = [b'{"id":%d,"a":"%s"}' % (n, b"x" * size) for n in range(1, count + 1)]
    return Slice(lines=lines, total=count if total is None else total)


def enveloped(body: str) -> int:
    """Return the bytes that Lambda returns for a body with the headers of a list."""
    headers = {"Link": "x" * 4000, "ETag": 'W/"1-abc"', "Cache-Status": "x" * 100}
    event = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": False}
    return len(json.dumps(event, ensure_ascii=False).encode())


def test_a_list_is_an_envelope_of_data_and_pagination() -> None:
    body = bodies.list_body(HEAD.generation, ListQuery(limit=2, offset=2), rows(2, 5))

    assert json.loads(body) == {
        "status": "success",
        "data": [{"id": 1, "a": ""}, {"id": 2, "a": ""}],
        "pagination": {
            "totalItems": 5,
            "remainingItems": 1,
            "returnedItems": 2,
            "itemsPerPage": 2,
            "currentPage": 2,
            "totalPages": 3,
            "hasNextPage": True,
            "hasPreviousPage": True,
            "complete": True,
            "incompleteReason": None,
        },
    }


@pytest.mark.parametrize("missed", [(), ("a@b.co", 7, "ü\ud800")])
def test_a_list_of_look_ups_tells_what_was_not_found(missed: tuple[str | int, ...]) -> None:
    found = Slice(lines=[], total=0, not_found=missed)

    body = bodies.list_body(HEAD.generation, ListQuery(), found)

    assert json.loads(body)["notFound"] == list(missed)
    assert body.isascii()


@pytest.mark.parametrize(
    ("offset", "limit", "returned", "total", "expected"),
    [
        (0, 50, 0, 0, {"currentPage": 1, "totalPages": 0, "remainingItems": 0}),
        (0, 50, 50, 50, {"totalPages": 1, "hasNextPage": False, "hasPreviousPage": False}),
        (0, 50, 50, 51, {"totalPages": 2, "hasNextPage": True, "remainingItems": 1}),
        (50, 50, 1, 51, {"currentPage": 2, "hasNextPage": False, "hasPreviousPage": True}),
        (25, 50, 50, 99, {"currentPage": 1, "remainingItems": 24, "hasPreviousPage": True}),
        (500, 50, 0, 99, {"currentPage": 11, "remainingItems": 0, "hasNextPage": False}),
    ],
)
def test_pagination_tells_where_the_window_lies(
    offset: int, limit: int, returned: int, total: int, expected: dict[str, int]
) -> None:
    query = ListQuery(offset=offset, limit=limit)

    told = bodies.pagination(HEAD.generation, query, rows(returned, total))

    assert expected.items() <= told.items()


def test_an_incomplete_directory_says_why() -> None:
    head = head_with(CLIENT, complete=False, incomplete_reason="window-full")

    told = bodies.pagination(head.generation, ListQuery(), rows(1))

    assert (told["complete"], told["incompleteReason"]) == (False, "window-full")


@pytest.mark.parametrize("character", [b"x", b'\\"', "ü".encode(), b"\\\\"])
@pytest.mark.parametrize("shown", [False, True])
def test_too_large_an_answer_names_a_limit_that_then_fits(character: bytes, *, shown: bool) -> None:
    lines = [b'{"id":%d,"a":"%s"}' % (n, character * 20_000) for n in range(1, 251)]
    missed = ("x" * 60,) * 100 if shown else None
    found = Slice(lines=lines * 2, total=500, not_found=missed)

    with pytest.raises(InvalidRequestError) as caught:
        fitting(found, shorten=False)

    assert caught.value.code == "ResponseTooLarge"
    assert caught.value.status == 400
    limit = int(caught.value.message.split("limit=")[1].split()[0])
    body = bodies.list_body(
        HEAD.generation,
        ListQuery(limit=limit),
        Slice(lines=found.lines[:limit], total=500, not_found=missed),
    )
    assert fitting(Slice(lines=found.lines[:limit], total=500), shorten=False).total == 500
    assert MAX_ENVELOPE * 0.95 < enveloped(body) <= MAX_ENVELOPE
    assert "fields=" in caught.value.message


def test_a_traversal_is_shortened_to_what_fits() -> None:
    found = rows(250, 900, size=50_000)

    short = fitting(found, shorten=True)

    body = bodies.list_body(HEAD.generation, ListQuery(), short)
    assert 0 < len(short.lines) < 250
    assert enveloped(body) <= MAX_ENVELOPE
    assert short.total == 900


@pytest.mark.parametrize("shorten", [False, True])
def test_what_fits_stays_as_it_is(*, shorten: bool) -> None:
    found = rows(250)

    assert fitting(found, shorten=shorten) is found


def test_a_single_row_that_does_not_fit_cannot_be_shortened() -> None:
    with pytest.raises(InvalidRequestError):
        fitting(rows(1, size=MAX_ENVELOPE), shorten=True)


def test_a_lists_tag_is_weak_and_covers_snapshot_and_question() -> None:
    tags = {
        bodies.list_etag(HEAD.generation, ListQuery()),
        bodies.list_etag(HEAD.generation, ListQuery(limit=51)),
        bodies.list_etag(HEAD.generation, ListQuery(q="a")),
        bodies.list_etag(head_with(CLIENT, digest="d4").generation, ListQuery()),
    }

    assert len(tags) == 4
    assert all(tag.startswith('W/"') and tag.endswith('"') for tag in tags)


def test_touching_the_head_changes_no_tag() -> None:
    touched = head_with(CLIENT, generation=9, digest="d3", swept_at=NOW, validated_at=NOW)

    assert bodies.list_etag(touched.generation, ListQuery()) == bodies.list_etag(
        HEAD.generation, ListQuery()
    )


def test_a_users_tag_changes_with_that_user_and_the_fields_alone() -> None:
    tags = [
        bodies.user_etag(b'{"id":1}', ()),
        bodies.user_etag(b'{"id":2}', ()),
        bodies.user_etag(b'{"id":1}', ("id",)),
    ]

    assert len(set(tags)) == 3
    assert tags[0] == bodies.user_etag(b'{"id":1}', ())


def test_an_odd_address_in_a_question_still_has_a_tag() -> None:
    assert bodies.list_etag(HEAD.generation, ListQuery(emails=("\ud800",)))


@pytest.mark.parametrize(
    ("offset", "end", "total", "places"),
    [
        (0, 50, 50, {"first": None}),
        (0, 50, 51, {"first": None, "next": 50}),
        (50, 100, 100, {"first": None, "prev": 0}),
        (20, 70, 100, {"first": None, "prev": 0, "next": 70}),
        (100, 120, 120, {"first": None, "prev": 50}),
        (0, 30, 100, {"first": None, "next": 30}),
        (10**20, 10**20, 120, {"first": None, "prev": 70}),
        (10**20, 10**20, 30, {"first": None, "prev": 0}),
    ],
)
def test_links_are_query_only_and_lead_to_the_windows_around(
    offset: int, end: int, total: int, places: dict[str, int | None]
) -> None:
    asked = ListQuery(offset=offset)

    field = links.links(asked, lambda place, _: f"at-{place}", end=end, total=total)

    found = {}
    for link in field.split(", "):
        target, _, relation = link.partition("; ")
        assert target.startswith("<?")
        params = parse_qs(target[2:-1])
        assert params["limit"] == ["50"]
        found[relation.removeprefix('rel="')[:-1]] = params.get("cursor", [None])[0]
    assert found == {name: at if at is None else f"at-{at}" for name, at in places.items()}


def test_a_view_that_no_generation_holds_is_walked_by_offset() -> None:
    field = links.links(ListQuery(limit=10, offset=10), lambda *_: None, end=20, total=25)

    assert field == (
        '<?limit=10>; rel="first", '
        '<?limit=10&offset=0>; rel="prev", '
        '<?limit=10&offset=20>; rel="next"'
    )


def test_a_link_asks_the_same_question() -> None:
    asked = ListQuery(limit=5, q="a b&c", emails=("x+y@z.co",), sort="-name")

    reference = links.first_link(asked)

    assert parse_list(parse_qs(reference[2:].partition(">")[0])) == asked
    assert "%2B" in reference


def test_a_single_user_is_an_envelope_of_the_stored_document() -> None:
    assert bodies.user_body('{"id":1,"name":"ü"}'.encode()) == (
        '{"status":"success","data":{"id":1,"name":"ü"}}'
    )


def test_an_error_is_the_origins_envelope_with_a_request_id() -> None:
    body = bodies.error_body(
        NotFoundError("no such user"), timestamp="now", path="/v2/x", request_id="r1"
    )

    assert json.loads(body) == {
        "status": "error",
        "timestamp": "now",
        "path": "/v2/x",
        "requestId": "r1",
        "error": {
            "code": "NotFoundException",
            "message": "no such user",
            "details": {"message": "no such user", "error": "Not Found", "statusCode": 404},
        },
    }


def test_before_anything_was_stored_the_cache_has_nothing_to_tell() -> None:
    data = status.cache_data(
        head_with(CLIENT), SCHEDULE, now=NOW, version=VERSION, hiding_digest=""
    )

    assert data["generation"] == 0
    assert data["version"] == VERSION
    assert data["originBudget"] == {"limit": 72, "remaining": 72}
    nothing = ("digest", "usersDigest", "age", "oldestObservationAge", "validatedAt", "retryAt")
    assert {data[name] for name in (*nothing, "lastError")} == {None}
    assert not data["revalidating"]


@pytest.mark.parametrize(("seconds", "told"), [(0, False), (1, True)])
def test_only_what_still_holds_is_told(seconds: int, *, told: bool) -> None:
    head = head_with(
        CLIENT,
        generation=3,
        swept_at=NOW - 90.5,
        validated_at=NOW - 90,
        blocked_until=NOW + seconds,
        retry_at=NOW + seconds,
        lease_expires_at=NOW + seconds,
        last_error="origin-5xx",
        rate_limit=500,
    )

    data = status.cache_data(head, SCHEDULE, now=NOW, version=VERSION, hiding_digest="")

    until = "2027-01-15T08:00:01.000Z" if told else None
    assert (data["blockedUntil"], data["retryAt"], data["revalidating"]) == (until, until, told)
    assert (data["age"], data["validatedAt"]) == (90, "2027-01-15T07:58:30.000Z")
    assert data["lastError"] == "origin-5xx"
    assert data["originBudget"]["limit"] == 300


@pytest.mark.parametrize(
    ("source", "reason", "retry_at"),
    [("whole", None, None), ("part", None, None), ("refused", "organization-id", 5)],
)
def test_whether_an_organizations_list_is_used_is_told(
    source: str, reason: str | None, retry_at: int | None
) -> None:
    listing = Listing(refused="organization-id", retry_at=NOW + 5, undecided=3)

    data = status.cache_data(
        head_with(CLIENT, list=source),
        SCHEDULE,
        now=NOW,
        version="0.1.0",
        hiding_digest="",
        listing=listing,
    )

    assert data["organization"] == {
        "inUse": reason is None,
        "reason": reason,
        "retryAt": retry_at and "2027-01-15T08:00:05.000Z",
        "undecided": 3,
    }


def test_a_success_is_an_envelope() -> None:
    assert bodies.success_body({"a": 1}) == '{"status":"success","data":{"a":1}}'


def test_users_are_told_beside_what_changed_for_who_asks() -> None:
    named = {"since": 1, "updated": [{"id": 7, "fields": ["name"]}]}

    plain, full = bodies.changes_body(named, None), bodies.changes_body(named, [b'{"id":7}'])

    assert json.loads(plain)["data"] == named
    assert json.loads(full)["data"] == {**named, "users": [{"id": 7}]}
    assert json.loads(bodies.changes_body(named, []))["data"]["users"] == []


def test_more_of_them_than_fit_into_an_answer_are_refused_in_words() -> None:
    lines = [b'{"id":1,"bio":"%s"}' % (b"x" * 200_000)] * 31

    with pytest.raises(InvalidRequestError, match="Ask without include=values") as caught:
        bodies.changes_body({"since": 1}, lines)

    assert caught.value.code == "ResponseTooLarge"
