"""``GET …/cache/changes``: what changed between a generation that a caller knows and the newest."""

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.aws import items
from tests.integration.service import CLIENT, Answer, Json, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
NONE: dict[str, Json] = {"created": [], "discovered": [], "updated": [], "deleted": []}


@pytest.fixture
def ids(service: Service) -> list[int]:
    """Return the ids of the three users of generation 1."""
    service.refresh(SCHEDULED)
    return [user["id"] for user in service.origin.users(CLIENT)]


def since(service: Service, generation: int | str) -> Answer:
    return service.get(f"/cache/changes?since={generation}")


def told(answer: Answer) -> Json:
    """Return what changed, without the digest of what it leads to."""
    data = dict(answer.body["data"])
    assert len(data.pop("usersDigest")) == 64
    return data


def publish(service: Service) -> None:
    assert service.refresh(SCHEDULED)["outcome"] == "published"


def test_what_changed_is_told_exactly(service: Service, ids: list[int]) -> None:
    service.origin.update(CLIENT, ids[0], name="Renamed", metadata={"plan": "pro"})
    service.origin.delete(CLIENT, ids[1])
    new = service.origin.create(CLIENT)
    publish(service)

    answer = since(service, 1)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["status"] == "success"
    assert told(answer) == {
        "since": 1,
        "generation": 2,
        "created": [new["id"]],
        "discovered": [],
        "updated": [{"id": ids[0], "fields": ["name", "metadata"]}],
        "deleted": [ids[1]],
    }


def test_several_generations_are_told_as_one_difference(service: Service, ids: list[int]) -> None:
    passing = service.origin.create(CLIENT)
    publish(service)
    service.origin.delete(CLIENT, passing["id"])
    service.origin.update(CLIENT, ids[2], name="Renamed")
    publish(service)

    since_each = [told(since(service, generation)) for generation in (1, 2, 3)]

    renamed = [{"id": ids[2], "fields": ["name"]}]
    assert since_each == [
        {"since": 1, "generation": 3} | NONE | {"updated": renamed},
        {"since": 2, "generation": 3} | NONE | {"updated": renamed, "deleted": [passing["id"]]},
        {"since": 3, "generation": 3} | NONE,
    ]


@pytest.mark.usefixtures("ids")
def test_an_unchanged_directory_has_no_new_generation(service: Service) -> None:
    service.refresh(SCHEDULED)

    assert told(since(service, 1)) == {"since": 1, "generation": 1} | NONE


def test_with_values_one_call_brings_a_copy_up_to_date(service: Service, ids: list[int]) -> None:
    copy = {user["id"]: user for user in service.get("/users").body["data"]}
    service.origin.update(CLIENT, ids[0], name="Renamed")
    service.origin.delete(CLIENT, ids[1])
    service.origin.create(CLIENT)
    publish(service)

    data = service.get("/cache/changes?since=1&include=values").body["data"]

    for gone in data["deleted"]:
        del copy[gone]
    copy |= {user["id"]: user for user in data["users"]}
    now = service.get("/users")
    assert sorted(copy.values(), key=lambda user: user["id"]) == now.body["data"]
    assert data["usersDigest"] == now.headers["X-Users-Digest"]


def test_what_is_larger_than_an_answer_may_be_is_refused_in_words(
    service: Service, ids: list[int]
) -> None:
    del ids
    for _ in range(30):
        service.origin.create(CLIENT, bio="x" * 220_000)
    publish(service)

    refused = service.get("/cache/changes?since=1&include=values")

    assert (refused.status, refused.error["code"]) == (400, "ResponseTooLarge")
    assert service.get("/cache/changes?since=1").status == 200


@pytest.mark.usefixtures("ids")
def test_a_generation_above_the_newest_is_refused(service: Service) -> None:
    refused = since(service, 2)

    assert (refused.status, refused.error["message"]) == (
        400,
        "Parameter 'since' is above the newest generation, 1.",
    )


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("query", ["", "?since=", "?since=-1", "?since=x", "?since=1&since=1"])
def test_a_generation_must_be_given_as_one_number(service: Service, query: str) -> None:
    refused = service.get(f"/cache/changes{query}")

    assert refused.status == 400
    assert refused.error["details"]["parameter"] == "since"


@pytest.mark.usefixtures("ids")
def test_nothing_else_can_be_asked(service: Service) -> None:
    refused = service.get("/cache/changes?since=1&fields=id")

    assert (refused.status, refused.error["details"]["parameter"]) == (400, "fields")


@pytest.mark.parametrize("kept", ["manifest", "pages"])
def test_a_generation_that_is_no_longer_kept_whole_is_gone(
    service: Service, ids: list[int], kept: str
) -> None:
    manifest = items.encode({"pk": f"client#{CLIENT}", "sk": "gen#1"})
    pages = [item for item in service.items() if item["sk"]["S"] == "page"]
    service.origin.delete(CLIENT, ids[0])
    publish(service)
    service.forget()
    keys = [{"pk": page["pk"], "sk": page["sk"]} for page in pages]
    for key in keys if kept == "manifest" else [manifest]:
        service.table.client.delete_item(TableName=service.table.name, Key=key)

    gone = since(service, 1)

    assert (gone.status, gone.error["code"]) == (410, "GoneException")


@pytest.mark.usefixtures("ids")
def test_before_the_first_generation_there_is_nothing_to_compare_with(service: Service) -> None:
    assert since(service, 0).status == 410


@pytest.mark.usefixtures("ids")
def test_a_generation_that_hid_something_else_is_gone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIDDEN_FIELDS", "bio")
    service.forget()
    publish(service)

    assert since(service, 1).status == 410
    assert told(since(service, 2)) == {"since": 2, "generation": 2} | NONE


def test_a_client_that_is_not_configured_has_no_changes(aws: EmbeddedAws) -> None:
    with running_service(aws) as service:
        answer = service.get("/v2/oauth-clients/unknown/cache/changes?since=0")

    assert answer.status == 404


@pytest.mark.usefixtures("ids")
def test_changes_can_only_be_read(service: Service) -> None:
    answer = service.send("POST", "/cache/changes?since=1")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
