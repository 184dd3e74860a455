"""Sweeps a client's users in the list of its organization, which has no wall.

``members`` walks through that list, and ``membership`` says whose the rows are. Where the list is
refused or cannot be trusted, the window is swept instead, and the list is tried again after a
while. Where only time or budget end, what was seen is used, and the next sweep goes on below: see
``lib.directory.listing.Progress``.

Built from the origin's source and documents, and never run against the live service: so whatever
is only believed of the list is checked (docs/adr/0021).

Pure but for the calls it is given. Instants are epoch seconds.
"""

from copy import replace
from dataclasses import dataclass

from lib.directory.generation import LIST_UNFINISHED, MEMBERS_UNDECIDED
from lib.directory.head import PART, SKEW_SECONDS, WHOLE, Head
from lib.directory.listing import Listing, Progress
from lib.errors import (
    NotAskedError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    Reason,
)
from lib.revalidation.doubt import handful
from lib.revalidation.head_updates import earliest
from lib.revalidation.members import SIZES, Walk
from lib.revalidation.membership import ANEW_TURNS, Calls, Membership, Remembered, turn_of
from lib.revalidation.reconcile import Reconciled
from lib.revalidation.window import Reach, Sweep, Users, Window

REFUSED_SECONDS = 3600
"""How long a list is left alone that the origin has refused."""

FAILING_SECONDS = 300
"""How long one is left alone that failed, or could not be trusted."""

PROGRESS_SECONDS = 600
"""How long after its beginning a sweep may still be ended; then another one begins."""

_PASSING = frozenset(
    {
        Reason.LOSS_DOUBTED,
        Reason.ORGANIZATION_ANCHOR,
        Reason.ORGANIZATION_EMPTY,
        Reason.ORGANIZATION_FAILING,
    }
)
_REFUSALS = frozenset({Reason.ORIGIN_CHALLENGE, Reason.ORIGIN_STATUS})

