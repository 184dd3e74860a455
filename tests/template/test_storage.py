"""What is kept: the table, the secret, dead letters, logs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import ROOT
from tests.template.stack import GIVEN_TABLE, Json, Stack

STACK = Stack()
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cal-AbCdEf"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
GIVEN = Stack(**GIVEN_TABLE)
WEBHOOK = Stack(WebhookUrl="https://hooks.example.org/users")


def test_the_table_outlives_the_stack() -> None:
    table = STACK.resources["Table"]

    assert table["DeletionPolicy"] == "Retain"
    assert table["UpdateReplacePolicy"] == "Retain"


def test_the_table_is_protected_and_no_rollback_has_to_delete_it() -> None:
    # CloudFormation does not take the protection off. With RetainExceptOnCreate it would try to
    # delete the table of a first deployment that fails, and be stuck.
    assert STACK.properties("Table")["DeletionProtectionEnabled"] == "true"
    assert STACK.resources["Table"]["DeletionPolicy"] != "RetainExceptOnCreate"


def test_protection_is_a_switch() -> None:
    table = Stack(DeletionProtection="false").properties("Table")

    assert table["DeletionProtectionEnabled"] == "false"


def test_a_given_table_is_used_instead_of_a_created_one() -> None:
    outputs = GIVEN.outputs

    for function in GIVEN.of_type("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert variables["TABLE_NAME"] == GIVEN_TABLE["TableName"]
    assert not GIVEN.of_type("AWS::DynamoDB::Table")
    assert outputs.items() >= GIVEN_TABLE.items()


def test_a_restored_table_is_told_to_get_what_the_stack_gives_its_own() -> None:
    told = Path(ROOT, "docs/operations.md").read_text(encoding="utf-8")
    table = STACK.properties("Table")
    stream = table["StreamSpecification"]["StreamViewType"]
    expiry = table["TimeToLiveSpecification"]["AttributeName"]

    assert f"--stream-specification StreamEnabled=true,StreamViewType={stream}" in told
    assert f"--time-to-live-specification Enabled=true,AttributeName={expiry}" in told
    assert "--deletion-protection-enabled" in told
    assert set(re.findall(r"\b(Table\w+)=", told)) == GIVEN_TABLE.keys()


@pytest.mark.parametrize("stack", [GIVEN, Stack(SecretArn=SECRET), STACK, WEBHOOK])
def test_nothing_refers_to_a_resource_that_this_choice_does_not_make(stack: Stack) -> None:
    made = stack.resources.keys()
    names = set(_referred([stack.resources, stack.outputs]))

    assert names & stack.template["Resources"].keys() <= made


def _referred(value: Json) -> Iterator[str]:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from set(re.findall(r"\$\{(\w+)", text)) - own.keys()
            yield from _referred(list(own.values()))
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            yield from _referred(list(value.values()))
        case list():
            for member in value:
                yield from _referred(member)
        case _:
            pass


def test_the_table_is_as_the_store_expects_it() -> None:
    table = STACK.properties("Table")

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
    }
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_the_table_is_encrypted_with_a_given_key() -> None:
    assert Stack(TableKmsKeyArn=KEY).properties("Table")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }


@pytest.mark.parametrize("switch", ["false", "true"])
def test_backups_are_a_switch(switch: str) -> None:
    table = Stack(PointInTimeRecovery=switch).properties("Table")

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": switch}


def test_the_created_secret_has_no_value_that_an_update_could_write_again() -> None:
    secret = STACK.properties("Secret")

    assert "SecretString" not in secret
    assert "GenerateSecretString" not in secret
    assert "Name" not in secret


def test_the_created_secret_outlives_the_stack_but_no_failed_first_deployment() -> None:
    secret = STACK.resources["Secret"]

    assert secret["DeletionPolicy"] == "RetainExceptOnCreate"
    assert secret["UpdateReplacePolicy"] == "Retain"


def test_a_given_secret_is_used_instead_of_a_created_one() -> None:
    stack = Stack(SecretArn=SECRET)

    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["SECRET_ID"] == SECRET
    assert "Secret" not in stack.resources
    assert stack.resolve(stack.template["Outputs"]["SecretArn"]["Value"]) == SECRET


def test_dead_letters_are_encrypted_and_kept_for_two_weeks() -> None:
    queue = STACK.properties("DeadLetters")

    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_dead_letters_travel_by_tls_alone() -> None:
    statements = STACK.properties("DeadLettersPolicy")["PolicyDocument"]["Statement"]

    assert statements == [
        {
            "Sid": "NotWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"],
            "Resource": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_alarms_of_this_account_may_publish_and_nobody_without_tls() -> None:
    policy = Stack(AlarmEmail="on-call@example.org").properties("AlarmTopicPolicy")
    allow, deny = policy["PolicyDocument"]["Statement"]

    assert policy["Topics"] == [{"Ref": "AlarmTopic"}]
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allow["Action"] == deny["Action"] == "sns:Publish"
    assert "AlarmTopicPolicy" not in STACK.resources


def test_every_log_group_ends_its_records() -> None:
    groups = WEBHOOK.of_type("AWS::Logs::LogGroup")
    functions = {"ApiLogs", "RefreshLogs", "ChangesLogs", "DeliveriesLogs"}

    assert groups.keys() == functions | {"ApiAccessLogs"}
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}


def test_outputs_say_what_an_operator_needs() -> None:
    outputs = STACK.template["Outputs"]

    assert outputs.keys() == {
        "ApiUrl",
        "ApiId",
        "SecretArn",
        "TableName",
        "TableStreamArn",
        "DashboardUrl",
        "ApiFunctionName",
        "RefreshFunctionName",
        "ChangesFunctionName",
        "EventBusName",
        "DeadLetterQueueUrl",
        "DeliveriesFunctionName",
        "DeliveriesQueueUrl",
        "SigningSecretArn",
    }
    assert all(output["Description"] for output in outputs.values())
