"""Sweeps of an organization's list: what they show, what they cost, what they are held to."""

import json
from collections.abc import Callable

import pytest

from lib.directory.head import LEASE_SECONDS, PART, REFUSED, WHOLE
from lib.directory.listing import Listing, Progress
from lib.directory.snapshot import snapshot_of
from lib.errors import (
    NotAskedError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    Reason,
)
from lib.origin.rate_limit import RateLimit
from lib.revalidation import membership, organization
from lib.revalidation.membership import turn_of
from lib.revalidation.outcomes import Failed, Outcome, Published, Unchanged, Unfinished
from lib.revalidation.window import Window
from lib.users.keys import UserKeys
from tests.fakes import CLIENT, NOW, FakeOrigin, FakeSecrets, User, head_with, user, users
from tests.world import World

ORGANIZATION = 7
SMALL = Window(max_limit=10, max_offset=10)
OTHER_CLIENT = "clxother00000000000000001"


def staff(*ids: int) -> list[User]:
    return [user(user_id, email=f"staff{user_id}@example.org") for user_id in ids]


def foreign(*ids: int) -> list[User]:
    return [user(user_id, email=f"u{user_id}+{OTHER_CLIENT}@example.org") for user_id in ids]


def world_of(size: int, *others: User, settled: bool = True) -> World:
    """Return a world whose organization's list was swept, until everybody in it was known."""
    limit = RateLimit(limit=50_000, remaining=50_000, reset_at=0)
    origin = FakeOrigin(rows=users(range(1, size + 1)), others=list(others), rate_limit=limit)
    secrets = FakeSecrets(organization_id=ORGANIZATION)
    world = World(window=SMALL, origin=origin, secrets=secrets)
    # Of the first sweep, only the window; and of the second, no more than is known to be allowed.
    for _ in range(3 if settled else 0):
        world.publish(age=60)
    return world


def sweep(world: World, **how: bool) -> Outcome:
    """Sweep a minute later, and forget what was called before."""
    world.clock.now += 60
    world.forget()
    return world.revalidate(**how)


def asked(world: World) -> list[str]:
    return [call.rpartition(" ")[0] for call in world.origin.calls]


def lines(world: World) -> list[User]:
    return [json.loads(line) for line in snapshot_of(world.store, world.head.generation).lines()]


def ids(world: World) -> list[int]:
    return [row["id"] for row in lines(world)]


def listing(world: World) -> Listing:
    return world.listings.listing(CLIENT)


def slow(world: World, seconds: float, *, only: str = "members") -> None:
    """Let calls that begin with ``only`` take their time."""

    def take_time() -> None:
        if world.origin.calls[-1].startswith(only):
            world.clock.now += seconds

    world.origin.before_call = take_time


def failing(world: World, fails: Callable[[str], Exception | None]) -> None:
    """Let calls fail with what ``fails`` returns for them."""

    def fail() -> None:
        error = fails(world.origin.calls[-1])
        if error:
            raise error

    world.origin.before_call = fail


def server_error() -> OriginServerError:
    return OriginServerError("the origin failed", reason=Reason.ORIGIN_5XX, received=502)


# What a sweep shows.


def test_everybody_past_the_window_is_listed_and_nobody_else() -> None:
    world = world_of(30, *staff(31, 40), *foreign(32, 41))

    assert ids(world) == list(range(1, 31))
    assert lines(world) == world.origin.rows
    assert (world.head.generation.complete, world.head.source) == (True, WHOLE)
    assert listing(world).others == {31, 40}
    assert world.head.window_users == 34


def test_an_unchanged_sweep_asks_for_pages_and_an_anchor_and_writes_twice() -> None:
    world = world_of(30, *staff(31))

    outcome = sweep(world)

    assert isinstance(outcome, Unchanged)
    assert asked(world)[0] == "members 7 0+1000"
    assert asked(world)[1] in {"list 0+10", "list 10+10"}
    assert len(asked(world)) == 2
    assert world.store.writes == {"acquire": 1, "update_held": 1}
    assert world.store.calls["pages"] == 0


