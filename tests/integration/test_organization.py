"""The whole directory from an organization's list: swept, told apart, refused, gone on with."""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import (
    Bounds,
    Fault,
    Organization,
    Organizations,
    Request,
    User,
    demo_members,
    demo_users,
)
from tests.integration.asking import follow
from tests.integration.service import CLIENT, Json, Service, running_service

ORGANIZATION = 4711
SCHEDULED = {"action": "refresh", "clientId": CLIENT}
MINUTE = 60
LIST = f"/organizations/{ORGANIZATION}/"


@contextmanager
def organized(aws: EmbeddedAws, *, users: int, others: int = 9) -> Iterator[Service]:
    """Run a service whose client's organization has ``others`` in it besides.

    The window has 50 users where there are few, so that some are past it at once.
    """
    taken = [user["id"] for user in demo_users(CLIENT, users)]
    organization = Organization(
        organization_id=ORGANIZATION, clients=[CLIENT], members=demo_members(taken, others)
    )
    most = 25 if users < 100 else 250
    with running_service(
        aws, users=users, ORIGIN_MAX_LIMIT=str(most), ORIGIN_MAX_OFFSET=str(most)
    ) as service:
        service.origin.bounds = Bounds(max_limit=most, max_offset=most)
        service.origin.organizations = Organizations([organization])
        service.name_organization(ORGANIZATION)
        yield service


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    """Return a service whose origin has 72 users of ours, all of them known."""
    with organized(aws, users=72) as running:
        settle(running)
        running.origin.clear_calls()
        yield running


def sweep(service: Service, *, seconds: float = 60) -> Json:
    service.let_pass(MINUTE)
    return service.refresh(SCHEDULED, seconds=seconds)


def settle(service: Service) -> None:
    """Sweep until everybody is known."""
    for _ in range(4):
        sweep(service)
    assert known(service) == ours(service)


def known(service: Service) -> list[User]:
    """Return all users as a traversal by cursor sees them."""
    return [row for page in follow(service, "/users?limit=250") for row in page.body["data"]]


def ours(service: Service) -> list[User]:
    return service.origin.users(CLIENT)


def ids(users: Sequence[User]) -> list[int]:
    return [user["id"] for user in users]


def cache(service: Service) -> Json:
    return service.get("/cache").body["data"]


def calls(service: Service) -> list[str]:
    return [f"{call.path}?{call.query}" for call in service.origin.calls]


def the_organization(service: Service) -> Organization:
    return service.origin.organizations[ORGANIZATION]


def test_everybody_past_the_window_is_known_and_nobody_else_ever(aws: EmbeddedAws) -> None:
    with organized(aws, users=72) as service:
        seen: list[User] = []
        for _ in range(3):
            sweep(service)
            seen += known(service)
        told = cache(service)

        assert known(service) == ours(service)
    everybody = ids(ours(service))
    assert {user["id"] for user in seen} <= set(everybody)
    assert (told["complete"], told["users"], told["incompleteReason"]) == (True, 72, None)
    assert told["organization"] == {
        "inUse": True,
        "reason": None,
        "retryAt": None,
        "undecided": 0,
    }


def test_until_it_is_known_whose_a_member_is_he_is_left_out_and_that_is_said(
    aws: EmbeddedAws,
) -> None:
    with organized(aws, users=60, others=300) as service:
        # The first one of all is of the window.
        sweep(service)
        sweep(service)
        first = last = cache(service)
        for _ in range(20):
            sweep(service)
            last = cache(service)
            if last["complete"]:
                break

    assert (first["complete"], first["incompleteReason"]) == (False, "members-undecided")
    assert first["organization"]["undecided"] > 0
    assert (last["complete"], last["users"], last["organization"]["undecided"]) == (True, 60, 0)


def test_an_unchanged_sweep_asks_for_pages_and_an_anchor_alone(service: Service) -> None:
    result = sweep(service)

    assert (result["outcome"], result["calls"]) == ("unchanged", 2)
    assert len(service.origin.member_calls(ORGANIZATION)) == 1


def test_ten_thousand_users_take_twelve_calls(aws: EmbeddedAws) -> None:
    with organized(aws, users=10_000, others=40) as service:
        # Whose they are is asked once, out of the look-ups' share.
        for _ in range(20):
            sweep(service)
            if cache(service)["complete"]:
                break
        service.origin.clear_calls()

        result = sweep(service)

        assert (result["outcome"], result["users"]) == ("unchanged", 10_000)
        assert len(service.origin.calls) <= 12


