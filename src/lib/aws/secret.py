"""Fetches the OAuth clients' secret keys from Secrets Manager and keeps the last good ones.

The secret is JSON, ``{"<clientId>": "<secret key>"}``, or for a client with more to be said of it
``{"<clientId>": {"key": "<secret key>", "webhookSecret": "<webhook secret>"}}``, where there may be
a list of webhook secrets while one takes another's place. Members that are not known here are
passed over. While Secrets Manager is down or the secret is no such JSON, the last good value goes
on being used. A key that is none concerns its own client only. Nothing of the secret is ever
printed, logged or stored elsewhere.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.errors import NotFoundError, Reason, SecretError
from lib.origin.credential import Credential, SecretKey, carried

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS = 300
"""How long a fetched secret is used without asking again."""

PAUSE_SECONDS = 15
"""Least time between two fetches that only hope for something new."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The keys by client, None is one that no request could carry; and their webhooks' secrets."""

    keys: dict[str, SecretKey | None] = field(repr=False)
    webhooks: dict[str, tuple[SecretKey, ...]] = field(repr=False)
    version: str
    at: float


class Secrets:
    """The secret ``secret_id`` behind the Secrets Manager ``client``.

    ``report`` hears of each fetch that failed while an earlier secret goes on being used.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_id: str,
        *,
        clock: Callable[[], float],
        report: Callable[[SecretError], None],
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._report = report
        self._last: _Fetched | None = None

    def credential(self, client_id: str, *, newer_than: str | None = None) -> Credential:
        """Return the credential of ``client_id``.

        ``newer_than`` is the version that the origin has just refused: ask again for another. A
        client for whom the last fetch held no key is looked for again, but not at every request.

        Raises:
            NotFoundError: the secret does not name this client.
            SecretError: there is no secret to be had, not even an earlier one, or this client's key
                is empty or holds what no header can.
        """
        fetched = self._fetched(at_most=KEEP_SECONDS if newer_than is None else 0)
        if fetched.keys.get(client_id) is None:
            fetched = self._fetched(at_most=PAUSE_SECONDS)
        if client_id not in fetched.keys:
            raise NotFoundError(f"OAuth client with ID {client_id} not found.")
        key = fetched.keys[client_id]
        if key is None:
            raise SecretError(
                "the secret key of this client is none", reason=Reason.SECRET_MALFORMED
            )
        return Credential(key, fetched.version)

    def client_ids(self) -> list[str]:
        """Return the configured clients.

        Raises:
            SecretError: there is no secret to be had, not even an earlier one.
        """
        return sorted(self._fetched(at_most=PAUSE_SECONDS).keys)

    def webhook_secrets(self, client_id: str, *, anew: bool = False) -> tuple[SecretKey, ...]:
        """Return what may have signed a client's webhooks, nothing if it is to have none.

        ``anew``: what is known has signed nothing. Ask again, but not at every request: whoever
        sends such requests need not be anybody who knows a secret.

        Raises:
            SecretError: there is no secret to be had, not even an earlier one.
        """
        fetched = self._fetched(at_most=PAUSE_SECONDS if anew else KEEP_SECONDS)
        return fetched.webhooks.get(client_id, ())

    def _fetched(self, *, at_most: float) -> _Fetched:
        now = self._clock()
        # A clock that was set back makes nothing young.
        if self._last is None or not 0 <= now - self._last.at < at_most:
            try:
                self._last = self._fetch(now)
            except SecretError as error:
                if self._last is None:
                    raise
                self._report(error)
                # Asking again at every request would only add load to what is down already.
                self._last = replace(self._last, at=now)
        return self._last

    def _fetch(self, now: float) -> _Fetched:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise SecretError(
                "Secrets Manager has no answer", reason=Reason.SECRET_MISSING
            ) from error
        told = _parse(answer.get("SecretString", ""))
        return _Fetched(
            {client_id: _key(client_id, _member(each, "key")) for client_id, each in told.items()},
            {client_id: _webhook_secrets(each) for client_id, each in told.items()},
            answer["VersionId"],
            now,
        )


def _parse(text: str) -> Mapping[str, object]:
    keys: Any = None
    # Raised outside the handler: as a cause, the parser's error would quote the secret.
    with suppress(ValueError, RecursionError):
        keys = json.loads(text)
    if not (isinstance(keys, dict) and keys):
        raise SecretError(
            'the secret must be JSON like {"<clientId>": "<secret key>"}',
            reason=Reason.SECRET_MALFORMED,
        )
    return keys


def _member(value: object, name: str) -> object:
    """Return a member of a client's value, which may be the key alone."""
    if isinstance(value, dict):
        return value.get(name)
    return value if name == "key" else None


def _webhook_secrets(value: object) -> tuple[SecretKey, ...]:
    told = _member(value, "webhookSecret")
    given = map(carried, told if isinstance(told, list) else [told])
    return tuple(SecretKey(secret) for secret in given if secret is not None)


def _key(client_id: str, key: object) -> SecretKey | None:
    # The id is sent in a header, too.
    value = carried(key) if carried(client_id) == client_id else None
    return None if value is None else SecretKey(value)