def test_both_halves_of_the_window_are_anchors_in_turn() -> None:
    world = world_of(30)

    anchors = set()
    for _ in range(12):
        sweep(world)
        anchors |= set(asked(world)[1:])

    assert anchors == {"list 0+10", "list 10+10"}


def test_a_list_of_ten_thousand_takes_twelve_calls() -> None:
    world = world_of(10_000, *staff(*range(10_001, 10_041)))

    outcome = sweep(world)

    assert isinstance(outcome, Unchanged)
    assert outcome.calls == 12
    assert asked(world)[:2] == ["members 7 10000+1000", "members 7 9000+1000"]
    assert asked(world)[10] == "members 7 0+1000"
    assert world.store.writes == {"acquire": 1, "update_held": 1}


def test_who_was_created_is_proved_and_shown_by_the_same_sweep() -> None:
    world = world_of(30)
    world.origin.rows += [user(31), user(32, email="own@example.org")]

    sweep(world)

    assert ids(world) == list(range(1, 33))
    assert sorted(asked(world)[2:]) == ["find 1", "get 32"]
    sweep(world)
    assert len(asked(world)) == 2


def test_who_was_deleted_is_confirmed_and_gone() -> None:
    world = world_of(30)
    del world.origin.rows[24]

    sweep(world)

    assert asked(world)[2:] == ["find 0", "get 25"] or asked(world)[2:] == ["find 1", "get 25"]
    assert 25 not in ids(world)


def test_what_has_changed_is_changed_without_a_question() -> None:
    world = world_of(30)
    world.origin.rows[24] = user(25, name="renamed")

    sweep(world)

    assert lines(world)[24]["name"] == "renamed"
    assert len(asked(world)) == 2


def test_whoever_a_look_up_has_found_needs_no_other_proof() -> None:
    world = world_of(30)
    world.origin.rows.append(user(31, email="own@example.org"))
    world.look_up(UserKeys(ids=[31]))

    sweep(world)

    assert ids(world)[-1] == 31
    assert len(asked(world)) == 2


def test_whoever_a_look_up_has_found_and_the_list_lacks_is_kept() -> None:
    world = world_of(30)
    world.origin.rows.append(user(31))
    world.origin.members = world.origin.rows[:-1]
    world.look_up(UserKeys(ids=[31]))

    sweep(world)
    sweep(world)

    assert ids(world)[-1] == 31
    assert world.head.generation.complete
    assert listing(world).strays == {31}


# Whose the rows are.


def test_a_staff_member_with_our_suffix_is_asked_for_and_never_shown() -> None:
    world = world_of(30)
    world.origin.others += [user(31), user(33)]

    sweep(world)

    assert asked(world)[2:][0] == "find 2"
    assert ids(world) == list(range(1, 31))
    assert listing(world).others == {31, 33}


def test_users_of_other_clients_cost_no_call() -> None:
    world = world_of(30)
    world.origin.others += foreign(*range(31, 200))

    sweep(world)

    assert len(asked(world)) == 2
    assert ids(world) == list(range(1, 31))


def test_a_user_of_ours_who_takes_an_address_like_another_clients_stays() -> None:
    world = world_of(30)
    moved = foreign(25)[0]
    world.origin.rows[24] = moved

    for _ in range(4):
        sweep(world)

    assert lines(world)[24] == moved
    assert len(asked(world)) == 2


def test_who_is_undecided_is_left_out_and_that_is_said() -> None:
    world = world_of(30)
    world.origin.others += staff(*range(31, 36))
    failing(world, lambda call: server_error() if call.startswith("get") else None)

    sweep(world)

    assert ids(world) == list(range(1, 31))
    assert world.head.generation.incomplete_reason == "members-undecided"
    assert listing(world).undecided == 5
    # Three failures in a row, each asked twice, are taken for all that would follow.
    assert len([call for call in asked(world) if call.startswith("get")]) == 6

    world.origin.before_call = None
    sweep(world)
    assert world.head.generation.complete
    assert listing(world).undecided == 0


