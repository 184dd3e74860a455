"""Cal.com's published client library works with this service as it does with the origin.

The library is installed from the npm registry, unchanged; all that differs is its base URL.
"""

import json
import shutil
from pathlib import Path

import pytest

from dev.local.settings import DEMO_CLIENTS
from dev.local.stack import LocalStack
from dev.origin import OriginDouble
from tests.e2e import programs
from tests.e2e.calls import Json

pytestmark = pytest.mark.e2e
SCRIPT = Path(__file__).with_name("sdk.cjs")
((CLIENT, SECRET),) = DEMO_CLIENTS.items()


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the published library and a script that uses it."""
    folder = tmp_path_factory.mktemp("sdk")
    programs.install("@calcom/sdk@1.0.1", folder=folder)
    shutil.copy(SCRIPT, folder)
    return folder


def _seen_by(sdk: Path, *, url: str, user: int) -> Json:
    printed = programs.run("node", SCRIPT.name, url, CLIENT, SECRET, str(user), folder=sdk)
    return json.loads(printed)


def _origin_of(stack: LocalStack) -> OriginDouble:
    assert stack.origin is not None
    return stack.origin


def _shown(user: Json) -> Json:
    """Return ``user`` without what a deployment hides unless told otherwise."""
    if "metadata" not in user:
        return user
    kept = {key: value for key, value in user["metadata"].items() if key != "stripeCustomerId"}
    return user | {"metadata": kept}


def test_the_published_sdk_lists_and_gets_the_users_of_the_origin(
    sdk: Path, local_stack: LocalStack
) -> None:
    users = [_shown(user) for user in _origin_of(local_stack).users(CLIENT)]

    seen = _seen_by(sdk, url=local_stack.url, user=users[5]["id"])

    assert len(seen["all"]) == 120
    assert seen["all"] == users
    assert seen["page"] == users[100:110]
    assert seen["one"] == users[5]


def test_the_published_sdk_cannot_tell_the_service_from_the_origin(
    sdk: Path, local_stack: LocalStack
) -> None:
    origin = _origin_of(local_stack)
    user = origin.users(CLIENT)[7]["id"]

    here = _seen_by(sdk, url=local_stack.url, user=user)
    there = _seen_by(sdk, url=origin.url, user=user)

    for name in ("all", "page"):
        assert here[name] == [_shown(user) for user in there[name]]
    assert here["one"] == _shown(there["one"])
    assert here["nobody"] == there["nobody"] == {"name": "CalApiError", "statusCode": 404}
    assert here["unusable"] == there["unusable"] == {"name": "CalApiError", "statusCode": 400}
