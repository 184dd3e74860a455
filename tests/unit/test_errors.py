"""The error tree: statuses, codes and details that callers see."""

from collections.abc import Iterator

import pytest

from lib.errors import (
    CODES,
    BodyTooLargeError,
    BrokenSnapshotError,
    ConflictError,
    ForbiddenError,
    GoneError,
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
    Reason,
    SecretError,
    ServiceError,
    StoreError,
    UnavailableError,
    UnexpectedError,
    retry_after,
)

STATUSES = [
    (ServiceError, 500),
    (InvalidRequestError, 400),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (MethodNotAllowedError, 405),
    (BodyTooLargeError, 413),
    (OnlyIfCachedError, 504),
    (UnavailableError, 503),
    (OriginError, 502),
    (OriginAuthError, 502),
    (OriginServerError, 502),
    (OriginTimeoutError, 504),
    (OriginBlockedError, 503),
    (UnexpectedError, 500),
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
    not_asked = NotAskedError("wait", reason=Reason.LEASE_HELD, until=3)
    method = MethodNotAllowedError("no", allow="GET, HEAD")

    assert (blocked.reason, blocked.received, blocked.reset_seconds) == ("origin-blocked", 429, 30)
    assert (not_asked.reason, not_asked.until) == ("lease-held", 3)
    assert method.fields == {"Allow": "GET, HEAD"}
    assert str(method) == method.message == "no"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (ServiceError("fault"), {}),
        (InvalidRequestError("bad"), {}),
        (NotFoundError("nobody"), {}),
        (
            NotFoundError("nobody", fields={"Cache-Status": "managed-users; hit"}),
            {"Cache-Status": "managed-users; hit"},
        ),
        (MethodNotAllowedError("no", allow="GET"), {"Allow": "GET"}),
        (GoneError("gone"), {}),
        (GoneError("gone", fields={"Link": '<?>; rel="first"'}), {"Link": '<?>; rel="first"'}),
        (NotAskedError("wait", reason=Reason.LEASE_HELD, until=107.2), {"Retry-After": "8"}),
        (NotAskedError("wait", reason=Reason.LEASE_HELD), {"Retry-After": "1"}),
        (OriginBlockedError("blocked", reset_seconds=30), {"Retry-After": "30"}),
        (StoreError("down", reason=Reason.STORE_UNREACHABLE), {"Retry-After": "1"}),
        (OriginTimeoutError("late", reason=Reason.ORIGIN_TIMEOUT), {}),
    ],
)
def test_each_error_carries_its_header_fields(error: ServiceError, headers: dict[str, str]) -> None:
    assert error.headers(now=100, jitter=0) == headers


@pytest.mark.parametrize(
    ("seconds", "jitter", "told"),
    [(-5, 0, 1), (0, 1, 1), (0.2, 0, 1), (1.2, 0, 2), (10, 0, 10), (10, 0.5, 11), (10, 1, 12)],
)
def test_retry_after_is_rounded_up_and_spread_by_a_fifth(
    seconds: float, jitter: float, told: int
) -> None:
    assert retry_after(seconds, jitter=jitter) == told
