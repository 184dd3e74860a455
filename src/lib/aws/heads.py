"""Reads and writes heads and manifests, whatever lies there.

What cannot be read of a head is taken out of it, on condition that it still is what was seen, so
that everybody may go on from there. What makes a generation belongs together: with one part of it
broken, all of it is taken from the generation's own manifest. What a newer version of this service
wrote is neither read nor written over.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lib.aws import items
from lib.aws.items import Item
from lib.aws.table import Table
from lib.directory.damage import unreadable
from lib.directory.generation import Generation
from lib.directory.head import (
    ATTRIBUTES,
    FORMAT,
    GENERATION_ATTRIBUTES,
    Head,
    HeadUpdate,
    Value,
    attributes_of,
    generation_of,
    head_of,
)
from lib.directory.manifest import Load, read
from lib.directory.memory import MAX_HEADS
from lib.directory.store import Kept
from lib.errors import BrokenSnapshotError, ConflictError, Reason, StoreError

HEAD_MANIFEST_BYTES = 222
"""The longest root of a manifest that the head carries: with it, the item stays under 1 KB."""

_KNOWN = ATTRIBUTES | {"format"}
_NOT_NEWER = "(attribute_not_exists(#format) OR #format <= :own_format)"
_OWN_FORMAT = {"own_format": FORMAT}

type Report = Callable[[str, frozenset[str]], None]


class Heads:
    """The heads in ``table``; ``report`` is told of whose head which attributes were mended.

    Every method raises StoreError when DynamoDB does not do what it was asked, or a newer version
    of this service wrote what is there.
    """

    def __init__(self, table: Table, report: Report) -> None:
        self._table = table
        self._report = report
        # Most reads find what the one before found: then there is nothing to be made of it anew.
        self._last: dict[str, tuple[Mapping[str, Any], Head]] = {}

    def read(self, client_id: str) -> Head:
        """Return the head as it is now, mended if it must be."""
        for _ in range(3):
            item = self._table.get(_head_key(client_id))
            last = self._last.get(client_id)
            if last and last[0] == item:
                return last[1]
            values = _known(item)
            broken = unreadable(values)
            if not broken:
                head = head_of(client_id, values)
                self._note(client_id, item, head)
                return head
            # If somebody else has written there since, what is broken has to be found out anew.
            with suppress(ConflictError):
                self._mend(client_id, item, broken)
                self._report(client_id, broken)
        raise StoreError("a head cannot be read", reason=Reason.BROKEN_HEAD)

    def read_all(self, client_ids: Sequence[str]) -> list[Head]:
        """Return those heads that can be read as they are; any other needs ``read``."""
        keys = [_head_key(client_id) for client_id in client_ids]
        stored = {item["pk"]["S"]: item for item in self._table.get_all(keys)}
        heads = []
        for client_id, key in zip(client_ids, keys, strict=True):
            values = _known(stored.get(key["pk"]["S"], {}))
            with suppress(StoreError):
                if not unreadable(values):
                    heads.append(head_of(client_id, values))
        return heads

    def generation(self, client_id: str, number: int) -> Generation | None:
        """Return a generation as it was published, None if it is gone or cannot be read."""
        values = _known(self._table.get(manifest_key(client_id, number)))
        if unreadable(values) or values.get("generation") != number or "listing" not in values:
            return None
        return generation_of(client_id, values)

    def modified_at(self, client_id: str, number: int) -> float | None:
        """Return ``modified_at`` of a generation, of a buried one too; None if it is not kept."""
        values = _known(self._table.get(manifest_key(client_id, number)))
        return None if unreadable(values) else values.get("modified_at")

    def history(self, client_id: str, numbers: Sequence[int], load: Load) -> list[Kept]:
        """Return those generations with ``numbers`` of which there is a manifest, by number."""
        found = self._table.get_all([manifest_key(client_id, number) for number in numbers])
        return sorted(_kept(items.decode(item), load) for item in found)

    def bury(self, client_id: str, number: int) -> None:
        """Take out of a manifest what its generation is made of, if it is there."""
        with suppress(ConflictError):
            self._table.update(
                manifest_key(client_id, number),
                {"listing": None},
                condition=_guarded("attribute_exists(#pk)"),
                values=_OWN_FORMAT,
            )

    def change(
        self,
        client_id: str,
        update: HeadUpdate,
        *,
        condition: str = "",
        values: Mapping[str, Value] | None = None,
    ) -> None:
        """Set or remove attributes of a head if ``condition`` holds.

        Raises:
            ConflictError: it does not.
        """
        self._table.update(
            _head_key(client_id),
            update,
            condition=_guarded(condition),
            values={**(values or {}), **_OWN_FORMAT},
        )

    def move(
        self,
        client_id: str,
        manifest: HeadUpdate,
        update: HeadUpdate,
        *,
        condition: str,
        values: Mapping[str, Value],
    ) -> None:
        """Write a new manifest and change the head if ``condition`` holds, or neither.

        Raises:
            ConflictError: it does not hold, or the manifest's number is taken.
        """
        change = items.update(
            update, condition=_guarded(condition), values={**values, **_OWN_FORMAT}
        )
        number = int(manifest["generation"] or 0)
        item = manifest_key(client_id, number) | items.encode(manifest)
        self._table.put_and_update(item, _head_key(client_id), change)

    def _note(self, client_id: str, item: Mapping[str, Any], head: Head) -> None:
        if len(self._last) >= MAX_HEADS:
            self._last.clear()
        self._last[client_id] = (item, head)

    def _mend(self, client_id: str, item: Mapping[str, Any], broken: frozenset[str]) -> None:
        """Write a head without what is ``broken`` of it.

        Raises:
            ConflictError: it is not what it was any longer.
        """
        update: dict[str, Value] = dict.fromkeys(broken)
        if broken & GENERATION_ATTRIBUTES:
            number = 0 if "generation" in broken else _known(item).get("generation", 0)
            update |= self._published(client_id, number)
        as_seen = [
            f"#{name} = :was_{name}" if name in item else f"attribute_not_exists(#{name})"
            for name in broken
        ]
        self._table.update(
            _head_key(client_id),
            update,
            condition=" AND ".join(as_seen),
            typed={f"was_{name}": item[name] for name in broken if name in item},
        )

    def _published(self, client_id: str, number: int) -> dict[str, Value]:
        """Return what makes a generation, from its manifest; if that is gone, no more than that.

        Then counting goes on, and whoever reads finds that nothing is stored under the number.
        """
        stored = self.generation(client_id, number) if number else None
        found = {} if stored is None else attributes_of(stored)
        if stored and stored.packed and len(stored.packed) > HEAD_MANIFEST_BYTES:
            del found["listing"]
        least: dict[str, Value] = {"generation": number, "digest": "", "swept_at": 0}
        return {
            **dict.fromkeys(GENERATION_ATTRIBUTES),
            **(least if number else {}),
            **{name: value for name, value in found.items() if value is not None},
        }


def _kept(values: Mapping[str, Any], load: Load) -> Kept:
    number, previous = int(values["sk"].partition("#")[2]), values.get("previous")
    try:
        readable = not unreadable(values) and values.get("generation") == number
        manifest = read(values["listing"], load) if readable and "listing" in values else None
    except BrokenSnapshotError:
        manifest = None
    # What nobody has written counts as the number before.
    if not isinstance(previous, int) or not 0 <= previous < number:
        previous = number - 1
    return Kept(number, previous, manifest)


def _guarded(condition: str) -> str:
    """Return ``condition``, but that nothing of a newer version is written over.

    Where an OR is the outermost, it has to be in parentheses; DynamoDB takes no double ones.
    """
    return f"{condition} AND {_NOT_NEWER}" if condition else _NOT_NEWER


def _known(item: Mapping[str, Any]) -> dict[str, Any]:
    return items.decode({name: typed for name, typed in item.items() if name in _KNOWN})


def _head_key(client_id: str) -> Item:
    return items.encode({"pk": f"client#{client_id}", "sk": "head"})


def manifest_key(client_id: str, generation: int) -> Item:
    """Return the key of a generation's manifest."""
    return items.encode({"pk": f"client#{client_id}", "sk": f"gen#{generation}"})
