"""The database of a mirror: whatever JSON holds comes back, and nobody writes over another.

On SQLite, and on PostgreSQL where a server is installed.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from managed_users import digest_of
from managed_users.digest import total_of, written
from managed_users.models import User
from managed_users.tool.database import Database, MirrorError, Place

CLIENT = "clxdatabase00000000000001"
SERVER = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
HERE = Place(generation=7, after="a cursor")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """Return the address of a server of its own, on a socket in its folder."""
    if SERVER is None or shutil.which("psql") is None:
        pytest.skip("PostgreSQL is not installed")
    # It refuses to be run by root, and its folder must be short enough for a socket.
    owner = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, owner)

        def run(*command: str) -> None:
            subprocess.run(  # noqa: S603 - PostgreSQL's own programs
                [SERVER / command[0], *command[1:]],
                check=True,
                user=owner,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        data = str(folder / "data")
        run("initdb", "-D", data, "-A", "trust", "-U", "mirror", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://mirror@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'users.db'}"
        return
    address: str = request.getfixturevalue("postgresql")
    yield address
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS managed_users, managed_users_mirror"))
    engine.dispose()


def user(number: int, **fields: Any) -> User:  # noqa: ANN401 - any JSON
    known: User = {"id": number, "email": f"u{number}@example.com"}
    return {**known, **fields}  # type: ignore[typeddict-item]


ODD = [
    user(1, name="NUL \0 and half a pair \ud83d", bio="😀", metadata={"\udc00": "\0"}),
    user(2, metadata={"big": 12345678901234567890, "small": 1e-7, "one": 1.0, "none": None}),
    user(3, timeFormat="12", defaultScheduleId=2**70, metadata="{}", locale=None),
    user(2**53 - 1, metadata=[{"deep": [[[]]]}, -0.0, 1e300], anotherField=True),
    user(4),
]


def test_whatever_a_document_holds_comes_back(url: str) -> None:
    with Database.at(url, CLIENT) as database:
        database.apply({each["id"]: each for each in ODD}, HERE)
        totals = database.totals((1, 3, 1_000))

    assert written(sum(totals)) == digest_of(ODD)
    assert totals == [
        sum(map(total_of, ODD[:2])),
        sum(map(total_of, (ODD[2], ODD[4]))),
        total_of(ODD[3]),
    ]


def test_what_a_column_cannot_hold_is_not_in_it(url: str) -> None:
    with Database.at(url, CLIENT) as database:
        database.apply({each["id"]: each for each in ODD}, HERE)

    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT name, time_format, default_schedule_id FROM managed_users ORDER BY id")
        ).all()
    engine.dispose()

    assert rows[0][0] == "NUL \ufffd and half a pair ?"
    assert tuple(rows[2]) == (None, None, None)


def test_users_and_place_are_kept_and_changed_together(url: str) -> None:
    with Database.at(url, CLIENT) as database:
        first = database.place
        database.apply({1: user(1), 2: user(2)}, HERE)
    with Database.at(url, CLIENT) as database:
        second = database.place
        database.apply({1: None, 2: user(2, name="Renamed")}, Place(generation=8, after="next"))
        count, total = database.count(), sum(database.totals(()))
    with Database.at(url, CLIENT) as database:
        database.replace(2, None, [])
        third = database.place
        assert database.count() == 0

    assert (first, second, third) == (None, HERE, None)
    assert (count, total) == (1, total_of(user(2, name="Renamed")))


def test_a_run_is_replaced_between_its_bounds(url: str) -> None:
    with Database.at(url, CLIENT) as database:
        database.replace(None, None, [user(number) for number in range(1, 10)])
        database.replace(3, 6, [user(4, name="New")])
        database.replace(None, 2, [])

        expected = [user(2), user(4, name="New"), *(user(number) for number in range(6, 10))]
        assert written(sum(database.totals(()))) == digest_of(expected)


def test_who_was_overtaken_writes_nothing(url: str) -> None:
    with Database.at(url, CLIENT) as one, Database.at(url, CLIENT) as other:
        one.apply({1: user(1)}, HERE)
        with pytest.raises(MirrorError, match="another process"):
            other.apply({2: user(2)}, HERE)
        assert one.count() == 1


def test_another_client_s_users_are_left_alone(url: str) -> None:
    with Database.at(url, CLIENT) as database:
        database.apply({1: user(1)}, HERE)

    with pytest.raises(MirrorError, match="another client"), Database.at(url, "clxother"):
        pass
