"""Claims: of many who want to revalidate one wins, and whoever may not is told why."""

from copy import replace

import pytest

from lib.caching.freshness import FreshnessPolicy
from lib.directory.head import LEASE_SECONDS
from lib.errors import StoreError
from lib.origin.budget import Refusal
from lib.revalidation import health
from lib.revalidation.outcomes import Claim
from tests.fakes import CLIENT, NOW, head_with
from tests.world import World


def test_many_claimers_who_saw_the_same_head_get_one_lease() -> None:
    world = World()
    seen = world.head

    claims = [world.revalidation.claim(seen, holder=f"holder{n}") for n in range(8)]

    won = [claimed for claimed in claims if isinstance(claimed, Claim)]
    assert [claim.lease.holder for claim in won] == ["holder0"]
    assert world.head.lease.token == 1


def test_a_claim_takes_one_write_that_also_counts_the_calls() -> None:
    world = World()

    claim = world.claim()

    assert world.store.writes == {"acquire": 1}
    assert (claim.reserved, world.head.counters.calls) == (2, 2)
    assert claim.head.counters.calls == 2


def test_a_small_directory_reserves_one_call() -> None:
    world = World()
    world.store.put_head(window_users=199)

    claim = world.claim()

    assert claim.reserved == 1


def test_each_claim_has_a_higher_token_and_ends_by_itself() -> None:
    world = World()
    first = world.claim("first").lease
    world.clock.now += LEASE_SECONDS + 5

    second = world.claim("second").lease

    assert (first.token, second.token) == (1, 2)
    assert second.expires_at == NOW + 2 * LEASE_SECONDS + 5


@pytest.mark.parametrize(
    ("passed", "refused"),
    [
        (0, ("lease-held", NOW + LEASE_SECONDS)),
        (14.9, ("lease-held", NOW + 15.9)),
        (15, ("origin-backoff", NOW + 20)),
        (19.9, ("origin-backoff", NOW + 20)),
        (20, None),
    ],
)
def test_a_lease_is_held_until_it_ends_and_if_it_lapsed_its_holder_has_failed(
    passed: float, refused: tuple[str, float] | None
) -> None:
    world = World()
    world.claim("first")
    world.clock.now += passed

    claimed = world.revalidation.claim(world.head, holder="second")

    told = (claimed.reason, claimed.until) if isinstance(claimed, Refusal) else None
    assert told == refused
    assert world.head.health.last_error == ("lease-lapsed" if refused is None else "")


