"""What a caller is told of a failure: whose it is, why, and until when."""

import pytest

from lib.errors import (
    InvalidRequestError,
    NotAskedError,
    OriginAuthError,
    OriginServerError,
    Reason,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
)
from lib.queries.failures import Fault, told

MAY_NOT = "The origin may not be asked now."


@pytest.mark.parametrize(
    ("error", "fault", "sentence"),
    [
        (
            OriginServerError("the connection failed", reason=Reason.ORIGIN_CONNECTION),
            Fault.ORIGIN,
            "Cal.com is at fault: the connection failed.",
        ),
        (
            OriginAuthError("the origin refused the credential", reason=Reason.ORIGIN_AUTH),
            Fault.CONFIGURATION,
            "This deployment's secret is at fault: the origin refused the credential.",
        ),
        (
            SecretError("Secrets Manager has no answer", reason=Reason.SECRET_MISSING),
            Fault.CONFIGURATION,
            "This deployment's secret is at fault: Secrets Manager has no answer.",
        ),
        (
            StoreError("DynamoDB refused a request", reason=Reason.STORE_REFUSED),
            Fault.STORAGE,
            "This service's storage is at fault: DynamoDB refused a request.",
        ),
        (
            NotAskedError(MAY_NOT, reason=Reason.ORIGIN_BLOCKED),
            Fault.ORIGIN,
            "The origin may not be asked now: it had too many calls and takes none for a while.",
        ),
        (
            NotAskedError(MAY_NOT, reason=Reason.LEASE_HELD),
            Fault.SERVICE,
            "The origin may not be asked now: another request is asking it.",
        ),
        (
            UnavailableError("a queue is full", reason=Reason.QUEUE_REFUSED),
            Fault.SERVICE,
            "A queue is full.",
        ),
    ],
)
def test_a_failure_is_told_in_a_sentence_that_says_whose_it_is_and_why(
    error: UnavailableError, fault: Fault, sentence: str
) -> None:
    message, details = told(error, again_in=None)

    assert message == details["message"] == sentence
    assert (details["fault"], details["reason"]) == (fault, error.reason)
    assert "retryAfter" not in details


def test_until_when_is_told_in_seconds() -> None:
    error = NotAskedError(MAY_NOT, reason=Reason.ORIGIN_BACKOFF)

    message, details = told(error, again_in=7)

    assert message.endswith("is given a pause. Ask again in 7 s.")
    assert details["retryAfter"] == 7


@pytest.mark.parametrize("error", [InvalidRequestError("No."), ServiceError("Ours.")])
def test_what_is_no_failure_to_answer_is_told_as_it_is(error: ServiceError) -> None:
    assert told(error, again_in=None) == (error.message, error.details)
