"""The error tree: statuses, codes and details that callers see."""

from collections.abc import Iterator

import pytest

from lib.errors import (
    CODES,
    BrokenSnapshotError,
    ConflictError,
    InvalidRequestError,
    LeaseLostError,
    MethodNotAllowedError,
    NotAskedError,
    NotFoundError,
    OnlyIfCachedError,
    OriginAuthError,
    OriginBlockedError,
    OriginError,
    OriginServerError,
    OriginTimeoutError,
    QuarantinedError,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
)

STATUSES = [
    (ServiceError, 500),
    (InvalidRequestError, 400),
    (NotFoundError, 404),
    (MethodNotAllowedError, 405),
    (OnlyIfCachedError, 504),
    (UnavailableError, 503),
    (OriginError, 502),
    (OriginAuthError, 502),
    (OriginServerError, 502),
    (OriginTimeoutError, 504),
    (OriginBlockedError, 503),
    (QuarantinedError, 502),
    (NotAskedError, 503),
    (SecretError, 503),
    (StoreError, 503),
    (ConflictError, 503),
    (LeaseLostError, 503),
    (BrokenSnapshotError, 503),
]


def tree(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    """Yield ``kind`` and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


@pytest.mark.parametrize(("kind", "status"), STATUSES)
def test_each_kind_of_error_has_its_status(kind: type[ServiceError], status: int) -> None:
    assert kind.status == status


@pytest.mark.parametrize("kind", list(tree(ServiceError)))
def test_each_status_that_an_error_has_has_a_code(kind: type[ServiceError]) -> None:
    assert kind.status in CODES


def test_an_error_has_the_origins_default_details() -> None:
    error = NotFoundError("User with ID 99 is not part of this OAuth client.")

    assert error.code == "NotFoundException"
    assert error.details == {
        "message": "User with ID 99 is not part of this OAuth client.",
        "error": "Not Found",
        "statusCode": 404,
    }


def test_a_bad_request_may_have_details_and_a_code_of_its_own() -> None:
    error = InvalidRequestError("too large", details={"a": 1}, code="ResponseTooLarge")

    assert (error.code, error.details) == ("ResponseTooLarge", {"a": 1})


def test_a_bad_request_without_them_has_the_default_ones() -> None:
    error = InvalidRequestError("bad")

    assert error.code == "BadRequestException"
    assert error.details == {"message": "bad", "error": "Bad Request", "statusCode": 400}


def test_errors_carry_what_their_handlers_read() -> None:
    blocked = OriginBlockedError("blocked", reset_seconds=30)
    quarantined = QuarantinedError("doubted", loss="abc", since=5)
    not_asked = NotAskedError("wait", reason="lease-held", retry_after=3)
    method = MethodNotAllowedError("no", allow="GET, HEAD")

    assert (blocked.reason, blocked.received, blocked.reset_seconds) == ("origin-blocked", 429, 30)
    assert (quarantined.reason, quarantined.loss, quarantined.since) == ("quarantined", "abc", 5)
    assert (not_asked.reason, not_asked.retry_after) == ("lease-held", 3)
    assert method.allow == "GET, HEAD"
    assert str(method) == method.message == "no"
