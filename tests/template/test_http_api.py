"""The HTTP API: it exists instead of the REST API, with the same routes, every request signed."""

import json
from typing import Final

import pytest
from cfnlint.api import lint

from tests.template.stack import Json, Stack
from tests.template.test_api import IAM, ROUTES, VPC

HTTP = Stack(ApiAccess="iam-http")
CHOICES: Final = {"iam": IAM, "iam-http": HTTP, "vpc": VPC}
UNREACHED: Final = {"W1028", "W8003"}
"""What the linter says of the branches that are left for the other choices."""
OF_REST = {"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"}


def _made(stack: Stack, beginning: str) -> set[str]:
    return {body["Type"] for body in stack.resources.values() if body["Type"].startswith(beginning)}


def _routes() -> list[Json]:
    return list(HTTP.of_type("AWS::ApiGatewayV2::Route").values())


def _stage() -> Json:
    return HTTP.properties("HttpApiStage")


@pytest.mark.parametrize("access", ["iam", "vpc"])
def test_there_is_no_http_api_unless_asked_for(access: str) -> None:
    stack = CHOICES[access]

    assert _made(stack, "AWS::ApiGatewayV2::") == set()
    assert _made(stack, "AWS::ApiGateway::") == OF_REST
    assert stack.of_type("AWS::Lambda::Permission").keys() == {"ApiMayInvoke"}


def test_an_http_api_comes_alone() -> None:
    assert _made(HTTP, "AWS::ApiGateway::") == set()
    assert HTTP.of_type("AWS::ApiGatewayV2::Api") == {
        "HttpApi": {"Name": {"Ref": "AWS::StackName"}, "ProtocolType": "HTTP"}
    }
    assert HTTP.of_type("AWS::ApiGatewayV2::Stage").keys() == {"HttpApiStage"}


def test_everything_else_is_as_with_a_rest_api() -> None:
    def others(stack: Stack) -> dict[str, Json]:
        return {
            name: body
            for name, body in stack.resources.items()
            if not body["Type"].startswith("AWS::ApiGateway")
            and body["Type"] != "AWS::Lambda::Permission"
            and name not in {"Api5xxAlarm", "Dashboard"}
        }

    assert others(HTTP) == others(IAM)


def test_nothing_that_exists_refers_to_the_api_that_does_not() -> None:
    http, rest = json.dumps(HTTP.resources), json.dumps(IAM.resources)

    assert "HttpApi" not in rest
    assert not [name for name in ('"Api"', "${Api}", "Apiv2Stage") if name in http]


def test_every_path_is_a_route_for_all_methods_and_signed() -> None:
    assert sorted(route["RouteKey"] for route in _routes()) == sorted(
        f"ANY {path}" for path in ROUTES
    )
    assert {route["AuthorizationType"] for route in _routes()} == {"AWS_IAM"}


def test_every_route_reaches_the_api_function_by_events_like_those_of_a_rest_api() -> None:
    (integration,) = HTTP.of_type("AWS::ApiGatewayV2::Integration").values()

    assert {route["Target"]["Fn::Sub"] for route in _routes()} == {
        "integrations/${HttpApiIntegration}"
    }
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["IntegrationUri"] == {"Fn::GetAtt": ["ApiFunction", "Arn"]}
    assert integration["PayloadFormatVersion"] == "1.0"


def test_the_function_gives_up_before_api_gateway_does() -> None:
    (integration,) = HTTP.of_type("AWS::ApiGatewayV2::Integration").values()

    assert HTTP.properties("ApiFunction")["Timeout"] * 1_000 < integration["TimeoutInMillis"]


def test_all_parts_are_of_the_one_api() -> None:
    parts = ("Stage", "Integration", "Route")
    apis = [
        part["ApiId"]
        for kind in parts
        for part in HTTP.of_type(f"AWS::ApiGatewayV2::{kind}").values()
    ]

    assert apis == [{"Ref": "HttpApi"}] * (2 + len(ROUTES))


def test_the_stage_is_that_of_the_rest_api_so_that_paths_and_policies_stay() -> None:
    assert _stage()["StageName"] == IAM.properties("Apiv2Stage")["StageName"] == "v2"
    assert _stage()["AutoDeploy"] is True


def test_the_stage_throttles_as_told() -> None:
    stack = Stack(ApiAccess="iam-http", ThrottleRate="7", ThrottleBurst="9")

    assert stack.properties("HttpApiStage")["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": "7",
        "ThrottlingBurstLimit": "9",
    }
    assert "RouteSettings" not in stack.properties("HttpApiStage")


def test_access_logs_hold_no_query_no_address_and_no_session_name() -> None:
    settings = _stage()["AccessLogSettings"]
    line = json.loads(settings["Format"])

    assert settings["DestinationArn"] == {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}
    assert set(line.values()) == {
        "$context.error.responseType",
        "$context.httpMethod",
        "$context.identity.accountId",
        "$context.integration.integrationStatus",
        "$context.integration.latency",
        "$context.requestId",
        "$context.requestTimeEpoch",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
        "$context.status",
    }


def test_access_logs_have_the_names_that_those_of_a_rest_api_have() -> None:
    rest = json.loads(IAM.properties("Apiv2Stage")["AccessLogSetting"]["Format"])
    http = json.loads(_stage()["AccessLogSettings"]["Format"])

    assert rest.keys() - http.keys() == {"accessKey", "vpcEndpoint", "traceId"}
    assert http.keys() <= rest.keys()


def test_only_this_stage_of_the_http_api_may_invoke_the_function() -> None:
    (permission,) = HTTP.of_type("AWS::Lambda::Permission").values()
    (of_rest,) = IAM.of_type("AWS::Lambda::Permission").values()

    assert permission["SourceArn"]["Fn::Sub"].endswith(":${HttpApi}/v2/*")
    assert permission | {"SourceArn": None} == of_rest | {"SourceArn": None}


def test_outputs_name_the_api_that_there_is() -> None:
    for access, name in (("iam", "Api"), ("vpc", "Api"), ("iam-http", "HttpApi")):
        outputs = CHOICES[access].resolve(HTTP.template["Outputs"])

        assert outputs["ApiId"]["Value"] == {"Ref": name}
        assert outputs["ApiUrl"]["Value"]["Fn::Sub"].startswith(f"https://${{{name}}}.execute-api.")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"CallerAccountIds": "111111111111"}, "CallerAccountIds mean nothing"),
        ({"CallerOrganizationId": "o-a1b2c3d4e5"}, "CallerOrganizationId means nothing"),
        ({"VpcEndpointIds": "vpce-1"}, "VpcEndpointIds mean nothing"),
    ],
)
def test_what_an_http_api_cannot_do_is_refused(given: dict[str, str], message: str) -> None:
    (refused,) = Stack(ApiAccess="iam-http", **given).refused()

    assert refused.startswith(message)


@pytest.mark.parametrize("access", CHOICES)
def test_each_choice_is_accepted_with_what_it_needs(access: str) -> None:
    assert CHOICES[access].refused() == []


@pytest.mark.parametrize("access", CHOICES)
def test_what_each_choice_becomes_passes_the_linter(access: str) -> None:
    parameters = HTTP.template["Parameters"]
    chosen = parameters["ApiAccess"] | {"Default": access, "AllowedValues": [access]}
    template = HTTP.template | {"Parameters": parameters | {"ApiAccess": chosen}}

    found = [each for each in lint(json.dumps(template)) if each.rule.id not in UNREACHED]

    assert [str(each) for each in found] == []
