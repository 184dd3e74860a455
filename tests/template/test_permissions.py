"""IAM: each role has exactly the actions its function uses, on exactly the resources."""

import re
from pathlib import Path

import pytest

from dev import ROOT
from tests.template.stack import GIVEN_TABLE, Json, Stack

STACK = Stack()
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cal-AbCdEf"
WEBHOOK = {"WebhookUrl": "https://hooks.example.org/users"}
FUNCTIONS = ("ApiRole", "RefreshRole", "ChangesRole", "DeliveriesRole")
REFRESH_ARN = {"Fn::GetAtt": ["RefreshFunction", "Arn"]}
TABLE_ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


def _statements(stack: Stack, role: str) -> dict[str, Json]:
    (policy,) = stack.properties(role)["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in statements}


def _allowed(stack: Stack, role: str) -> list[tuple[tuple[str, ...], Json]]:
    allowed = []
    for statement in _statements(stack, role).values():
        assert statement["Effect"] == "Allow"
        action = statement["Action"]
        actions = (action,) if isinstance(action, str) else tuple(action)
        allowed.append((actions, statement["Resource"]))
    return sorted(allowed, key=str)


def _exactly(*allowed: tuple[tuple[str, ...], Json]) -> list[tuple[tuple[str, ...], Json]]:
    return sorted(allowed, key=str)


def _arn(resource: str) -> Json:
    return {"Fn::GetAtt": [resource, "Arn"]}


def test_the_api_function_may_do_what_it_does_and_nothing_else() -> None:
    assert _allowed(STACK, "ApiRole") == _exactly(
        (TABLE_ACTIONS, _arn("Table")),
        (("secretsmanager:GetSecretValue",), {"Fn::GetAtt": ["Secret", "Id"]}),
        (("lambda:InvokeFunction",), REFRESH_ARN),
        (("logs:CreateLogStream", "logs:PutLogEvents"), _arn("ApiLogs")),
    )


def test_the_refresh_function_may_do_what_it_does_and_nothing_else() -> None:
    assert _allowed(STACK, "RefreshRole") == _exactly(
        (TABLE_ACTIONS, _arn("Table")),
        (("secretsmanager:GetSecretValue",), {"Fn::GetAtt": ["Secret", "Id"]}),
        (("lambda:InvokeFunction",), _arn("ChangesFunction")),
        (("sqs:SendMessage",), _arn("DeadLetters")),
        (("logs:CreateLogStream", "logs:PutLogEvents"), _arn("RefreshLogs")),
    )


def test_the_refresh_function_may_invoke_itself_by_a_policy_that_follows_it() -> None:
    policy = STACK.properties("RefreshMayInvokeItself")

    assert policy["Roles"] == [{"Ref": "RefreshRole"}]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "FanOut",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": REFRESH_ARN,
        }
    ]


def test_the_changes_function_may_do_what_it_does_and_nothing_else() -> None:
    assert _allowed(STACK, "ChangesRole") == _exactly(
        (("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"), _arn("Table")),
        (
            ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
            {"Fn::GetAtt": ["Table", "StreamArn"]},
        ),
        (("dynamodb:ListStreams",), {"Fn::Sub": "${Table.Arn}/stream/*"}),
        (("events:PutEvents",), _arn("EventBus")),
        (("sqs:SendMessage",), _arn("DeadLetters")),
        (("logs:CreateLogStream", "logs:PutLogEvents"), _arn("ChangesLogs")),
    )