_ROUNDED = 0.001
"""To this, instants in the table are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a sweep of the list has shown, and what is known of the list since.

    ``finished``: everybody has been seen since ``began_at``. ``known`` are the users of the last
    generation, None where nothing has changed.
    """

    sweep: Sweep
    listing: Listing
    began_at: float
    finished: bool
    known: Users | None

    def after(self, reconciled: Reconciled) -> "Listed":
        """Return it with what was found out about users whom the list did not show."""
        listing, progress = self.listing, self.listing.progress
        if progress:
            since = earliest(progress.unconfirmed_since, reconciled.unconfirmed_since)
            progress = replace(progress, unconfirmed_since=since)
        strays = listing.strays | reconciled.strays
        return replace(self, listing=replace(listing, strays=strays, progress=progress))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why the list is not used, and what is known of it since."""

    reason: str
    listing: Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSweep:
    """A sweep for one client, begun at ``now``.

    ``found`` are users that look-ups found since the last sweep. With ``afresh``, no earlier sweep
    is gone on with.
    """

    calls: Calls
    window: Window
    head: Head
    listing: Listing
    found: Users
    remembered: Remembered
    now: float
    afresh: bool = False

    def run(self) -> Listed | Refused:
        """Sweep the list, or tell why it is not used.

        Raises:
            OriginBlockedError: the origin blocks.
            OriginError: it fails for the list of managed users.
            NotAskedError: there is no time or budget for anything.
        """
        listing = self.listing
        if not listing.organization_id:
            reason = Reason.ORGANIZATION_ID
            return Refused(reason=reason, listing=replace(listing, refused=reason))
        if self.now < listing.retry_at <= self.now + REFUSED_SECONDS + SKEW_SECONDS:
            return Refused(reason=listing.refused, listing=listing)
        walk = Walk(
            calls=self.calls,
            organization_id=listing.organization_id,
            take=listing.take if listing.take in SIZES else SIZES[0],
        )
        progress = self._progress()
        try:
            self._walk(walk, progress)
        except OriginBlockedError:
            raise
        except OriginError as error:
            return self._refused(_reason_of(error), take=walk.take)
        return self._listed(walk, progress)

    def _progress(self) -> Progress | None:
        """Return the sweep that this one can go on with: nothing has been swept since it began."""
        progress, swept_at = self.listing.progress, self.head.generation.swept_at
        if progress is None or self.afresh or progress.began_at < swept_at - _ROUNDED:
            return None
        return progress if 0 <= self.now - progress.began_at < PROGRESS_SECONDS else None

    def _walk(self, walk: Walk, progress: Progress | None) -> None:
        if progress:
            walk.below(progress.skip)
            return
        seen_before = self.head.source in {PART, WHOLE}
        guess = self.head.window_users if seen_before else self.head.generation.users
        walk.from_the_end(guess=max(0, guess))
        if walk.finished and not walk.users:
            raise OriginError("an empty list is doubted", reason=Reason.ORGANIZATION_EMPTY)
        if not walk.users:
            raise NotAskedError("nothing was seen in time", reason=Reason.OUT_OF_TIME)

    def _listed(self, walk: Walk, progress: Progress | None) -> Listed | Refused:
        """Return what a walk has shown of this client's users."""
        listing, finished = self.listing, walk.finished
        told = Membership(
            calls=self.calls,
            window=self.window,
            listing=listing,
            found=self.found,
            remembered=self.remembered,
            turn=turn_of(self.head),
        ).of(walk, reach := self._reach(walk, progress), in_one_go=finished and not progress)
        if told is None:
            return self._refused(Reason.ORGANIZATION_ANCHOR, take=walk.take)
        undecided = len(told.verdicts.undecided) + (listing.undecided if progress else 0)
        reason = self._reason(walk, undecided)
        before = progress.unconfirmed_since if progress else 0
        began_at = progress.began_at if progress else self.now
        sweep = Sweep(
            told.users,
            complete=not reason,
            reach=reach._replace(
                strays=told.strays,
                unconfirmed_since=before if finished else self.head.generation.unconfirmed_since,
            ),
            reason=reason,
        )
        # A doubt takes whole sweeps to be settled.
        lost = 0 if finished and not progress else len(sweep.missing(told.known or {}))
        if lost > handful(len(told.users)):
            return self._refused(Reason.LOSS_DOUBTED, take=walk.take)
        going_on = Progress(
            skip=walk.low, below=reach.first_id, began_at=began_at, unconfirmed_since=before
        )
        return Listed(
            sweep=sweep,
            listing=replace(
                listing,
                refused="",
                retry_at=0,
                take=0 if walk.take == SIZES[0] else walk.take,
                undecided=undecided,
                progress=going_on if walk.ended and not finished else None,
                others=told.others,
                strays=told.strays,
            ),
            began_at=began_at,
            finished=finished,
            known=told.known,
        )

    def _reach(self, walk: Walk, progress: Progress | None) -> Reach:
        end_id = None if walk.ended else max(walk.users) + 1
        return Reach(
            rows=self.head.window_users if progress else walk.high,
            first_id=min(walk.users, default=progress.below if progress else 0) if walk.low else 0,
            end_id=progress.below if progress else end_id,
            strays=self.listing.strays,
        )

    def _reason(self, walk: Walk, undecided: int) -> str:
        """Return why the directory is not known to be all that there is, "" if it is."""
        if undecided:
            return MEMBERS_UNDECIDED
        told = walk.finished or self.head.generation.holds_everybody
        return "" if told else LIST_UNFINISHED

    def _refused(self, reason: Reason, *, take: int) -> Refused:
        wait = FAILING_SECONDS if reason in _PASSING else REFUSED_SECONDS
        listing = replace(
            self.listing,
            refused=reason,
            retry_at=self.now + wait,
            take=0 if take == SIZES[0] else take,
            progress=None,
        )
        return Refused(reason=reason, listing=listing)


def listing_of(listing: Listing, head: Head, organization_id: int) -> Listing:
    """Return what is known at the beginning of a sweep of an organization's list.

    Of another organization's nothing is known; and what was found out about the list itself is
    found out anew from time to time.
    """
    if listing.organization_id != organization_id:
        return Listing(organization_id=organization_id, others=listing.others)
    if turn_of(head) % ANEW_TURNS == 0:
        return replace(listing, take=0, strays=frozenset())
    return listing


def _reason_of(error: OriginError) -> Reason:
    if error.reason is Reason.ORGANIZATION_EMPTY:
        return error.reason
    if isinstance(error, OriginServerError):
        return Reason.ORGANIZATION_FAILING
    refused = isinstance(error, OriginAuthError) or error.reason in _REFUSALS
    return Reason.ORGANIZATION_REFUSED if refused else Reason.ORGANIZATION_UNUSABLE
