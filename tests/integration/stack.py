"""What tests of the whole local stack share: requests over HTTP, and the table."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import requests

from dev.local.settings import TABLE_NAME
from dev.local.stack import LocalStack
from dev.origin import OriginDouble
from tests.integration.service import Table
from tests.patience import PATIENCE_SECONDS

PARALLEL = 200


class Caller:
    """Somebody who uses the running stack as one client."""

    def __init__(self, stack: LocalStack, client_id: str) -> None:
        self.stack = stack
        self.client_id = client_id
        self.table = Table(stack.aws.client("dynamodb"), TABLE_NAME)

    @property
    def origin(self) -> OriginDouble:
        assert self.stack.origin is not None
        return self.stack.origin

    def send(
        self,
        method: str,
        path: str = "/users",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        url = f"{self.stack.url}/v2/oauth-clients/{self.client_id}{path}"
        return requests.request(method, url, headers=headers, data=body, timeout=PATIENCE_SECONDS)

    def get(
        self, path: str = "/users", headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        return self.send("GET", path, headers)

    def get_in_parallel(self, path: str = "/users") -> list[requests.Response]:
        """Return the answers to ``PARALLEL`` requests that are under way at the same time."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self.get, [path] * PARALLEL))

    def let_pass(self, seconds: int) -> None:
        self.table.let_pass(self.client_id, seconds)

    def list_calls(self) -> int:
        return len(self.origin.list_calls(self.client_id))
