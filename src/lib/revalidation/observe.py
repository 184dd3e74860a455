"""Finds out what the directory is now: all of it, or some users over what was known.

A survey asks the origin and stores nothing.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.directory import pages
from lib.directory.head import Head
from lib.directory.manifest import Listing, PageRef
from lib.directory.pages import Draft
from lib.directory.snapshot import SnapshotReads
from lib.errors import BrokenSnapshotError, QuarantinedError
from lib.origin.batches import batches_of
from lib.origin.calls import OriginCalls
from lib.revalidation import head_updates, quarantine
from lib.revalidation.head_updates import Changes
from lib.revalidation.reconcile import CensusTaker, FoundUser, incomplete_reason, missing
from lib.revalidation.window import ListRows, Sweep, Window, sweep
from lib.users.address import is_address
from lib.users.document import canonical
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.keys import id_key
from lib.users.observation import Remembered
from lib.users.wanted import Wanted

type Users = dict[int, bytes]


class Waiting(Protocol):
    """Users that look-ups found past the window; see ``lib.aws.lookup_store``."""

    def waiting(self, client_id: str) -> Collection[int]:
        """Return the ids of users who wait to be adopted."""

    def remembered(self, client_id: str, keys: Sequence[str]) -> Mapping[str, Remembered]:
        """Return what is remembered of look-up keys."""

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` wait no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the directory is, what that changes in the head, and what of it is there already.

    ``started`` is the instant before the first call; users in ``waited`` need not wait for their
    adoption any longer once this is stored.
    """

    draft: Draft
    changes: Changes
    stored: Listing
    started: float
    waited: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Surveys of any client.

    A sweep asks again for adopted users in at most ``adopted_calls`` calls, and keeps at most
    ``max_adopted`` of them.
    """

    snapshots: SnapshotReads
    lookups: Waiting
    window: Window
    clock: Callable[[], float]
    hiding: HidingPolicy = NOTHING_HIDDEN
    adopted_calls: int = 20
    max_adopted: int = 2_000

    def everyone(self, head: Head, calls: OriginCalls, *, forced: bool, repair: bool) -> Survey:
        """Survey the whole directory: the window, and those known past it.

        Raises:
            OriginError: the origin failed.
            QuarantinedError: too many users are missing to be believed.
        """
        started = self.clock()
        found = sweep(self._list_rows(calls), self.window, last_users=head.window_users)
        changes = head_updates.validated(
            started=started, now=self.clock(), found=found, forced=forced
        )
        waited = tuple(self.lookups.waiting(head.client_id))
        reason = incomplete_reason(
            complete=found.complete, unconfirmed=False, full=not self.max_adopted
        )
        draft = self._draft(found.users, found.complete, reason)
        if draft.digest == head.digest and not waited and not repair:
            return Survey(draft=draft, changes=changes, stored=Listing(), started=started)
        stored = self._stored(head)
        changed = [ref for ref in stored.pages if head.adopted or ref not in draft.refs]
        base = self._users(head, changed)
        loss_confirmed = self._believe(head, found, calls, missing(found, base))
        census = CensusTaker(
            calls=calls,
            show=self.hiding.apply,
            max_batches=self.adopted_calls,
            max_adopted=self.max_adopted,
            now=started,
        ).take(
            head,
            found,
            base=base,
            waiting=self._found(head.client_id, waited),
            loss_confirmed=loss_confirmed,
        )
        return Survey(
            draft=self._draft(census.users, census.complete, census.reason),
            changes=changes | head_updates.counted(census, found),
            stored=stored,
            started=started,
            waited=waited,
        )

    def named(self, head: Head, calls: OriginCalls, wanted: Wanted) -> Survey:
        """Survey the users in ``wanted``; everybody else stays as the last generation has them.

        Raises:
            OriginError: the origin failed.
            BrokenSnapshotError: the last generation cannot be read.
        """
        started, stored = self.clock(), self.snapshots.listing(head)
        base = _users_in(self.snapshots.pages(head.client_id, stored.pages))
        seen, gone = self._ask_for(wanted, base, calls)
        users = {id_: line for id_, line in (base | seen).items() if id_ not in gone}
        past = sorted(id_ for id_ in users if head.window_last_id and id_ > head.window_last_id)
        # Whoever has been adopted stays; of the new, no more than there is room for.
        room = max(0, self.max_adopted - sum(user_id in base for user_id in past))
        for user_id in [user_id for user_id in past if user_id not in base][room:]:
            del users[user_id]
            past.remove(user_id)
        full = bool(head.window_last_id) and len(past) >= self.max_adopted
        return Survey(
            draft=self._draft(
                {user_id: users[user_id] for user_id in sorted(users)},
                head.complete,
                "adoption-limit" if full else head.incomplete_reason,
            ),
            changes={
                "swept_at": head.swept_at,
                "adopted": len(past) or None,
                "adopted_seen_at": (head.adopted_seen_at or head.swept_at) if past else None,
                "window_last_id": head.window_last_id or None,
            },
            stored=stored,
            started=started,
        )

    def _ask_for(self, wanted: Wanted, base: Users, calls: OriginCalls) -> tuple[Users, set[int]]:
        """Return who of ``wanted`` is there, and whose id the origin does not know any more.

        Whoever had a wanted address in ``base`` and has lost it is asked for by id.
        """
        seen: Users = {}
        gone: set[int] = set()
        askable = _askable(wanted)
        for batch in batches_of(askable):
            for row in calls.find_rows(list(batch)):
                seen[row["id"]] = canonical(self.hiding.apply(row))
        holders = [
            user_id
            for user_id, line in base.items()
            if wanted.addresses and json.loads(line)["email"] in askable
        ]
        for user_id in dict.fromkeys([*wanted.ids, *holders]):
            if user_id not in seen:
                calls.require_time()
                user = calls.user(user_id)
                if user is None:
                    gone.add(user_id)
                else:
                    seen[user_id] = canonical(self.hiding.apply(user))
        return seen, gone

    def _list_rows(self, calls: OriginCalls) -> ListRows:
        return lambda offset, limit: [
            self.hiding.apply(row) for row in calls.list_rows(offset, limit)
        ]

    def _found(self, client_id: str, waited: Sequence[int]) -> dict[int, FoundUser]:
        """Return those of ``waited`` whom look-ups found and still remember."""
        keys = {user_id: id_key(user_id) for user_id in waited}
        known = self.lookups.remembered(client_id, list(keys.values())) if keys else {}
        return {
            user_id: FoundUser(seen.line, seen.observed_at)
            for user_id, key in keys.items()
            if (seen := known.get(key)) and seen.line is not None
        }

    def _draft(self, users: Mapping[int, bytes], complete: bool, reason: str) -> Draft:  # noqa: FBT001 - a draft's own fields
        return pages.draft(
            list(users.values()), complete=complete, reason=reason, policy=self.hiding.digest
        )

    def _stored(self, head: Head) -> Listing:
        """Return what is stored already; a broken listing counts as none."""
        if not head.published:
            return Listing()
        try:
            return self.snapshots.listing(head)
        except BrokenSnapshotError:
            return Listing()

    def _users(self, head: Head, refs: Sequence[PageRef]) -> Users:
        """Return the users in pages of the last generation, as far as those can be read."""
        try:
            return _users_in(self.snapshots.pages(head.client_id, refs))
        except BrokenSnapshotError:
            if len(refs) < 2:  # noqa: PLR2004 - one page is broken or it is not
                return {}
        users: Users = {}
        for ref in refs:
            users |= self._users(head, [ref])
        return users

    def _believe(self, head: Head, found: Sweep, calls: OriginCalls, lost: Users) -> bool:
        """Return whether a large loss was confirmed; a small one is nobody's worry.

        Raises:
            QuarantinedError: the loss is too large and not yet confirmed.
        """
        now = self.clock()
        doubt = quarantine.doubt(head, lost=lost.keys(), left=len(found.users), now=now)
        if doubt is None:
            return False
        since = doubt.since
        if doubt.ripe:
            calls.reserve(len(doubt.sample))
            if all(calls.user(user_id) is None for user_id in doubt.sample):
                return True
            since = now
        raise QuarantinedError("too many users are missing", loss=doubt.loss, since=since)


def least_calls(wanted: Wanted) -> int:
    """Return how many calls it takes at least to ask for the users in ``wanted``."""
    return max(1, len(list(batches_of(_askable(wanted)))) + len(set(wanted.ids)))


def _askable(wanted: Wanted) -> dict[str, str]:
    """Return the addresses that would not fail a whole call at the origin."""
    return {address: address for address in wanted.addresses if is_address(address)}


def _users_in(read: Sequence[pages.Page]) -> Users:
    return {
        user_id: line for page in read for user_id, line in zip(page.ids, page.lines, strict=True)
    }
