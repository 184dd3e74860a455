"""``managed-users mirror``: a copy in a database, proven equal, whatever happens to it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dev import ROOT
from dev.local.settings import TABLE_NAME, LocalSettings
from dev.local.stack import LocalStack
from lib.aws import items
from managed_users import Client, digest_of
from managed_users.tool.commands import app
from tests.integration.service import Json
from tests.integration.stack import Caller

CLIENT = "clxmirror000000000000000001"
USERS = 420


@dataclass
class Copied:
    """A running service, and a database that mirrors it."""

    stack: LocalStack
    file: Path

    @property
    def caller(self) -> Caller:
        return Caller(self.stack, CLIENT)

    @property
    def client(self) -> Client:
        return Client(f"{self.stack.url}/v2", CLIENT)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def refresh(self) -> Json:
        """Have what is there now published; return what the service says of it."""
        # Past the floor between two forced sweeps.
        self.caller.let_pass(61)
        self.client.refresh()
        return self.client.cache()

    def run(self, *arguments: str, client_id: str = CLIENT) -> Result:
        environment = {
            "MANAGED_USERS_URL": f"{self.stack.url}/v2",
            "MANAGED_USERS_CLIENT_ID": client_id,
            "NO_COLOR": "1",
        }
        asked = ["--patience", "0", "mirror", *(arguments or ("--to", self.url, "--json"))]
        return CliRunner().invoke(app, asked, env=environment)

    def mirror(self) -> Json:
        """Mirror once; return what was done."""
        done = self.run()
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self) -> dict[int, Json]:
        """Return the documents in the database."""
        return {row[0]: json.loads(row[1]) for row in self.sql("SELECT id, document FROM {users}")}

    def place(self) -> tuple[str | None, int | None]:
        """Return how far the database says that it has come: the place, and the generation."""
        ((after, generation),) = self.sql("SELECT after, generation FROM managed_users_mirror")
        return after, generation

    def sql(self, statement: str) -> list[Any]:
        connection = sqlite3.connect(self.file)
        try:
            found = connection.execute(statement.replace("{users}", "managed_users")).fetchall()
            connection.commit()
        finally:
            connection.close()
        return found

    def directory(self) -> dict[int, Json]:
        """Return whom the service answers."""
        return {user["id"]: dict(user) for user in self.client.users()}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    settings = LocalSettings(
        port=0,
        workers=2,
        users=USERS,
        clients={CLIENT: "secret-canary"},
        schedule_seconds=3600,
        # What is no longer kept is not remembered either.
        function_environment={"MEMORY_CACHE_MEGABYTES": "0"},
    )
    with LocalStack(settings) as running:
        yield running


@pytest.fixture
def copied(stack: LocalStack, tmp_path: Path) -> Copied:
    copied = Copied(stack, tmp_path / "users.db")
    copied.refresh()
    return copied


def random_of(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - chance, and nothing to guess


def change(copied: Copied, random: Random) -> None:
    """Change some users at the origin, create one, and maybe delete one."""
    origin = copied.caller.origin
    known = [user["id"] for user in origin.users(CLIENT)]
    for user_id in random.sample(known, 3):
        origin.update(CLIENT, user_id, name=f"Renamed {random.random()}")
    origin.create(CLIENT, metadata={"ratio": random.random(), "€😀": [None, 1e21]})
    if random.random() < 0.5:
        origin.delete(CLIENT, random.choice(known))


def test_the_first_copy_is_everybody_and_proven(copied: Copied) -> None:
    done = copied.mirror()

    assert copied.rows() == copied.directory()
    assert done["usersDigest"] == copied.client.cache()["usersDigest"]
    assert done["users"] == done["fetched"] == len(copied.rows()) >= USERS
    assert done["usersDigest"] == digest_of(copied.rows().values())


def test_columns_are_there_for_queries(copied: Copied) -> None:
    copied.mirror()

    zones = copied.sql("SELECT time_zone, count(*) FROM {users} GROUP BY time_zone")
    pro = copied.sql("SELECT id FROM {users} WHERE metadata ->> '$.plan' = 'pro'")

    assert sum(int(str(count)) for _, count in zones) == len(copied.rows())
    assert {row[0] for row in pro} == {
        user["id"]
        for user in copied.rows().values()
        if isinstance(user.get("metadata"), dict) and user["metadata"].get("plan") == "pro"
    }


def test_after_that_events_are_taken_over_and_nobody_is_fetched(copied: Copied) -> None:
    copied.mirror()
    change(copied, random_of(1))
    copied.refresh()
    change(copied, random_of(2))
    generation = copied.refresh()["generation"]

    done = copied.mirror()

    assert (done["fetched"], done["generation"]) == (0, generation)
    assert done["events"] >= 8
    assert copied.rows() == copied.directory()


def test_where_nothing_is_new_nothing_is_written(copied: Copied) -> None:
    copied.mirror()
    before = copied.file.read_bytes()

    done = copied.mirror()

    assert (done["events"], done["fetched"]) == (0, 0)
    assert copied.file.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM {users} WHERE id = (SELECT max(id) FROM {users})",
        "UPDATE {users} SET document = json_set(document, '$.name', 'x') WHERE id % 97 = 0",
        "INSERT INTO {users} (id, document) VALUES (1, '{\"id\": 1}')",
        "DELETE FROM {users}",
    ],
)
def test_what_is_not_as_it_should_be_is_found_and_repaired(copied: Copied, damage: str) -> None:
    everybody = copied.mirror()["users"]
    copied.sql(damage)

    done = copied.run()

    assert copied.rows() == copied.directory()
    assert "pages differ: from id" in done.stderr or damage == "DELETE FROM {users}"
    fetched = json.loads(done.stdout)["fetched"]
    assert (fetched == everybody) is (damage == "DELETE FROM {users}")
    assert fetched > 0


def test_what_is_no_longer_in_the_history_is_compared(copied: Copied) -> None:
    generation = copied.mirror()["generation"]
    change(copied, random_of(3))
    copied.refresh()
    key = items.encode({"pk": f"client#{CLIENT}", "sk": f"gen#{generation}"})
    copied.stack.aws.client("dynamodb").delete_item(TableName=TABLE_NAME, Key=key)

    done = copied.run()

    told = json.loads(done.stdout)
    assert copied.rows() == copied.directory()
    assert 0 < told["fetched"] < told["users"]
    assert "no longer known" in done.stderr


def test_users_too_large_for_one_answer_are_fetched_in_parts(copied: Copied) -> None:
    origin = copied.caller.origin
    large = [origin.create(CLIENT, bio="x" * 230_000)["id"] for _ in range(40)]
    copied.refresh()

    copied.mirror()

    assert copied.rows() == copied.directory()
    for user_id in large:
        origin.delete(CLIENT, user_id)
    copied.refresh()
    copied.mirror()
    assert copied.rows() == copied.directory()


def test_another_client_s_database_is_refused(copied: Copied) -> None:
    copied.mirror()
    before = copied.rows()

    refused = copied.run("--to", copied.url, client_id="clxanother")

    assert refused.exit_code == 1
    assert "users of another client" in refused.stderr
    assert copied.rows() == before


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("users.db", "a database is given as sqlite:///users.db"),
        ("nothing://x", "a database is given as sqlite:///users.db"),
        ("oracle://x:canary@y/z", "install the database's driver"),
        ("sqlite:////nowhere/users.db", "unable to open database file"),
    ],
)
def test_a_database_that_there_is_not_is_refused_in_words(
    copied: Copied, url: str, told: str
) -> None:
    refused = copied.run("--to", url)

    assert refused.exit_code == 1
    assert told in refused.stderr
    assert "canary" not in refused.stderr


@contextmanager
def mirrors(copied: Copied) -> Iterator[Callable[[int], int]]:
    """Return what mirrors in a process that is killed after so many statements (0: never)."""
    child = Path(__file__).with_name("mirror_child.py")
    arguments = [f"{copied.stack.url}/v2", CLIENT, copied.url]
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, str(child), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(statements: int) -> int:
            stdin.write(f"{statements}\n")
            stdin.flush()
            return int(stdout.readline())

        yield run
        stdin.close()


def test_killed_at_any_point_it_is_equal_in_the_end_and_never_says_what_is_not_so(
    copied: Copied,
) -> None:
    random, kills = random_of(5), 0
    digests = {}
    with mirrors(copied) as mirror:
        for turn in range(12):
            if turn % 4 == 3:
                copied.sql("DELETE FROM {users} WHERE id % 61 = 0")
            change(copied, random)
            told = copied.refresh()
            digests[told["generation"]] = told["usersDigest"]
            for _ in range(4):
                kills += mirror(random.randint(1, 40)) == -9
                after, generation = copied.place() if copied.file.exists() else (None, None)
                untouched = turn % 4 != 3 and after is not None
                if untouched and generation in digests:
                    assert digest_of(copied.rows().values()) == digests[generation]
            assert mirror(0) == 0
            assert copied.place()[1] == told["generation"]
            assert copied.rows() == copied.directory()
            assert digest_of(copied.rows().values()) == told["usersDigest"]
    assert kills > 20
