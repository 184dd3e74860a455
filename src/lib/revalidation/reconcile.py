"""Puts together what is known of a directory: the window, and the users past it.

A sweep sees the window only. A user that the last generation had and the sweep has not is asked
for before it counts as deleted: by address in one call, then by id, which cannot change; whoever
could not be asked for stays listed. Users past the window, *adopted* since a look-up found them,
are asked for again in rotation.

Pure but for the calls it is given.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import replace
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import islice

from lib.directory.generation import FIELDS_OMITTED
from lib.directory.head import Head
from lib.errors import NotAskedError
from lib.revalidation.asking import Asked, Calls
from lib.revalidation.window import WINDOW_FULL, Sweep, Users
from lib.users.document import omitted_from
from lib.users.keys import Observation

MAX_CONFIRMATIONS = 20
"""Most users asked for by id in one sweep, for each of the two reasons there are."""

STRAY_SECONDS = 120
"""How long users are left alone whom an organization's list does not tell of."""


class Loss(Enum):
    """What is to be made of users who are missing from the window."""

    DOUBTED = "stay listed, and nobody asks for them yet"
    TO_CONFIRM = "gone if the origin says so, one by one"
    BELIEVED = "gone: an operator knows"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Where the asking again of adopted users stands.

    ``next_id`` is asked for next; the running cycle began at ``began_at``, and ``seen_at`` is when
    the last full one did: every adopted user was seen since.
    """

    next_id: int = 0
    began_at: float = 0
    seen_at: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """All known users by rising id, and why they are not all that there is, "" if they are.

    ``unconfirmed_since``: when those were last seen who may be gone, 0 if there are none.
    ``strays`` are there, although the list that was swept does not show them.
    """

    users: Users
    reason: str
    adopted: int
    rotation: Rotation
    unconfirmed_since: float = 0
    strays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The limits of a deployment for one reconciliation, begun at ``now``.

    Where it is ``demanded``, nobody is left alone who could be asked for.
    """

    calls: Calls
    max_batches: int
    max_adopted: int
    now: float
    demanded: bool = False

    def reconcile(
        self,
        head: Head,
        sweep: Sweep,
        *,
        base: Users,
        pending: Mapping[int, Observation],
        loss: Loss,
    ) -> Reconciled:
        """Return what is known after ``sweep`` over the last generation ``base``.

        ``pending`` are users that look-ups found.
        """
        lost = sweep.missing(base)
        alive, unconfirmed = self._settle(lost, loss, turn=head.lease.token)
        accounted = sweep.users.keys() | lost.keys()
        unseen = {id_: line for id_, line in base.items() if id_ not in accounted}
        # Of a longer list a part may have been swept: the rest has its turn in the next sweep.
        later = {id_: line for id_, line in unseen.items() if sweep.is_left(id_)}
        beyond, rotation = self._ask_again(
            {id_: line for id_, line in unseen.items() if id_ not in later},
            head,
            rest=STRAY_SECONDS if sweep.reach and not self.demanded else 0,
        )
        new = {
            user_id: seen
            for user_id, seen in sorted(pending.items())
            # Whoever was known has just been accounted for.
            if sweep.may_lack(user_id) and user_id not in base
        }
        adopted = dict(islice(new.items(), max(0, self.max_adopted - len(beyond))))
        users = sweep.users | alive | unconfirmed | beyond | later
        users |= {user_id: seen.line for user_id, seen in adopted.items() if seen.line}
        known_past = len(beyond) + len(adopted)
        return Reconciled(
            users={user_id: users[user_id] for user_id in sorted(users)},
            reason=incomplete_reason(
                complete=sweep.complete,
                unconfirmed=bool(unconfirmed or (sweep.reach and sweep.reach.unconfirmed_since)),
                full=known_past >= self.max_adopted,
                users=users,
                otherwise=sweep.reason,
            ),
            adopted=known_past,
            rotation=_with(rotation, adopted.values()),
            unconfirmed_since=min(map(head.generation.observed_at, unconfirmed), default=0),
            strays=frozenset(alive.keys() | beyond.keys()),
        )

    def _settle(self, lost: Users, loss: Loss, *, turn: int) -> tuple[Users, Users]:
        """Return which of ``lost`` are alive after all, and which may be or may not."""
        if loss is Loss.BELIEVED:
            return {}, {}
        return ({}, lost) if loss is Loss.DOUBTED else self._confirm(lost, turn)

    def _confirm(self, lost: Users, turn: int) -> tuple[Users, Users]:
        """Return which of ``lost`` are alive after all, and of which that is not known.

        Where budget or time end, the rest is left. Each ``turn`` asks in another order: nobody is
        always behind those of whom nothing will ever be known.
        """
        asked = Asked(self.calls)
        with suppress(NotAskedError):
            asked.find(next(asked.batches(lost), {}))
            rest = [user_id for user_id in lost if user_id not in asked.alive]
            rest.sort(key=lambda user_id: blake2b(b"%d %d" % (turn, user_id)).digest())
            asked.by_id(rest, MAX_CONFIRMATIONS)
        known = asked.alive.keys() | asked.gone
        return asked.alive, {id_: line for id_, line in lost.items() if id_ not in known}

    def _ask_again(self, beyond: Users, head: Head, *, rest: int) -> tuple[Users, Rotation]:
        """Return the adopted users as they are now, as far as this sweep's turn goes.

        Between two cycles they may be left alone for ``rest`` seconds.
        """
        if not beyond:
            return {}, Rotation()
        generation = head.generation
        # Of users who count as adopted only now, no more is known than of everybody.
        seen_at = generation.adopted_seen_at or generation.oldest_observation
        rotation = Rotation(head.rotation_id, head.cycle_began_at, seen_at)
        if not rotation.began_at and 0 <= self.now - seen_at < rest:
            return beyond, rotation
        ahead = {user_id: line for user_id, line in beyond.items() if user_id >= rotation.next_id}
        if not rotation.began_at or not ahead:
            # Nobody ahead: the cycle that passed all others has ended.
            ahead, rotation = beyond, Rotation(0, self.now, rotation.began_at or seen_at)
        asked, seen_to = Asked(self.calls), 0
        confirmations = MAX_CONFIRMATIONS
        with suppress(NotAskedError):
            for batch in islice(asked.batches(ahead), self.max_batches):
                if self.calls.hurried():
                    break
                vanished = asked.find(batch)
                done = asked.by_id(vanished, confirmations)
                if done < len(vanished):
                    # The next sweep goes on with the first one who was not asked for.
                    seen_to = vanished[done] - 1
                    break
                confirmations -= done
                seen_to = max(batch)
        known = beyond | asked.alive
        alive = {user_id: line for user_id, line in known.items() if user_id not in asked.gone}
        if asked.failed:
            # The cycle goes on, and will have seen everybody no later than the one before.
            rotation = replace(rotation, began_at=min(rotation.began_at, rotation.seen_at))
        if any(user_id > seen_to for user_id in ahead):
            return alive, replace(rotation, next_id=max(rotation.next_id, seen_to + 1))
        return alive, Rotation(0, 0, rotation.began_at)


def incomplete_reason(
    *,
    complete: bool,
    unconfirmed: bool,
    full: bool,
    users: Users,
    otherwise: str = WINDOW_FULL,
) -> str:
    """Return why a directory is not known to be what the origin has, nothing if it is.

    ``complete``: the list showed everybody; ``otherwise`` is why not. ``full``: no further user can
    be adopted. What passes is told before what stays; that users are there of whom not everything
    is known comes after that others may be missing.
    """
    if not complete and otherwise != WINDOW_FULL:
        return otherwise
    if unconfirmed:
        return "unconfirmed-deletions"
    if not complete:
        return "adoption-limit" if full else otherwise
    return FIELDS_OMITTED if any(map(omitted_from, users.values())) else ""


def _with(rotation: Rotation, adopted: Iterable[Observation]) -> Rotation:
    """Return the rotation with users added, who were seen some time before."""
    oldest = min((seen.observed_at for seen in adopted), default=None)
    if oldest is None:
        return rotation
    # The running cycle may have passed them: it must not end as if it had seen them.
    began_at = min(rotation.began_at, oldest) if rotation.began_at else 0
    return Rotation(rotation.next_id, began_at, min(rotation.seen_at or oldest, oldest))
