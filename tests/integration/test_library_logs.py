"""Libraries know URLs with addresses, headers and the secret: nothing that they log is printed."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from dev.origin.faults import Kind
from tests.integration.service import CLIENT, running_service

SECRET = "canary-secret"
ADDRESS = "canary-bird@example.com"


@pytest.fixture
def printed() -> Iterator[StringIO]:
    """Yield what reaches the root logger, which Lambda prints, at the lowest level."""
    root, text = logging.getLogger(), StringIO()
    handler, level = logging.StreamHandler(text), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("kind", ["bad_header", "reset", "html"])
def test_nothing_that_a_library_logs_is_printed(
    aws: EmbeddedAws, printed: StringIO, kind: Kind
) -> None:
    with running_service(aws, users=501, clients={CLIENT: SECRET}) as service:
        service.get()
        service.origin.faults = [Fault(kind)]

        service.get(f"/users?emails={ADDRESS}")

        assert "emails=" in service.origin.calls[-1].query
    assert "revalidation" in printed.getvalue()
    assert "canary" not in printed.getvalue()
