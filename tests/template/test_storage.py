"""What is kept: the table, the secret, dead letters, logs."""

import pytest

from tests.template.stack import Stack

STACK = Stack()


def test_the_table_outlives_the_stack() -> None:
    table = STACK.resources["Table"]

    assert table["DeletionPolicy"] == "Retain"
    assert table["UpdateReplacePolicy"] == "Retain"


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


@pytest.mark.parametrize("switch", ["false", "true"])
def test_backups_are_a_switch(switch: str) -> None:
    table = Stack(PointInTimeRecovery=switch).properties("Table")

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": switch}


def test_the_created_secret_has_no_value_that_an_update_could_write_again() -> None:
    secret = STACK.properties("Secret")

    assert "SecretString" not in secret
    assert "GenerateSecretString" not in secret
    assert "Name" not in secret


def test_a_given_secret_is_used_instead_of_a_created_one() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cal-AbCdEf"
    stack = Stack(SecretArn=arn)

    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["SECRET_ID"] == arn
    assert "Secret" not in stack.resources
    assert stack.resolve(stack.template["Outputs"]["SecretArn"]["Value"]) == arn


def test_dead_letters_are_encrypted_and_kept_for_two_weeks() -> None:
    queue = STACK.properties("DeadLetters")

    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_every_log_group_ends_its_records() -> None:
    groups = STACK.of_type("AWS::Logs::LogGroup")

    assert groups.keys() == {"ApiLogs", "RefreshLogs", "ChangesLogs", "ApiAccessLogs"}
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}


def test_outputs_say_what_an_operator_needs() -> None:
    outputs = STACK.template["Outputs"]

    assert outputs.keys() == {
        "ApiUrl",
        "ApiId",
        "SecretArn",
        "TableName",
        "DashboardUrl",
        "ApiFunctionName",
        "RefreshFunctionName",
        "ChangesFunctionName",
        "EventBusName",
        "DeadLetterQueueUrl",
    }
    assert all(output["Description"] for output in outputs.values())