@pytest.mark.parametrize("role", FUNCTIONS)
def test_traces_may_be_sent_only_where_they_are_asked_for(role: str) -> None:
    traces = _statements(Stack(Tracing="true", **WEBHOOK), role)["Traces"]

    assert traces["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert "Traces" not in _statements(Stack(**WEBHOOK), role)


def test_the_deliveries_function_may_do_what_it_does_and_knows_no_user_but_by_events() -> None:
    assert _allowed(Stack(**WEBHOOK), "DeliveriesRole") == _exactly(
        (
            (
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ),
            _arn("Deliveries"),
        ),
        (("sqs:SendMessage",), _arn("DeadLetters")),
        (("secretsmanager:GetSecretValue",), {"Fn::GetAtt": ["SigningSecret", "Id"]}),
        (("logs:CreateLogStream", "logs:PutLogEvents"), _arn("DeliveriesLogs")),
    )


def test_the_schedule_may_invoke_one_function_and_keep_what_failed() -> None:
    assert _allowed(STACK, "ScheduleRole") == _exactly(
        (("lambda:InvokeFunction",), _arn("RefreshFunction")),
        (("sqs:SendMessage",), _arn("DeadLetters")),
    )


@pytest.mark.parametrize("role", ["ApiRole", "RefreshRole"])
def test_a_given_secret_and_key_are_the_only_ones_readable(role: str) -> None:
    given = _statements(Stack(SecretArn=SECRET, KmsKeyArn=KEY), role)

    assert given["Secret"]["Resource"] == SECRET
    assert given["SecretKey"]["Action"] == "kms:Decrypt"
    assert given["SecretKey"]["Resource"] == KEY
    assert given["SecretKey"]["Condition"] == {
        "StringEquals": {
            "kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}
        }
    }


def test_the_key_of_the_secrets_may_be_used_for_the_signing_secret_through_it_alone() -> None:
    stack = Stack(KmsKeyArn=KEY, **WEBHOOK)

    assert (
        _statements(stack, "DeliveriesRole")["SecretKey"]
        == (_statements(stack, "RefreshRole")["SecretKey"])
    )
    assert stack.properties("SigningSecret")["KmsKeyId"] == KEY


@pytest.mark.parametrize("role", ["ApiRole", "RefreshRole", "ChangesRole"])
def test_of_a_given_table_a_function_may_do_what_it_does_with_an_own_one(role: str) -> None:
    given, own = _statements(Stack(**GIVEN_TABLE), role), _statements(STACK, role)
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"

    changed = {sid: given[sid]["Resource"] for sid in given if given[sid] != own[sid]}

    assert given.keys() == own.keys()
    assert changed.pop("Table") == {"Fn::Sub": arn}
    if role == "ChangesRole":
        assert changed.pop("Stream") == GIVEN_TABLE["TableStreamArn"]
        assert changed.pop("Streams") == {"Fn::Sub": f"{arn}/stream/*"}
    assert not changed


@pytest.mark.parametrize("role", ["ApiRole", "RefreshRole", "ChangesRole"])
@pytest.mark.parametrize("table", [{}, GIVEN_TABLE])
def test_the_table_s_key_may_be_used_through_the_table_alone(
    role: str, table: dict[str, str]
) -> None:
    given = _statements(Stack(TableKmsKeyArn=KEY, **table), role)

    assert given["TableKey"] == {
        "Sid": "TableKey",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:DescribeKey"],
        "Resource": KEY,
        "Condition": {
            "StringEquals": {
                "kms:ViaService": {"Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}
            }
        },
    }
    assert "TableKey" not in _statements(STACK, role)


@pytest.mark.parametrize("role", FUNCTIONS)
def test_network_interfaces_are_allowed_only_inside_a_vpc(role: str) -> None:
    inside = Stack(SubnetIds="subnet-1", SecurityGroupIds="sg-1", **WEBHOOK)

    statements = _statements(inside, role)
    lambda_may, code_may_not = (
        statements["NetworkInterfaces"],
        statements["NoNetworkInterfacesForCode"],
    )

    outside = _statements(Stack(**WEBHOOK), role)
    assert not {"NetworkInterfaces", "NoNetworkInterfacesForCode"} & outside.keys()
    assert all(action.startswith("ec2:") for action in lambda_may["Action"])
    assert (lambda_may["Effect"], code_may_not["Effect"]) == ("Allow", "Deny")
    assert code_may_not["Action"] == lambda_may["Action"]
    assert code_may_not["Condition"].keys() == {"ArnLike"}
    assert code_may_not["Condition"]["ArnLike"].keys() == {"lambda:SourceFunctionArn"}


def test_what_may_be_done_to_all_resources_can_be_done_to_no_single_one() -> None:
    everything = Stack(
        Tracing="true",
        ApiGatewayLogRole="create",
        SubnetIds="subnet-1",
        SecurityGroupIds="sg-1",
        **WEBHOOK,
    )

    wild = {
        statement["Sid"]
        for role in everything.of_type("AWS::IAM::Role")
        if "Policies" in everything.properties(role)
        for statement in _statements(everything, role).values()
        if statement["Resource"] == "*"
    }

    assert wild == {"Traces", "NetworkInterfaces", "NoNetworkInterfacesForCode"}


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("ApiRole", "lambda.amazonaws.com"),
        ("RefreshRole", "lambda.amazonaws.com"),
        ("ChangesRole", "lambda.amazonaws.com"),
        ("DeliveriesRole", "lambda.amazonaws.com"),
        ("ScheduleRole", "scheduler.amazonaws.com"),
    ],
)
def test_a_role_is_for_one_service(role: str, service: str) -> None:
    properties = Stack(**WEBHOOK).properties(role)
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": service}
    assert "ManagedPolicyArns" not in properties


def test_every_role_of_the_stack_is_tested_here() -> None:
    everything = Stack(ApiGatewayLogRole="create", **WEBHOOK)

    assert everything.of_type("AWS::IAM::Role").keys() == {
        "ApiRole",
        "RefreshRole",
        "ChangesRole",
        "DeliveriesRole",
        "ScheduleRole",
        "ApiGatewayLogWriter",
    }
    assert everything.of_type("AWS::IAM::Policy").keys() == {"RefreshMayInvokeItself"}
    assert not everything.of_type("AWS::IAM::ManagedPolicy")


def test_the_account_s_log_role_is_made_only_on_request_and_outlives_the_stack() -> None:
    created = Stack(ApiGatewayLogRole="create").resources

    assert "ApiGatewayAccount" not in STACK.resources
    assert created["ApiGatewayAccount"]["DeletionPolicy"] == "Retain"
    assert created["ApiGatewayLogWriter"]["DeletionPolicy"] == "Retain"


def test_a_wildcard_is_never_without_its_reason() -> None:
    lines = Path(ROOT, "template.yaml").read_text(encoding="utf-8").splitlines()
    wild = [n for n, line in enumerate(lines) if re.search(r"(Resource|SourceArn): .*\*", line)]

    starts = [
        next(n for n in range(at, 0, -1) if re.match(r" +- (Sid|Effect):|  \w+:$", lines[n]))
        for at in wild
    ]

    assert wild
    assert [lines[n].strip() for n in starts if not lines[n - 1].strip().startswith("#")] == []


def test_no_action_is_a_pattern() -> None:
    text = Path(ROOT, "template.yaml").read_text(encoding="utf-8")

    assert re.findall(r"[a-z0-9-]+:[A-Z]\w*\*", text) == []
