"""Every fault against the rules that all of them share, and against its row in the docs."""

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.faults.faults import BREAKAGES, Breakage
from tests.faults.page import PAGE, documented, page, row
from tests.faults.seen import STATES, Seen, rigged, see
from tests.integration.service import CLIENT

DOCUMENTED = documented()
# Without the table there is nothing to serve, and nobody to ask for it.
WITHOUT_TABLE = {"hangs up", "throttles everything", "answers 500"}
# On a first sight, nobody can know that users are missing.
PLAUSIBLE = "lists only two thirds"
CASES = [
    pytest.param(
        breakage, state, marks=[pytest.mark.real_seconds] if breakage.is_slow(state) else []
    )
    for breakage in BREAKAGES
    for state in STATES
]


def name(value: Breakage | str) -> str:
    return value if isinstance(value, str) else f"{value.of} {value.name}"


@pytest.mark.parametrize(("breakage", "state"), CASES, ids=name)
def test_a_fault_comes_to_what_is_documented(
    aws: EmbeddedAws, breakage: Breakage, state: str
) -> None:
    with rigged(aws) as rig:
        known = [user["id"] for user in rig.service.origin.users(CLIENT)]
        seen = see(rig, breakage, state)

    check_rules(breakage, state, seen, known[:250])
    assert row(breakage, state, seen) in DOCUMENTED


def check_rules(breakage: Breakage, state: str, seen: Seen, known: list[int]) -> None:
    if state != "nothing stored" and (
        breakage.of != "DynamoDB" or breakage.name not in WITHOUT_TABLE
    ):
        assert max(seen.statuses) < 500
    # What is answered is what the origin really had, whatever it said just now.
    if state != "nothing stored" or breakage.name != PLAUSIBLE:
        assert all(not ids or ids == known for ids in seen.ids)
    # Once it is known to be down, nobody asks it or waits for it.
    if seen.last_error:
        assert seen.calls[1] == 0
    if state == "fresh" and breakage.of == "origin":
        assert seen.calls == (0, 0)


def test_the_page_has_every_row_and_no_other() -> None:
    assert len(DOCUMENTED) == len(CASES) >= 40
    assert PAGE.read_text(encoding="utf-8") == page(DOCUMENTED)
