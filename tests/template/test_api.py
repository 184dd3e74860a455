"""The REST API: routes, who may come in, what it logs, and what it answers by itself."""

import json
import re

import pytest

from dev.template.translation import source
from tests.template.stack import Json, Stack

IAM = Stack()
VPC = Stack(ApiAccess="vpc", VpcEndpointIds="vpce-1,vpce-2")
ROUTES = (
    "/oauth-clients/{clientId}/cache",
    "/oauth-clients/{clientId}/cache/changes",
    "/oauth-clients/{clientId}/cache/pages",
    "/oauth-clients/{clientId}/cache/refresh",
    "/oauth-clients/{clientId}/events",
    "/oauth-clients/{clientId}/users",
    "/oauth-clients/{clientId}/users/lookup",
    "/oauth-clients/{clientId}/users/{userId}",
    "/openapi.json",
)
# Within an account it is enough that either the API or an identity's policy allows a call: a policy
# that matched the own account's callers would take the decision from theirs.
NOT_THE_OWN_ACCOUNT = {"StringNotEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
METHODS = {"delete", "get", "head", "options", "patch", "post", "put"}


def _body(stack: Stack) -> Json:
    return stack.properties("Api")["Body"]


def _operations(stack: Stack) -> list[Json]:
    return [method for path in _body(stack)["paths"].values() for method in path.values()]


def _stage() -> Json:
    return IAM.properties("Apiv2Stage")


def test_routes_are_declared_one_by_one_with_every_method() -> None:
    paths = _body(IAM)["paths"]

    assert sorted(paths) == sorted(ROUTES)
    assert all(path.keys() == METHODS for path in paths.values())


def test_every_operation_reaches_the_api_function() -> None:
    for operation in _operations(IAM):
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy"
        assert integration["httpMethod"] == "POST"
        assert "${ApiFunction.Arn}/invocations" in integration["uri"]["Fn::Sub"]


def test_the_stage_is_the_first_segment_of_the_origin_s_path() -> None:
    assert _stage()["StageName"] == "v2"
    assert list(IAM.of_type("AWS::ApiGateway::Stage")) == ["Apiv2Stage"]


def test_by_default_every_request_is_signed_and_the_api_is_regional() -> None:
    scheme = _body(IAM)["components"]["securitySchemes"]["sigv4"]

    assert all(operation["security"] == [{"sigv4": []}] for operation in _operations(IAM))
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert IAM.properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "x-amazon-apigateway-policy" not in _body(IAM)


def test_behind_vpc_endpoints_requests_are_not_signed_and_the_api_is_private() -> None:
    policy = _body(VPC)["x-amazon-apigateway-policy"]

    assert all(operation["security"] == [] for operation in _operations(VPC))
    assert VPC.properties("Api")["EndpointConfiguration"] == {
        "Types": ["PRIVATE"],
        "VpcEndpointIds": ["vpce-1", "vpce-2"],
    }
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/v2/*",
            "Condition": {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
        }
    ]


def test_callers_of_named_accounts_may_come_in_if_their_own_account_allows_it() -> None:
    stack = Stack(CallerAccountIds="111111111111,222222222222")

    assert _body(stack)["x-amazon-apigateway-policy"]["Statement"] == [
        {
            "Sid": "Accounts",
            "Effect": "Allow",
            "Principal": {"AWS": ["111111111111", "222222222222"]},
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/v2/*",
            "Condition": NOT_THE_OWN_ACCOUNT,
        }
    ]


def test_callers_of_an_organization_may_come_in_if_their_own_account_allows_it() -> None:
    stack = Stack(CallerOrganizationId="o-a1b2c3d4e5")

    assert _body(stack)["x-amazon-apigateway-policy"]["Statement"] == [
        {
            "Sid": "Organization",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/v2/*",
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                **NOT_THE_OWN_ACCOUNT,
            },
        }
    ]


def test_accounts_and_an_organization_add_up_and_every_request_stays_signed() -> None:
    stack = Stack(CallerAccountIds="111111111111", CallerOrganizationId="o-a1b2c3d4e5")
    statements = _body(stack)["x-amazon-apigateway-policy"]["Statement"]

    assert [statement["Sid"] for statement in statements] == ["Accounts", "Organization"]
    # A denial would stand above the policies of the own account's callers.
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert all(operation["security"] == [{"sigv4": []}] for operation in _operations(stack))


@pytest.mark.parametrize("access", ["iam", "vpc"])
def test_no_choice_of_access_leaves_the_api_open(access: str) -> None:
    stack = Stack(ApiAccess=access, VpcEndpointIds="vpce-1")
    signed = all(operation["security"] for operation in _operations(stack))
    private = stack.properties("Api")["EndpointConfiguration"]["Types"] == ["PRIVATE"]

    assert signed != private


def test_a_change_of_access_is_always_deployed() -> None:
    assert source()["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True


def test_only_this_stage_of_this_api_may_invoke_the_function() -> None:
    (permission,) = IAM.of_type("AWS::Lambda::Permission").values()

    assert permission["FunctionName"] == {"Ref": "ApiFunction"}
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/v2/*")


def test_the_stage_keeps_no_cache_of_its_own() -> None:
    (settings,) = _stage()["MethodSettings"]

    assert _stage()["CacheClusterEnabled"] is False
    assert settings["CachingEnabled"] is False


def test_the_stage_traces_only_where_asked_for() -> None:
    assert _stage()["TracingEnabled"] == "false"
    assert Stack(Tracing="true").properties("Apiv2Stage")["TracingEnabled"] == "true"


def test_the_stage_throttles_and_compresses() -> None:
    (settings,) = _stage()["MethodSettings"]

    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("100", "200")
    assert IAM.properties("Api")["MinimumCompressionSize"] == 1024


def test_logs_hold_no_query_no_address_and_no_session_name() -> None:
    (settings,) = _stage()["MethodSettings"]
    line = json.loads(_stage()["AccessLogSetting"]["Format"])

    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    assert set(line.values()) == {
        "$context.error.responseType",
        "$context.httpMethod",
        "$context.identity.accessKey",
        "$context.identity.accountId",
        "$context.identity.vpceId",
        "$context.integration.integrationStatus",
        "$context.integration.latency",
        "$context.requestId",
        "$context.requestTimeEpoch",
        "$context.resourcePath",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.status",
        "$context.xrayTraceId",
    }


def _gateway_responses() -> dict[str, Json]:
    responses: dict[str, Json] = _body(IAM)["x-amazon-apigateway-gateway-responses"]
    return responses


def test_whatever_api_gateway_answers_by_itself_has_a_response_here() -> None:
    assert {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "MISSING_AUTHENTICATION_TOKEN",
        "THROTTLED",
        "INTEGRATION_TIMEOUT",
    } <= _gateway_responses().keys()


@pytest.mark.parametrize("kind", _gateway_responses())
def test_what_api_gateway_answers_by_itself_has_our_envelope(kind: str) -> None:
    response = _gateway_responses()[kind]
    ((media_type, template),) = response["responseTemplates"].items()

    body = json.loads(template)

    assert media_type == "application/json"
    assert response["responseParameters"]["gatewayresponse.header.Cache-Control"] == "'no-store'"
    assert body.keys() == {"status", "timestamp", "path", "requestId", "error"}
    assert body["status"] == "error"
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["error"]["details"] == {}


@pytest.mark.parametrize("kind", _gateway_responses())
def test_such_an_envelope_holds_no_unescaped_text_of_api_gateway(kind: str) -> None:
    ((_, template),) = _gateway_responses()[kind]["responseTemplates"].items()

    assert set(re.findall(r"\$context\.[\w.]+", template)) <= {
        "$context.requestTime",
        "$context.path",
        "$context.requestId",
        "$context.error.responseType",
    }


def test_a_throttled_caller_is_told_when_to_come_back() -> None:
    headers = _gateway_responses()["THROTTLED"]["responseParameters"]

    assert headers["gatewayresponse.header.Retry-After"] == "'1'"