def test_what_changes_past_the_window_is_seen_by_the_next_sweep(service: Service) -> None:
    *_, last = ours(service)
    service.origin.update(CLIENT, last["id"], name="Renamed")
    service.origin.delete(CLIENT, ours(service)[-2]["id"])
    new = service.origin.create(CLIENT)

    result = sweep(service)

    assert result["outcome"] == "published"
    assert known(service) == ours(service)
    assert known(service)[-1] == new


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ([Fault("status", status=403, match=LIST)], "organization-refused"),
        ([Fault("status", status=404, match=LIST)], "organization-refused"),
        ([Fault("empty_list", match=LIST)], "organization-empty"),
        ([Fault("unordered_ids", match=LIST)], "organization-unusable"),
        ([Fault("duplicate_ids", match=LIST)], "organization-unusable"),
        ([Fault("wrong_shape", match=LIST)], "organization-unusable"),
        ([Fault("status", status=500, match=LIST)], "organization-failing"),
        ([Fault("lose_third", match=LIST)], "organization-anchor"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].kind,
)
def test_a_list_that_cannot_be_used_leaves_everybody_listed(
    service: Service, log: StringIO, refusal: list[Fault], reason: str
) -> None:
    service.origin.faults = refusal

    results = [sweep(service) for _ in range(3)]
    told = cache(service)

    assert {result["outcome"] for result in results} <= {"published", "unchanged"}
    assert known(service) == ours(service)
    assert (told["organization"]["inUse"], told["organization"]["reason"]) == (False, reason)
    assert log.getvalue().count("organization not listed") == 1
    assert len(service.origin.member_calls(ORGANIZATION)) <= 6

    service.origin.faults = []
    service.let_pass(3600)
    sweep(service)
    assert cache(service)["organization"]["inUse"] is True
    assert cache(service)["complete"] is True
    assert log.getvalue().count("organization listed") == 1


def test_the_wrong_organization_shrinks_nothing(service: Service) -> None:
    service.name_organization(1)

    for _ in range(3):
        sweep(service)

    assert known(service) == ours(service)
    assert cache(service)["organization"]["reason"] == "organization-refused"
    service.name_organization(ORGANIZATION)
    service.let_pass(400)
    sweep(service)
    assert cache(service)["organization"]["inUse"] is True


def test_an_id_that_is_none_is_said_and_the_key_goes_on(service: Service) -> None:
    service.name_organization("4711")

    service.let_pass(400)
    result = sweep(service)

    assert result["outcome"] in {"published", "unchanged"}
    assert cache(service)["organization"]["reason"] == "organization-id"
    assert known(service) == ours(service)


def test_a_plan_that_was_cancelled_ends_the_list_when_the_origin_notices(service: Service) -> None:
    the_organization(service).has_plan = False

    still = sweep(service)
    service.let_pass(300)
    later = sweep(service)

    assert still["outcome"] == "unchanged"
    assert later["outcome"] in {"published", "unchanged"}
    assert cache(service)["organization"]["reason"] == "organization-refused"
    assert known(service) == ours(service)


def test_staff_with_the_suffix_of_the_client_are_never_shown(service: Service) -> None:
    low, high = ours(service)[3]["id"] + 1, ours(service)[-1]["id"] + 7
    for user_id in (low, high):
        staff = ours(service)[0] | {"id": user_id, "email": f"s{user_id}+{CLIENT}@example.com"}
        the_organization(service).members.append(staff)
    service.origin.clear_calls()

    for _ in range(6):
        sweep(service)
        assert known(service) == ours(service)

    # Each was asked for once, and is remembered.
    assert sum(f"/users/{low}" in call for call in calls(service)) <= 1
    assert sum(f"/users/{high}" in call for call in calls(service)) == 1
    assert cache(service)["complete"] is True


def test_users_of_ours_without_the_suffix_are_asked_for_once_and_shown(
    aws: EmbeddedAws,
) -> None:
    with organized(aws, users=72) as service:
        rows = service.origin.users(CLIENT)
        for row in rows[60:65]:
            row["email"] = f"own{row['id']}@example.org"
        service.origin.replace(CLIENT, rows)
        settle(service)
        service.origin.clear_calls()

        sweep(service)
        sweep(service)

        assert not [call for call in service.origin.calls if call.user_id]
        assert known(service) == ours(service)


