"""What callers are told through the handler when something goes wrong: whose fault, why, when."""

import pytest

from dev.origin import Fault
from tests.integration.service import Service


@pytest.mark.parametrize(
    ("fault", "whose", "told"),
    [
        (Fault(kind="status", status=500), "origin", "Cal.com is at fault: "),
        (Fault(kind="reset"), "origin", "Cal.com is at fault: the connection failed"),
        (Fault(kind="status", status=401), "configuration", "This deployment's secret is at fault"),
    ],
)
def test_a_502_says_whose_fault_it_is_and_until_when_like_the_503_that_follows(
    service: Service, fault: Fault, whose: str, told: str
) -> None:
    assert service.origin is not None
    service.origin.faults = [fault]

    first, then = service.get(), service.get()

    assert (first.status, first.error["details"]["fault"]) == (502, whose)
    assert first.error["message"].startswith(told)
    assert (then.status, then.error["details"]["fault"]) == (503, "origin")
    for answer in (first, then):
        seconds = answer.headers["Retry-After"]
        assert 1 <= int(seconds) <= 8
        assert answer.error["details"]["retryAfter"] == int(seconds)
        assert answer.error["message"].endswith(f" Ask again in {seconds} s.")
    assert "given a pause" in then.error["message"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "There is no body."),
        (b"{", "The body is not JSON."),
        (b"[]", "The body is not a JSON object."),
        (b"{}", "The body names nobody."),
        (b'{"email": ["a@example.com"]}', "The body has the unknown member 'email'."),
        (b'{"ids": 1}', "'ids' is no list."),
        (b'{"ids": []}', "'ids' has 0 members, and 1 to 250 are allowed."),
        (b'{"ids": ["1"]}', "Member 0 of 'ids' is not a number."),
        (b'{"usernames": [1]}', "Member 0 of 'usernames' is not a text."),
    ],
)
def test_each_mistake_of_a_look_up_has_a_sentence(service: Service, body: bytes, told: str) -> None:
    answer = service.send("POST", "/users/lookup", body=body)

    assert answer.status == 400
    assert answer.error["message"].startswith(told)
