"""Tells what changed between two generations of a client's directory.

Pages with the same digest are the same, so only those that differ are read. A stamp of ours
(``updatedAt``) is no change, and no field that one names. A user new to the
directory was *created* since the earlier generation or merely became known, *discovered*: found by
a look-up, or moved into the origin's window by somebody else's deletion.

Pure but for the snapshots' loaders.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lib.directory.generation import Generation
from lib.directory.manifest import PageRef
from lib.directory.snapshot import Snapshot
from lib.users.document import UPDATED_AT, unstamped

type Kind = Literal["created", "discovered", "updated", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to one user; ``fields`` are the names of those that an update changed.

    ``before`` and ``after`` are the user's canonical documents, None where there is none.
    """

    kind: Kind
    user_id: int
    fields: tuple[str, ...] = ()
    before: bytes | None = None
    after: bytes | None = None


def comparable(old: Generation, new: Generation) -> bool:
    """Return whether both hide the same; else every difference would look like a change."""
    return old.hiding_digest == new.hiding_digest


def changes(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    """Yield the changes from ``old`` to ``new`` by rising user id."""
    old_refs, new_refs = old.manifest().pages, new.manifest().pages
    same = set(old_refs) & set(new_refs)
    before = _users(old, [ref for ref in old_refs if ref not in same])
    after = _users(new, [ref for ref in new_refs if ref not in same])
    for user_id in sorted(before.keys() | after.keys()):
        was, now = before.get(user_id), after.get(user_id)
        if was == now or (was and now and unstamped(was) == unstamped(now)):
            continue
        if now is None:
            yield Change(kind="deleted", user_id=user_id, before=was)
        elif was is None:
            kind: Kind = "created" if _created_since(old.generation, now) else "discovered"
            yield Change(kind=kind, user_id=user_id, after=now)
        else:
            yield Change(
                kind="updated",
                user_id=user_id,
                fields=_changed_fields(was, now),
                before=was,
                after=now,
            )


def _users(snapshot: Snapshot, refs: list[PageRef]) -> dict[int, bytes]:
    return {user_id: line for page in snapshot.load(refs) for user_id, line in page.users()}


def _created_since(old: Generation, line: bytes) -> bool:
    # Where everybody was there, nobody else was, whatever a lagging replica's dates say.
    if old.holds_everybody:
        return True
    try:
        created = datetime.fromisoformat(json.loads(line)["createdDate"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return False
    return created >= old.swept_at


def _changed_fields(was: bytes, now: bytes) -> tuple[str, ...]:
    before: dict[str, Any] = json.loads(was)
    after: dict[str, Any] = json.loads(now)
    missing = object()
    return tuple(
        name
        for name in {**before, **after}
        if name != UPDATED_AT and before.get(name, missing) != after.get(name, missing)
    )