def test_verdicts_are_paid_for_out_of_the_look_ups_share() -> None:
    world = world_of(30)
    world.origin.rate_limit = RateLimit(limit=120, remaining=120, reset_at=0)
    sweep(world)
    world.origin.others += staff(*range(31, 80))

    sweep(world)

    assert len([call for call in asked(world) if call.startswith("get")]) == 24
    assert listing(world).undecided == 25
    for _ in range(4):
        sweep(world)
    assert world.head.generation.complete


def test_a_pause_that_the_origin_asks_for_ends_the_asking() -> None:
    world = world_of(30)
    world.origin.others += staff(*range(31, 36))
    paused = OriginServerError(
        "busy", reason=Reason.ORIGIN_5XX, received=503, retry_after_seconds=30
    )
    failing(world, lambda call: paused if call.startswith("get") else None)

    sweep(world)

    assert len([call for call in asked(world) if call.startswith("get")]) == 1
    assert listing(world).undecided == 5


def test_a_block_met_while_asking_whose_they_are_concerns_all() -> None:
    world = world_of(30)
    world.origin.others += staff(31)
    blocked = OriginBlockedError("blocked", reset_seconds=30)
    failing(world, lambda call: blocked if call.startswith("get") else None)

    assert isinstance(sweep(world), Failed)
    assert world.head.health.last_error == "origin-blocked"


def test_there_is_no_asking_whose_they_are_without_time() -> None:
    world = world_of(30)
    world.origin.others += staff(*range(31, 51))
    slow(world, 3, only="get")

    sweep(world)

    # The lease is renewed as long as the run has time, which is 25 seconds.
    assert len([call for call in asked(world) if call.startswith("get")]) == 8
    assert listing(world).undecided == 12


def test_others_are_asked_for_again_from_time_to_time() -> None:
    world = world_of(30, *staff(31, 33, 35))
    assert listing(world).others == {31, 33, 35}
    due = next(
        token
        for token in range(world.head.lease.token + 1, 10**6)
        if turn_of(head_with(lease_token=token)) % membership.ANEW_TURNS == 0
    )
    world.store.put_head(lease_token=due - 1)

    sweep(world)

    assert len([call for call in asked(world) if call.startswith("get")]) == 1
    assert listing(world).others == {31, 33, 35}


def test_others_who_left_the_organization_are_forgotten() -> None:
    world = world_of(30, *staff(31, 33))
    world.origin.others = staff(33)
    world.origin.rows.append(user(40))

    sweep(world)

    assert listing(world).others == {33}


# Whom the list lacks, or tells otherwise.


def test_a_user_whom_the_list_lacks_stays_and_is_asked_for_now_and_then() -> None:
    world = world_of(30)
    world.origin.members = [row for row in world.origin.rows if row["id"] != 25]

    sweep(world)
    first = asked(world)[2:]
    then = []
    for _ in range(12):
        sweep(world)
        then += asked(world)[2:]

    assert first == ["find 1"]
    assert then.count("find 1") == 6
    assert ids(world) == list(range(1, 31))
    assert world.head.generation.complete
    assert world.head.generation.adopted == 1


def test_a_few_who_differ_in_the_window_are_taken_as_the_window_has_them() -> None:
    world = world_of(30)
    world.origin.members = [
        row | {"name": "other"} if row["id"] in {3, 14} else row for row in world.origin.rows
    ]

    for _ in range(12):
        sweep(world)

    assert lines(world) == world.origin.rows
    assert listing(world).strays == {3, 14}


def test_a_list_that_tells_much_otherwise_is_not_used() -> None:
    world = world_of(30)
    generation = world.head.generation.number
    world.origin.members = [row | {"name": "other"} for row in world.origin.rows]

    sweep(world)

    assert lines(world) == world.origin.rows
    assert (world.head.source, listing(world).refused) == (REFUSED, "organization-anchor")
    assert world.head.generation.number == generation + 1
    assert world.head.generation.incomplete_reason == "window-full"


