"""Writes the whole directory to a file, page by page, so that an interruption loses one page.

All pages are of one generation (a cursor pins it), which the service serves from what it has
stored: no call of the origin is needed, and none is made while it is known to be down. Beside the
unfinished ``<file>.part``, ``<file>.progress`` says where to go on, and how much of the part holds.
"""

import csv
import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from managed_users.client import Client
from managed_users.errors import GoneError
from managed_users.models import Page, User
from managed_users.tool.context import bar, say, shown

FORMS = (".jsonl", ".csv")
FIELDS = tuple(User.__annotations__)
_PAGE = 250


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far an export has come: where to go on, and the bytes and users that are written."""

    next_url: str | None
    size: int
    users: int


def export(client: Client, file: Path, *, resume: bool) -> dict[str, Any]:
    """Write all users to ``file``, whose ending tells the form; return how many, and what lacks."""
    part, notes = Path(f"{file}.part"), Path(f"{file}.progress")
    done = _earlier(notes) if resume and part.exists() else None
    if done is not None:
        say(f"going on after {done.users} users")
        with suppress(GoneError):
            return _write(client, file, done)
        say("that generation is no longer kept: starting again")
    return _write(client, file, None)


def _write(client: Client, file: Path, done: _Progress | None) -> dict[str, Any]:
    part, notes = Path(f"{file}.part"), Path(f"{file}.progress")
    page: Page | None
    if done is not None and done.next_url is not None:
        page = client.page_at(done.next_url)
    else:
        page, done = client.page(limit=_PAGE), _Progress(None, 0, 0)
    total = page.pagination
    with part.open("ab") as out, bar() as progress:
        # What was written after the last note may be torn.
        out.truncate(done.size)
        task = progress.add_task("users", total=total["totalItems"], completed=done.users)
        while page is not None:
            header = done.size == 0
            out.write(_encoded(page.users, file.suffix, header=header))
            out.flush()
            os.fsync(out.fileno())
            done = _Progress(page.next_url, out.tell(), done.users + len(page.users))
            _note(notes, done)
            progress.update(task, completed=done.users)
            page = client.next_page(page)
    part.replace(file)
    notes.unlink()
    return {
        "file": str(file),
        "users": done.users,
        "complete": total["complete"],
        "incompleteReason": total["incompleteReason"],
    }


def _encoded(users: Iterable[User], form: str, *, header: bool) -> bytes:
    if form == ".jsonl":
        return "".join(f"{json.dumps(user, ensure_ascii=False)}\n" for user in users).encode()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(FIELDS)
    for user in users:
        values: dict[str, Any] = {**user}
        writer.writerow([shown(values.get(name)) for name in FIELDS])
    return text.getvalue().encode()


def _note(file: Path, done: _Progress) -> None:
    """Write atomically: a half-written note would lose the whole part."""
    scratch = Path(f"{file}.new")
    scratch.write_text(json.dumps(asdict(done)), encoding="utf-8")
    scratch.replace(file)


def _earlier(file: Path) -> _Progress | None:
    try:
        found = _Progress(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.next_url else None
