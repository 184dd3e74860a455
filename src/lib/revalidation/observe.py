"""Finds out what the directory is now: all of it, or some users over what was known.

An observation asks the origin and stores nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.clock import Time
from lib.directory import pages
from lib.directory.generation import OF_ORGANIZATIONS, Generation
from lib.directory.head import PART, REFUSED, WHOLE, Head
from lib.directory.listing import Listing
from lib.directory.manifest import Manifest
from lib.directory.pages import Draft
from lib.directory.store import Contents, Listings, Lookups
from lib.errors import OriginError, Reason
from lib.origin.calls import OriginCalls
from lib.revalidation import doubt, head_updates, health, stamps
from lib.revalidation.head_updates import Update
from lib.revalidation.last_generation import LastGeneration
from lib.revalidation.organization import Listed, OrganizationSweep, Refused, listing_of
from lib.revalidation.purpose import Purpose
from lib.revalidation.reconcile import Loss, Reconciliation, incomplete_reason
from lib.revalidation.stamps import Seen
from lib.revalidation.wanted import ask_for
from lib.revalidation.window import WINDOW_FULL, Sweep, Users, Window, sweep
from lib.users.hiding import NOTHING_HIDDEN, HidingPolicy
from lib.users.keys import Observation, UserKeys, id_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the directory is, what that changes in the head, and what of it is there already.

    Without a ``draft`` it is what was published. ``started`` is the instant before the first call;
    users in ``adopted`` need not wait for their adoption any longer once this is stored, and
    ``listing`` is to be kept then. Where a sweep is not ``finished``, the next one goes on with it.
    ``refused`` is why the list of an organization was not used. ``seen`` as in
    ``lib.revalidation.outcomes``.
    """

    draft: Draft | None
    update: Update
    stored: Manifest
    started: float
    adopted: tuple[int, ...] = ()
    seen: Users | None = None
    listing: Listing | None = None
    finished: bool = True
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Observes any client.

    A sweep asks again for adopted users in at most ``adopted_calls`` calls, and keeps at most
    ``max_adopted`` of them. ``updated_at``: whether users get stamps.
    """

    contents: Contents
    lookups: Lookups
    listings: Listings
    window: Window
    time: Time
    hiding: HidingPolicy = NOTHING_HIDDEN
    adopted_calls: int = 20
    max_adopted: int = 2_000
    updated_at: bool = False

    def everyone(self, head: Head, calls: OriginCalls, purpose: Purpose) -> Observed:
        """Observe the whole directory: the list of users, and those known who are not in it.

        Raises:
            OriginError: the origin failed.
        """
        started, generation = self.time.now(), head.generation
        last = self._last(head)
        pending = tuple(self.lookups.pending_adoption(head.client_id))
        found = self._found(head.client_id, pending)
        listed, kept = self._listed(
            last, calls, purpose, pending=pending, found=found, started=started
        )
        whole = not isinstance(listed, Listed) or listed.finished
        if isinstance(listed, Listed):
            swept, known = listed.sweep, listed.known
            source = WHOLE if listed.finished else PART
        else:
            if listed:
                calls.gain_time()
            swept = sweep(calls.users, self.window, last_users=head.window_users)
            first = PART if calls.organization_id is not None else ""
            known, source = None, REFUSED if listed else first
        reason = self._reason(swept)
        seen = self._seen(swept.users, reason)
        draft, stored, since = None, Manifest(), 0.0
        update: Update = {}
        if known is not None or not self._says_all(head, seen, pending, purpose):
            stored, base = last.manifest, last.users(self._draft(swept.users, reason))
            loss, since = self._judge(head, swept, base, purpose)
            reconciled = Reconciliation(
                calls=calls,
                max_batches=self.adopted_calls,
                max_adopted=self.max_adopted,
                now=started,
                demanded=purpose.forced,
            ).reconcile(head, swept, base=base, pending=found, loss=loss)
            users = self._stamped(reconciled.users, base, generation, at=started)
            draft = self._draft(users, reconciled.reason)
            update = head_updates.counted(reconciled, swept)
            all_seen = reconciled.users.keys() == swept.users.keys() and reconciled.reason == reason
            update["seen"] = stamps.mark(draft.digest, seen) if all_seen else None
            if isinstance(listed, Listed):
                listed = listed.after(reconciled)
        began_at = listed.began_at if isinstance(listed, Listed) else started
        # That the origin has answered shows that no such pause is in force.
        update |= head_updates.disbelieved(head.health, now=started)
        update |= head_updates.validated(
            # Not everybody has been seen since a sweep began that goes on.
            started=began_at if whole or not generation.published else generation.swept_at,
            now=self.time.now(),
            sweep=swept,
            noted=health.succeeded(head.health, doubted_since=since),
            forced=purpose.forced and whole,
            source=source,
        )
        return Observed(
            draft=draft,
            update=update,
            stored=stored,
            started=started,
            adopted=pending,
            listing=listed.listing if listed and listed.listing != kept else None,
            finished=whole,
            refused=listed.reason if isinstance(listed, Refused) else "",
        )

    def _listed(
        self,
        last: LastGeneration,
        calls: OriginCalls,
        purpose: Purpose,
        *,
        pending: Sequence[int],
        found: Mapping[int, Observation],
        started: float,
    ) -> tuple[Listed | Refused | None, Listing]:
        """Return what the list of the client's organization shows, None if there is none.

        Beside it stands what was kept of that list before.
        """
        if calls.organization_id is None:
            return None, Listing()
        head = last.head
        kept = self.listings.listing(head.client_id)
        if not head.generation.published:
            # The first answer is not to wait until it is known whose all those rows are.
            return None, kept

        def remembered(users: Users, *, whole: bool) -> Users | None:
            swept = Sweep(users, complete=True)
            reason = self._reason(swept)
            if whole and self._says_all(head, self._seen(swept.users, reason), pending, purpose):
                return None
            return stamps.without(last.users(self._draft(users, reason)))

        return OrganizationSweep(
            calls=calls,
            window=self.window,
            head=head,
            listing=listing_of(kept, head, calls.organization_id),
            found={user_id: seen.line for user_id, seen in found.items() if seen.line},
            remembered=remembered,
            now=started,
            afresh=purpose.forced or purpose.repair,
        ).run(), kept

    def _says_all(self, head: Head, seen: Seen, pending: Sequence[int], purpose: Purpose) -> bool:
        """Return whether a list was the last generation: then nobody else is to be asked for."""
        generation = head.generation
        beside = generation.unconfirmed_since or generation.adopted or pending
        same = head.seen == stamps.mark(generation.digest, seen)
        return same and not beside and not purpose.repair

    def _seen(self, users: Users, reason: str) -> Seen:
        return stamps.seen(users.values(), reason, self.hiding.digest, self.updated_at)

    def _reason(self, swept: Sweep) -> str:
        """Return why a list shows less than everybody, "" if it shows all there is."""
        return incomplete_reason(
            complete=swept.complete,
            unconfirmed=False,
            full=not self.max_adopted,
            users=swept.users,
            otherwise=swept.reason,
        )

    def named(self, head: Head, calls: OriginCalls, wanted: UserKeys) -> Observed:
        """Observe the users in ``wanted``; everybody else stays as the last generation has them.

        Raises:
            OriginError: the origin failed.
            BrokenSnapshotError: the last generation cannot be read.
        """
        generation = head.generation
        started, stored = self.time.now(), self.contents.manifest(generation)
        base = self._last(head).read(stored.pages)
        seen, gone = ask_for(wanted, base, calls)
        users = {id_: line for id_, line in (base | seen).items() if id_ not in gone}
        last_id = generation.window_last_id
        past = sorted(id_ for id_ in users if last_id and id_ > last_id)
        # Whoever has been adopted stays; of the new, no more than there is room for.
        room = max(0, self.max_adopted - sum(user_id in base for user_id in past))
        for user_id in [user_id for user_id in past if user_id not in base][room:]:
            del users[user_id]
            past.remove(user_id)
        users = self._stamped(users, base, generation, at=started)
        # An organization's list has no window: what was known of it stays as it was.
        told = generation.incomplete_reason in OF_ORGANIZATIONS
        reason = incomplete_reason(
            complete=not last_id and not told,
            unconfirmed=generation.unconfirmed_since > 0,
            full=len(past) >= self.max_adopted,
            users=users,
            otherwise=generation.incomplete_reason if told else WINDOW_FULL,
        )
        adopted = len(past) if last_id else generation.adopted
        seen_at = generation.adopted_seen_at or generation.swept_at
        return Observed(
            draft=self._draft({user_id: users[user_id] for user_id in sorted(users)}, reason),
            update={
                "swept_at": generation.swept_at,
                "adopted": adopted or None,
                "adopted_seen_at": seen_at if adopted else None,
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

    def _last(self, head: Head) -> LastGeneration:
        return LastGeneration(contents=self.contents, head=head, hiding=self.hiding)

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