def test_many_who_change_between_a_page_and_the_anchor_are_believed() -> None:
    world = world_of(30)

    def change() -> None:
        if world.origin.calls[-1].startswith("list"):
            world.origin.rows = [row | {"name": "new"} for row in world.origin.rows]

    world.origin.before_call = change
    sweep(world)
    world.origin.before_call = None
    for _ in range(12):
        sweep(world)

    assert world.head.source == WHOLE
    assert lines(world) == world.origin.rows


def test_who_signs_up_between_a_page_and_the_anchor_is_no_stray() -> None:
    world = world_of(5)

    def sign_up() -> None:
        if world.origin.calls[-1].startswith("list"):
            world.origin.rows.append(user(99))

    world.origin.before_call = sign_up
    sweep(world)

    assert ids(world)[-1] == 99
    assert listing(world).strays == frozenset()


def test_who_is_in_the_list_and_not_in_the_window_is_confirmed_before_he_goes() -> None:
    world = world_of(8)
    left = world.origin.rows.pop(3)
    world.origin.others.append(left)

    sweep(world)

    assert "get 4" in asked(world)
    assert ids(world) == [1, 2, 3, 5, 6, 7, 8]


# Metadata.


@pytest.mark.parametrize("shape", ["absent", "text"])
def test_metadata_of_another_shape_is_no_change(shape: str) -> None:
    world = world_of(5)
    given = {"plan": "pro", "seats": [1, 2]}
    world.origin.rows = [user(user_id, metadata=given) for user_id in range(1, 31)]
    world.origin.rows[7] = user(8, metadata="no object")
    for _ in range(3):
        sweep(world)
    before = lines(world)
    world.origin.members = [
        {name: value for name, value in row.items() if name != "metadata"}
        if shape == "absent"
        else row | {"metadata": json.dumps(row["metadata"])}
        if row["id"] != 8
        else row
        for row in world.origin.rows
    ]

    outcomes = [type(sweep(world)) for _ in range(3)]

    assert outcomes == [Unchanged] * 3
    assert lines(world) == before


def test_metadata_that_was_too_much_is_still_said_to_be_left_out() -> None:
    world = world_of(12)
    world.origin.rows[11] = user(12, metadata={"key": "x" * 300_000})
    sweep(world)
    assert lines(world)[11]["fieldsOmitted"] == ["metadata"]
    world.origin.members = users(range(1, 13))

    sweep(world)

    assert lines(world)[11]["fieldsOmitted"] == ["metadata"]


# Refusals.


def an_error(reason: Reason, received: int = 200) -> OriginError:
    return OriginError("unusable", reason=reason, received=received)


@pytest.mark.parametrize(
    ("error", "reason", "seconds"),
    [
        (
            OriginAuthError("no", reason=Reason.ORIGIN_AUTH, received=403),
            "organization-refused",
            3600,
        ),
        (an_error(Reason.ORIGIN_STATUS, 404), "organization-refused", 3600),
        (an_error(Reason.ORIGIN_CHALLENGE, 403), "organization-refused", 3600),
        (an_error(Reason.WRONG_SHAPE), "organization-unusable", 3600),
        (an_error(Reason.TOO_LARGE), "organization-unusable", 3600),
        (server_error(), "organization-failing", 300),
        (
            OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT),
            "organization-failing",
            300,
        ),
    ],
    ids=lambda value: getattr(value, "reason", None),
)
def test_a_refusal_is_remembered_and_the_window_swept(
    error: OriginError, reason: str, seconds: int
) -> None:
    world = world_of(30)
    world.origin.members_error = error

    outcome = sweep(world)

    assert isinstance(outcome, Published)
    assert outcome.refused == reason
    assert ids(world) == list(range(1, 31))
    assert world.head.source == REFUSED
    assert listing(world).retry_at == world.clock.now - sum(world.clock.slept) + seconds
    # Those past the window are asked for like all who were adopted.
    assert world.head.generation.adopted == 10
    assert asked(world)[-3:] == ["list 10+10", "list 0+10", "find 10"]

    sweep(world)
    assert not [call for call in asked(world) if call.startswith("members")]
    world.origin.members_error = None
    world.clock.now += seconds
    sweep(world)
    assert (world.head.source, world.head.generation.complete) == (WHOLE, True)
    assert listing(world).refused == ""


