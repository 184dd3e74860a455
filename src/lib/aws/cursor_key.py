"""Keeps the key that cursors are signed with in the table: a random one, made when first needed.

So no operator has to think of it, every environment has the same, and it lasts as long as the
table. A table restored from before it was made gets another one, and cursors from before are
refused.
"""

from collections.abc import Callable
from contextlib import suppress

from lib.aws import items
from lib.aws.table import Table
from lib.errors import ConflictError, Reason, StoreError

_ITEM = items.encode({"pk": "cursor-key", "sk": "cursor-key"})


class CursorKey:
    """The key in ``table``, read once; if there is none, ``new_key`` makes it."""

    def __init__(self, table: Table, *, new_key: Callable[[], bytes]) -> None:
        self._table = table
        self._new_key = new_key
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """Return the key.

        Raises:
            StoreError: DynamoDB does not do what it was asked.
        """
        if self._key is None:
            self._key = self._stored() or self._made()
        return self._key

    def _stored(self) -> bytes | None:
        kept = self._table.get(_ITEM).get("key", {}).get("B")
        return kept if isinstance(kept, bytes) else None

    def _made(self) -> bytes:
        # Of several who found none one makes it, and all use that one.
        there_is_none = "NOT attribute_type(#key, :binary)"
        with suppress(ConflictError):
            self._table.update(
                _ITEM, {"key": self._new_key()}, condition=there_is_none, values={"binary": "B"}
            )
        made = self._stored()
        if made is None:
            raise StoreError("the key of cursors is not kept", reason=Reason.CONFLICT)
        return made
