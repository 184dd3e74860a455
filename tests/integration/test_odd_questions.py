"""Questions at the edges, as a caller sees them: odd dates, texts, places and methods."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import demo_users
from tests.integration.asking import follow, link
from tests.integration.service import CLIENT, Service, running_service


@pytest.fixture(scope="module")
def warm(aws: EmbeddedAws) -> Iterator[Service]:
    """One service for tests that only read; its three users are stored already."""
    with running_service(aws) as running:
        running.get()
        yield running


@pytest.mark.parametrize("path", ["/users", "/users?q=a", "/users/{id}"])
@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Fri, 31 Dec 9999 23:59:59 GMT", 304),
        ("Fri Dec 31 23:59:59 9999", 304),
        ("Fri, 31 Dec 9999 23:59:59 +0000", 200),
        ("Thu, 31 Dec 9999 23:59:59 GMT", 200),
        ("9999-12-31T23:59:59Z", 200),
    ],
)
def test_only_an_http_date_makes_a_request_conditional(
    warm: Service, path: str, date: str, status: int
) -> None:
    path = path.format(id=warm.get().ids[0])

    assert warm.get(path, {"If-Modified-Since": date}).status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Pragma": "no-cache-please"},
        {"Pragma": 'hint="no-cache"'},
        {"Cache-Control": r'hint="\", no-cache, \""'},
    ],
)
def test_only_a_directive_of_its_own_asks_the_origin(
    warm: Service, headers: dict[str, str]
) -> None:
    assert "; hit; ttl=" in warm.get(headers=headers).cache_status


@pytest.mark.parametrize("path", ["/cache", "/cache/changes?since=1", "/cache/changes?since=99"])
def test_whatever_is_got_can_be_asked_for_its_headers_alone(warm: Service, path: str) -> None:
    got, headed = warm.get(path), warm.send("HEAD", path)

    assert (headed.status, headed.response.body) == (got.status, b"")
    assert headed.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("offset", ["4", "9007199254740993", "99999999999999999999", "9" * 300])
@pytest.mark.parametrize("view", ["", "&sort=-id", "&q=e", "&ids=1001,1002,1003"])
def test_behind_the_end_a_link_leads_back_to_the_last_window(
    warm: Service, offset: str, view: str
) -> None:
    whole = warm.get(f"/users?limit=250{view}").ids

    behind = warm.get(f"/users?limit=2&offset={offset}{view}")
    back = warm.get(link(behind, "prev") or "")

    assert (behind.ids, back.ids) == ([], whole[-2:])


COMPANIES = ("Acme, Inc.", "Acme", "Cafe\u0301", "", 0.00001, None)


@pytest.fixture(scope="module")
def odd(aws: EmbeddedAws) -> Iterator[Service]:
    """One service for tests that only read; its users have odd names and metadata."""
    with running_service(aws, users=0) as running:
        rows = demo_users(CLIENT, len(COMPANIES))
        running.origin.replace(
            CLIENT,
            [
                row
                | {"id": n, "name": name, "timeZone": "+05:30", "metadata": {"company": company}}
                for n, (row, company, name) in enumerate(
                    zip(rows, COMPANIES, ["İstanbul", "Zoe\u0308", *"abcd"], strict=True), 1
                )
            ],
        )
        running.get()
        yield running


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metadata[company]=Acme,%20Inc.", [1, 2]),
        ("metadata[company]=Acme", [2]),
        ("metadata[company]=Caf%C3%A9", [3]),
        ("metadata[company]=", [4]),
        ("metadata[company]=0.00001", [5]),
        ("metadata[company]=null", [6]),
        ("metadata[company]=Acme&metadata[company]=", [2, 4]),
        ("q=istanbul", [1]),
        ("q=ZO%C3%8B", [2]),
        ("timeZone=+05:30&ids=1", [1]),
        ("timeZone=%2B05%3A30&ids=1", [1]),
    ],
)
def test_whatever_a_user_has_can_be_asked_for(odd: Service, query: str, found: list[int]) -> None:
    whole = odd.get(f"/users?{query}")
    walked = list(follow(odd, f"/users?{query}&limit=1"))

    assert whole.ids == found
    assert [user_id for answer in walked for user_id in answer.ids] == found
