"""Fetches the OAuth clients' secret keys from Secrets Manager and keeps the last good ones.

The secret is JSON, ``{"<clientId>": "<secret key>"}``. In place of a key there may be an object,
``{"key": "<secret key>", "organizationId": 123, "webhookSecret": "<webhook secret>"}``, for a
client whose organization lists its users, or which Cal.com tells of bookings; while one webhook
secret takes another's place, a list of them. While Secrets Manager is down or the secret is no such
JSON, the last good value goes on being used. A key that is none concerns its own client only, and
an organization's id that is none not even that: the key goes on being used. Nothing of the secret
is ever printed, logged or stored elsewhere.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lib.aws.last_good import LastGood
from lib.errors import NotFoundError, Reason, SecretError
from lib.origin.credential import NO_ORGANIZATION, Credential, SecretKey, carried
from lib.users.keys import possible_id

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS = 300
"""How long a fetched secret is used without asking again."""

_MEMBERS = frozenset({"key", "organizationId", "webhookSecret"})

PAUSE_SECONDS = 15
"""Least time between two fetches that only hope for something new."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the secret says of one client; no request could carry a key that is None."""

    key: SecretKey | None
    organization_id: int | None
    webhook_secrets: tuple[SecretKey, ...]


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The entries by client."""

    entries: dict[str, _Entry] = field(repr=False)
    version: str


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
        self._last = LastGood(self._fetch, clock=clock, report=report)

    def credential(self, client_id: str, *, newer_than: str | None = None) -> Credential:
        """Return the credential of ``client_id``.

        ``newer_than`` is the version that the origin has just refused: ask again for another. A
        client for whom the last fetch held no key is looked for again, but not at every request.

        Raises:
            NotFoundError: the secret does not name this client.
            SecretError: there is no secret to be had, not even an earlier one, or this client's key
                is empty or holds what no header can.
        """
        fetched = self._last.get(at_most=KEEP_SECONDS if newer_than is None else 0)
        if client_id not in fetched.entries or fetched.entries[client_id].key is None:
            fetched = self._last.get(at_most=PAUSE_SECONDS)
        if client_id not in fetched.entries:
            raise NotFoundError(f"OAuth client with ID {client_id} not found.")
        entry = fetched.entries[client_id]
        if entry.key is None:
            raise SecretError(
                "the secret key of this client is none", reason=Reason.SECRET_MALFORMED
            )
        return Credential(entry.key, fetched.version, entry.organization_id)

    def client_ids(self) -> list[str]:
        """Return the configured clients.

        Raises:
            SecretError: there is no secret to be had, not even an earlier one.
        """
        return sorted(self._last.get(at_most=PAUSE_SECONDS).entries)

    def webhook_secrets(self, client_id: str, *, anew: bool = False) -> tuple[SecretKey, ...]:
        """Return what may have signed a client's webhooks, nothing if it is to have none.

        ``anew``: what is known has signed nothing. Ask again, but not at every request: whoever
        sends such requests need not be anybody who knows a secret.

        Raises:
            SecretError: there is no secret to be had, not even an earlier one.
        """
        fetched = self._last.get(at_most=PAUSE_SECONDS if anew else KEEP_SECONDS)
        entry = fetched.entries.get(client_id)
        return entry.webhook_secrets if entry else ()

    def _fetch(self) -> _Fetched:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise SecretError(
                "Secrets Manager has no answer", reason=Reason.SECRET_MISSING
            ) from error
        return _Fetched(_parse(answer.get("SecretString", "")), answer["VersionId"])


def _parse(text: str) -> dict[str, _Entry]:
    entries: Any = None
    # Raised outside the handler: as a cause, the parser's error would quote the secret.
    with suppress(ValueError, RecursionError):
        entries = json.loads(text)
    if not (isinstance(entries, dict) and entries):
        raise SecretError(
            'the secret must be JSON like {"<clientId>": "<secret key>"}',
            reason=Reason.SECRET_MALFORMED,
        )
    return {client_id: _entry(client_id, entry) for client_id, entry in entries.items()}


def _entry(client_id: str, entry: object) -> _Entry:
    named: dict[str, object] = entry if isinstance(entry, dict) else {"key": entry}
    # The id is sent in a header, too.
    key = carried(named.get("key")) if carried(client_id) == client_id else None
    told = named.get("webhookSecret")
    webhook_secrets = map(carried, told if isinstance(told, list) else [told])
    return _Entry(
        None if key is None else SecretKey(key),
        _organization_id(named),
        tuple(SecretKey(secret) for secret in webhook_secrets if secret is not None),
    )


def _organization_id(named: dict[str, object]) -> int | None:
    """Return the organization that an entry names; a misspelt name is a bad id, and no silence."""
    if named.keys() <= _MEMBERS - {"organizationId"}:
        return None
    organization_id = named.get("organizationId") if named.keys() <= _MEMBERS else None
    if type(organization_id) is int and possible_id(organization_id):
        return organization_id
    return NO_ORGANIZATION
