"""Parameters: each is described, grouped, bounded, and refuses what would not work."""

import re

import pytest

from tests.template.stack import Stack

TEMPLATE = Stack().template
PARAMETERS = TEMPLATE["Parameters"]
TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/users"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_and_bounded(name: str) -> None:
    parameter = PARAMETERS[name]

    assert len(parameter["Description"]) > 20
    assert "Default" in parameter
    if parameter["Type"] == "Number":
        assert "AllowedValues" in parameter or {"MinValue", "MaxValue"} <= parameter.keys()
    else:
        pattern = {"AllowedPattern", "ConstraintDescription"}
        assert "AllowedValues" in parameter or pattern <= parameter.keys()


def test_every_parameter_is_in_exactly_one_group() -> None:
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]

    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]

    assert sorted(grouped) == sorted(PARAMETERS)
    assert all(group["Label"]["default"] for group in interface["ParameterGroups"])


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_is_within_its_own_bounds(name: str) -> None:
    parameter = PARAMETERS[name]
    default = parameter["Default"]

    if "AllowedValues" in parameter:
        assert default in parameter["AllowedValues"]
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= default <= parameter["MaxValue"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], default)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("CalApiUrl", "https://api.cal.com", True),
        ("CalApiUrl", "https://cal.example.org:8443/base", True),
        ("CalApiUrl", "http://127.0.0.1:8080", True),
        ("CalApiUrl", "http://api.cal.com", False),
        ("CalApiUrl", "http://localhost.example.org", False),
        ("CalApiUrl", "https://api.cal.com/", False),
        ("CalApiUrl", "https://user:password@api.cal.com", False),
        ("CalApiUrl", "https://api.cal.com?x=1", False),
        ("SecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cal/x-AbCdEf", True),
        ("SecretArn", "cal/clients", False),
        ("SecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*", False),
        ("KmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/0a1b-2c", True),
        ("KmsKeyArn", "alias/cal", False),
        ("TableKmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/0a1b-2c", True),
        ("TableKmsKeyArn", "alias/aws/dynamodb", False),
        ("TableName", "managed-users-Table-1ABC", True),
        ("TableName", "arn:aws:dynamodb:eu-west-1:123456789012:table/users", False),
        ("TableStreamArn", f"{TABLE_ARN}/stream/2026-11-27T10:00:00.000", True),
        ("TableStreamArn", TABLE_ARN, False),
        ("TableStreamArn", f"{TABLE_ARN}/stream/*", False),
        ("ScheduleExpression", "rate(1 minute)", True),
        ("ScheduleExpression", "rate(2 minutes)", True),
        ("ScheduleExpression", "rate(15 minutes)", True),
        ("ScheduleExpression", "rate(60 minutes)", True),
        ("ScheduleExpression", "rate(61 minutes)", False),
        ("ScheduleExpression", "rate(1 minutes)", False),
        ("ScheduleExpression", "rate(0 minutes)", False),
        ("ScheduleExpression", "rate(30 seconds)", False),
        ("ScheduleExpression", "cron(* * * * ? *)", False),
        ("HiddenFields", "bio,metadata", True),
        ("HiddenFields", "email", False),
        ("HiddenFields", "bio, metadata", False),
        ("HiddenMetadataKeys", "stripeCustomerId,plan", True),
        ("HiddenMetadataKeys", "stripeCustomerId,,plan", False),
        ("WebhookUrl", "https://hooks.example.org/users", True),
        ("WebhookUrl", "http://hooks.example.org/users", False),
        ("WebhookUrl", "http://127.0.0.1:9001/", False),
        ("VpcEndpointIds", "vpce-0123abcd,vpce-4567cdef", True),
        ("VpcEndpointIds", "vpce-0123abcd, vpce-4567cdef", False),
        ("CallerAccountIds", "111111111111", True),
        ("CallerAccountIds", "111111111111,222222222222", True),
        ("CallerAccountIds", "111111111111, 222222222222", False),
        ("CallerAccountIds", "11111111111", False),
        ("CallerAccountIds", "*", False),
        ("CallerOrganizationId", "o-a1b2c3d4e5", True),
        ("CallerOrganizationId", "o-*", False),
        ("CallerOrganizationId", "ou-a1b2-c3d4e5f6", False),
        ("SubnetIds", "subnet-0123abcd", True),
        ("SubnetIds", "sg-0123abcd", False),
        ("SecurityGroupIds", "sg-0123abcd,sg-4567cdef", True),
        ("AlarmTopicArn", "arn:aws:sns:eu-west-1:123456789012:alarms", True),
        ("AlarmEmail", "on-call@example.org", True),
        ("AlarmEmail", "on-call", False),
    ],
)
def test_a_pattern_accepts_what_works_and_nothing_else(
    name: str, value: str, *, accepted: bool
) -> None:
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)) is accepted


def test_rules_refuse_what_is_half_given() -> None:
    stated = {
        assertion["AssertDescription"]
        for rule in TEMPLATE["Rules"].values()
        for assertion in rule["Assertions"]
    }

    assert stated == {
        "ApiAccess=vpc needs VpcEndpointIds",
        "VpcEndpointIds mean nothing unless ApiAccess=vpc",
        "CallerAccountIds mean nothing unless ApiAccess=iam",
        "CallerOrganizationId means nothing unless ApiAccess=iam",
        "InboundWebhooks cannot come to ApiAccess=vpc",
        "TableName needs TableStreamArn",
        "TableStreamArn needs TableName",
        "SubnetIds need SecurityGroupIds",
        "SecurityGroupIds need SubnetIds",
        "LogFormat=JSON needs LogLevel=INFO, above which Lambda would drop the metrics",
    }
