"""What a run on this machine is told reaches its functions, whatever a deployment could set."""

import pytest

from dev.local.settings import API_HANDLER, CHANGES_HANDLER, REFRESH_HANDLER, LocalSettings
from dev.template.literals import parameters_of

PARAMETERS = {
    name: parameter
    for handler in (API_HANDLER, REFRESH_HANDLER, CHANGES_HANDLER)
    for name, parameter in parameters_of(handler).items()
}
# The run itself says where the origin is, how often it sweeps and who is told of changes.
DECIDED_HERE = {"CAL_API_URL", "SCHEDULE_EXPRESSION", "WEBHOOK_URL"}


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - DECIDED_HERE))
def test_what_a_parameter_of_a_deployment_tells_a_function_can_be_told_here(name: str) -> None:
    value = str(PARAMETERS[name].get("Default") or "bio")

    settings = LocalSettings.from_env({name: value})

    assert settings.function_environment == {name: value}
