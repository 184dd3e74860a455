"""The stack with ``ApiAccess=iam-http``, deployed by SAM CLI, with IAM enforced.

The embedded AWS has HTTP APIs, their routes and IAM, but sends payload 2.0 whatever an integration
says. So over HTTP a call gets as far as the function, which refuses that in so many words; what it
answers to payload 1.0 is seen by invoking it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble
from tests.e2e.calls import Json, caller_who_may, send
from tests.e2e.conftest import CLIENT, COLD_CLIENT, SECRETS
from tests.http_api import Received
from tests.template.test_api import ROUTES

pytestmark = pytest.mark.e2e
USERS = f"/v2/oauth-clients/{CLIENT}/users"
REACHED = (500, "payload format 2.0")


@pytest.fixture(scope="module")
def http(built: Path, origin: OriginDouble) -> Iterator[Deployment]:
    """Return the deployed stack, in an AWS of its own."""
    with Deployment(
        sam=os.environ["SAM"],
        built=built,
        clients=SECRETS,
        CalApiUrl=origin.url,
        ApiAccess="iam-http",
    ) as deployed:
        yield deployed


def _invoke(deployment: Deployment, event: Json) -> Received:
    functions: Any = deployment.aws.client("lambda")
    done = functions.invoke(
        FunctionName=deployment.outputs["ApiFunctionName"], Payload=json.dumps(event)
    )
    return Received(json.loads(done["Payload"].read()))


def test_an_http_api_is_deployed_and_no_rest_api(http: Deployment) -> None:
    of_http: Any = http.aws.client("apigatewayv2")
    of_rest: Any = http.aws.client("apigateway")
    api = http.outputs["ApiId"]

    (made,) = of_http.get_apis()["Items"]
    (stage,) = of_http.get_stages(ApiId=api)["Items"]
    (integration,) = of_http.get_integrations(ApiId=api)["Items"]
    routes = of_http.get_routes(ApiId=api)["Items"]

    assert (made["ApiId"], made["ProtocolType"]) == (api, "HTTP")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("v2", True)
    assert integration["PayloadFormatVersion"] == "1.0"
    assert {(route["RouteKey"], route["AuthorizationType"]) for route in routes} == {
        (f"ANY {path}", "AWS_IAM") for path in ROUTES
    }
    assert of_rest.get_rest_apis()["items"] == []


def test_only_whom_iam_allows_reaches_the_function(http: Deployment) -> None:
    reader = caller_who_may(http, "reader", f"GET/oauth-clients/{CLIENT}/*")

    allowed = send(http, "GET", USERS, caller=reader)
    refused = [
        send(http, "GET", USERS, caller=None),
        send(http, "GET", f"/v2/oauth-clients/{COLD_CLIENT}/users", caller=reader),
        send(http, "POST", f"/v2/oauth-clients/{CLIENT}/cache/refresh", caller=reader),
    ]

    assert allowed.status_code == REACHED[0]
    assert REACHED[1] in allowed.json()["error"]["message"]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert all("message" in map(str.lower, answer.json()) for answer in refused)


@pytest.mark.parametrize("path", ["/v2/nope", "/oauth-clients/x/users", f"{USERS}/1/2"])
def test_other_paths_are_answered_by_api_gateway_alone(http: Deployment, path: str) -> None:
    answer = send(http, "GET", path)

    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_the_function_answers_an_http_api_s_event_with_a_compressed_list(
    http: Deployment, origin: OriginDouble
) -> None:
    event = json.loads(Path(ROOT, "events/list-users-http-api.json").read_text(encoding="utf-8"))

    answer = _invoke(http, event)
    known = dict(event["multiValueHeaders"]) | {"if-none-match": [answer.headers["ETag"]]}
    again = _invoke(http, event | {"multiValueHeaders": known})

    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert [user["id"] for user in answer.body["data"]] == [
        user["id"] for user in origin.users(CLIENT)[:10]
    ]
    assert (again.status, again.content) == (304, b"")
    assert again.headers["Vary"] == "Accept-Encoding"


def test_a_method_that_is_not_offered_is_405(http: Deployment) -> None:
    event = json.loads(Path(ROOT, "events/list-users-http-api.json").read_text(encoding="utf-8"))

    answer = _invoke(http, event | {"httpMethod": "PUT"})

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
