"""Finds out what the directory is now: all of it, or some users over what was known.

An observation asks the origin and stores nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.clock import Time
from lib.directory import pages
from lib.directory.generation import Generation
from lib.directory.head import Head
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Draft
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Contents, Lookups
from lib.errors import BrokenSnapshotError, OriginError, Reason
from lib.origin.batches import batches_of
from lib.origin.calls import OriginCalls
from lib.revalidation import doubt, head_updates, health, stamps
from lib.revalidation.head_updates import Update
from lib.revalidation.purpose import Purpose
from lib.revalidation.reconcile import Loss, Reconciliation, incomplete_reason
from lib.revalidation.window import Sweep, Users, Window, sweep
from lib.users.address import is_address, stored_form
from lib.users.document import address_of, id_of
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.keys import Observation, UserKeys, id_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the directory is, what that changes in the head, and what of it is there already.

    Without a ``draft`` it is what was published. ``started`` is the instant before the first call;
    users in ``adopted`` need not wait for their adoption any longer once this is stored. ``seen``
    as in ``lib.revalidation.outcomes``.
    """

    draft: Draft | None
    update: Update
    stored: Manifest
    started: float
    adopted: tuple[int, ...] = ()
    seen: Users | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Observes any client.

    A sweep asks again for adopted users in at most ``adopted_calls`` calls, and keeps at most
    ``max_adopted`` of them. ``updated_at``: whether users get stamps.
    """

    contents: Contents
    lookups: Lookups
    window: Window
    time: Time
    hiding: HidingPolicy = NOTHING_HIDDEN
    adopted_calls: int = 20
    max_adopted: int = 2_000
    updated_at: bool = False

    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        """Observe the whole directory: the window, and those known past it.

        Raises:
            OriginError: the origin failed.
        """
        started = self.time.now()
        swept = sweep(calls.users, self.window, last_users=head.window_users)
        pending = tuple(self.lookups.pending_adoption(head.client_id))
        reason = incomplete_reason(
            complete=swept.complete,
            unconfirmed=False,
            full=not self.max_adopted,
            users=swept.users,
        )
        seen = stamps.seen(swept.users.values(), reason, self.hiding.digest, self.updated_at)
        same = head.seen == stamps.mark(head.generation.digest, seen)
        update: Update = {}
        draft, stored, since = None, Manifest(), 0.0
        if not same or head.generation.unconfirmed_since or pending or purpose.repair:
            stored = self._stored(head.generation)
            base = self._base(head.generation, stored, self._draft(swept.users, reason))
            loss, since = self._judge(head, swept, base, purpose)
            reconciled = Reconciliation(
                calls=calls,
                max_batches=self.adopted_calls,
                max_adopted=self.max_adopted,
                now=started,
            ).reconcile(
                head, swept, base=base, pending=self._found(head.client_id, pending), loss=loss
            )
            users = self._stamped(reconciled.users, base, head.generation, at=started)
            draft = self._draft(users, reconciled.reason)
            update = head_updates.counted(reconciled, swept)
            all_seen = reconciled.users.keys() == swept.users.keys() and reconciled.reason == reason
            update["seen"] = stamps.mark(draft.digest, seen) if all_seen else None
        # That the origin has answered shows that no such pause is in force.
        update |= head_updates.disbelieved(head.health, now=started)
        update |= head_updates.validated(
            started=started,
            now=self.time.now(),
            sweep=swept,
            noted=health.succeeded(head.health, doubted_since=since),
            forced=purpose.forced,
        )
        return Observed(draft=draft, update=update, stored=stored, started=started, adopted=pending)

    def named(self, head: Head, calls: OriginCalls, wanted: UserKeys) -> Observed:
        """Observe the users in ``wanted``; everybody else stays as the last generation has them.

        Raises:
            OriginError: the origin failed.
            BrokenSnapshotError: the last generation cannot be read.
        """
        generation = head.generation
        started, stored = self.time.now(), self.contents.manifest(generation)
        base = self._read(generation, stored.pages)
        seen, gone = _ask_for(wanted, base, calls)
        users = {id_: line for id_, line in (base | seen).items() if id_ not in gone}
        last_id = generation.window_last_id
        past = sorted(id_ for id_ in users if last_id and id_ > last_id)
        # Whoever has been adopted stays; of the new, no more than there is room for.
        room = max(0, self.max_adopted - sum(user_id in base for user_id in past))
        for user_id in [user_id for user_id in past if user_id not in base][room:]:
            del users[user_id]
            past.remove(user_id)
        users = self._stamped(users, base, generation, at=started)
        reason = incomplete_reason(
            complete=not last_id,
            unconfirmed=generation.unconfirmed_since > 0,
            full=len(past) >= self.max_adopted,
            users=users,
        )
        seen_at = generation.adopted_seen_at or generation.swept_at
        return Observed(
            draft=self._draft({user_id: users[user_id] for user_id in sorted(users)}, reason),
            update={
                "swept_at": generation.swept_at,
                "adopted": len(past) or None,
                "adopted_seen_at": seen_at if past else None,
                "window_last_id": last_id or None,
                "unconfirmed_since": generation.unconfirmed_since or None,
            },
            stored=stored,
            started=started,
            seen={user_id: users.get(user_id, line) for user_id, line in seen.items()},
        )

    def _judge(self, head: Head, swept: Sweep, base: Users, purpose: Purpose) -> tuple[Loss, float]:
        """Return what to make of those who are missing, and since when that is doubted.

        Raises:
            OriginError: nobody is left, and who was there cannot be read.
        """
        if purpose.believed:
            return Loss.BELIEVED, 0
        if not swept.users and not base and head.generation.users:
            raise OriginError("an empty list is doubted", reason=Reason.LOSS_DOUBTED)
        now, lost = self.time.now(), len(swept.missing(base))
        since = doubt.doubted_since(head, lost=lost, left=len(swept.users), now=now)
        doubted = since and not doubt.ripe(since, now=now)
        return (Loss.DOUBTED if doubted else Loss.TO_CONFIRM), since

    def _found(self, client_id: str, pending: Sequence[int]) -> dict[int, Observation]:
        """Return those of ``pending`` whom look-ups found and still remember."""
        keys = {user_id: id_key(user_id) for user_id in pending}
        known = self.lookups.remembered(client_id, list(keys.values())) if keys else {}
        return {
            user_id: seen
            for user_id, key in keys.items()
            if (seen := known.get(key)) and seen.line is not None
        }

    def _stamped(self, users: Users, base: Users, generation: Generation, *, at: float) -> Users:
        if not self.updated_at:
            return stamps.without(users)
        # Of those who were there from the beginning, nobody knows since when they are as they are.
        return stamps.stamp(users, base, at=at) if generation.published else users

    def _draft(self, users: Mapping[int, bytes], reason: str) -> Draft:
        return pages.draft(
            list(users.values()),
            complete=not reason,
            reason=reason,
            hiding_digest=self.hiding.digest,
        )

    def _stored(self, generation: Generation) -> Manifest:
        """Return what is stored already; a broken manifest counts as none."""
        if not generation.published:
            return Manifest()
        try:
            return self.contents.manifest(generation)
        except BrokenSnapshotError:
            return Manifest()

    def _base(self, generation: Generation, stored: Manifest, draft: Draft) -> Users:
        """Return the last generation's users, as far as they can be read.

        Pages that the sweep found again need no reading.
        """
        known = set(stored.pages)
        users = {
            user_id: line
            for page in draft.pages
            if page.ref in known
            for user_id, line in page.users()
        }
        refs = [ref for ref in stored.pages if ref not in draft.refs]
        try:
            return users | self._read(generation, refs)
        except BrokenSnapshotError:
            pass
        for ref in refs:
            try:
                users |= self._read(generation, [ref])
            except BrokenSnapshotError:
                continue
        return users

    def _read(self, generation: Generation, refs: Sequence[PageRef]) -> Users:
        """Return the users in some pages, hidden as this deployment hides them now."""
        read = snapshot_of(self.contents, generation, hiding=self.hiding).load(refs)
        return {user_id: line for page in read for user_id, line in page.users()}


def least_calls(wanted: UserKeys, window: Window) -> int:
    """Return how many calls it takes at least to ask for the users in ``wanted``."""
    askable = {address: address for address in wanted.addresses if is_address(address)}
    batches = batches_of(askable, most=window.max_limit)
    return max(1, len(list(batches)) + len(set(wanted.ids)))


def _ask_for(wanted: UserKeys, base: Users, calls: OriginCalls) -> tuple[Users, set[int]]:
    """Return who of ``wanted`` is there, and whose id the origin does not know any more.

    Whoever had a wanted address in ``base`` and has lost it is asked for by id.
    """
    stored = {address: address for address in wanted.addresses}
    seen = {
        id_of(line): line for batch in calls.batches(stored) for line in calls.find(batch.values())
    }
    gone: set[int] = set()
    # Wanted addresses have the suffix, which a holder's own need not have.
    holders = [
        user_id
        for user_id, line in base.items()
        if stored and stored_form(address_of(line), calls.client_id) in stored
    ]
    for user_id in dict.fromkeys([*wanted.ids, *holders]):
        if user_id not in seen:
            calls.require_time()
            line = calls.user(user_id)
            if line is None:
                gone.add(user_id)
            else:
                seen[user_id] = line
    return seen, gone
