"""Remembers what look-ups past the window found, and who waits to be adopted for it.

Keys are hashes, so no address and no id is in a key. ``expires_at`` is rubbish collection; whether
an answer may still be used is computed from its age on read. What cannot be read counts as not
there, and makes way for what is written next.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from lib.aws import items
from lib.aws.items import Item
from lib.aws.table import Table
from lib.directory.head import LONGEST_PAUSE_SECONDS
from lib.errors import ConflictError
from lib.users.document import is_document
from lib.users.keys import Observation, key_hash

KEEP_SECONDS = 24 * 3600
"""How long a look-up's answer is kept; an adopted user is in the snapshot long before."""


class LookupStore:
    """Look-ups in ``table``; every method raises StoreError if DynamoDB fails.

    What was remembered while something else than ``hiding_digest`` was hidden counts as forgotten.
    """

    def __init__(self, table: Table, *, hiding_digest: str) -> None:
        self._table = table
        self._hiding_digest = hiding_digest

    def remembered(self, client_id: str, keys: Sequence[str]) -> dict[str, Observation]:
        """Return what is remembered of the look-up ``keys``."""
        asked = {_pk(client_id, key): key for key in keys}
        found = {}
        for item in self._table.get_all([_key(pk) for pk in asked]):
            if item.get("policy", {}).get("S", "") != self._hiding_digest:
                continue
            seen = _observation(item)
            if seen is not None:
                found[asked[item["pk"]["S"]]] = seen
        return found

    def remember(self, client_id: str, answers: Mapping[str, Observation]) -> None:
        """Keep ``answers`` by look-up key."""
        self._table.put_all(
            [
                _key(_pk(client_id, key))
                | items.encode(
                    {
                        "data": None if answer.line is None else zlib.compress(answer.line),
                        "observed_at": answer.observed_at,
                        "policy": self._hiding_digest,
                        "expires_at": int(answer.observed_at) + KEEP_SECONDS,
                    }
                )
                for key, answer in answers.items()
            ]
        )

    def forget(self, client_id: str, keys: Sequence[str]) -> None:
        """Forget what is remembered of the look-up ``keys``."""
        self._table.delete_all([_key(_pk(client_id, key)) for key in keys])

    def begin(self, client_id: str, key: str, *, now: float, until: float) -> bool:
        """Claim to be asking for ``key`` until then, unless somebody is; tell whether we are."""
        try:
            self._table.update(
                _key(_pk(client_id, key)),
                {"asking_until": until, "expires_at": int(until) + KEEP_SECONDS},
                condition="#asking_until <= :now OR #asking_until > :beyond"
                " OR NOT attribute_type(#asking_until, :number)",
                values={"now": now, "beyond": until + LONGEST_PAUSE_SECONDS, "number": "N"},
            )
        except ConflictError:
            return False
        return True

    def end(self, client_id: str, key: str, *, paused_until: float | None = None) -> None:
        """Be asking for ``key`` no longer; nobody is to ask again before ``paused_until``."""
        self._table.update(
            _key(_pk(client_id, key)),
            {"asking_until": paused_until, "paused_until": paused_until},
        )

    def paused_until(self, client_id: str, key: str) -> float:
        """Return until when nobody is to ask for ``key``, 0 if that is not said."""
        until = items.decode(self._table.get(_key(_pk(client_id, key)))).get("paused_until")
        return until if isinstance(until, int | float) else 0

    def pending_adoption(self, client_id: str) -> frozenset[int]:
        """Return the ids of users who wait to be adopted."""
        waiting = self._table.get(_waiting_key(client_id)).get("ids", {}).get("NS", ())
        return frozenset(int(number) for number in waiting if number.isdigit())

    def await_adoption(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` be adopted by the next revalidation."""
        try:
            self._table.change_numbers(_waiting_key(client_id), "ADD", "ids", ids)
        except ConflictError:
            self._table.put_all([_waiting_key(client_id) | {"ids": items.number_set(ids)}])

    def adopted(self, client_id: str, ids: Sequence[int]) -> None:
        """Let ``ids`` wait no longer."""
        self._table.change_numbers(_waiting_key(client_id), "DELETE", "ids", ids)


def _observation(item: Mapping[str, Any]) -> Observation | None:
    """Return the answer that an item keeps, None if it keeps none that can be read."""
    values = items.decode(item)
    observed_at = values.get("observed_at")
    if not isinstance(observed_at, int | float):
        return None
    if "data" not in values:
        return Observation(None, observed_at)
    try:
        line = zlib.decompress(values["data"])
    except (TypeError, zlib.error):
        return None
    return Observation(line, observed_at) if is_document(line) else None


def _pk(client_id: str, key: str) -> str:
    return f"lookup#{client_id}#{key_hash(key, client_id).hex()}"


def _key(pk: str) -> Item:
    return items.encode({"pk": pk, "sk": "lookup"})


def _waiting_key(client_id: str) -> Item:
    return items.encode({"pk": f"client#{client_id}", "sk": "waiting"})
