"""Which ids a user can have."""

import pytest

from lib.users.keys import possible_id


@pytest.mark.parametrize(
    ("user_id", "possible"),
    [(-1, False), (0, False), (1, True), (2**31 - 1, True), (2**31, False), (10**15 - 1, False)],
)
def test_an_id_has_31_bits_and_is_above_0(user_id: int, *, possible: bool) -> None:
    assert possible_id(user_id) is possible
