"""The route of Cal.com's webhooks: only where asked for, unsigned by AWS, throttled on its own."""

import json
from typing import Final

import pytest
from cfnlint.api import lint

from dev.template.literals import api_paths
from tests.template.stack import Json, Stack
from tests.template.test_api import IAM, ROUTES, VPC
from tests.template.test_http_api import HTTP, UNREACHED

PATH: Final = "/oauth-clients/{clientId}/webhook"
REST: Final = Stack(InboundWebhooks="true")
OVER_HTTP: Final = Stack(InboundWebhooks="true", ApiAccess="iam-http")
ABROAD: Final = Stack(InboundWebhooks="true", CallerAccountIds="111111111111")


def _paths(stack: Stack) -> Json:
    return stack.properties("Api")["Body"]["paths"]


def _routes(stack: Stack) -> dict[str, Json]:
    return {each["RouteKey"]: each for each in stack.of_type("AWS::ApiGatewayV2::Route").values()}


@pytest.mark.parametrize("stack", [IAM, VPC, HTTP], ids=["iam", "vpc", "iam-http"])
def test_nobody_gets_an_unsigned_route_who_has_not_asked_for_one(stack: Stack) -> None:
    assert "webhook" not in json.dumps(stack.resources.get("Api", {}))
    assert not [key for key in _routes(stack) if "webhook" in key]
    assert "NONE" not in json.dumps(stack.of_type("AWS::ApiGatewayV2::Route"))


def test_behind_vpc_endpoints_there_is_none_even_if_asked_for() -> None:
    stack = Stack(InboundWebhooks="true", ApiAccess="vpc", VpcEndpointIds="vpce-1")

    assert stack.refused() == ["InboundWebhooks cannot come to ApiAccess=vpc"]
    assert PATH not in _paths(stack)


def test_in_a_rest_api_post_alone_is_unsigned_and_everything_else_as_it_was() -> None:
    paths = _paths(REST)

    webhook = paths.pop(PATH)
    assert list(webhook) == ["post"]
    assert webhook["post"]["security"] == []
    assert "${ApiFunction.Arn}" in json.dumps(webhook["post"]["x-amazon-apigateway-integration"])
    assert paths == _paths(IAM)
    assert all(operation["security"] for path in paths.values() for operation in path.values())


def test_in_an_http_api_post_alone_is_unsigned_and_everything_else_as_it_was() -> None:
    routes = _routes(OVER_HTTP)

    webhook = routes.pop(f"POST {PATH}")
    assert webhook["AuthorizationType"] == "NONE"
    assert webhook["Target"] == {"Fn::Sub": "integrations/${HttpApiIntegration}"}
    assert routes == _routes(HTTP)


def test_a_flood_leaves_the_other_routes_what_they_have() -> None:
    everything, webhook = REST.properties("Apiv2Stage")["MethodSettings"]
    stage = OVER_HTTP.properties("HttpApiStage")

    assert everything == IAM.properties("Apiv2Stage")["MethodSettings"][0]
    assert webhook["ResourcePath"] == "/" + PATH.replace("/", "~1")
    assert webhook["HttpMethod"] == "POST"
    limits = {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
    assert limits.items() <= webhook.items()
    assert stage["RouteSettings"] == {f"POST {PATH}": limits}
    assert stage["DefaultRouteSettings"] == HTTP.properties("HttpApiStage")["DefaultRouteSettings"]


def test_bodies_of_webhooks_are_in_no_log() -> None:
    _, webhook = REST.properties("Apiv2Stage")["MethodSettings"]

    assert (webhook["LoggingLevel"], webhook["DataTraceEnabled"]) == ("OFF", False)
    assert webhook["CachingEnabled"] is False
    settings = "AccessLogSetting"
    assert REST.properties("Apiv2Stage")[settings] == IAM.properties("Apiv2Stage")[settings]


def test_where_a_policy_names_callers_the_unsigned_are_let_to_this_route_alone() -> None:
    accounts, webhooks = ABROAD.properties("Api")["Body"]["x-amazon-apigateway-policy"]["Statement"]

    assert accounts["Sid"] == "Accounts"
    assert webhooks == {
        "Sid": "Webhooks",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/v2/POST/oauth-clients/*/webhook",
    }


def test_without_such_a_policy_there_is_none() -> None:
    assert "x-amazon-apigateway-policy" not in REST.properties("Api")["Body"]


def test_the_function_may_do_no_more_than_before() -> None:
    for name in ("ApiRole", "RefreshRole"):
        assert REST.properties(name) == IAM.properties(name)


def test_every_path_of_the_template_is_known() -> None:
    assert sorted(api_paths()) == sorted([*ROUTES, PATH])


@pytest.mark.parametrize("access", ["iam", "iam-http"])
def test_what_it_becomes_passes_the_linter(access: str) -> None:
    parameters = HTTP.template["Parameters"]
    chosen = {
        "ApiAccess": parameters["ApiAccess"] | {"Default": access, "AllowedValues": [access]},
        "InboundWebhooks": parameters["InboundWebhooks"]
        | {"Default": "true", "AllowedValues": ["true"]},
    }
    template = HTTP.template | {"Parameters": parameters | chosen}

    found = [each for each in lint(json.dumps(template)) if each.rule.id not in UNREACHED]

    assert [str(each) for each in found] == []
