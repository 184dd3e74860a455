"""Fetches the OAuth clients' secret keys from Secrets Manager and keeps the last good ones.

The secret is JSON, ``{"<clientId>": "<secret key>"}``. While Secrets Manager is down, the last
good value goes on being used; nothing of it is ever printed, logged or stored elsewhere.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lib.errors import NotFoundError, Reason, SecretError
from lib.origin.credential import Credential, SecretKey

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS = 300
"""How long a fetched secret is used without asking again."""

PAUSE_SECONDS = 15
"""Least time between two fetches that only hope for something new."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: dict[str, SecretKey] = field(repr=False)
    version: str
    at: float


class Secrets:
    """The secret ``secret_id`` behind the Secrets Manager ``client``."""

    def __init__(
        self, client: "SecretsManagerClient", secret_id: str, *, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._last: _Fetched | None = None

    def credential(self, client_id: str, *, newer_than: str | None = None) -> Credential:
        """Return the credential of ``client_id``.

        ``newer_than`` is the version that the origin has just refused: ask again for another. A
        client that the last fetch did not hold is looked for again, but not at every request.

        Raises:
            NotFoundError: the secret does not name this client.
            SecretError: there is no secret to be had, not even an earlier one.
        """
        fetched = self._fetched(at_most=KEEP_SECONDS if newer_than is None else 0)
        if client_id not in fetched.keys:
            fetched = self._fetched(at_most=PAUSE_SECONDS)
        if client_id not in fetched.keys:
            raise NotFoundError(f"OAuth client with ID {client_id} not found.")
        return Credential(fetched.keys[client_id], fetched.version)

    def client_ids(self) -> list[str]:
        """Return the configured clients.

        Raises:
            SecretError: there is no secret to be had, not even an earlier one.
        """
        return sorted(self._fetched(at_most=PAUSE_SECONDS).keys)

    def _fetched(self, *, at_most: float) -> _Fetched:
        now = self._clock()
        if self._last is None or now - self._last.at >= at_most:
            try:
                self._last = self._fetch(now)
            except SecretError:
                if self._last is None:
                    raise
                # Asking again at every request would only add load to what is down already.
                self._last = _Fetched(self._last.keys, self._last.version, now)
        return self._last

    def _fetch(self, now: float) -> _Fetched:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise SecretError(
                "Secrets Manager has no answer", reason=Reason.SECRET_MISSING
            ) from error
        return _Fetched(_parse(answer.get("SecretString", "")), answer["VersionId"], now)


def _parse(text: str) -> dict[str, SecretKey]:
    try:
        keys = json.loads(text)
    except ValueError:
        # The cause is left out, because its message can quote the secret.
        keys = None
    valid = isinstance(keys, dict) and keys and all(isinstance(k, str) and k for k in keys.values())
    if not valid:
        raise SecretError(
            'the secret must be JSON like {"<clientId>": "<secret key>"}',
            reason=Reason.SECRET_MALFORMED,
        )
    return {client_id: SecretKey(key) for client_id, key in keys.items()}
