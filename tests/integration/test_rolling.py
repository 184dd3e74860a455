"""Rolling forward and back: functions of an earlier version and of this one over one table.

``stored_code`` holds the earlier version's ``src`` as it was: that of the last release, or before
the first one that of a commit. It is made by ``git archive <commit> src | xz -9e``.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws
from dev.local.settings import (
    API_HANDLER,
    CHANGES_HANDLER,
    DEMO_SIGNING_SECRET,
    REFRESH_HANDLER,
    LocalSettings,
)
from dev.local.stack import LocalStack
from dev.local.webhook import Webhook
from handlers import changes
from lib.directory.head import ATTRIBUTES, FORCED_FLOOR_SECONDS
from tests.integration.asking import link, post
from tests.integration.receiver import Receiver, receiving
from tests.integration.service import CLIENT as SAMPLE
from tests.integration.service import REVALIDATE_AGE, Json, Service, running_service
from tests.integration.stack import Caller
from tests.patience import wait_until

(EARLIER,) = (Path(__file__).parent / "stored_code").glob("*.tar.xz")
CLIENT = "clxrolling000000000000001"
WORKERS = 3
FUNCTIONS = (API_HANDLER, REFRESH_HANDLER, CHANGES_HANDLER)


@dataclass
class Rolling:
    """A running stack whose functions can be put at either version, one by one."""

    stack: LocalStack
    caller: Caller
    receiver: Receiver
    sources: dict[str, str]
    heard: set[str] = field(default_factory=set)

    def deploy(self, version: str, *handlers: str, **settings: str) -> None:
        """Let functions be of a version, with ``settings``, from their next invocation on."""
        for handler in handlers or FUNCTIONS:
            self.stack.pools[handler].deploy(PYTHONPATH=self.sources[version], **settings)

    def publish(self) -> int:
        """Have the refresh function publish a new user; return the user's id."""
        created: int = self.caller.origin.create(CLIENT)["id"]
        self.caller.let_pass(FORCED_FLOOR_SECONDS)
        before = self.generation
        assert self.caller.send("POST", "/cache/refresh").status_code == 202
        wait_until(lambda: self.generation > before)
        return created

    @property
    def generation(self) -> int:
        return int(self.caller.table.head(CLIENT).get("generation", 0))

    @property
    def versions(self) -> set[str]:
        """Which versions answer now; the earlier one tells none."""
        answers = [self.caller.get("/cache").json()["data"] for _ in range(WORKERS)]
        return {"new" if "version" in answer else "old" for answer in answers}

    def ids(self) -> list[int]:
        """Return the users that each of the workers lists, who must agree."""
        path = f"/users?limit=250&min_generation={self.generation}"
        lists = [self.caller.get(path).json()["data"] for _ in range(WORKERS)]
        assert all(users == lists[0] for users in lists)
        return [user["id"] for user in lists[0]]

    def next_event(self) -> tuple[str, str | None]:
        event = self.receiver.next_event(self.heard)
        return event["type"].split(".")[-2], event.get("subject")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return where each version's code is."""
    directory = tmp_path_factory.mktemp("earlier")
    with tarfile.open(EARLIER) as archive:
        archive.extractall(directory, filter="data")
    return {"old": str(directory / "src"), "new": str(ROOT / "src")}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def rolling(sources: dict[str, str], receiver: Receiver) -> Iterator[Rolling]:
    """Return a stack over a table that the earlier version began and announced."""
    settings = LocalSettings(
        port=0,
        workers=WORKERS,
        users=5,
        clients={CLIENT: "key"},
        # The earlier version knows no client of whom more is said than its key.
        calcom_webhook_secret="",
        schedule_seconds=3600,
        # A template puts its own variables beside its own code; here both have all.
        function_environment={"SCHEDULE_JITTER_SECONDS": "0"},
        webhook=Webhook(url=receiver.url, secret=DEMO_SIGNING_SECRET),
    )
    with LocalStack(settings) as stack:
        rolling = Rolling(stack, Caller(stack, CLIENT), receiver, sources)
        rolling.deploy("old")
        assert rolling.versions == {"old"}
        rolling.publish()
        assert rolling.next_event() == ("baseline", None)
        yield rolling


ORDERS = [("old", "new"), ("new", "old")]


@pytest.mark.parametrize(("asked", "swept"), ORDERS)
def test_each_version_reads_what_the_other_published(
    rolling: Rolling, asked: str, swept: str
) -> None:
    rolling.deploy(asked, API_HANDLER)
    rolling.deploy(swept, REFRESH_HANDLER, CHANGES_HANDLER)

    created = rolling.publish()

    assert rolling.versions == {asked}
    assert rolling.ids()[-1] == created
    user = rolling.caller.get(f"/users/{created}").json()["data"]
    assert rolling.caller.get(f"/users?emails={quote(user['email'])}").json()["data"] == [user]
    told = rolling.caller.get(f"/cache/changes?since={rolling.generation - 1}").json()["data"]
    assert told["created"] == [created]
    assert rolling.next_event() == ("created", str(created))


