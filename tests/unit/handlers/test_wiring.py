"""What a function's environment tells, and what Lambda itself adds to it."""

import pytest

from handlers.environment import settings_of
from tests.unit.test_settings import GOOD

UNTOLD = {name: value for name, value in GOOD.items() if name != "REFRESH_FUNCTION_NAME"}


def test_the_refresh_function_hands_over_to_itself() -> None:
    settings = settings_of(UNTOLD | {"AWS_LAMBDA_FUNCTION_NAME": "stack-RefreshFunction-1AB"})

    assert settings.refresh_function_name == "stack-RefreshFunction-1AB"


def test_any_other_function_hands_over_to_the_one_it_is_told() -> None:
    settings = settings_of(GOOD | {"AWS_LAMBDA_FUNCTION_NAME": "stack-ApiFunction-1AB"})

    assert settings.refresh_function_name == "refresh"


def test_outside_lambda_the_name_has_to_be_told() -> None:
    with pytest.raises(ValueError, match="REFRESH_FUNCTION_NAME"):
        settings_of(UNTOLD)
