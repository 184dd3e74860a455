"""Header fields of HTTP caching: what is read from requests, and what is written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.caching.headers import (
    FOREVER,
    CacheStatus,
    RequestDirectives,
    cache_control,
    http_date,
    not_modified,
)

ETAG = 'W/"1-abc"'
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
INSTANT = 1_800_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("no-cache", {"no_cache": True}),
        ("No-Cache", {"no_cache": True}),
        ("no-cache=x", {"no_cache": True}),
        ("only-if-cached", {"only_if_cached": True}),
        ("max-age=60", {"max_age": 60}),
        ("max-age=060", {"max_age": 60}),
        ('max-age="60"', {"max_age": 60}),
        (" max-age=60 ,\tmin-fresh=5", {"max_age": 60, "min_fresh": 5}),
        ("max-age=0", {"max_age": 0, "no_cache": True}),
        ("max-stale", {"max_stale": FOREVER}),
        ("max-stale, max-stale", {"max_stale": FOREVER}),
        ("max-stale=30", {"max_stale": 30}),
        ("max-stale, max-stale=30", {"max_stale": 30}),
        ("max-stale=x", {}),
        ("max-age=60, max-age=30", {"max_age": 30}),
        ("min-fresh=5, min-fresh=9", {"min_fresh": 9}),
        ("max-age=99999999999999999999", {"max_age": FOREVER}),
        ("max-age=2147483649", {"max_age": FOREVER}),
        ("max-age", {}),
        ("max-age=", {}),
        ("max-age=-1", {}),
        ("max-age=1.5", {}),
        ("max-age=٣", {}),
        ("max-age = 5", {}),
        ('max-age="5', {}),
        ("no-store, no-transform", {}),
        ("max-age=x, no-cache", {"no_cache": True}),
        ("@@@, only-if-cached", {"only_if_cached": True}),
        ('foo="bar", max-age=1', {"max_age": 1}),
        ('foo="a, no-cache, b", max-age=1', {"max_age": 1}),
        (r'foo="a\", no-cache, b", max-age=1', {"max_age": 1}),
        (r'foo="a\\", no-cache', {"no_cache": True}),
        (r'max-age="\6\0"', {"max_age": 60}),
        (r'max-age="60\"', {}),
        (r"foo=\", no-cache", {}),
        ('max-age=""60""', {}),
    ],
)
def test_request_directives_are_read_leniently_one_by_one(
    text: str, expected: dict[str, Any]
) -> None:
    assert RequestDirectives.parse(text) == RequestDirectives(**expected)


@pytest.mark.parametrize(
    ("control", "pragma", "no_cache"),
    [
        (None, None, False),
        (None, "no-cache", True),
        (None, "No-Cache, x", True),
        (None, "x=1 , no-cache", True),
        (None, "x", False),
        (None, "no-cache-please", False),
        (None, "not-no-cache", False),
        (None, 'x="no-cache"', False),
        (None, 'x=", no-cache"', False),
        ("", "no-cache", False),
        ("max-age=1", "no-cache", False),
    ],
)
def test_pragma_counts_only_without_cache_control(
    control: str | None, pragma: str | None, *, no_cache: bool
) -> None:
    assert RequestDirectives.parse(control, pragma).no_cache is no_cache


@given(st.text(), st.none() | st.text())
def test_no_request_directive_is_too_odd_to_read(control: str, pragma: str | None) -> None:
    directives = RequestDirectives.parse(control, pragma)

    numbers = (directives.max_age, directives.min_fresh, directives.max_stale)
    assert all(number is None or 0 <= number <= FOREVER for number in numbers)


TOKENS = st.sampled_from(
    ["no-cache", "max-age", "max-stale", "=", ",", '"', "\\", "0", "9", " ", ";"]
)


@given(st.lists(TOKENS).map("".join))
def test_no_mixture_of_directives_is_too_odd_to_read(control: str) -> None:
    directives = RequestDirectives.parse(control)

    assert directives.no_cache or directives.max_age != 0


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (CacheStatus(ttl=20), "hit; ttl=20"),
        (CacheStatus(ttl=-3, detail="frozen"), "hit; ttl=-3; detail=frozen"),
        (
            CacheStatus(fwd="stale", fwd_status=200, stored=True),
            "fwd=stale; fwd-status=200; stored",
        ),
        (CacheStatus(fwd="uri-miss", collapsed=True), "fwd=uri-miss; collapsed"),
        (CacheStatus(hit=False, detail="only-if-cached"), "detail=only-if-cached"),
    ],
)
def test_cache_status_says_hit_or_forwarded_and_never_both(status: CacheStatus, text: str) -> None:
    assert str(status) == f"managed-users; {text}"


def test_cache_control_is_private_and_tells_the_whole_windows() -> None:
    written = cache_control(max_age=120, stale_while_revalidate=600, stale_if_error=604800)

    assert written == ("private, max-age=120, stale-while-revalidate=600, stale-if-error=604800")


@pytest.mark.parametrize(
    ("field", "matches"),
    [
        (ETAG, True),
        ('"1-abc"', True),
        ("*", True),
        (" * ", True),
        (f'"x", {ETAG}', True),
        (f'"x",{ETAG},"y"', True),
        (f", ,{ETAG}", True),
        (f"junk, {ETAG}", True),
        (f'"a,b", {ETAG}', True),
        ("", False),
        ('"x"', False),
        ("1-abc", False),
        ('w/"1-abc"', False),
        ('W/ "1-abc"', False),
        ('W/"1-ABC"', False),
        ('"1-abc', False),
        ('"x" "1-abc"', False),
        ('"*"', False),
    ],
)
def test_a_tag_matches_weakly_and_malformed_members_match_nothing(
    field: str, *, matches: bool
) -> None:
    done = not_modified(if_none_match=field, if_modified_since=None, etag=ETAG, modified_at=INSTANT)

    assert done is matches


@pytest.mark.parametrize(
    ("field", "matches"),
    [
        (None, False),
        (DATE, True),
        ("Fri, 15 Jan 2027 08:00:01 GMT", True),
        ("Fri, 15 Jan 2027 07:59:59 GMT", False),
        ("Friday, 15-Jan-27 08:00:00 GMT", True),
        ("yesterday", False),
        ("", False),
        ("Fri, 99 Jan 2027 08:00:00 GMT", False),
        ("Fri, 15 Jan 0000 08:00:00 GMT", False),
        ("Fri, 31 Dec 9999 23:59:59 GMT", True),
        ("Fri Jan 15 08:00:00 2027", True),
        ("Sun Feb  7 08:00:00 2027", True),
        ("Fri Jan 15 07:59:59 2027", False),
        # Up to 50 years ahead two digits are the year to come, above that one gone by.
        ("Friday, 15-Jan-77 08:00:00 GMT", True),
        ("Sunday, 15-Jan-78 08:00:00 GMT", False),
    ],
)
def test_a_date_matches_from_the_modification_on(field: str | None, *, matches: bool) -> None:
    done = not_modified(if_none_match=None, if_modified_since=field, etag=ETAG, modified_at=INSTANT)

    assert done is matches


@pytest.mark.parametrize(
    "field",
    [
        "Fri, 31 Dec 9999 23:59:59 -9999",
        "Fri, 15 Jan 2027 08:00:00 +0000",
        "Fri, 15 Jan 2027 09:00:00 +0100",
        "Fri, 15 Jan 2027 08:00:00 UTC",
        "Fri, 15 Jan 2027 08:00:00 EST",
        "Fri, 15 Jan 2027 08:00:00",
        "Fri, 15 Jan 2027 08:00 GMT",
        "Fri, 5 Feb 2027 08:00:00 GMT",
        "15 Jan 2027 08:00:00 GMT",
        "Thu, 15 Jan 2027 08:00:00 GMT",
        "fri, 15 jan 2027 08:00:00 gmt",
        "Friday, 15 Jan 2027 08:00:00 GMT",
        "Fri, 15-Jan-27 08:00:00 GMT",
        "Fri, 15-Jan-2027 08:00:00 GMT",
        "Fri, 15 Jan 27 08:00:00 GMT",
        "Fri,15 Jan 2027 08:00:00 GMT",
        "Fri,  15 Jan 2027 08:00:00 GMT",
        "Fri Jan 15 08:00:00 2027 GMT",
        "Sun Feb 7 08:00:00 2027",
        "Fri, 15 Jan 2027 08:00:00 GMT (noon)",
        "Fri, 15 Jan 2027 08:00:00 GMT, Fri, 15 Jan 2027 08:00:00 GMT",
        "Fri, 15 Jan 2027 24:00:00 GMT",
        "2027-01-15T08:00:00Z",
        "1800000000",
        "Fri, \u0661\u0665 Jan 2027 08:00:00 GMT",
    ],
)
def test_what_is_no_http_date_is_ignored(field: str) -> None:
    done = not_modified(if_none_match=None, if_modified_since=field, etag=ETAG, modified_at=0)

    assert not done


def test_where_there_are_tags_the_date_does_not_count() -> None:
    done = not_modified(if_none_match='"x"', if_modified_since=DATE, etag=ETAG, modified_at=INSTANT)

    assert not done


DATE_PARTS = st.sampled_from(
    ["Fri", ",", "15", "Jan", "2027", "08:00:00", "GMT", "+9999", "-", "99999999", "0", ":", "T"]
)
DATES = st.from_regex(
    r"\A(Fri, [0-9]{2} Jan [0-9]{4}|Friday, [0-9]{2}-Jan-[0-9]{2}) [0-9]{2}:[0-9]{2}:00 GMT\Z"
)


@given(st.text() | st.lists(DATE_PARTS).map(" ".join) | DATES)
def test_no_conditional_field_is_too_odd_to_read(field: str) -> None:
    by_tag = not_modified(
        if_none_match=field, if_modified_since=None, etag=ETAG, modified_at=INSTANT
    )
    by_date = not_modified(
        if_none_match=None, if_modified_since=field, etag=ETAG, modified_at=INSTANT
    )

    assert {by_tag, by_date} <= {True, False}


@pytest.mark.parametrize("instant", [INSTANT, INSTANT + 0.999])
def test_a_date_has_whole_seconds(instant: float) -> None:
    assert http_date(instant) == DATE
