"""Pages of one moment: a traversal by links sees one generation, whatever is published meanwhile.

The large directory is that of an origin whose host has raised the bounds of a list call.
"""

import base64
import json
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Bounds, demo_users
from tests.integration.asking import at, cursor_in, follow, link
from tests.integration.service import CLIENT, SECRET, Json, Service, running_service

MANY = 10_000
GENERATIONS = 20
SCHEDULED = {"action": "refresh", "clientId": CLIENT}
HALF = str(MANY // 2)
NOT_OURS = "Parameter 'cursor' is not a cursor that was handed out here."


@pytest.fixture(scope="module")
def large(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=MANY, ORIGIN_MAX_LIMIT=HALF, ORIGIN_MAX_OFFSET=HALF) as running:
        running.origin.bounds = Bounds(max_limit=MANY // 2, max_offset=MANY // 2)
        yield running


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=25) as running:
        running.refresh()
        yield running


def change(service: Service, turn: int) -> None:
    """Rename, delete and create users all over the directory, and publish that."""
    ids = [user["id"] for user in service.origin.users(CLIENT)]
    service.origin.update(CLIENT, ids[turn * 400], name=f"Renamed {turn}")
    service.origin.delete(CLIENT, ids[turn * 400 + 399])
    service.origin.create(CLIENT)
    published = service.refresh(SCHEDULED)
    assert published["outcome"] == "published", published


def test_a_traversal_of_10_000_users_sees_its_generation_once_each_however_many_are_published(
    large: Service,
) -> None:
    large.refresh()
    expected = large.origin.users(CLIENT)
    seen = []

    for window, answer in enumerate(follow(large, "/users?limit=250")):
        seen += answer.body["data"]
        assert answer.headers["X-Total-Count"] == str(MANY)
        if window % 2 == 0:
            change(large, window // 2)
            # Nothing of the traversal may rest on what an environment remembers.
            large.forget()

    assert seen == expected
    assert large.head()["generation"] == 1 + GENERATIONS
    assert [user["id"] for user in large.get("/users?limit=1").body["data"]] == [expected[0]["id"]]
    assert large.get("/users?limit=1").body["data"] != expected[:1]


def test_a_window_says_of_which_generation_it_is_and_is_always_checked(service: Service) -> None:
    first = service.get("/users?limit=10")
    service.origin.delete(CLIENT, first.ids[0])
    service.refresh(SCHEDULED)
    service.forget()
    service.origin.clear_calls()

    second = service.get(link(first, "next") or "")

    assert second.headers["Cache-Control"] == "private, no-cache"
    assert second.cache_status.endswith("; detail=pinned")
    assert second.headers["X-Total-Count"] == "25"
    assert second.body["pagination"]["currentPage"] == 2
    assert service.origin.calls == []


def test_links_lead_back_as_well(service: Service) -> None:
    forward = list(follow(service, "/users?limit=10"))

    back = list(follow(service, link(forward[-1], "prev"), "prev"))

    assert [len(answer.ids) for answer in forward] == [10, 10, 5]
    assert [answer.ids for answer in back] == [forward[1].ids, forward[0].ids]
    assert link(forward[0], "prev") is link(back[-1], "prev") is link(forward[-1], "next") is None


def test_a_link_to_the_beginning_starts_over_with_the_newest_generation(service: Service) -> None:
    last = list(follow(service, "/users?limit=10&sort=-id"))[-1]
    newest = service.origin.create(CLIENT)
    service.refresh(SCHEDULED)
    service.forget()

    first = service.get(link(last, "first") or "")

    assert first.ids[0] == newest["id"]
    assert len(first.ids) == 10


def test_a_filtered_sorted_traversal_shows_what_one_answer_does(service: Service) -> None:
    view = "q=e&sort=-name&fields=id,name,timeZone"
    whole = service.get(f"/users?{view}&limit=250").body["data"]

    windows = list(follow(service, f"/users?{view}&limit=4"))

    assert [user for answer in windows for user in answer.body["data"]] == whole
    assert len(windows) == -(-len(whole) // 4) > 2


def test_users_found_beyond_the_snapshot_are_seen_once_each_too(aws: EmbeddedAws) -> None:
    with running_service(aws, users=620) as service:
        service.refresh()
        ids = [user["id"] for user in service.origin.users(CLIENT)][495:510]

        windows = list(follow(service, f"/users?ids={','.join(map(str, ids))}&limit=4"))

    assert [user_id for answer in windows for user_id in answer.ids] == ids
    assert {answer.headers["X-Total-Count"] for answer in windows} == {"15"}


def test_the_size_of_the_windows_may_change_on_the_way(service: Service) -> None:
    first = service.get("/users?limit=10")

    rest = service.get(at(cursor_in(link(first, "next")), "&limit=250"))

    assert first.ids + rest.ids == [user["id"] for user in service.origin.users(CLIENT)]


def test_a_window_that_did_not_change_is_304_without_links(service: Service) -> None:
    path = link(service.get("/users?limit=10"), "next") or ""
    tag = service.get(path).headers["ETag"]

    again = service.get(path, {"If-None-Match": tag})

    assert (again.status, again.headers["ETag"]) == (304, tag)
    assert "Link" not in again.headers


def test_a_place_behind_the_end_shows_nothing(service: Service) -> None:
    place = cursor_in(link(service.get("/users?limit=10"), "next"))

    behind = service.get(at(place._replace(offset=25)))

    assert (behind.ids, link(behind, "next")) == ([], None)


@pytest.mark.parametrize("view", ["sort=name", "q=a", "fields=id", "createdAfter=2024-01-01"])
def test_a_cursor_of_another_view_is_refused(service: Service, view: str) -> None:
    place = cursor_in(link(service.get(f"/users?limit=1&{view}"), "next"))

    assert service.get(at(place, f"&{view}")).status == 200
    refused = service.get(at(place))

    assert refused.status == 400
    assert refused.error["message"].startswith(
        "Parameter 'cursor' belongs to another view: send it"
    )


def test_a_cursor_of_another_client_is_refused(aws: EmbeddedAws) -> None:
    other = "clxanother000000000000001"
    with running_service(aws, clients={CLIENT: SECRET, other: "key"}) as service:
        place = cursor_in(link(service.get("/users?limit=1"), "next"))

        refused = service.get(f"/v2/oauth-clients/{other}{at(place)}")

    assert refused.status == 400


@pytest.mark.parametrize(
    "query",
    [
        "cursor=",
        "cursor=abc",
        "cursor=%00",
        "cursor=W10",
        "cursor={cursor}&cursor={cursor}",
        "cursor={cursor}&offset=0",
        "cursor={cursor}&min_generation=1",
    ],
)
def test_a_cursor_that_makes_no_sense_is_refused(service: Service, query: str) -> None:
    path = link(service.get("/users?limit=1"), "next") or ""
    place = path.partition("cursor=")[2]

    refused = service.get(f"/users?{query.format(cursor=place)}")

    assert refused.status == 400
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("age", "status"), [(3599, 200), (3600, 410), (10**6, 410)])
def test_a_cursor_is_good_for_an_hour(service: Service, age: int, status: int) -> None:
    place = cursor_in(link(service.get("/users?limit=1"), "next"))

    answer = service.get(at(place._replace(issued_at=int(service.clock.now) - age)))

    assert answer.status == status


def test_who_comes_too_late_is_told_where_to_start_again(service: Service) -> None:
    place = cursor_in(link(service.get("/users?limit=7&sort=-id"), "next"))

    gone = service.get(at(place._replace(issued_at=0), "&limit=7&sort=-id"))

    assert (gone.status, gone.error["code"]) == (410, "GoneException")
    assert service.get(link(gone, "first") or "").ids == service.get("/users?limit=7&sort=-id").ids


def test_a_generation_that_is_no_longer_kept_is_gone(service: Service) -> None:
    place = cursor_in(link(service.get("/users?limit=10"), "next"))

    gone = service.get(at(place._replace(generation=99)))

    assert gone.status == 410
    assert link(gone, "first") == "/users?limit=50"


def test_a_cursor_from_before_something_was_hidden_is_gone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cursor_in(link(service.get("/users?limit=10"), "next"))
    monkeypatch.setenv("HIDDEN_FIELDS", "bio")
    service.forget()
    service.refresh(SCHEDULED)

    gone = service.get(at(place))
    fresh = list(follow(service, link(gone, "first")))

    assert gone.status == 410
    assert sum(len(answer.ids) for answer in fresh) == 25
    assert not any("bio" in user for answer in fresh for user in answer.body["data"])


@pytest.mark.parametrize("back", [True, False])
def test_nobody_can_write_a_cursor_of_his_own(service: Service, *, back: bool) -> None:
    """A forged one used to show whoever had left since, for as long as pages are kept."""
    gone = service.get("/users?limit=1").body["data"][0]
    place = cursor_in(link(service.get("/users?limit=1"), "next"))
    service.origin.delete(CLIENT, gone["id"])
    service.refresh(SCHEDULED)
    service.forget()
    content = [*tuple(place._replace(offset=0 if back else place.offset))]
    packed = json.dumps(content, separators=(",", ":")).encode()

    for text in (packed, bytes(16) + packed):
        forged = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        refused = service.get(f"/users?cursor={forged}")
        assert (refused.status, refused.error["message"]) == (400, NOT_OURS)
        assert gone["email"] not in refused.response.body.decode()


@pytest.mark.parametrize("form", ["{}=", "{}%20", "%20{}", "{}!", "{}A", "{}%2B"])
def test_a_cursor_is_taken_to_the_letter(service: Service, form: str) -> None:
    path = link(service.get("/users?limit=1"), "next") or ""
    base, _, text = path.partition("cursor=")

    refused = service.get(f"{base}cursor={form.format(text)}")

    assert (refused.status, refused.error["message"]) == (400, NOT_OURS)


def test_every_environment_reads_the_cursors_of_every_other(service: Service) -> None:
    first = service.get("/users?limit=10")
    service.forget()

    second = service.get(link(first, "next") or "")

    assert len(second.ids) == 10
    assert [item["sk"]["S"] for item in service.items()].count("cursor-key") == 1


@pytest.mark.parametrize("kept", [None, {"S": "no key"}])
def test_a_table_that_lost_its_key_refuses_older_cursors_and_goes_on(
    service: Service, kept: Json
) -> None:
    older = link(service.get("/users?limit=10"), "next") or ""
    key = {"pk": {"S": "cursor-key"}, "sk": {"S": "cursor-key"}}
    service.table.client.delete_item(TableName=service.table.name, Key=key)
    if kept:
        service.table.client.put_item(TableName=service.table.name, Item=key | {"key": kept})
    service.forget()

    refused = service.get(older)
    windows = list(follow(service, "/users?limit=10"))

    assert (refused.status, refused.error["message"]) == (400, NOT_OURS)
    assert [len(answer.ids) for answer in windows] == [10, 10, 5]


def test_no_forged_cursor_shows_what_was_hidden_since(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cursor_in(link(service.get("/users?limit=10"), "next"))
    monkeypatch.setenv("HIDDEN_FIELDS", "bio")
    service.forget()
    service.refresh(SCHEDULED)
    now = cursor_in(link(service.get("/users?limit=10"), "next"))

    forged = service.get(at(now._replace(generation=before.generation, offset=0)))

    assert forged.status == 410


@pytest.fixture
def heavy(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service of 32 users, of whom 24 fit into an answer."""
    with running_service(aws, users=0) as running:
        rows = demo_users(CLIENT, 32)
        running.origin.replace(CLIENT, [row | {"bio": "x" * 250_000} for row in rows])
        running.refresh()
        yield running


def test_a_traversal_is_shortened_to_what_fits_and_nothing_else_is(heavy: Service) -> None:
    ids = [user["id"] for user in heavy.origin.users(CLIENT)]
    place = cursor_in(link(heavy.get("/users?limit=1"), "next"))

    windows = list(follow(heavy, at(place._replace(offset=0), "&limit=32")))
    refused = heavy.get("/users?limit=32")

    assert [answer.ids for answer in windows] == [ids[:24], ids[24:]]
    assert windows[0].body["pagination"]["returnedItems"] == 24
    assert windows[0].body["pagination"]["hasNextPage"]
    assert (refused.status, refused.error["code"]) == (400, "ResponseTooLarge")


def test_a_shortened_window_that_did_not_change_leads_nowhere_new(heavy: Service) -> None:
    place = cursor_in(link(heavy.get("/users?limit=1"), "next"))
    path = at(place._replace(offset=0), "&limit=28")
    first = heavy.get(path)

    again = heavy.get(path, {"If-None-Match": first.headers["ETag"]})

    # A link past the whole window would pass over the user that did not fit into it.
    assert (len(first.ids), again.status) == (24, 304)
    assert "Link" not in again.headers
