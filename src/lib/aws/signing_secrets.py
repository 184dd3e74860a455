"""Fetches the webhook's signing secrets from Secrets Manager and keeps the last good ones.

Nothing of them is ever printed, logged or stored elsewhere.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lib.aws.last_good import LastGood
from lib.deliveries.signing import SigningKey, keys_of
from lib.errors import Reason, SecretError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS = 60
"""How long fetched secrets are used without asking again; so long a rotation takes to begin."""


class SigningSecrets:
    """The secret ``secret_id`` behind the Secrets Manager ``client``.

    ``report`` hears of each fetch that failed while earlier secrets go on being used.
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
        self._kept = LastGood(self._fetch, clock=clock, report=report)

    def current(self) -> Sequence[SigningKey]:
        """Return the keys that deliveries are signed with, all of them.

        Raises:
            SecretError: there is no usable secret to be had, not even an earlier one.
        """
        return self._kept.get(at_most=KEEP_SECONDS)

    def _fetch(self) -> Sequence[SigningKey]:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise SecretError(
                "Secrets Manager has no answer", reason=Reason.SECRET_MISSING
            ) from error
        return keys_of(answer.get("SecretString", ""))
