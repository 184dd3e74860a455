"""What every store promises: asked of the fake and of DynamoDB alike."""

from collections.abc import Iterator
from copy import replace
from typing import TYPE_CHECKING

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.directory import index, pages
from lib.directory.head import Lease
from lib.directory.manifest import MOST_LISTED, Manifest
from lib.directory.store import Kept
from lib.errors import BrokenSnapshotError, ConflictError, LeaseLostError
from tests.contract.store_rig import COUNTERS, MINUTE, TABLE, Rig, fake_rig, real_rig, taken
from tests.fakes import NOW, generation_with, head_with

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def dynamodb(aws: EmbeddedAws) -> Iterator["DynamoDBClient"]:
    aws.create_table(TABLE)
    client = aws.client("dynamodb")
    yield client
    client.close()


@pytest.fixture(params=["fake", "dynamodb"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "fake":
        return fake_rig()
    return real_rig(request.getfixturevalue("dynamodb"))


def test_a_client_nobody_has_heard_of_has_an_empty_head(rig: Rig) -> None:
    assert rig.head == head_with(rig.client_id)
    assert not rig.head.generation.published


def test_acquiring_writes_lease_and_counters_and_nothing_else(rig: Rig) -> None:
    rig.acquire("me")

    assert rig.head == head_with(
        rig.client_id,
        lease_holder="me",
        lease_token=1,
        lease_expires_at=NOW + 15.25,
        calls=2,
        calls_minute=MINUTE,
    )


def test_of_two_who_saw_the_same_head_one_acquires(rig: Rig) -> None:
    seen = rig.head
    rig.acquire("first", head=seen)

    second = Lease(client_id=rig.client_id, holder="second", token=1, expires_at=NOW + 15)
    done = rig.store.acquire(seen, lease=second, now=NOW, update=taken(second))

    assert not done
    assert rig.head.lease.holder == "first"


def test_a_generation_published_since_refuses_the_lease(rig: Rig) -> None:
    lease = rig.acquire()
    seen = rig.head
    changes = rig.changes(digest="d1")
    rig.store.publish(lease, seen, changes, number=1, root=Manifest().root)

    second = Lease(client_id=rig.client_id, holder="second", token=2, expires_at=NOW + 15)
    done = rig.store.acquire(seen, lease=second, now=NOW, update=taken(second))

    assert not done
    assert rig.head.lease.holder != "second"


@pytest.mark.parametrize(
    ("attribute", "until", "free"),
    [
        ("blocked_until", NOW + 0.001, False),
        ("blocked_until", NOW, True),
        ("retry_at", NOW + 0.001, False),
        ("retry_at", NOW, True),
    ],
)
def test_a_block_or_pause_noted_since_refuses_the_lease(
    rig: Rig, attribute: str, until: float, *, free: bool
) -> None:
    seen = rig.head
    rig.store.hold_off(rig.client_id, attribute, until)

    lease = Lease(client_id=rig.client_id, holder="me", token=1, expires_at=NOW + 15)
    done = rig.store.acquire(seen, lease=lease, now=NOW, update=taken(lease))

    assert done is free
    assert rig.head.lease.token == int(free)


@pytest.mark.parametrize("counters", [COUNTERS, COUNTERS | {"calls_minute": MINUTE + 1}])
def test_calls_counted_since_refuse_the_lease_and_further_counting(
    rig: Rig, counters: dict[str, int]
) -> None:
    rig.store.reserve(rig.head, COUNTERS | {"calls": 1})
    seen = rig.head
    counted = rig.store.reserve(seen, counters)

    lease = Lease(client_id=rig.client_id, holder="me", token=1, expires_at=NOW + 15)
    acquired = rig.store.acquire(seen, lease=lease, now=NOW, update=taken(lease))
    reserved = rig.store.reserve(seen, COUNTERS | {"calls": 9})

    assert (counted, acquired, reserved) == (True, False, False)
    assert (rig.head.counters.calls, rig.head.lease.token) == (2, 0)


def test_counting_from_the_newest_counters_works(rig: Rig) -> None:
    rig.store.reserve(rig.head, COUNTERS | {"calls_before": 4})

    done = rig.store.reserve(rig.head, COUNTERS | {"calls": 3, "calls_before": 4})

    assert done
    assert (
        rig.head.counters.calls,
        rig.head.counters.calls_before,
        rig.head.counters.calls_minute,
    ) == (3, 4, MINUTE)


def test_the_holder_changes_and_removes_attributes(rig: Rig) -> None:
    lease = rig.acquire()

    rig.store.update_held(
        lease, {"last_error": "origin-5xx", "failures": 2, "lease_holder": None, "complete": True}
    )

    head = rig.head
    assert (head.health.last_error, head.health.failures, head.generation.complete) == (
        "origin-5xx",
        2,
        True,
    )
    assert (head.lease.holder, head.lease.token) == ("", 1)


def test_a_holder_that_was_overtaken_changes_nothing(rig: Rig) -> None:
    slow = rig.acquire("slow")
    rig.acquire("fast", now=NOW + 20)

    with pytest.raises(LeaseLostError):
        rig.store.update_held(slow, {"failures": 2})

    assert (rig.head.health.failures, rig.head.lease.holder) == (0, "fast")


@pytest.mark.parametrize("attribute", ["blocked_until", "retry_at"])
def test_holding_off_only_rises(rig: Rig, attribute: str) -> None:
    seen = []

    for until in (NOW + 30, NOW + 10, NOW + 60.5):
        rig.store.hold_off(rig.client_id, attribute, until)
        seen.append(getattr(rig.head.health, attribute))

    assert seen == [NOW + 30, NOW + 30, NOW + 60.5]


@pytest.mark.parametrize("attribute", ["blocked_until", "retry_at"])
def test_a_pause_that_a_wrong_clock_noted_makes_way_and_keeps_nobody_from_the_lease(
    rig: Rig, attribute: str
) -> None:
    rig.store.hold_off(rig.client_id, attribute, NOW + 900)

    rig.acquire()
    rig.store.hold_off(rig.client_id, attribute, NOW + 30)

    assert getattr(rig.head.health, attribute) == NOW + 30


def test_numbers_keep_milliseconds_and_no_more(rig: Rig) -> None:
    rig.store.hold_off(rig.client_id, "retry_at", NOW + 0.123456)

    assert rig.head.health.retry_at == NOW + 0.123


def test_pages_come_back_in_the_order_asked_for(rig: Rig) -> None:
    cut = rig.put(120)

    asked = [page.ref for page in reversed(cut)]
    found = rig.store.pages(rig.client_id, asked)

    assert list(found) == list(reversed(cut))


def test_no_pages_asked_for_are_none(rig: Rig) -> None:
    assert list(rig.store.pages(rig.client_id, [])) == []


def test_putting_no_pages_does_nothing(rig: Rig) -> None:
    rig.store.put(rig.client_id, [], {}, expires_at=0)

    assert rig.head == head_with(rig.client_id)


def test_a_missing_page_is_never_left_out(rig: Rig) -> None:
    cut = rig.put(3)
    rig.put_item("page", cut[1].ref.digest, None)

    with pytest.raises(BrokenSnapshotError):
        rig.store.pages(rig.client_id, [page.ref for page in cut])


def test_an_altered_page_is_never_returned(rig: Rig) -> None:
    cut = rig.put(2)
    rig.put_item("page", cut[1].ref.digest, pages.encode(cut[0]))

    with pytest.raises(BrokenSnapshotError):
        rig.store.pages(rig.client_id, [page.ref for page in cut])


def test_publishing_moves_the_head(rig: Rig) -> None:
    cut = rig.publish()

    head = rig.head
    assert (
        head.generation.number,
        head.generation.digest,
        head.generation.users,
        head.generation.complete,
    ) == (1, "d1", 3, True)
    assert (head.generation.swept_at, head.lease.holder) == (NOW + 0.125, "")
    assert rig.store.manifest(head.generation).pages == tuple(page.ref for page in cut)


@pytest.mark.parametrize(("count", "in_head"), [(0, True), (7, True), (8, False)])
def test_a_long_listing_is_in_the_manifest_alone(rig: Rig, count: int, *, in_head: bool) -> None:
    cut = rig.publish(count)

    assert (rig.head.generation.packed is not None) is in_head
    assert rig.store.manifest(rig.head.generation).pages == tuple(page.ref for page in cut)


def test_a_short_listing_after_a_long_one_is_not_the_old_one(rig: Rig) -> None:
    rig.publish(10)

    cut = rig.publish(2)

    assert rig.store.manifest(rig.head.generation).pages == tuple(page.ref for page in cut)


def test_a_long_listing_without_its_manifest_is_broken(rig: Rig) -> None:
    rig.publish(10)
    rig.put_item("manifest", "1", None)

    with pytest.raises(BrokenSnapshotError):
        rig.store.manifest(rig.head.generation)


def test_a_tree_of_a_manifest_is_read_renewed_and_known_to_history(rig: Rig) -> None:
    cut = rig.publish(MOST_LISTED + 20)
    whole = Manifest(tuple(page.ref for page in cut))

    rig.store.renew(rig.head.generation, whole, expires_at=int(NOW) + 999)

    assert len(whole.branches) > 1
    assert rig.store.manifest(rig.head.generation) == whole
    assert rig.store.history(rig.client_id, (1,)) == [Kept(1, 0, whole)]

    rig.put_item("branch", next(iter(whole.branches)), None)
    with pytest.raises(BrokenSnapshotError):
        rig.store.manifest(rig.head.generation)
    with pytest.raises(BrokenSnapshotError):
        rig.store.renew(rig.head.generation, whole, expires_at=int(NOW) + 999)
    assert rig.store.history(rig.client_id, (1,)) == [Kept(1, 0, None)]


def test_a_generation_can_be_looked_up_after_the_next_one_came(rig: Rig) -> None:
    cut = rig.publish(2, incomplete_reason="window-full", complete=False)
    rig.publish(3, digest="d2")

    old = rig.store.generation(rig.client_id, 1)

    assert old == generation_with(
        rig.client_id,
        generation=1,
        digest="d1",
        users=3,
        incomplete_reason="window-full",
        policy="p1",
        modified_at=int(NOW),
        swept_at=NOW + 0.125,
        listing=Manifest(tuple(page.ref for page in cut)).pack(),
    )


def test_a_generation_that_never_was_or_is_gone_is_none(rig: Rig) -> None:
    rig.publish()
    assert rig.store.generation(rig.client_id, 1) is not None
    rig.put_item("manifest", "1", None)

    assert rig.store.generation(rig.client_id, 1) is None
    assert rig.store.generation(rig.client_id, 2) is None


def test_publishing_twice_from_the_same_base_is_a_conflict(rig: Rig) -> None:
    base = rig.head
    lease = rig.acquire()
    rig.store.publish(
        lease, base, rig.changes(), number=base.generation.number + 1, root=Manifest().root
    )

    with pytest.raises(ConflictError):
        rig.store.publish(
            lease,
            base,
            rig.changes(digest="d2"),
            number=base.generation.number + 1,
            root=Manifest().root,
        )

    assert (rig.head.generation.number, rig.head.generation.digest) == (1, "d1")


def test_a_generation_is_never_published_over(rig: Rig) -> None:
    rig.publish()
    published = rig.store.generation(rig.client_id, 1)
    base, lease = head_with(rig.client_id), rig.acquire()
    rig.store.update_held(lease, {"generation": None, "listing": None})

    with pytest.raises(ConflictError):
        rig.store.publish(lease, base, rig.changes(digest="d2"), number=1, root=Manifest().root)

    assert rig.store.generation(rig.client_id, 1) == published


def test_publishing_with_an_old_token_is_a_conflict_and_writes_nothing(rig: Rig) -> None:
    base = rig.head
    slow = rig.acquire("slow")
    rig.acquire("fast", now=NOW + 20)

    with pytest.raises(ConflictError):
        rig.store.publish(
            slow, base, rig.changes(), number=base.generation.number + 1, root=Manifest().root
        )

    assert rig.head.generation.number == 0
    assert rig.store.generation(rig.client_id, 1) is None


def test_publishing_removes_what_is_none(rig: Rig) -> None:
    lease = rig.acquire()
    rig.store.update_held(lease, {"last_error": "origin-5xx", "doubted_since": NOW})

    rig.publish(last_error=None, doubted_since=None)

    assert (rig.head.health.last_error, rig.head.health.doubted_since) == ("", 0)


def test_renewing_reaches_the_head(rig: Rig) -> None:
    cut = rig.publish()

    rig.store.renew(
        rig.head.generation, Manifest(tuple(page.ref for page in cut)), expires_at=int(NOW) + 999
    )

    assert rig.head.pages_expire_at == NOW + 999


@pytest.mark.parametrize("kind", ["page", "manifest"])
def test_renewing_what_is_gone_is_an_error_and_makes_nothing(rig: Rig, kind: str) -> None:
    cut = rig.publish()
    listing = Manifest(tuple(page.ref for page in cut))
    rig.put_item(kind, listing.pages[1].digest if kind == "page" else "1", None)

    with pytest.raises(BrokenSnapshotError):
        rig.store.renew(rig.head.generation, listing, expires_at=int(NOW) + 999)

    assert rig.head.pages_expire_at == NOW + 60


def test_the_mark_of_what_was_announced_moves_only_from_where_it_was_seen(rig: Rig) -> None:
    marked = [
        rig.store.mark_announced(rig.client_id, number, seen=seen)
        for number, seen in ((1, 0), (2, 0), (2, 1))
    ]

    assert marked == [True, False, True]
    assert rig.head.announced == 2


def test_a_read_is_noted_in_the_head_and_nothing_else_of_it_changes(rig: Rig) -> None:
    rig.publish()
    before = rig.head

    rig.store.note_read(rig.client_id, NOW + 5)

    assert rig.head == replace(before, read_at=NOW + 5)


def test_what_is_kept_is_told_by_number_and_whom_it_followed(rig: Rig) -> None:
    cut = [rig.publish(count) for count in (1, 2, 3)]
    rig.put_item("manifest", "2", None)

    kept = rig.store.history(rig.client_id, range(1, 9))

    refs = [tuple(page.ref for page in pages) for pages in (cut[0], cut[2])]
    assert kept == [Kept(1, 0, Manifest(refs[0])), Kept(3, 2, Manifest(refs[1]))]


def test_a_generation_that_is_buried_is_gone_but_for_its_number(rig: Rig) -> None:
    rig.publish()
    rig.publish(digest="d2")
    first = rig.store.generation(rig.client_id, 1)
    assert first is not None

    for number in (1, 1, 7):
        rig.store.bury(rig.client_id, number)

    with pytest.raises(BrokenSnapshotError):
        rig.store.manifest(replace(first, packed=None))
    assert rig.store.generation(rig.client_id, 1) is None
    assert rig.store.generation(rig.client_id, 2) is not None
    assert [one[:2] for one in rig.store.history(rig.client_id, (1, 7))] == [(1, 0)]
    assert rig.store.history(rig.client_id, (1,))[0].manifest is None
    instants = [rig.store.modified_at(rig.client_id, number) for number in (1, 2, 7)]
    assert instants == [int(NOW), int(NOW), None]


def test_pages_and_shards_that_are_discarded_are_gone_and_others_stay(rig: Rig) -> None:
    cut = rig.put(3)
    shards = {index.digest_of(shard): shard for shard in (b"a" * 16, b"b" * 16)}
    rig.store.put(rig.client_id, [], shards, expires_at=int(NOW) + 60)
    gone, stays = shards

    rig.store.discard(rig.client_id, {cut[0].ref.digest, "0" * 40}, {gone})
    rig.store.discard(rig.client_id, set(), set())

    for lost in ([cut[0].ref], [cut[1].ref, cut[0].ref]):
        with pytest.raises(BrokenSnapshotError):
            rig.store.pages(rig.client_id, lost)
    with pytest.raises(BrokenSnapshotError):
        rig.store.shards(rig.client_id, [gone])
    assert list(rig.store.pages(rig.client_id, [cut[1].ref, cut[2].ref])) == cut[1:]
    assert list(rig.store.shards(rig.client_id, [stays])) == [shards[stays]]