def test_an_empty_list_is_a_doubt_and_no_directory() -> None:
    world = world_of(30)
    world.origin.members = []

    sweep(world)

    assert ids(world) == list(range(1, 31))
    assert listing(world).refused == "organization-empty"


def test_rows_out_of_order_are_not_used() -> None:
    world = world_of(30)
    world.origin.members = list(reversed(world.origin.rows))

    sweep(world)

    assert listing(world).refused == "organization-unusable"
    assert ids(world) == list(range(1, 31))


def test_another_organizations_id_is_tried_at_once() -> None:
    world = world_of(30, *staff(31))
    world.origin.members_error = OriginAuthError("no", reason=Reason.ORIGIN_AUTH, received=403)
    world.secrets.organization_id = 8
    sweep(world)
    assert listing(world).refused == "organization-refused"
    world.secrets.organization_id = ORGANIZATION
    world.origin.members_error = None

    sweep(world)

    assert world.head.source == WHOLE
    assert listing(world).others == {31}
    assert len(asked(world)) <= 3


def test_an_id_that_is_none_is_never_asked_for() -> None:
    world = world_of(30)
    world.secrets.organization_id = 0

    outcome = sweep(world)

    assert isinstance(outcome, Published)
    assert outcome.refused == "organization-id"
    assert not [call for call in asked(world) if call.startswith("members")]
    assert ids(world) == list(range(1, 31))


def test_without_an_organization_nothing_is_known_of_one() -> None:
    world = world_of(15)
    world.secrets.organization_id = None

    sweep(world)

    assert world.head.source == ""
    assert ids(world) == list(range(1, 16))


def test_a_block_is_no_refusal() -> None:
    world = world_of(30)
    world.origin.members_error = OriginBlockedError("blocked", reset_seconds=30)

    assert isinstance(sweep(world), Failed)
    assert listing(world).refused == ""


# Pages.


def test_pages_that_take_too_long_are_halved_and_that_is_remembered() -> None:
    world = world_of(1_400)
    timeout = OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT)
    failing(world, lambda call: timeout if "+1000" in call else None)
    world.origin.rows.append(user(1_401))

    sweep(world)

    assert asked(world)[:4] == [
        "members 7 1000+1000",
        "members 7 1000+500",
        "members 7 500+500",
        "members 7 0+500",
    ]
    assert listing(world).take == 500
    assert ids(world)[-1] == 1_401
    sweep(world)
    assert not [call for call in asked(world) if "+1000" in call]


def test_an_origin_that_wants_a_pause_is_not_asked_in_halves() -> None:
    world = world_of(30)
    world.origin.members_error = OriginServerError(
        "busy", reason=Reason.ORIGIN_5XX, received=503, retry_after_seconds=30
    )

    sweep(world)

    assert len([call for call in asked(world) if call.startswith("members")]) == 1


def test_a_list_that_grew_by_a_page_is_seen_to_its_end() -> None:
    world = world_of(999)
    world.origin.rows = users(range(1, 2_200))

    sweep(world)

    assert [call for call in asked(world) if call.startswith("members")] == [
        "members 7 0+1000",
        "members 7 999+1000",
        "members 7 1998+1000",
    ]
    assert ids(world) == list(range(1, 2_200))


def test_who_is_hidden_by_a_deletion_on_the_way_up_is_seen_on_the_way_down() -> None:
    world = world_of(999)
    world.origin.rows = users(range(1, 2_200))

    def delete() -> None:
        if world.origin.calls[-1].startswith("members 7 999"):
            world.origin.rows = world.origin.rows[3:]

    world.origin.before_call = delete
    sweep(world)

    assert asked(world)[3:5] == ["members 7 1196+1000", "members 7 196+1000"]
    assert ids(world) == list(range(4, 2_200))
    assert world.head.source == WHOLE


