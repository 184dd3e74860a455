"""One embedded AWS for all rows; each row has a table and a secret of its own."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as running:
        yield running
