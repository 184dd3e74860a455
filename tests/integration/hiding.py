"""What tests of hiding share: users full of canaries, and where to look for them."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping

from dev.origin import User
from tests.integration.service import Json

CANARY = "canary-4b1d"
HIDDEN = ("stripeCustomerId", "secretKey")
HIDES: Mapping[str, str] = {"HIDDEN_METADATA_KEYS": ",".join(HIDDEN), "HIDDEN_FIELDS": "bio"}
"""The settings that hide every canary."""


def watched(user: User) -> User:
    """Return ``user`` with a canary wherever something is hidden, beside what is not."""
    hidden = {key: f"{CANARY}-{key}-{user['id']}" for key in HIDDEN}
    nested = {"app": hidden, "apps": [hidden, [hidden]], "raw": json.dumps({"apps": [hidden]})}
    metadata: Json = {**hidden, **nested, "plan": "visible"}
    # Some have their metadata as text.
    shown = json.dumps(metadata) if user["id"] % 7 == 1 else metadata
    return user | {"bio": f"{CANARY}-bio", "metadata": shown}


def stored(items: Iterable[Mapping[str, Json]]) -> Iterator[bytes]:
    """Yield every attribute of the table's items, decompressed where that can be."""
    for name, typed in ((name, typed) for item in items for name, typed in item.items()):
        for value in typed.values():
            yield f"{name} {value}".encode()
            if isinstance(value, bytes):
                try:
                    yield zlib.decompress(value)
                except zlib.error:
                    yield value
