"""Keeps a copy of the directory in a database, and proves it equal by the service's own digest.

There are two ways, and each is safe to be killed in. *Following* takes over the events since the
place that the database has come to, and the new place with them, in one transaction a page.
*Comparing* asks for the digest of each page of the directory and replaces the runs of users that
differ: it is the first copy (where all differ), the way back when events are no longer known, and
the repair.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from managed_users.client import Client
from managed_users.digest import written
from managed_users.errors import GoneError, InvalidRequestError
from managed_users.models import Event, Events, PageDigests, User
from managed_users.tool.context import bar, say
from managed_users.tool.database import Database, MirrorError, Place

_MOST_USERS = 250
"""The largest window of a list."""

_TRIES = 20
"""How often a directory may change while it is compared."""


class Run(NamedTuple):
    """Pages next to each other, as one window: ids from ``first`` to ``below``; None: no bound."""

    first: int | None
    below: int | None
    offset: int
    users: int


class Proof(NamedTuple):
    """That the copy is of this generation, and its digest, which is the service's, too."""

    generation: int
    users_digest: str


class Mirror:
    """Mirrors what ``client`` answers into ``database``.

    ``events`` were taken over so far, and ``fetched`` users, because they were not as they should.
    """

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database
        self._read_back: str | None = None
        self.events = 0
        self.fetched = 0

    def step(self) -> Proof:
        """Bring the copy up to date, and return once it is proven to be.

        Raises:
            ManagedUsersError: the service has no answer, or the directory changes all the time.
        """
        for _ in range(_TRIES):
            told = self._follow(self._database.place) if self._database.place else None
            if told is not None and self._proves(told):
                return Proof(told.generation, self._mine())
            self._compare()
        raise MirrorError("the directory changes faster than it can be compared")

    def _follow(self, place: Place) -> Events | None:
        """Take over all events after ``place``; return the last page, None where they are no help.

        They are none where the service says to start over, or has none that come after.
        """
        while True:
            try:
                told = self._client.events(place.after, values=True)
            except GoneError as error:
                say(str(error))
                return None
            if any(event["type"].endswith(".baseline.v1") for event in told.events):
                return None
            came_to = Place(generation=told.generation, after=told.cursor)
            if came_to != place:
                self._database.apply(_changed(told.events), came_to)
                place = came_to
            if told.events:
                self.events += len(told.events)
                self._read_back = None
            if not told.more:
                return told

    def _proves(self, told: Events) -> bool:
        """Return whether the database, read back, has the digest that the service tells."""
        digest = told.users_digest
        if digest is None:
            # Published by a version that noted none.
            pages = self._client.page_digests()
            digest = pages["usersDigest"] if pages["generation"] == told.generation else None
        return self._mine() == digest

    def _mine(self) -> str:
        """Return the digest of what is in the database, read back since it was written last."""
        if self._read_back is None:
            self._read_back = written(sum(self._database.totals(())))
        return self._read_back

    def _compare(self) -> None:
        """Fetch what differs, page by page, until the copy is of one generation.

        Raises:
            MirrorError: the directory has changed each time.
        """
        for _ in range(_TRIES):
            told = self._client.page_digests()
            if not self._fetch(told, self._differing(told)):
                continue
            if self._mine() == told["usersDigest"]:
                number = told["generation"]
                self._database.apply({}, Place(generation=number, after=str(number)))
                return
        raise MirrorError("the directory changes faster than it can be compared")

    def _differing(self, told: PageDigests) -> list[Run]:
        """Return the runs of users in which the database differs, and say where they are."""
        pages = told["pages"]
        first_ids = [page["firstId"] for page in pages]
        totals = self._database.totals(first_ids)
        if not pages:
            return [Run(None, None, 0, 0)] if totals[0] else []
        runs, offset, differ = list[Run](), 0, 0
        for number, (page, total) in enumerate(zip(pages, totals, strict=True)):
            below = first_ids[number + 1] if number + 1 < len(pages) else None
            if written(total) != page["usersDigest"]:
                differ += 1
                run = Run(page["firstId"] if number else None, below, offset, page["users"])
                _join(runs, run)
            offset += page["users"]
        if runs and self._database.count():
            begin = ", ".join(f"from id {run.first or 0}" for run in runs[:3])
            say(f"{differ} of {len(pages)} pages differ: {begin}{' …' if len(runs) > 3 else ''}")  # noqa: PLR2004 - as many as are named
        return runs

    def _fetch(self, told: PageDigests, runs: Sequence[Run]) -> bool:
        """Replace runs by what the service has; return whether all of it was of one generation."""
        with bar() as progress:
            task = progress.add_task("users", total=sum(run.users for run in runs))
            for run in runs:
                users = list[User]()
                for generation, window in self._windows(run.offset, run.users, told["generation"]):
                    if generation != told["generation"]:
                        return False
                    users += window
                self._database.replace(run.first, run.below, users)
                self._read_back = None
                self.fetched += len(users)
                progress.advance(task, len(users))
        return True

    def _windows(
        self, offset: int, count: int, generation: int
    ) -> Iterator[tuple[int, Sequence[User]]]:
        """Yield windows of the list with their generation, in halves where one is too large."""
        if not count:
            return
        try:
            page = self._client.page(offset=offset, limit=count, min_generation=generation)
        except InvalidRequestError as error:
            if error.code != "ResponseTooLarge" or count == 1:
                raise
            half = count // 2
            yield from self._windows(offset, half, generation)
            yield from self._windows(offset + half, count - half, generation)
            return
        yield page.generation, page.users


def mirror_into(url: str, client: Client, *, every: float | None) -> Iterator[dict[str, Any]]:
    """Yield what each step that found something has come to; without ``every`` there is one step.

    Raises:
        ManagedUsersError: the service has no answer, or the database cannot be written.
    """
    try:
        with Database.at(url, client.client_id) as database:
            mirror, known = Mirror(client, database), (-1, -1)
            while True:
                proof = mirror.step()
                if known != (mirror.events, mirror.fetched):
                    known = mirror.events, mirror.fetched
                    yield {
                        "users": database.count(),
                        "generation": proof.generation,
                        "usersDigest": proof.users_digest,
                        "events": mirror.events,
                        "fetched": mirror.fetched,
                    }
                if every is None:
                    return
                time.sleep(every)
    except (ArgumentError, NoSuchModuleError):
        raise MirrorError("a database is given as sqlite:///users.db, for example") from None
    except ModuleNotFoundError as error:
        raise MirrorError(f"{error}: install the database's driver") from None
    except SQLAlchemyError as error:
        raise MirrorError(f"the database: {getattr(error, 'orig', None) or error}") from None


def _join(runs: list[Run], run: Run) -> None:
    """Add a run, to the last one if it goes on there and both are one window."""
    last = runs[-1] if runs else None
    if last and last.below == run.first and last.users + run.users <= _MOST_USERS:
        runs[-1] = last._replace(below=run.below, users=last.users + run.users)
    else:
        runs.append(run)


def _changed(events: Sequence[Event]) -> dict[int, User | None]:
    """Return what became of whom, in the end."""
    return {event["data"]["userId"]: event["data"]["after"] for event in events}
