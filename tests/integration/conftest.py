"""What the integration tests share: one embedded AWS, and the service with its own table each."""

from collections.abc import Iterator
from typing import Any, override

import pytest

from dev.local.embedded_aws import EmbeddedAws
from tests.integration.service import Service, running_service


class SharedAws(EmbeddedAws):
    """An embedded AWS that makes each client once, which takes longer than most tests."""

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[str, Any] = {}

    @override
    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = super().client(service)
        return self._clients[service]

    @override
    def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        super().stop()


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with SharedAws() as running:
        yield running


@pytest.fixture
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws) as running:
        yield running