@pytest.mark.parametrize("kind", ["metadata_absent", "metadata_text", "extra_field"])
def test_another_shape_of_the_same_users_changes_nothing(service: Service, kind: str) -> None:
    service.origin.faults = [Fault(kind, match=LIST)]  # type: ignore[arg-type]

    results = [sweep(service) for _ in range(3)]

    assert [result["outcome"] for result in results] == ["unchanged"] * 3
    assert cache(service)["organization"]["inUse"] is True
    assert known(service) == ours(service)


def test_nothing_of_what_only_this_list_tells_is_kept(service: Service) -> None:
    service.origin.faults = [Fault("extra_field", match=LIST)]
    sweep(service)
    service.origin.create(CLIENT)
    sweep(service)

    stored = b"".join(
        zlib.decompress(item["data"]["B"])
        for item in service.items()
        if item["sk"]["S"] in {"page", "lookup"} and "data" in item
    )
    assert stored
    for name in (b"neverSeenBefore", b"profile", b"emailVerified", b"brandColor"):
        assert name not in stored
    # The item of its own holds ids and no addresses.
    (listing,) = (item for item in service.items() if item["sk"]["S"] == "listing")
    assert b"@" not in json.dumps(listing, default=lambda data: data.hex()).encode()


@pytest.mark.parametrize("position", [10, 70])
def test_a_user_whom_the_list_lacks_stays_and_costs_no_call_each_time(
    service: Service, position: int
) -> None:
    lacking = ours(service)[position]
    the_organization(service).lacking = frozenset({lacking["id"]})

    first = sweep(service)
    then = [sweep(service)["calls"] for _ in range(6)]

    assert known(service) == ours(service)
    assert first["calls"] <= 4
    assert then.count(2) >= 3
    assert cache(service)["complete"] is True

    service.origin.delete(CLIENT, lacking["id"])
    service.let_pass(600)
    sweep(service)
    sweep(service)
    assert known(service) == ours(service)


def test_a_block_in_the_middle_is_waited_out_and_changes_nothing(aws: EmbeddedAws) -> None:
    with organized(aws, users=2_500, others=40) as service:
        settle(service)
        service.origin.faults = [Fault("status", status=429, match="skip=1000", times=1)]
        sweep(service)
        blocked = cache(service)
        sweep(service)
        sweep(service)

        assert blocked["lastError"] == "origin-blocked"
        assert blocked["organization"]["inUse"] is True
        assert known(service) == ours(service)
        assert cache(service)["lastError"] is None


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("status", status=504, match="take=1000")],
        [Fault("cut", most_bytes=300_000, match="take=1000")],
        [Fault("status", status=502, match=f"take={take}") for take in (1000, 500)],
    ],
    ids=["504", "cut", "two sizes"],
)
def test_pages_that_are_too_much_are_asked_for_in_halves(
    aws: EmbeddedAws, faults: list[Fault]
) -> None:
    with organized(aws, users=2_500, others=40) as service:
        settle(service)
        service.origin.faults = faults
        service.origin.create(CLIENT)

        first = sweep(service, seconds=120)
        service.origin.clear_calls()
        second = sweep(service)

        assert (first["outcome"], first["users"]) == ("published", 2_501)
        assert second["outcome"] == "unchanged"
        assert not [call for call in calls(service) if "take=1000" in call]
        assert known(service) == ours(service)


def test_users_who_come_and_go_between_two_pages_are_neither_lost_nor_doubled(
    aws: EmbeddedAws,
) -> None:
    with organized(aws, users=2_500, others=40) as service:
        settle(service)
        take_time, gone = service.origin.before_call, iter(ours(service)[5:3_000:9])

        def disturb(call: Request) -> None:
            assert take_time
            take_time(call)
            if call.organization_id:
                service.origin.delete(CLIENT, next(gone)["id"])
                service.origin.create(CLIENT)

        service.origin.before_call = disturb
        for _ in range(3):
            sweep(service)
            there = {user["id"] for user in ours(service)}
            listed = ids(known(service))
            assert len(listed) == len(set(listed))
            assert len(there - set(listed)) <= 4
        service.origin.before_call = take_time
        sweep(service)
        sweep(service)

        assert known(service) == ours(service)