# Parts.


def long_world(size: int = 3_500) -> World:
    world = world_of(size)
    slow(world, 9)
    return world


def test_a_sweep_without_time_is_gone_on_with_by_the_next() -> None:
    world = long_world()
    before = world.head.generation
    world.origin.rows[3_400] = user(3_401, name="high")
    world.origin.rows[20] = user(21, name="low")
    del world.origin.rows[3_300]

    first = sweep(world)
    began_at, part = world.clock.now - 18, world.head
    known = lines(world)
    second = sweep(world)

    assert isinstance(first, Unfinished)
    assert part.source == PART
    # Everybody has been seen since the sweep before, and no later.
    assert part.generation.swept_at == before.swept_at
    assert part.generation.complete
    assert (known[20]["name"], known[3_399]["name"]) == ("N21", "high")
    assert asked(world)[:2] == ["members 7 1000+1000", "members 7 0+1000"]
    assert isinstance(second, Published)
    assert lines(world) == world.origin.rows
    assert world.head.source == WHOLE
    assert world.head.generation.swept_at == pytest.approx(began_at, abs=1)
    assert listing(world).progress is None


def test_the_first_sweep_of_all_is_of_the_window() -> None:
    world = world_of(30, *staff(31), settled=False)

    world.revalidate()

    assert asked(world) == ["list 10+10", "list 0+10"]
    assert (world.head.generation.incomplete_reason, world.head.source) == ("window-full", PART)


def test_a_first_list_that_is_seen_in_parts_is_unfinished_till_then() -> None:
    world = world_of(3_500, settled=False)
    slow(world, 9)
    world.publish()

    assert isinstance(sweep(world), Unfinished)
    reasons = {world.head.generation.incomplete_reason}
    for _ in range(12):
        sweep(world)
        reasons.add(world.head.generation.incomplete_reason)

    assert reasons == {"list-unfinished", ""}
    assert ids(world) == list(range(1, 3_501))


def test_a_part_that_is_too_old_is_not_gone_on_with() -> None:
    world = long_world()
    sweep(world)
    assert listing(world).progress
    world.clock.now += organization.PROGRESS_SECONDS

    sweep(world)

    assert asked(world)[0] == "members 7 3000+1000"


def test_a_forced_sweep_begins_anew_and_says_that_it_did_not_end() -> None:
    world = long_world()
    sweep(world)
    world.clock.now += 60
    world.forget()

    with pytest.raises(NotAskedError) as refused:
        world.refresh()

    assert refused.value.reason == Reason.OUT_OF_TIME
    assert asked(world)[0] == "members 7 3000+1000"


def test_a_reader_who_asked_is_told_that_it_did_not_end() -> None:
    world = long_world()
    world.clock.now += 800

    seen = world.read()

    assert seen.status.endswith("detail=stale-if-error")
    assert seen.age is not None
    assert seen.age >= 800


def test_a_reader_whose_sweep_ends_an_earlier_one_is_told_its_age() -> None:
    world = long_world()
    sweep(world)
    world.clock.now += 500
    world.store.put_head(swept_at=listing(world).progress.began_at - 700)  # type: ignore[union-attr]

    seen = world.read()

    assert seen.age is not None
    assert seen.age > 500


def test_the_lease_lasts_as_long_as_the_run_goes_on() -> None:
    world = long_world()
    claim = world.claim()
    began = world.clock.now
    leases: list[float] = []
    take_time = world.origin.before_call

    def look() -> None:
        assert take_time
        take_time()
        leases.append(world.head.lease.expires_at)

    world.origin.before_call = look
    outcome = world.run(claim)

    assert isinstance(outcome, Unfinished)
    assert max(leases) > began + LEASE_SECONDS
    assert not world.head.lease.held(world.clock.now)


