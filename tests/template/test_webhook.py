"""The webhook: how events get into its queue and out of it, and what becomes of failures."""

import re
from base64 import b64decode
from string import ascii_letters, digits, punctuation

from lib.deliveries.attempts import postponed
from lib.deliveries.receiver import ANSWER_SECONDS, SIDE_BY_SIDE
from lib.deliveries.signing import keys_of
from lib.errors import Reason
from lib.events.event import PREFIX
from tests.template.stack import Json, Stack

URL = "https://hooks.example.org/users"
STACK = Stack()
WEBHOOK = Stack(WebhookUrl=URL)
QUEUE = WEBHOOK.properties("Deliveries")
FUNCTION = WEBHOOK.properties("DeliveriesFunction")
(MAPPING,) = (
    mapping
    for mapping in WEBHOOK.of_type("AWS::Lambda::EventSourceMapping").values()
    if mapping["FunctionName"] == {"Ref": "DeliveriesFunction"}
)


def arn(name: str) -> Json:
    """Return the reference to a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


def allowing(stack: Stack, policy: str) -> list[Json]:
    """Return what a queue's policy allows."""
    statements = stack.properties(policy)["PolicyDocument"]["Statement"]
    return [statement for statement in statements if statement["Effect"] == "Allow"]


def test_a_webhook_exists_only_where_asked_for() -> None:
    made = {name for name in WEBHOOK.resources if name not in STACK.resources}

    assert made == {
        "Deliveries",
        "DeliveriesErrorsAlarm",
        "DeliveriesFunction",
        "DeliveriesFunctionQueue",
        "DeliveriesLogs",
        "DeliveriesPolicy",
        "DeliveriesRole",
        "DeliveriesRule",
        "DeliveriesWaitingAlarm",
        "SigningSecret",
    }
    outputs = {"DeliveriesFunctionName", "DeliveriesQueueUrl", "SigningSecretArn"}
    assert WEBHOOK.outputs.keys() - STACK.outputs.keys() == outputs


def test_every_event_of_this_service_is_queued_as_it_is() -> None:
    rule = WEBHOOK.properties("DeliveriesRule")
    (target,) = rule["Targets"]

    assert rule["EventBusName"] == {"Ref": "EventBus"}
    assert rule["EventPattern"] == {"source": [PREFIX]}
    assert (target["Arn"], target["InputPath"]) == (arn("Deliveries"), "$.detail")
    # The most that EventBridge allows; with fewer attempts they would end before the day does.
    assert target["RetryPolicy"] == {
        "MaximumRetryAttempts": 185,
        "MaximumEventAgeInSeconds": 24 * 3600,
    }
    assert target["DeadLetterConfig"] == {"Arn": arn("DeadLetters")}


def test_the_rule_alone_may_add_to_the_queue_and_to_the_dead_letters_by_their_policies() -> None:
    for policy, queue in (("DeliveriesPolicy", "Deliveries"), ("DeadLettersPolicy", "DeadLetters")):
        (allowed,) = allowing(WEBHOOK, policy)
        assert WEBHOOK.properties(policy)["Queues"] == [{"Ref": queue}]
        assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
        assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", arn(queue))
        assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": arn("DeliveriesRule")}}
    assert allowing(STACK, "DeadLettersPolicy") == []


def test_a_queue_has_one_policy_since_a_second_would_write_over_it() -> None:
    policies = WEBHOOK.of_type("AWS::SQS::QueuePolicy").values()

    assert sorted(queue["Ref"] for policy in policies for queue in policy["Queues"]) == [
        "DeadLetters",
        "Deliveries",
    ]


def test_events_are_encrypted_and_travel_by_tls_alone() -> None:
    deny, _ = WEBHOOK.properties("DeliveriesPolicy")["PolicyDocument"]["Statement"]

    assert QUEUE["SqsManagedSseEnabled"] is True
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert deny["Action"] == [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    ]


def test_the_function_has_batches_and_says_itself_what_of_them_failed() -> None:
    assert MAPPING["EventSourceArn"] == arn("Deliveries")
    assert MAPPING["BatchSize"] == SIDE_BY_SIDE
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # The fewest that Lambda takes.
    assert MAPPING["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_nothing_is_given_out_again_while_it_is_still_being_delivered() -> None:
    assert FUNCTION["Timeout"] >= ANSWER_SECONDS + 10
    assert QUEUE["VisibilityTimeout"] >= 6 * FUNCTION["Timeout"]


def test_what_is_not_taken_in_three_days_is_a_dead_letter_and_nothing_expires_before() -> None:
    redrive = QUEUE["RedrivePolicy"]
    tries = range(1, redrive["maxReceiveCount"])

    shortest, longest = (
        sum(postponed(Reason.UNEXPECTED, tries=n, jitter=jitter).seconds for n in tries)
        for jitter in (0, 1)
    )
    asked = [postponed(Reason.UNEXPECTED, tries=n, jitter=1, asked="99999").seconds for n in tries]

    assert redrive["deadLetterTargetArn"] == arn("DeadLetters")
    assert 3 * 86_400 < shortest < longest < 4 * 86_400
    # Nor where the receiver asks for the longest pauses there are.
    assert (
        sum(asked) + redrive["maxReceiveCount"] * QUEUE["VisibilityTimeout"]
        < (QUEUE["MessageRetentionPeriod"])
    )
    # SQS hides a message for twelve hours at most.
    assert max(asked) < 12 * 3600


def test_the_function_is_told_where_everything_is_and_no_secret() -> None:
    variables = FUNCTION["Environment"]["Variables"]

    assert variables["WEBHOOK_URL"] == URL
    assert variables["SIGNING_SECRET_ID"] == {"Ref": "SigningSecret"}
    assert variables["DELIVERIES_QUEUE_URL"] == {"Ref": "Deliveries"}
    assert variables["DEAD_LETTERS_URL"] == {"Ref": "DeadLetters"}


def test_the_secret_is_generated_of_what_is_base64_whatever_comes() -> None:
    recipe = WEBHOOK.properties("SigningSecret")["GenerateSecretString"]
    left = set(ascii_letters + digits + punctuation) - set(recipe["ExcludeCharacters"])
    generated = "".join(sorted(left))[: recipe["PasswordLength"]]

    assert left == set(ascii_letters + digits)
    assert len(b64decode(generated, validate=True)) == 33
    assert len(keys_of(generated)) == 1


def test_no_later_version_may_have_cloudformation_generate_another_secret() -> None:
    # A change of this block would write over what the operator has put in a rotation.
    assert WEBHOOK.properties("SigningSecret")["GenerateSecretString"] == {
        "PasswordLength": 44,
        "ExcludeCharacters": punctuation,
    }


def test_there_is_no_key_that_stands_in_a_parameter() -> None:
    assert [name for name in STACK.parameters if re.search("Webhook|Signing", name)] == [
        "InboundWebhooks",
        "WebhookUrl",
    ]
