"""One embedded AWS for all rows; each row has a table and a secret of its own."""

from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.shared_aws import SharedAws


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with SharedAws() as running:
        yield running
