"""What the end of a revalidation changes in the head, and what it leaves alone."""

from copy import replace

import pytest

from lib.directory.head import ATTRIBUTES, HEAD_SECONDS, Health, Lease, updated
from lib.directory.pages import draft
from lib.origin.rate_limit import RateLimit
from lib.revalidation import head_updates
from lib.revalidation.reconcile import Reconciled, Rotation
from lib.revalidation.window import Sweep
from lib.users.document import canonical
from tests.fakes import CLIENT, NOW, head_with, user

LINES = {user_id: canonical(user(user_id)) for user_id in (1, 2, 3)}
FAILING = Health(
    last_error="origin-5xx", failures=2, retry_at=NOW + 9, blocked_until=NOW + 8, doubted_since=7
)


KNOWN = Reconciled(users=LINES, reason="window-full", adopted=0, rotation=Rotation())


def test_an_acquisition_writes_lease_calls_and_failures_and_no_pauses() -> None:
    lease = Lease(client_id=CLIENT, holder="me", token=4, expires_at=NOW + 15)

    update = head_updates.taken(lease, {"calls": 2}, FAILING)

    assert update == {
        "lease_holder": "me",
        "lease_token": 4,
        "lease_expires_at": NOW + 15,
        "calls": 2,
        "last_error": "origin-5xx",
        "failures": 2,
        "doubted_since": 7,
    }


@pytest.mark.parametrize(
    ("told", "limit"),
    [(None, {}), (RateLimit(limit=120, remaining=0, reset_at=NOW + 60), (120, 0, NOW + 60))],
)
def test_any_end_frees_the_lease_and_tells_the_limit_last_heard_of(
    told: RateLimit | None, limit: object
) -> None:
    update = head_updates.released(told)

    head = updated(head_with(lease_holder="me", lease_token=4, lease_expires_at=NOW), update)

    assert (head.lease.holder, head.lease.token, head.lease.expires_at) == ("", 4, 0)
    counters = head.counters
    told_now = (counters.rate_limit, counters.rate_remaining, counters.rate_reset_at)
    assert told_now == (limit or (0, 0, 0))


def test_a_failure_is_noted_without_its_pauses() -> None:
    assert head_updates.failed(FAILING) == {
        "last_error": "origin-5xx",
        "failures": 2,
        "doubted_since": 7,
    }


@pytest.mark.parametrize("forced", [True, False])
def test_a_success_is_as_old_as_its_beginning_and_only_a_forced_one_arms_the_floor(
    *, forced: bool
) -> None:
    update = head_updates.validated(
        started=NOW - 3, now=NOW, sweep=Sweep(LINES, complete=True), noted=Health(), forced=forced
    )

    head = updated(head_with(last_error="origin-5xx", failures=2, forced_at=NOW - 99), update)

    assert (head.generation.swept_at, head.validated_at, head.window_users) == (NOW - 3, NOW, 3)
    assert (head.health.last_error, head.health.failures) == ("", 0)
    assert head.forced_at == (NOW - 3 if forced else NOW - 99)


@pytest.mark.parametrize(("complete", "last_id"), [(True, 0), (False, 3)])
def test_what_a_sweep_has_not_seen_is_counted(complete: bool, last_id: int) -> None:  # noqa: FBT001 - a table
    known = replace(
        KNOWN,
        adopted=2,
        rotation=Rotation(next_id=9, began_at=NOW - 5, seen_at=NOW - 50),
        unconfirmed_since=NOW - 70,
    )

    head = updated(head_with(), head_updates.counted(known, Sweep(LINES, complete=complete)))

    generation = head.generation
    assert (generation.adopted, generation.adopted_seen_at) == (2, NOW - 50)
    assert (head.rotation_id, head.cycle_began_at) == (9, NOW - 5)
    assert (generation.unconfirmed_since, generation.window_last_id) == (NOW - 70, last_id)


def test_where_it_has_seen_everybody_nothing_stays_counted() -> None:
    before = head_with(
        adopted=2,
        adopted_seen_at=NOW,
        rotation_id=3,
        cycle_began_at=NOW,
        unconfirmed_since=NOW,
        window_last_id=9,
    )
    known = replace(KNOWN, reason="")

    after = updated(before, head_updates.counted(known, Sweep(LINES, complete=True)))

    assert after == head_with()


@pytest.mark.parametrize(
    ("before", "modified_at"),
    [(0, int(NOW) + 2), (int(NOW) + 1, int(NOW) + 2), (int(NOW) + 2, int(NOW) + 3)],
)
def test_a_new_generation_is_modified_when_nobody_is_given_the_old_one_any_more(
    before: int, modified_at: int
) -> None:
    new = draft(list(LINES.values()), complete=False, reason="window-full", hiding_digest="none")

    update = head_updates.moved(
        head_with(modified_at=before), new, now=NOW + 0.9, kept_until=int(NOW) + 99
    )

    assert HEAD_SECONDS == 1
    assert update["modified_at"] == modified_at
    assert (update["digest"], update["users"], update["complete"]) == (new.digest, 3, False)
    assert (update["incomplete_reason"], update["policy"]) == ("window-full", "none")
    assert update["pages_expire_at"] == int(NOW) + 99


def test_every_update_names_attributes_of_a_head() -> None:
    sweep, new = Sweep(LINES, complete=True), draft(list(LINES.values()), complete=True)
    lease = Lease(client_id=CLIENT)

    updates = [
        head_updates.taken(lease, {}, FAILING),
        head_updates.released(RateLimit(limit=1, remaining=1, reset_at=1)),
        head_updates.failed(FAILING),
        head_updates.validated(started=1, now=1, sweep=sweep, noted=FAILING, forced=True),
        head_updates.counted(KNOWN, sweep),
        head_updates.moved(head_with(), new, now=1, kept_until=1),
    ]

    assert {name for update in updates for name in update} <= ATTRIBUTES
