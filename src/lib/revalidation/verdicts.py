"""Tells a client's users from the other members of its organization.

An organization's list has everybody with a profile in it: its staff, and the users of every OAuth
client it has. No row says whose it is, and an address is written by whoever owns it. So the list of
managed users vouches for each row once, by address for as many as one call can name or by id, and
what it said is remembered: whom it knows is in the directory from then on, whom it does not is one
of ``others``. Until it has been asked, a row is left out.

Pure but for the calls it is given.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from lib.errors import NotAskedError, OriginBlockedError, OriginError, OriginServerError
from lib.revalidation.window import Users
from lib.users.document import OMITTED, address_of, canonical, id_of

MAX_FAILURES = 3
"""So many calls that fail in a row are taken for all that would follow."""

_SUFFIX = re.compile(
    rb'\{"id":\d+,(?:"fieldsOmitted":\[[^\]]*\],)?"email":"[^"@]*\+(c[0-9a-z]{24})@'
)
"""What the origin puts into the address of a user that an OAuth client creates: the client's id."""


class VerdictCalls(Protocol):
    """The origin calls of one revalidation; see ``lib.origin.calls``."""

    def batches[K](self, stored: Mapping[K, str]) -> Iterator[dict[K, str]]:
        """Yield what to ask ``find`` for stored addresses, in a run for each call."""

    def find(self, addresses: Iterable[str]) -> Sequence[bytes]:
        """Return the users whom it finds."""

    def user(self, user_id: int) -> bytes | None:
        """Return one user, None if the origin has no such user."""

    def afford(self, calls: int) -> int:
        """Count further calls out of the look-ups' share; return how many there may be."""

    def gain_time(self) -> None:
        """Let the lease last for another call."""

    def hurried(self) -> bool:
        """Return whether time is too short for calls that can wait for the next sweep."""


@dataclass(slots=True, kw_only=True)
class Verdicts:
    """What the origin said of rows: ``ours`` as it knows them, ``others``, and who is left."""

    ours: Users = field(default_factory=dict)
    others: set[int] = field(default_factory=set)
    undecided: set[int] = field(default_factory=set)


def is_of_another_client(line: bytes, client_id: str) -> bool:
    """Return whether a user's address has the suffix of another OAuth client.

    Whoever has it is not asked for: that would cost a call for each user of every other client.

    >>> other = b'{"id":7,"email":"bob+clxother00000000000000001@example.com"}'
    >>> is_of_another_client(other, "clxsample0000000000000001")
    True
    """
    found = _SUFFIX.match(line)
    return found is not None and found[1] != client_id.encode()


def as_known(line: bytes, known: bytes | None) -> bytes:
    """Return a row of the list as the list of managed users would have it.

    Metadata that is not given there is no change, nor is an object that is given as its text.
    """
    if known is None or line == known:
        return line
    row, before = json.loads(line), json.loads(known)
    if "metadata" not in row and "metadata" in before:
        row["metadata"] = before["metadata"]
    elif isinstance(row.get("metadata"), str) and isinstance(before.get("metadata"), dict):
        row["metadata"] = _object(row["metadata"])
    if "metadata" not in row and "metadata" in before.get(OMITTED, ()):
        row[OMITTED] = sorted({*row.get(OMITTED, ()), "metadata"})
    return canonical(row)


def _object(text: str) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def decide(
    calls: VerdictCalls, rows: Users, *, again: Sequence[int] = (), turn: int = 0
) -> Verdicts:
    """Ask the list of managed users for ``rows``, and for members in ``again`` who were others.

    Within the look-ups' share of the budget, and as far as there is time. Each ``turn`` asks in
    another order: nobody is always behind those for whom the origin fails.

    Raises:
        OriginBlockedError: the origin blocks.
    """
    stored = {user_id: address_of(line) for user_id, line in rows.items()}
    batches = [batch for batch in calls.batches(stored) if any(batch.values())]
    named = {user_id for batch in batches for user_id, asked in batch.items() if asked}
    unnamed = [user_id for user_id in rows if user_id not in named]
    asking = _Asking(calls, Verdicts(undecided=set(rows)))
    asking.left = calls.afford(len(batches) + len(unnamed) + len(again))
    missed = asking.by_address(batches)
    asking.left += calls.afford(len(missed))
    by_id = sorted([*unnamed, *missed], key=lambda id_: blake2b(b"%d %d" % (turn, id_)).digest())
    asking.by_id([*by_id, *again])
    return asking.verdicts


@dataclass(slots=True)
class _Asking:
    """Asks for rows while calls are ``left`` of those that were counted."""

    calls: VerdictCalls
    verdicts: Verdicts
    left: int = 0
    failures: int = 0

    def by_address(self, batches: Iterable[Mapping[int, str]]) -> list[int]:
        """Ask for all of a batch at once; return who was asked for and not found."""
        missed: list[int] = []
        for batch in batches:
            if not self._may_go_on():
                break
            with self._call():
                found = {id_of(line): line for line in self.calls.find(batch.values())}
                self._ours({id_: line for id_, line in found.items() if id_ in batch})
                missed += [id_ for id_, asked in batch.items() if asked and id_ not in found]
        return missed

    def by_id(self, ids: Iterable[int]) -> None:
        """Ask for one after the other."""
        for user_id in ids:
            if not self._may_go_on():
                break
            with self._call():
                line = self.calls.user(user_id)
                if line is None:
                    self.verdicts.others.add(user_id)
                    self.verdicts.undecided.discard(user_id)
                else:
                    self._ours({user_id: line})

    def _ours(self, found: Users) -> None:
        self.verdicts.ours |= found
        self.verdicts.undecided -= found.keys()

    def _may_go_on(self) -> bool:
        if not self.left or self.failures == MAX_FAILURES:
            return False
        self.calls.gain_time()
        return not self.calls.hurried()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """Count a call; one that fails keeps nobody else from being asked for."""
        self.left -= 1
        self.failures += 1
        try:
            yield
        except OriginBlockedError:
            raise
        except OriginServerError as error:
            if error.retry_after_seconds:
                self.failures = MAX_FAILURES
        except OriginError:
            return
        except NotAskedError:
            self.failures = MAX_FAILURES
        else:
            self.failures = 0
