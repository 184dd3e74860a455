"""An embedded AWS for many tests, whose clients, which take long to make, are made once."""

from typing import Any, override

from dev.local.embedded_aws import EmbeddedAws


class SharedAws(EmbeddedAws):
    """An embedded AWS that hands out the same client of a service every time."""

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
