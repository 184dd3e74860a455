"""What lies in the table is of a wrong shape or type: nothing is 5xx for as long as it lies there.

| item | damage | what happens |
|---|---|---|
| head | an attribute of another type, or no possible value | taken out; the log names it |
| head | the same, of what makes a generation | all of that is taken from the manifest |
| head | the same, and that is gone or damaged, too | the origin is asked; counting goes on |
| head | the generation's number | the same, but counting begins anew |
| head | a manifest that cannot be unpacked | the generation's own manifest is read |
| manifest | anything | it is gone: 410 for who asks for it, a baseline for listeners |
| manifest | the same, the newest, not in the head | the origin is asked; it is written anew |
| page, shard | no data, or not what its digest says | the same |
| look-up | anything | it is not there: the origin is asked; it is written anew |
| waiting | anything | it is empty, and is written anew by whoever waits next |
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from handlers import changes
from lib.directory.head import ATTRIBUTES, KINDS
from tests.integration.asking import follow, link, post
from tests.integration.relay import Relay
from tests.integration.service import CLIENT, Json, Service, running_service
from tests.integration.stored import Stored

WINDOW = 10
GENERATION = {
    *("generation", "digest", "users", "complete", "incomplete_reason", "policy", "listing"),
    *("modified_at", "swept_at", "adopted", "adopted_seen_at", "unconfirmed_since"),
    "window_last_id",
}
ODD: Json = {"M": {"was": {"S": "something else"}}}


@pytest.fixture(scope="module")
def bus(aws: EmbeddedAws) -> Iterator[Relay]:
    aws.create_bus("damaged")
    with Relay(aws.endpoint) as relay:
        yield relay


@pytest.fixture(scope="module")
def sound(aws: EmbeddedAws, bus: Relay) -> Iterator[tuple[Service, Stored]]:
    """Yield a service at its second generation: 10 users in the window, one adopted, 3 unknown."""
    with running_service(
        aws,
        users=WINDOW + 4,
        ORIGIN_MAX_LIMIT=str(WINDOW // 2),
        ORIGIN_MAX_OFFSET=str(WINDOW // 2),
        EVENT_BUS_NAME="damaged",
        AWS_ENDPOINT_URL_EVENTBRIDGE=bus.url,
    ) as running:
        running.refresh()
        running.get(f"/users/{ids(running)[WINDOW]}")
        running.let_pass(15)
        running.refresh()
        yield running, Stored.of(running)


@pytest.fixture
def service(sound: tuple[Service, Stored], bus: Relay) -> Iterator[Service]:
    """Yield the service with its table as it was, and start a new environment."""
    running, stored = sound
    users = running.origin.users(CLIENT)
    stored.put(running)
    yield running
    bus.calls.clear()
    running.origin.faults = []
    running.origin.replace(CLIENT, users)


def ids(service: Service) -> list[int]:
    return [user["id"] for user in service.origin.users(CLIENT)]


def item(service: Service, kind: str) -> dict[str, Any]:
    """Return the first item whose sort key is ``kind``."""
    return next(dict(each) for each in service.items() if each["sk"]["S"] == kind)


def damage(service: Service, kind: str, attributes: Mapping[str, Json]) -> None:
    """Give every item of ``kind`` these attributes, or take away those that are None."""
    for each in service.items():
        if each["sk"]["S"] == kind:
            merged = {**each, **attributes}
            left = {name: typed for name, typed in merged.items() if typed is not None}
            service.table.client.put_item(TableName=service.table.name, Item=left)
    service.forget()


def odd(name: str) -> Json:
    """Return an attribute of another type than that of ``name``."""
    return {"N": "7"} if KINDS[name] is str else {"S": "odd"}


def known(service: Service) -> list[int]:
    return service.get("/users?limit=250").ids


def go_down(service: Service) -> None:
    service.origin.faults = [Fault("status", status=500)]


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_an_unreadable_attribute_of_a_head_is_taken_out_and_told(
    service: Service, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(service, "head", {name: odd(name)})

    seen, cache = known(service), service.get("/cache")

    assert seen == ids(service)[: WINDOW + (name != "generation")]
    assert cache.status == 200
    assert item(service, "head").get(name) != odd(name)
    (told,) = [record.__dict__ for record in caplog.records if record.message == "head mended"]
    assert name in told["attributes"]
    assert (told["client_id"], told["reason"]) == (CLIENT, "broken-head")


MENDED = (
    "calls calls_minute generation lease_expires_at lease_token rate_remaining retry_at swept_at"
)


@pytest.mark.parametrize("name", MENDED.split())
def test_a_head_that_was_mended_is_revalidated_and_moves_on(service: Service, name: str) -> None:
    damage(service, "head", {name: odd(name)})
    created = service.origin.create(CLIENT, id=1)

    service.refresh()
    service.forget()

    assert created["id"] in known(service)
    assert item(service, "head")["format"] == {"N": "1"}
    assert service.get("/cache").body["data"]["lastError"] is None


@pytest.mark.parametrize("name", sorted(GENERATION - {"generation"}))
def test_a_broken_generation_is_its_manifest_s_while_the_origin_is_down(
    service: Service, name: str
) -> None:
    before = service.head()
    damage(service, "head", {name: odd(name)})
    go_down(service)

    answer = service.get("/users?limit=250")

    assert answer.ids == ids(service)[: WINDOW + 1]
    assert answer.headers["X-Total-Count"] == str(WINDOW + 1)
    after = service.head()
    assert [after.get(each) or None for each in sorted(GENERATION)] == [
        before.get(each) or None for each in sorted(GENERATION)
    ]


@pytest.mark.parametrize("name", ["digest", "swept_at"])
def test_what_every_generation_has_is_missed_and_mended(service: Service, name: str) -> None:
    before = item(service, "head")[name]
    damage(service, "head", {name: None})

    assert known(service) == ids(service)[: WINDOW + 1]
    assert item(service, "head")[name] == before


@pytest.mark.parametrize(
    "typed",
    [ODD, {"NULL": True}, {"BOOL": True}, {"N": "-7"}, {"N": "1" + 30 * "0"}, {"N": "7.5e120"}],
    ids=str,
)
def test_no_value_of_a_head_is_an_error(service: Service, typed: Json) -> None:
    damage(service, "head", dict.fromkeys(ATTRIBUTES - {"generation", "complete"}, typed))

    asked = [
        service.get(path)
        for path in ("/users", f"/users/{ids(service)[0]}", "/cache", "/cache/changes?since=1")
    ]

    assert [answer.status for answer in asked] == [200] * 4
    assert asked[0].ids == ids(service)[: WINDOW + 1]


def test_a_head_without_a_readable_generation_counts_on_from_its_number(service: Service) -> None:
    damage(service, "head", {"digest": ODD})
    damage(service, "gen#2", {"listing": ODD})

    seen = known(service)
    cache = service.get("/cache").body["data"]

    assert seen == ids(service)[:WINDOW]
    assert cache["generation"] == 3
    assert service.get("/cache/changes?since=2").status == 410


def test_a_head_that_several_mend_at_once_is_mended_once(
    service: Service, aws: EmbeddedAws
) -> None:
    with Relay(aws.endpoint) as relay, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", relay.url)
        damage(service, "head", {"failures": ODD})
        relay.refuse("UpdateItem", "ConditionalCheckFailedException")

        assert known(service) == ids(service)[: WINDOW + 1]


@pytest.mark.parametrize("listing", [{"B": b"\0"}, {"B": b"\0\2" + 30 * b"x"}])
def test_a_manifest_in_the_head_that_cannot_be_unpacked_is_read_from_its_own_item(
    service: Service, listing: Json
) -> None:
    damage(service, "head", {"listing": listing})
    go_down(service)

    assert service.get("/users?limit=250").status == 200


DAMAGED_MANIFESTS = [
    {"listing": ODD},
    {"listing": None},
    {"listing": {"B": b""}},
    {"swept_at": {"S": "odd"}},
    {"generation": None},
    {"generation": {"N": "9"}},
    {"users": ODD, "complete": ODD},
]


@pytest.mark.parametrize("attributes", DAMAGED_MANIFESTS, ids=str)
def test_an_old_manifest_that_cannot_be_read_is_gone(
    service: Service, bus: Relay, attributes: Mapping[str, Json]
) -> None:
    traversal = service.get("/users?limit=4")
    damage(service, "gen#1", attributes)
    damage(service, "head", {"announced": {"N": "1"}})

    assert service.get("/cache/changes?since=1").status == 410
    announce(service)
    assert [kind for kind, _ in sent(bus)] == ["managed-users-proxy.managed-users.baseline.v1"]

    damage(service, "gen#2", attributes)
    assert service.get(str(link(traversal, "next"))).status == 410
    assert known(service) == ids(service)[: WINDOW + 1]


@pytest.mark.parametrize("attributes", DAMAGED_MANIFESTS, ids=str)
def test_the_newest_manifest_that_cannot_be_read_is_written_anew(
    service: Service, attributes: Mapping[str, Json]
) -> None:
    damage(service, "head", {"listing": None})
    damage(service, "gen#2", attributes)

    answer = service.get("/users?limit=250")

    assert answer.ids == ids(service)[:WINDOW]
    assert answer.cache_status == "managed-users; fwd=uri-miss; fwd-status=200; stored"
    assert service.get("/cache").body["data"]["generation"] == 3


DAMAGED_CONTENTS = [
    {"data": ODD},
    {"data": {"S": "odd"}},
    {"data": None},
    {"data": {"B": b"odd"}},
    {"data": {"B": zlib.compress(b'{"id":1}')}},
]


@pytest.mark.parametrize("attributes", DAMAGED_CONTENTS, ids=str)
@pytest.mark.parametrize("kind", ["page", "index"])
def test_a_damaged_page_or_shard_is_written_anew(
    service: Service, kind: str, attributes: Mapping[str, Json]
) -> None:
    user = next(user for user in service.origin.users(CLIENT) if user["username"])
    damage(service, kind, attributes)

    named = service.get(f"/users?usernames={user['username']}")
    listed = known(service)

    assert named.ids == [user["id"]]
    assert set(listed) >= set(ids(service)[:WINDOW])
    service.forget()
    again = service.get(f"/users?usernames={user['username']}")
    assert again.cache_status.startswith("managed-users; hit")


DAMAGED_LOOKUPS = [
    {"observed_at": {"S": "odd"}},
    {"observed_at": None},
    {"observed_at": ODD, "data": ODD},
    {"data": ODD},
    {"data": {"S": "odd"}},
    {"data": {"B": b"odd"}},
    {"data": {"B": zlib.compress(b"odd")}},
    {"data": {"B": zlib.compress(b'["id"]')}},
    {"data": {"B": zlib.compress(b'{"id":"x"}')}},
    {"observed_at": None, "asking_until": {"S": "odd"}},
    {"observed_at": None, "asking_until": ODD},
]


@pytest.mark.parametrize("attributes", DAMAGED_LOOKUPS, ids=str)
def test_a_damaged_look_up_is_made_again(service: Service, attributes: Mapping[str, Json]) -> None:
    wanted = service.origin.users(CLIENT)[WINDOW + 2]
    body = {"emails": [wanted["email"]]}
    assert post(service, "/users/lookup", body).body["data"] == [wanted]
    damage(service, "lookup", attributes)

    by_address, by_id = post(service, "/users/lookup", body), service.get(f"/users/{wanted['id']}")

    assert by_address.body["data"] == [wanted]
    assert by_address.body["notFound"] == []
    assert by_id.body["data"] == wanted
    service.let_pass(15)
    service.refresh()
    assert wanted["id"] in known(service)


@pytest.mark.parametrize(
    "waiting", [ODD, {"S": "odd"}, {"SS": ["odd"]}, {"N": "7"}, {"NS": ["7.5", "-3"]}], ids=str
)
def test_a_damaged_list_of_who_waits_adopts_whoever_waits_next(
    service: Service, waiting: Json
) -> None:
    key = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "waiting"}}
    service.table.client.put_item(TableName=service.table.name, Item={**key, "ids": waiting})
    wanted = ids(service)[WINDOW + 1]

    assert service.get(f"/users/{wanted}").status == 200
    service.let_pass(15)
    service.refresh()

    assert wanted in known(service)


def test_a_traversal_goes_on_over_a_head_that_was_mended(service: Service) -> None:
    traversal = follow(service, "/users?limit=4")
    seen = next(traversal).ids
    damage(service, "head", {"users": ODD, "lease_token": ODD, "calls": ODD})

    for answer in traversal:
        seen += answer.ids

    assert seen == ids(service)[: WINDOW + 1]


def announce(service: Service) -> None:
    keys = {"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "gen#2"}}
    record = {"dynamodb": {"Keys": keys, "SequenceNumber": "1"}}
    assert changes.handler({"Records": [record]}, service.context()) == {"batchItemFailures": []}


def sent(bus: Relay) -> list[tuple[str, str]]:
    """Return type and detail of every event that was sent."""
    return [
        (entry["DetailType"], entry["Detail"])
        for operation, asked in bus.calls
        if operation == "PutEvents"
        for entry in asked["Entries"]
    ]
