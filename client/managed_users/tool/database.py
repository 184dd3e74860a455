"""The copy of a directory in a database of one's own: users, and how far the copy has come.

Both are written in one transaction, on condition that nobody else has written since, so the copy is
always of the place that it says it is of.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    func,
    insert,
    select,
    update,
)

from managed_users.digest import total_of
from managed_users.errors import ManagedUsersError
from managed_users.models import User

_BATCH = 500
_LARGEST = 2**63

_TABLES = MetaData()
USERS = Table(
    "managed_users",
    _TABLES,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("email", Text),
    Column("username", Text),
    Column("name", Text),
    Column("bio", Text),
    Column("time_zone", Text),
    Column("week_start", Text),
    Column("created_date", Text),
    Column("time_format", BigInteger),
    Column("default_schedule_id", BigInteger),
    Column("locale", Text),
    Column("avatar_url", Text),
    Column("metadata", JSON(none_as_null=True)),
    Column("document", JSON, nullable=False),
)
"""A user a row; ``document`` is all that the service answers, the others are for queries."""

MIRRORED = Table(
    "managed_users_mirror",
    _TABLES,
    Column("client_id", Text, primary_key=True),
    Column("after", Text),
    Column("generation", BigInteger),
    Column("revision", BigInteger, nullable=False),
)
"""One row: whose users they are, and after which place in the history; null: a copy under way."""

_COLUMNS = {
    "email": "email",
    "username": "username",
    "name": "name",
    "bio": "bio",
    "time_zone": "timeZone",
    "week_start": "weekStart",
    "created_date": "createdDate",
    "time_format": "timeFormat",
    "default_schedule_id": "defaultScheduleId",
    "locale": "locale",
    "avatar_url": "avatarUrl",
}


class MirrorError(ManagedUsersError):
    """The database cannot be what it is asked to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a copy has come: all events up to ``generation``, and where to go on."""

    generation: int
    after: str


class Database:
    """The copy of the users of one client; ``place`` is how far it has come, None if under way."""

    def __init__(self, engine: Engine, *, place: Place | None, revision: int) -> None:
        self._engine = engine
        self._revision = revision
        self.place = place

    @classmethod
    @contextmanager
    def at(cls, url: str, client_id: str) -> Iterator[Self]:
        """Open the database at ``url`` (in SQLAlchemy's form); make its tables if there are none.

        Raises:
            MirrorError: it has the users of another client.
        """
        # An error must not tell of users.
        engine = create_engine(url, hide_parameters=True)
        try:
            _TABLES.create_all(engine)
            with engine.begin() as connection:
                kept = connection.execute(select(MIRRORED)).one_or_none()
                if kept is None:
                    connection.execute(insert(MIRRORED).values(client_id=client_id, revision=0))
            if kept is None:
                yield cls(engine, place=None, revision=0)
            elif kept.client_id != client_id:
                raise MirrorError("this database has the users of another client")
            else:
                there = Place(generation=kept.generation, after=kept.after) if kept.after else None
                yield cls(engine, place=there, revision=kept.revision)
        finally:
            engine.dispose()

    def count(self) -> int:
        """Return how many users there are."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(USERS)) or 0

    def totals(self, first_ids: Sequence[int]) -> list[int]:
        """Return the digests of the runs of users that begin at ``first_ids``, read back anew.

        The first run begins with the smallest id.
        """
        totals = [0] * max(1, len(first_ids))
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=_BATCH).execute(
                select(USERS.c.id, USERS.c.document)
            )
            for user_id, document in rows:
                totals[max(0, bisect_right(first_ids, user_id) - 1)] += total_of(document)
        return totals

    def replace(self, first: int | None, below: int | None, users: Sequence[User]) -> None:
        """Put ``users`` in the place of all from id ``first`` to ``below``; None: all there are.

        The copy is under way then.
        """
        there = [USERS.c.id >= first] if first is not None else []
        there += [USERS.c.id < below] if below is not None else []

        def write(connection: Connection) -> None:
            connection.execute(delete(USERS).where(*there))
            _insert(connection, users)

        self._write(None, write)

    def apply(self, changed: Mapping[int, User | None], place: Place) -> None:
        """Take changes over, each to a user or to None for who is gone, and come to ``place``."""

        def write(connection: Connection) -> None:
            ids = list(changed)
            for start in range(0, len(ids), _BATCH):
                named = ids[start : start + _BATCH]
                connection.execute(delete(USERS).where(USERS.c.id.in_(named)))
            _insert(connection, [user for user in changed.values() if user is not None])

        self._write(place, write)

    def _write(self, place: Place | None, write: Callable[[Connection], None]) -> None:
        """Write in one transaction, which comes to ``place``.

        Raises:
            MirrorError: somebody else has written since this did.
        """
        after, generation = (place.after, place.generation) if place else (None, None)
        mine = update(MIRRORED).where(MIRRORED.c.revision == self._revision)
        moved = mine.values(after=after, generation=generation, revision=self._revision + 1)
        with self._engine.begin() as connection:
            if connection.execute(moved).rowcount != 1:
                raise MirrorError("another process writes to this database")
            write(connection)
        self._revision += 1
        self.place = place


def _insert(connection: Connection, users: Iterable[User]) -> None:
    rows = [_row(user) for user in users]
    for start in range(0, len(rows), _BATCH):
        connection.execute(insert(USERS), rows[start : start + _BATCH])


def _row(user: User) -> dict[str, Any]:
    values: dict[str, Any] = {**user}
    row = {column: _fitting(column, values.get(name)) for column, name in _COLUMNS.items()}
    metadata = values.get("metadata")
    return {"id": user["id"], **row, "metadata": metadata, "document": values}


def _fitting(column: str, value: object) -> str | int | None:
    """Return a value as far as its column can hold it; the document has it as it is."""
    if isinstance(USERS.c[column].type, BigInteger):
        return value if type(value) is int and -_LARGEST <= value < _LARGEST else None
    if not isinstance(value, str):
        return None
    # Neither NUL nor half a surrogate pair is text to a database.
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