def test_who_was_overtaken_stops_when_he_wants_more_time() -> None:
    world = long_world()
    claim = world.claim("slow")
    world.clock.now += 30
    world.claim("fast")
    world.clock.now -= 22

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert getattr(outcome.error, "reason", None) == Reason.LEASE_LOST
    assert asked(world) == []


def test_the_end_of_the_budget_ends_a_part() -> None:
    world = world_of(3_500)
    world.origin.rate_limit = RateLimit(limit=20, remaining=20, reset_at=0)
    sweep(world)
    world.clock.now += 180
    claim = world.claim()
    world.store.put_head(calls=12, calls_before=0)
    object.__setattr__(claim, "reserved", 2)

    outcome = world.run(claim)

    assert isinstance(outcome, Unfinished)
    assert listing(world).progress is not None
    assert listing(world).progress.skip == 2_000  # type: ignore[union-attr]


def test_no_budget_at_all_is_no_part() -> None:
    world = world_of(30)
    claim = world.claim()
    object.__setattr__(claim, "reserved", 0)
    world.store.put_head(calls=10**6, calls_before=0)

    outcome = world.run(claim)

    assert isinstance(outcome, Failed)
    assert world.head.health.last_error == Reason.ORIGIN_BUDGET


def test_a_part_that_lost_many_is_not_used() -> None:
    world = long_world()
    world.origin.rows = world.origin.rows[:3_000]

    sweep(world)

    assert listing(world).refused == "loss-doubted"
    # Past the window, twenty were asked for by id.
    assert len(ids(world)) == 3_480


def test_who_may_be_gone_is_told_through_all_parts() -> None:
    world = long_world()
    gone = world.origin.rows.pop(3_400)
    world.origin.rows[5] = user(6, name="changed")
    take_time = world.origin.before_call

    def fail() -> None:
        assert take_time
        take_time()
        if world.origin.calls[-1].startswith("get"):
            raise server_error()

    world.origin.before_call = fail
    first, second = sweep(world), sweep(world)

    assert isinstance(first, Unfinished)
    assert not isinstance(second, Failed | Unfinished)
    assert gone["id"] in ids(world)
    assert world.head.generation.incomplete_reason == "unconfirmed-deletions"
    assert world.head.generation.oldest_observation < world.head.generation.swept_at
    world.origin.before_call = take_time
    sweep(world)
    sweep(world)
    assert world.head.generation.complete
    assert gone["id"] not in ids(world)


def test_progress_that_is_not_kept_is_made_again() -> None:
    world = long_world()
    world.origin.rows[20] = user(21, name="low")
    sweep(world)
    world.listings.kept[CLIENT] = Listing(
        organization_id=ORGANIZATION,
        progress=Progress(skip=1_000, below=1_001, began_at=NOW - 10_000),
    )

    for _ in range(2):
        sweep(world)

    assert lines(world) == world.origin.rows


def test_named_users_leave_what_is_known_of_the_list_as_it_was() -> None:
    world = world_of(30)
    world.origin.others += staff(31, 32)
    failing(world, lambda call: server_error() if call.startswith("get 3") else None)
    world.origin.members = [row for row in world.origin.rows if row["id"] != 25] + staff(31, 32)
    sweep(world)
    before = world.head.generation
    assert (before.incomplete_reason, before.adopted) == ("members-undecided", 0)
    sweep(world)
    before = world.head.generation
    world.origin.rows[3] = user(4, name="renamed")
    wanted = UserKeys(ids=[4])
    claim = world.revalidation.claim(world.head, holder="me", wanted=wanted)

    world.run(claim, wanted=wanted)  # type: ignore[arg-type]

    after = world.head.generation
    assert lines(world)[3]["name"] == "renamed"
    assert after.incomplete_reason == "members-undecided"
    assert (after.adopted, after.adopted_seen_at) == (before.adopted, before.adopted_seen_at)
    assert after.adopted == 1


