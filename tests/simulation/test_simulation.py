"""A few dozen runs of the whole service: `make simulate` is the same for an hour."""

import os
import subprocess
import sys

import pytest

from dev import ROOT
from tests.simulation.many import run_many, run_one, seeds_to_find
from tests.simulation.mutations import MUTATIONS

_SEEDS_AT_A_TIME = 8


@pytest.mark.parametrize("first", range(1, 41, _SEEDS_AT_A_TIME))
def test_whatever_goes_wrong_every_answer_is_true_and_all_is_well_in_the_end(first: int) -> None:
    results = [run_one(seed) for seed in range(first, first + _SEEDS_AT_A_TIME)]

    assert [violation.told() for result in results for violation in result.violations] == []
    assert sum(result.tally["answers"] for result in results) > 1_000


def test_a_seed_is_a_run_in_any_process_whatever_ran_before() -> None:
    code = "from tests.simulation.many import run_one; print(run_one(3).fingerprint)"
    runs = [
        subprocess.run(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "src:."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()[-1]
        for hash_seed in ("1", "2")
    ]
    run_one(2)

    assert {*runs, str(run_one(3).fingerprint)} == {runs[0]}


def test_seeds_are_run_once_each_in_as_many_processes_as_are_wanted() -> None:
    results = list(run_many(first=3, seeds=5, seconds=600, processes=2))

    assert sorted(result.seed for result in results) == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "mutation", ["memory of 30 s", "a claim resumed by anybody", "every loss believed"]
)
def test_what_is_broken_on_purpose_is_found(mutation: str) -> None:
    found = seeds_to_find(mutation, most=12)

    assert found is not None
    told = found.violation.told(mutation)
    assert f"""--seed {found.violation.seed} --seeds 1 --mutation '{mutation}'""" in told


def test_more_than_a_dozen_things_are_broken_on_purpose() -> None:
    assert len(MUTATIONS) > 12
