"""One embedded AWS for all contract tests that need one."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as running:
        yield running
