"""What is remembered of look-ups: the fake and the table do the same."""

from collections.abc import Callable
from copy import replace
from itertools import count

import pytest

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.lookup_store import LookupStore
from lib.aws.table import Table
from lib.users.keys import Observation
from tests.fake_lookups import FakeLookups
from tests.fakes import CLIENT, NOW, Clock

SEEN = Observation(b'{"id":1}', NOW)
NOBODY = Observation(None, NOW + 0.125)


@pytest.fixture(scope="session")
def tables(aws: EmbeddedAws) -> Callable[[], LookupStore]:
    numbers, client = count(), aws.client("dynamodb")

    def table() -> LookupStore:
        name = f"lookups-{next(numbers)}"
        aws.create_table(name)
        return LookupStore(Table(client, name, sleep=Clock().sleep), hiding_digest="")

    return table


@pytest.fixture(params=["fake", "table"])
def lookups(request: pytest.FixtureRequest) -> FakeLookups | LookupStore:
    if request.param == "fake":
        return FakeLookups()
    tables: Callable[[], LookupStore] = request.getfixturevalue("tables")
    return tables()


def test_answers_are_remembered_by_key(lookups: FakeLookups | LookupStore) -> None:
    lookups.remember(CLIENT, {"id:1": SEEN, "email:none@example.com": NOBODY})

    assert lookups.remembered(CLIENT, ["id:1", "email:none@example.com", "id:2"]) == {
        "id:1": SEEN,
        "email:none@example.com": NOBODY,
    }
    assert lookups.remembered(CLIENT, []) == {}


def test_a_later_answer_replaces_an_earlier_one(lookups: FakeLookups | LookupStore) -> None:
    lookups.remember(CLIENT, {"id:1": SEEN})
    lookups.remember(CLIENT, {"id:1": NOBODY})

    assert lookups.remembered(CLIENT, ["id:1"]) == {"id:1": NOBODY}


def test_more_answers_than_one_batch_carries(lookups: FakeLookups | LookupStore) -> None:
    answers = {f"id:{number}": Observation(b'{"id":%d}' % number, NOW) for number in range(1, 251)}
    lookups.remember(CLIENT, answers)

    assert lookups.remembered(CLIENT, list(answers)) == answers


def test_who_waits_comes_and_goes_and_comes_again(lookups: FakeLookups | LookupStore) -> None:
    told = [lookups.pending_adoption(CLIENT)]
    lookups.adopted(CLIENT, [4])
    lookups.await_adoption(CLIENT, [1, 2])
    lookups.await_adoption(CLIENT, [2, 3])
    told.append(lookups.pending_adoption(CLIENT))
    lookups.adopted(CLIENT, [1, 4])
    told.append(lookups.pending_adoption(CLIENT))
    lookups.adopted(CLIENT, [2, 3])
    told.append(lookups.pending_adoption(CLIENT))
    lookups.adopted(CLIENT, [2])
    lookups.await_adoption(CLIENT, [5])
    told.append(lookups.pending_adoption(CLIENT))

    assert told == [set(), {1, 2, 3}, {2, 3}, set(), {5}]


def test_one_asks_until_it_ends_or_its_time_is_over(lookups: FakeLookups | LookupStore) -> None:
    begun = [lookups.begin(CLIENT, "id:1", now=NOW, until=NOW + 10)]
    begun.append(lookups.begin(CLIENT, "id:1", now=NOW + 9.5, until=NOW + 19))
    begun.append(lookups.begin(CLIENT, "id:2", now=NOW + 9.5, until=NOW + 19))
    begun.append(lookups.begin(CLIENT, "id:1", now=NOW + 10, until=NOW + 20))
    lookups.end(CLIENT, "id:1")
    begun.append(lookups.begin(CLIENT, "id:1", now=NOW + 11, until=NOW + 20))

    assert begun == [True, False, True, True, True]


def test_an_answer_outlives_the_end_of_asking_for_it(lookups: FakeLookups | LookupStore) -> None:
    lookups.begin(CLIENT, "id:1", now=NOW, until=NOW + 10)
    remembered = lookups.remembered(CLIENT, ["id:1"])
    lookups.remember(CLIENT, {"id:1": SEEN})
    lookups.end(CLIENT, "id:1")

    assert remembered == {}
    assert lookups.remembered(CLIENT, ["id:1"]) == {"id:1": SEEN}


def test_to_end_what_never_began_does_no_harm(lookups: FakeLookups | LookupStore) -> None:
    lookups.end(CLIENT, "id:1")

    assert lookups.remembered(CLIENT, ["id:1"]) == {}
    assert lookups.begin(CLIENT, "id:1", now=NOW, until=NOW + 10)


def test_what_was_remembered_under_another_hiding_policy_is_forgotten(aws: EmbeddedAws) -> None:
    aws.create_table("hiding")
    table, fake = Table(aws.client("dynamodb"), "hiding", sleep=Clock().sleep), FakeLookups()
    stores = [LookupStore(table, hiding_digest=digest) for digest in ("", "other")]
    fakes = [fake, replace(fake, hiding_digest="other")]

    for before, after in (stores, fakes):
        before.remember(CLIENT, {"id:1": SEEN})

        assert after.remembered(CLIENT, ["id:1"]) == {}
        assert before.remembered(CLIENT, ["id:1"]) == {"id:1": SEEN}


def test_who_failed_may_keep_others_from_asking_for_a_while(
    lookups: FakeLookups | LookupStore,
) -> None:
    assert lookups.begin(CLIENT, "id:1", now=NOW, until=NOW + 10)
    assert lookups.paused_until(CLIENT, "id:1") == 0

    lookups.end(CLIENT, "id:1", paused_until=NOW + 5)

    assert lookups.paused_until(CLIENT, "id:1") == NOW + 5
    assert not lookups.begin(CLIENT, "id:1", now=NOW + 4, until=NOW + 14)
    assert lookups.begin(CLIENT, "id:1", now=NOW + 5, until=NOW + 15)


def test_a_claim_that_a_wrong_clock_made_keeps_nobody_from_asking(
    lookups: FakeLookups | LookupStore,
) -> None:
    assert lookups.begin(CLIENT, "id:1", now=NOW + 900, until=NOW + 910)

    assert lookups.begin(CLIENT, "id:1", now=NOW, until=NOW + 10)


def test_what_is_forgotten_was_never_remembered(lookups: FakeLookups | LookupStore) -> None:
    lookups.remember(CLIENT, {"id:1": SEEN, "id:2": SEEN})

    lookups.forget(CLIENT, ["id:1", "id:7"])

    assert lookups.remembered(CLIENT, ["id:1", "id:2"]) == {"id:2": SEEN}
