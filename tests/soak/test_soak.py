"""A soak of twenty seconds: `make soak` is the same for ten minutes."""

import pytest

from tests.soak.soak import soak

pytestmark = pytest.mark.enable_socket


def test_every_answer_in_twenty_seconds_of_trouble_is_a_state_that_was() -> None:
    outcome = soak(seconds=20, seed=7, readers=2)

    assert outcome.violations == []
    assert outcome.answers > 200
    assert outcome.faults > 3
