"""Signs deliveries by the Standard Webhooks specification 1.0, with HMAC-SHA256 (``v1``).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

A key is kept as a keyed HMAC, which cannot print the secret it was made of.

Pure: no clock, no I/O. Instants are epoch seconds.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import final

from lib.errors import Reason, SecretError

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
MOST_KEYS = 4
"""More than the two of a rotation; so many that a header stays small."""


@final
class SigningKey:
    """What one signing secret signs with.

    Raises:
        ValueError: ``secret`` is not base64, or not of 24 to 64 bytes; the text does not quote it.
    """

    __slots__ = ("_mac",)

    def __init__(self, secret: str) -> None:
        key = b""
        # Raised outside the handler: a cause would keep the secret's bytes.
        with suppress(binascii.Error, ValueError):
            key = b64decode(secret.removeprefix(PREFIX), validate=True)
        if not LEAST_BYTES <= len(key) <= MOST_BYTES:
            raise ValueError("a signing secret must be base64 of 24 to 64 bytes, after whsec_")
        self._mac = hmac.new(key, digestmod="sha256")

    def sign(self, content: bytes) -> str:
        """Return the signature of ``content``, with its version."""
        mac = self._mac.copy()
        mac.update(content)
        return f"v1,{b64encode(mac.digest()).decode()}"


def keys_of(text: str) -> Sequence[SigningKey]:
    """Return the keys of the secrets in ``text``: one or several, separated by blanks or lines.

    All of them sign: a new one beside the old, until every receiver knows it.

    Raises:
        SecretError: there is none, there are too many, or one of them is none.
    """
    keys: list[SigningKey] = []
    with suppress(ValueError):
        keys = [SigningKey(secret) for secret in text.split()]
    if not 0 < len(keys) <= MOST_KEYS:
        raise SecretError(
            "the signing secret must be one to four of the form whsec_<base64>",
            reason=Reason.SECRET_MALFORMED,
        )
    return keys


def signed_headers(
    keys: Sequence[SigningKey], *, event_id: str, body: bytes, now: float
) -> Mapping[str, str]:
    """Return the header fields of one attempt at ``now`` to deliver ``body``.

    ``event_id`` has no full stop, which would let one delivery pass for another.
    """
    timestamp = str(int(now))
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(key.sign(content) for key in keys),
    }
