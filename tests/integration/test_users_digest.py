"""The digest of users over HTTP: the same wherever it is told, and page by page it adds up."""

import hashlib
import json

import pytest
import rfc8785

from tests.integration.service import CLIENT, Json, Service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}


def publish(service: Service) -> None:
    """Have what is there now published, and seen at once."""
    service.refresh(SCHEDULED)
    service.forget()


def digest(users: list[Json]) -> str:
    """Return the digest as it is documented, by a library."""
    each = (hashlib.sha256(rfc8785.dumps(user)).hexdigest() for user in users)
    return f"{sum(int(one, 16) for one in each) % 2**256:064x}"


def everybody(service: Service) -> list[Json]:
    answer = service.get("/users?limit=250")
    assert len(answer.body["data"]) == answer.body["pagination"]["totalItems"]
    return list(answer.body["data"])


def told(service: Service) -> set[str]:
    """Return the digest as every answer tells it that does."""
    generation = service.get("/cache").body["data"]["generation"]
    return {
        service.get("/users?limit=1&q=a").headers["X-Users-Digest"],
        service.get("/cache").body["data"]["usersDigest"],
        service.get(f"/cache/changes?since={generation}").body["data"]["usersDigest"],
        service.get("/cache/pages").body["data"]["usersDigest"],
        service.get(f"/events?after={generation}").body["pagination"]["usersDigest"],
        service.get("/events").body["pagination"]["usersDigest"],
    }


def test_it_is_that_of_the_users_who_are_answered_whatever_changes(service: Service) -> None:
    service.origin.create(CLIENT, metadata={"ratio": 0.1, "seats": 10**15, "€": "😀"})
    publish(service)
    before = told(service)
    assert before == {digest(everybody(service))}

    first, *_ = service.origin.users(CLIENT)
    service.origin.update(CLIENT, first["id"], name="Renamed")
    service.origin.create(CLIENT)
    publish(service)

    assert told(service) == {digest(everybody(service))}
    assert told(service) != before


def test_events_tell_of_each_generation_s_own(service: Service) -> None:
    publish(service)
    digests = [digest(everybody(service))]
    for _ in range(2):
        for _ in range(2):
            service.origin.create(CLIENT)
        publish(service)
        digests.append(digest(everybody(service)))

    pages = [service.get("/events?after=1&limit=1").body["pagination"]]
    while pages[-1]["hasMore"]:
        pages.append(service.get(f"/events?after={pages[-1]['cursor']}&limit=1").body["pagination"])

    # Within a step there is no generation that a copy could be of.
    seen = [(page["generation"], page["usersDigest"]) for page in pages]
    assert seen == [(1, None), (2, digests[1]), (2, None), (3, digests[2])]


def test_pages_add_up_and_each_is_that_of_its_users(service: Service) -> None:
    for _ in range(400):
        service.origin.create(CLIENT)
    publish(service)

    data = service.get("/cache/pages").body["data"]

    users = [
        user
        for at in (0, 250)
        for user in service.get(f"/users?limit=250&offset={at}").body["data"]
    ]
    assert len(data["pages"]) > 2
    assert data["users"] == len(users) == 403
    for page in data["pages"]:
        of = [user for user in users if page["firstId"] <= user["id"] <= page["lastId"]]
        assert (page["users"], page["usersDigest"]) == (len(of), digest(of))


def test_before_anything_is_published_there_are_no_pages(service: Service) -> None:
    data = service.get("/cache/pages").body["data"]

    assert data == {"generation": 0, "users": 0, "usersDigest": "0" * 64, "pages": []}
    assert service.get("/cache").body["data"]["usersDigest"] is None


def test_what_is_hidden_is_not_in_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(service)
    monkeypatch.setenv("HIDDEN_FIELDS", "bio")
    service.forget()

    # Until the next sweep nobody has noted it.
    assert "X-Users-Digest" not in service.get("/users").headers
    assert service.get("/cache/pages").body["data"]["usersDigest"] == digest(everybody(service))

    publish(service)
    assert "bio" not in json.dumps(everybody(service))
    assert told(service) == {digest(everybody(service))}
