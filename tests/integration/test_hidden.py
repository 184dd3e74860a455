"""What a deployment hides appears nowhere: not in the table, an answer, a log line or an event.

Values that cannot occur by chance stand where the hidden fields and metadata keys are.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault, demo_users
from handlers.wiring import wiring
from lib.events.announcer import Announcing
from lib.events.event import Event, EventFormat
from lib.events.history import History
from tests.integration.asking import link, post
from tests.integration.hiding import CANARY, HIDDEN, HIDES, stored, watched
from tests.integration.service import CLIENT, Answer, Service, running_service

SCHEDULED = {"action": "refresh", "clientId": CLIENT}
USERS = 300


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(
        aws,
        users=0,
        HIDDEN_METADATA_KEYS=HIDES["HIDDEN_METADATA_KEYS"],
        HIDDEN_FIELDS=HIDES["HIDDEN_FIELDS"],
        EVENT_VALUES="true",
        POWERTOOLS_METRICS_DISABLED="false",
    ) as running:
        running.origin.replace(CLIENT, map(watched, demo_users(CLIENT, USERS)))
        yield running


def announced(service: Service, *, with_values: bool = True) -> list[Event]:
    """Return the events of all generations not announced yet."""
    sent: list[Event] = []

    def send(events: Sequence[Event]) -> None:
        sent.extend(events)

    history = History(store=wiring().store, event_format=EventFormat(with_values=with_values))
    Announcing(history=history, send=send).catch_up(CLIENT)
    assert service.head()["announced"] == service.head()["generation"]
    return sent


def publish(service: Service) -> None:
    assert service.refresh(SCHEDULED)["outcome"] == "published"


def answers(service: Service) -> Iterator[Answer]:
    """Yield an answer of each kind, all of which could carry what is hidden."""
    ids = [user["id"] for user in service.origin.users(CLIENT)][:3]
    first = service.get("/users?limit=250")
    yield first
    yield service.get(link(first, "next") or "")
    for query in (
        "emails=nobody@example.com",
        f"ids={ids[0]},7",
        f"q={CANARY}",
        "fields=bio,metadata,id",
        "sort=-name",
        "metadata[plan]=visible",
    ):
        yield service.get(f"/users?{query}")
    yield service.get(f"/users/{ids[0]}", {"Cache-Control": "no-cache"})
    yield service.get(f"/users/{ids[1]}?fields=bio,metadata")
    yield post(service, "/users/lookup", {"ids": ids})
    yield service.get("/cache")
    yield service.get("/cache/changes?since=1")
    yield service.get("/events?after=1&include=values")
    yield service.get("/users/abc")
    service.let_pass(11)
    yield service.send("POST", "/cache/refresh?wait=true")


def change_everything(service: Service) -> None:
    """Create, rename and delete users; change hidden and visible values; let the origin fail."""
    ids = [user["id"] for user in service.origin.users(CLIENT)]
    new = service.origin.create(CLIENT)
    service.origin.update(CLIENT, new["id"], **watched(new))
    service.origin.update(CLIENT, ids[1], name="Renamed", bio=f"{CANARY}-new")
    service.origin.update(CLIENT, ids[2], metadata={HIDDEN[0]: CANARY, "plan": "changed"})
    service.origin.delete(CLIENT, ids[5])
    publish(service)
    for shape in ("null_row", "no_id", "text_id"):
        service.origin.faults = [Fault("wrong_shape", shape=shape)]
        assert service.refresh(SCHEDULED)["outcome"] in {"failed", "skipped"}
        service.origin.faults = []
        service.let_pass(61)
    service.refresh(SCHEDULED)


def test_what_is_hidden_appears_nowhere(
    service: Service, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(service)
    events = announced(service)
    change_everything(service)
    events += announced(service)
    given = list(answers(service))

    printed = log.getvalue() + "".join(capsys.readouterr())
    told = [json.dumps([answer.response.body.decode(), dict(answer.headers)]) for answer in given]

    assert {answer.status for answer in given} == {200, 400}
    assert "visible" in told[0]
    assert '"bio"' not in told[0]
    # A filter that looks for what is hidden finds nobody, and what was asked is not told either.
    assert service.get(f"/users?metadata[{HIDDEN[0]}]={CANARY}-{HIDDEN[0]}-1001").ids == []
    assert len(events) == 5
    assert "visible" in json.dumps(events)
    assert printed.count('"level"') > len(given)
    assert "CloudWatchMetrics" in printed
    assert any(b"visible" in text for text in stored(service.items()))
    for text in (*told, json.dumps(events), printed):
        assert CANARY not in text.replace(f"q={CANARY}", "")
    assert not any(CANARY.encode() in text for text in stored(service.items()))


def test_a_change_of_hidden_values_alone_is_no_change(service: Service) -> None:
    publish(service)
    announced(service)
    user = service.origin.users(CLIENT)[0]
    metadata = user["metadata"] | {HIDDEN[0]: "another", HIDDEN[1]: None, "app": {HIDDEN[0]: 7}}

    service.origin.update(CLIENT, user["id"], bio="another", metadata=metadata)

    assert service.refresh(SCHEDULED)["outcome"] == "unchanged"
    assert announced(service) == []


@pytest.mark.parametrize("with_values", [True, False])
@pytest.mark.parametrize("hidden", [{"HIDDEN_FIELDS": "bio,locale"}, {"HIDDEN_METADATA_KEYS": ""}])
def test_hiding_something_else_is_one_baseline_and_no_event_of_any_user(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    hidden: Mapping[str, str],
    *,
    with_values: bool,
) -> None:
    publish(service)
    before = announced(service)
    service.origin.delete(CLIENT, service.origin.users(CLIENT)[0]["id"])
    for name, value in hidden.items():
        monkeypatch.setenv(name, value)
    service.forget()
    publish(service)

    policy_changed = announced(service, with_values=with_values)
    renamed = service.origin.users(CLIENT)[9]["id"]
    service.origin.update(CLIENT, renamed, name="Renamed")
    publish(service)
    after = announced(service, with_values=with_values)

    baseline = "managed-users-proxy.managed-users.baseline.v1"
    assert [event["type"] for event in (*before, *policy_changed)] == [baseline, baseline]
    assert policy_changed[0]["data"]["users"] == USERS - 1
    assert [(event["type"], event["data"]["userId"]) for event in after] == [
        ("managed-users-proxy.managed-user.updated.v1", renamed)
    ]


def test_a_policy_that_comes_to_the_same_is_no_change(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(service)
    monkeypatch.setenv("HIDDEN_METADATA_KEYS", " secretKey , stripeCustomerId ,")
    service.forget()

    assert service.refresh(SCHEDULED)["outcome"] == "unchanged"
