"""What the integration tests share: one embedded AWS, and the service with its own table each."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from dev.local.embedded_aws import EmbeddedAws
from handlers.observing import logger
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


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Yield what the service logs, as it writes it."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_handler.formatter)
    logger.addHandler(handler)
    yield written
    logging.getLogger(logger.name).removeHandler(handler)