@pytest.mark.parametrize(("asked", "swept"), ORDERS)
def test_each_version_takes_over_the_lease_that_the_other_hands_over(
    rolling: Rolling, asked: str, swept: str
) -> None:
    rolling.deploy(asked, API_HANDLER)
    rolling.deploy(swept, REFRESH_HANDLER)
    rolling.caller.let_pass(REVALIDATE_AGE)
    before = rolling.caller.table.head(CLIENT)

    answer = rolling.caller.get()

    assert answer.headers["Cache-Status"].endswith("; detail=stale-while-revalidate")
    wait_until(lambda: rolling.caller.table.head(CLIENT)["swept_at"] > before["swept_at"])
    after = rolling.caller.table.head(CLIENT)
    assert after["lease_token"] == before["lease_token"] + 2
    assert "last_error" not in after


def test_what_one_version_has_answered_is_the_other_s_answer_too(rolling: Rolling) -> None:
    rolling.deploy("old")
    validator = rolling.caller.get("/users?limit=2").headers["ETag"]
    seen: list[int] = []
    path: str | None = "/users?limit=2"

    for version in ("old", "new", "old", "new", "old", "new", "old"):
        if path is None:
            break
        rolling.deploy(version, API_HANDLER)
        answer = rolling.caller.get(path)
        seen += [user["id"] for user in answer.json()["data"]]
        following = answer.links.get("next")
        path = f"/users{following['url']}" if following else None
    rolling.deploy("new", API_HANDLER)
    again = rolling.caller.get("/users?limit=2", {"If-None-Match": validator})

    assert seen == rolling.ids()
    assert again.status_code == 304


def test_versions_that_answer_at_the_same_time_agree_and_sweep_once(rolling: Rolling) -> None:
    rolling.deploy("old")
    assert rolling.versions == {"old"}
    rolling.caller.let_pass(REVALIDATE_AGE)
    rolling.caller.origin.clear_calls()
    before = rolling.caller.table.head(CLIENT)

    # Workers change their version with their next invocation: meanwhile there are both.
    rolling.deploy("new")
    answers = rolling.caller.get_in_parallel("/users?limit=250")
    wait_until(lambda: rolling.caller.table.head(CLIENT)["swept_at"] > before["swept_at"])

    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert rolling.caller.list_calls() == 1


def test_rolled_forward_and_back_everything_is_announced_once_and_in_order(
    rolling: Rolling,
) -> None:
    created = []
    for version in ("old", "new", "old", "new"):
        rolling.deploy(version)
        created.append(rolling.publish())

    told = [rolling.next_event() for _ in created]

    assert told == [("created", str(user_id)) for user_id in created]
    wait_until(lambda: rolling.caller.table.head(CLIENT)["announced"] == rolling.generation)
    assert rolling.receiver.statuses.empty()


def test_stamps_that_are_switched_off_before_a_version_comes_back_are_no_change_to_it(
    rolling: Rolling,
) -> None:
    def announced() -> int:
        created = rolling.publish()
        assert rolling.next_event() == ("created", str(created))
        return created

    rolling.deploy("new", UPDATED_AT="true")
    created = announced()
    stamped = rolling.caller.get(f"/users/{created}").json()["data"]
    rolling.deploy("new", UPDATED_AT="false")
    announced()
    rolling.deploy("old")
    announced()

    assert "updatedAt" in stamped
    assert rolling.caller.get(f"/users/{created}").json()["data"] == {
        name: value for name, value in stamped.items() if name != "updatedAt"
    }


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    aws.create_bus("rolling")
    with running_service(aws, EVENT_BUS_NAME="rolling") as running:
        running.refresh()
        yield running


LATER: Json = {"later_at": {"N": "1800000000.5"}, "later": {"M": {"x": {"S": "y"}}}}


def add_to_everything(service: Service) -> None:
    """Let a later version of the same format have written everything, with more to it."""
    client, table = service.table.client, service.table.name
    for item in service.items():
        client.put_item(TableName=table, Item={**item, **LATER})
    service.forget()


def test_what_a_later_version_adds_without_another_number_is_read_over_and_kept(
    service: Service,
) -> None:
    before, cursor = service.get("/users?limit=250"), link(service.get("/users?limit=1"), "next")
    add_to_everything(service)

    after = service.get("/users?limit=250")
    following = service.get(str(cursor))
    created = service.origin.create(SAMPLE)
    service.let_pass(REVALIDATE_AGE)
    published = service.refresh()["results"][0]
    record: Any = {"dynamodb": {"Keys": {"pk": {"S": f"client#{SAMPLE}"}}, "SequenceNumber": "7"}}
    announced = changes.handler({"Records": [record]}, service.context())

    assert (after.status, after.body) == (200, before.body)
    assert following.ids == before.ids[1:2]
    assert (published["outcome"], service.get().ids[-1]) == ("published", created["id"])
    assert post(service, "/users/lookup", {"ids": [created["id"]]}).ids == [created["id"]]
    assert announced == {"batchItemFailures": []}
    head = service.head()
    assert not LATER.keys() & ATTRIBUTES
    assert (head["later_at"], head["announced"]) == (1_800_000_000.5, 2)
    assert "later" in head