def test_holders_who_are_never_heard_of_again_are_followed_at_ever_longer_pauses() -> None:
    world = World()
    pauses = []

    for holder in "abcdef":
        claimed = world.claim(holder)
        world.clock.now = claimed.lease.expires_at
        refused = world.refused()
        pauses.append(refused.until - world.clock.now)
        world.clock.now = refused.until

    assert pauses == [5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize(
    ("head", "reason", "until"),
    [
        ({"blocked_until": NOW + 30}, "origin-blocked", NOW + 30),
        ({"retry_at": NOW + 5, "last_error": "origin-5xx"}, "origin-backoff", NOW + 5),
        ({"calls": 71, "calls_minute": int(NOW // 60)}, "origin-budget", NOW + 120),
        (
            {"rate_limit": 100, "rate_remaining": 39, "rate_reset_at": NOW + 9},
            "origin-budget",
            NOW + 9,
        ),
        (
            {"lease_holder": "other", "lease_token": 4, "lease_expires_at": NOW + 7},
            "lease-held",
            NOW + 7,
        ),
    ],
)
def test_a_refused_claim_says_why_and_until_when_and_writes_nothing(
    head: dict[str, float | str], reason: str, until: float
) -> None:
    world = World()
    world.store.put_head(**head)

    refusal = world.refused()

    assert (refusal.reason, refusal.until) == (reason, until)
    assert world.store.writes == {}


def test_frozen_nobody_may_claim() -> None:
    frozen = FreshnessPolicy(max_age=1, stale_while_revalidate=1, stale_if_error=1, frozen=True)
    world = World(policy=frozen)

    refusal = world.refused()

    assert refusal.reason == "frozen"
    assert world.store.writes == {}


def test_a_block_that_began_after_the_head_was_read_stops_the_claim() -> None:
    world = World()
    seen = world.head
    world.store.put_head(blocked_until=NOW + 30)

    claimed = world.revalidation.claim(seen, holder="me")

    assert not isinstance(claimed, Claim)
    assert claimed.reason == "origin-blocked"


def test_calls_counted_after_the_head_was_read_make_the_claim_count_again() -> None:
    world = World()
    seen = world.head
    world.store.put_head(calls=5, calls_minute=int(NOW // 60))

    claimed = world.revalidation.claim(seen, holder="me")

    assert isinstance(claimed, Claim)
    assert world.head.counters.calls == 7


def test_a_claimer_that_always_comes_second_gives_up_without_the_lease() -> None:
    world = World()
    seen = world.head

    def somebody_else_calls(method: str) -> None:
        if method == "acquire":
            world.store.put_head(calls=world.head.counters.calls + 1, calls_minute=int(NOW // 60))

    world.store.before = somebody_else_calls

    claimed = world.revalidation.claim(seen, holder="me")

    assert not isinstance(claimed, Claim)
    assert (claimed.reason, claimed.until) == ("lease-held", NOW + 1)
    assert world.store.writes == {"acquire": 3}


def test_an_acquisition_that_was_done_but_not_confirmed_is_found_by_reading() -> None:
    world = World()
    world.store.fail("acquire", when="after")

    claim = world.claim()

    assert claim.lease.token == world.head.lease.token == 1
    assert claim.head.lease.holder == "me"
    assert world.store.writes == {"acquire": 1}


def test_an_acquisition_that_was_not_done_is_the_claimers_error() -> None:
    world = World()
    world.store.fail("acquire", when="before")

    with pytest.raises(StoreError):
        world.claim()

    assert not world.head.lease.held(NOW)


def test_a_repeated_acquisition_refused_for_its_own_first_try_is_still_won() -> None:
    world = World()
    seen = world.head
    world.claim("me")

    claimed = world.revalidation.claim(seen, holder="me")

    assert isinstance(claimed, Claim)
    assert world.head.lease.token == 1


def test_a_claim_handed_over_is_taken_over_with_its_calls_and_its_end() -> None:
    world = World()
    made = world.claim()

    resumed = world.revalidation.resume(made.lease, holder="another")

    assert resumed is not None
    assert resumed.lease == replace(made.lease, holder="another", token=2)
    assert resumed.head == world.head
    assert (resumed.reserved, world.head.counters.calls) == (2, 2)


def test_of_two_who_are_handed_the_same_claim_one_takes_it_over() -> None:
    world = World()
    made = world.claim()
    twice: list[Claim | None] = []

    def be_second(name: str) -> None:
        if name == "acquire":
            world.store.before = None
            twice.append(world.revalidation.resume(made.lease, holder="first"))

    world.store.before = be_second
    twice.append(world.revalidation.resume(made.lease, holder="second"))

    assert [claim and claim.lease.holder for claim in twice] == ["first", None]


def test_calls_counted_while_a_claim_is_taken_over_do_not_lose_it() -> None:
    world = World()
    made = world.claim()

    def count(name: str) -> None:
        if name == "acquire":
            world.store.before = None
            world.store.put_head(CLIENT, calls=5)

    world.store.before = count

    resumed = world.revalidation.resume(made.lease, holder="another")

    assert resumed is not None
    assert world.head.counters.calls == 5


def test_a_claim_that_cannot_be_taken_over_for_calls_counted_all_the_time_is_given_back() -> None:
    world = World()
    made = world.claim()

    def count(name: str) -> None:
        if name == "acquire":
            world.store.put_head(CLIENT, calls=world.head.counters.calls + 1)

    world.store.before = count

    resumed = world.revalidation.resume(made.lease, holder="another")

    assert resumed is None
    assert not world.head.lease.holder


@pytest.mark.parametrize(
    "head",
    [
        {"lease_holder": "other"},
        {"lease_token": 2},
        {"lease_holder": None, "lease_expires_at": None},
        {"lease_expires_at": NOW},
    ],
)
def test_a_claim_that_no_longer_stands_is_not_resumed(head: dict[str, float | str | None]) -> None:
    world = World()
    made = world.claim()
    world.store.put_head(CLIENT, **head)

    resumed = world.revalidation.resume(made.lease, holder="another")

    assert resumed is None


@pytest.mark.parametrize("pause", [{"blocked_until": NOW + 30}, {"retry_at": NOW + 30}])
def test_a_claim_that_nobody_may_carry_out_any_more_is_given_back(pause: dict[str, float]) -> None:
    world = World()
    made = world.claim()
    world.store.put_head(CLIENT, **pause)

    resumed = world.revalidation.resume(made.lease, holder="another")
    world.clock.now += LEASE_SECONDS

    assert resumed is None
    assert not world.head.lease.holder
    # Nobody has failed: whoever declines was heard of.
    assert health.as_seen(world.head, now=world.clock.now).failures == 0


def test_a_claim_that_cannot_be_given_back_lapses() -> None:
    world = World()
    made = world.claim()
    world.store.put_head(CLIENT, blocked_until=NOW + 30)
    world.store.fail("update_held")

    assert world.revalidation.resume(made.lease, holder="another") is None
    assert world.head.lease.held(NOW)


def test_a_lease_is_over_at_the_instant_it_ends() -> None:
    head = head_with(CLIENT, lease_expires_at=NOW)

    assert [head.lease.held(NOW - 0.001), head.lease.held(NOW)] == [True, False]
