"""The commands that show users: many, or one."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer

from managed_users import errors
from managed_users.client import Client, Filter
from managed_users.models import Page, User
from managed_users.tool import filters
from managed_users.tool.app import app
from managed_users.tool.cells import cells, facts
from managed_users.tool.context import (
    MISSING,
    UNAVAILABLE,
    AsJson,
    command,
    put,
    put_json,
    put_table,
    say,
    shown,
    target,
    waiting,
)

_COLUMNS = ("id", "email", "name", "timeZone", "createdDate")
_LARGEST_PAGE = 250


class Form(StrEnum):
    """How users are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@app.command()
@command
@filters.options_of("users")
def users(
    context: typer.Context,
    *,
    most: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print them.")] = Form.TABLE,
    as_json: AsJson = False,
    **given: filters.Options,
) -> None:
    """List users: all of one generation, however many pages that takes."""
    about, wanted = target(context), filters.members(given["fields"])
    with waiting("asking for the list"):
        first = about.client.page(
            fresh=False,
            limit=min(most or _LARGEST_PAGE, _LARGEST_PAGE),
            **filters.asked(given),
        )
    columns = tuple(wanted or _COLUMNS)
    found = islice(_all_users(about.client, first), most)
    match Form.JSON if as_json else form:
        case Form.JSON:
            put_json({"users": list(found), **about.provenance, **_told_of(first)})
        case Form.JSONL:
            for user in found:
                put(json.dumps(user, ensure_ascii=False))
        case Form.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([shown(value) for value in _values(user, columns)] for user in found)
        case Form.TABLE:
            put_table(columns, (cells(user, columns, about.client_id) for user in found))
    sys.stdout.flush()
    _require_everybody(first)


@app.command()
@command
@filters.options_of("user")
def get(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="An id, an address or a username.")],
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the origin.")] = False,
    as_json: AsJson = False,
    **given: filters.Options,
) -> None:
    """Show one user, past the origin's 500 too."""
    about = target(context)
    with waiting("asking for the user"):
        found = _one(about.client, user, fresh=fresh, options=filters.asked(given))
    told = about.provenance
    if fresh and told["age"] is not None:
        say(f"The origin could not be asked: seen {told['age']} s ago ({told['cacheStatus']}).")
    if as_json:
        put_json({"user": found, **told})
        return
    put_table(("", ""), facts(found))


def _all_users(client: Client, first: Page) -> Iterator[User]:
    page: Page | None = first
    while page is not None:
        yield from page.users
        page = client.next_page(page)


def _told_of(page: Page) -> dict[str, Any]:
    return {
        "complete": page.pagination["complete"],
        "incompleteReason": page.pagination["incompleteReason"],
        "notFound": list(page.not_found),
        "notAsked": list(page.not_asked),
    }


def _require_everybody(page: Page) -> None:
    """End with a word and a code where not all who were named were told of."""
    if page.not_found:
        say(f"There is nobody with: {', '.join(map(str, page.not_found))}")
    if page.not_asked:
        say(f"The origin could not be asked about: {', '.join(map(str, page.not_asked))}")
        raise typer.Exit(UNAVAILABLE)
    if page.not_found:
        raise typer.Exit(MISSING)


def _one(client: Client, user: str, *, fresh: bool, options: Mapping[str, Filter]) -> User:
    if user.isascii() and user.isdigit():
        return client.user(int(user), fresh=fresh, **options)
    named = {"emails" if "@" in user else "usernames": [user]}
    page = client.look_up(fresh=fresh, **options, **named)
    if page.not_asked:
        raise errors.NotAskedError(page.not_asked)
    if not page.users:
        raise errors.NotFoundError(404, {"message": "There is no such user."})
    return page.users[0]


def _values(user: User, columns: tuple[str, ...]) -> list[Any]:
    values: dict[str, Any] = {**user}
    return [values.get(name) for name in columns]
