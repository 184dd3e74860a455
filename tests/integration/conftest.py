"""What the integration tests share: one embedded AWS, and the service with its own table each."""

from collections.abc import Iterator

import pytest

from dev.embedded_aws import EmbeddedAws
from tests.integration.service import Service, running_service


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as running:
        yield running


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        yield running
