"""What the integration tests share: one embedded AWS, and the service with its own table each."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.integration.service import Service, running_service
from tests.shared_aws import SharedAws


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with SharedAws() as running:
        yield running


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        yield running
