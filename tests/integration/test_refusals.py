"""A 400 names the parameter that is refused, so that a program need not read the sentence."""

import pytest

from tests.integration.service import CLIENT, Service

_OTHERS = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"


@pytest.mark.parametrize(
    ("asked", "parameter", "problem"),
    [
        ("/users?timezone=Europe/London", "timezone", "Unknown parameter 'timezone'."),
        ("/users?asOf=9", "asOf", "is above the newest generation, 1."),
        ("/users?asOf=2999-01-01", "asOf", "is in the future."),
        ("/users/1?asOf=9", "asOf", "is above the newest generation, 1."),
        (f"/users?cursor={_OTHERS}", "cursor", "is not a cursor that was handed out here."),
        ("/users?min_generation=9", "min_generation", "is above the newest generation, 1, and"),
        ("/users?changedSince=2026-01-01", "changedSince", "asks when users were updated"),
        ("/users?sort=-updatedAt", "sort", "asks when users were updated"),
        ("/cache/changes?since=9", "since", "is above the newest generation, 1."),
        ("/events?after=9", "after", "is above the newest generation, 1."),
        (f"/events?after={_OTHERS}", "after", "is not a cursor that was handed out here."),
    ],
)
def test_a_refusal_names_the_parameter(
    service: Service, asked: str, parameter: str, problem: str
) -> None:
    service.refresh({"action": "refresh", "clientId": CLIENT})

    refused = service.get(asked)

    assert refused.status == 400
    assert refused.error["details"]["parameter"] == parameter
    assert problem in refused.error["message"]
    assert refused.error["details"]["message"] == refused.error["message"]