@pytest.mark.parametrize(
    ("seconds", "refused"), [(40, ""), (15, "organization-failing")], ids=["enough", "too little"]
)
def test_a_page_is_halved_only_where_there_is_time_for_it(seconds: int, refused: str) -> None:
    world = world_of(1_400)
    timeout = OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT)
    failing(world, lambda call: timeout if "+1000" in call else None)
    world.clock.now += 60
    claim = world.claim()

    world.revalidation.run(claim, deadline=world.clock.now + seconds)

    assert listing(world).refused == refused
    # The next sweep begins with what this one had no time for.
    assert listing(world).take == 500


def test_a_page_that_there_is_no_time_to_halve_ends_the_part() -> None:
    world = world_of(3_500)
    world.clock.now += 60
    claim = world.claim()

    def slow_then_late() -> None:
        world.clock.now += 6
        if "members 7 1000" in world.origin.calls[-1]:
            raise OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT)

    world.origin.before_call = slow_then_late
    outcome = world.revalidation.run(claim, deadline=world.clock.now + 30)

    assert isinstance(outcome, Unfinished)
    assert listing(world).progress is not None
    assert (listing(world).progress.skip, listing(world).take) == (2_000, 500)  # type: ignore[union-attr]


def test_a_list_of_which_nothing_was_seen_in_time_is_no_part() -> None:
    world = world_of(5_500)
    world.origin.rows = world.origin.rows[:10]
    slow(world, 12)

    outcome = sweep(world)

    assert isinstance(outcome, Failed)
    assert world.head.health.last_error == Reason.OUT_OF_TIME
    assert len(ids(world)) == 5_500


def test_one_address_for_which_the_origin_fails_keeps_nobody_else_waiting() -> None:
    world = world_of(30)
    world.origin.rows += users(range(31, 600))
    wrong = OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)
    failing(
        world,
        lambda call: (
            wrong if call.startswith("find") and asked_before(world, "find") == 1 else None
        ),
    )

    sweep(world)

    assert 0 < listing(world).undecided < 569
    world.origin.before_call = None
    sweep(world)
    assert ids(world) == list(range(1, 600))


def test_failing_for_every_address_ends_the_asking() -> None:
    world = world_of(30)
    world.origin.rows += users(range(31, 1_500))
    wrong = OriginError("a wrong shape", reason=Reason.WRONG_SHAPE, received=200)
    failing(world, lambda call: wrong if call.startswith("find") else None)

    sweep(world)

    assert asked_before(world, "find") == 3
    assert listing(world).undecided == 1_469


def test_no_budget_for_a_second_try_ends_the_asking() -> None:
    world = world_of(30)
    world.origin.others += staff(31, 32)
    failing(world, lambda call: use_up(world) if call.startswith("get") else None)

    sweep(world)

    # The second try is paid for with the call of the next one.
    assert asked_before(world, "get") == 2
    assert listing(world).undecided == 2


def asked_before(world: World, kind: str) -> int:
    return sum(call.startswith(kind) for call in world.origin.calls)


def use_up(world: World) -> OriginServerError:
    """Use up all calls of this minute and the next."""
    world.store.put_head(calls=10**6, calls_minute=int(world.clock.now // 60))
    return server_error()


def test_a_broken_generation_is_mended_by_what_was_seen_in_time() -> None:
    world = long_world()
    sweep(world)
    sweep(world)
    assert world.head.source == WHOLE
    *_, last = snapshot_of(world.store, world.head.generation).manifest().pages
    del world.store.stored_pages[CLIENT, last.digest]
    world.clock.now += 10

    seen = world.read()

    assert world.head.source == PART
    assert seen.status == "fwd=uri-miss; fwd-status=200; stored"
    assert seen.age is not None
    assert seen.age > 100


@pytest.mark.parametrize("text", ["{broken", "[1]", '"text"'])
def test_metadata_that_is_another_text_is_a_change(text: str) -> None:
    world = world_of(30)
    world.origin.rows[24] = user(25, metadata={"plan": "pro"})
    sweep(world)
    world.origin.rows[24] = user(25, metadata=text)

    sweep(world)

    assert lines(world)[24]["metadata"] == text
