"""One embedded AWS for all contract tests that need one."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.shared_aws import SharedAws


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with SharedAws() as running:
        yield running
