"""The commands that show users: many, or one."""

import csv
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer

from managed_users import errors
from managed_users.client import Client
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
def users(
    context: typer.Context,
    ids: filters.Ids = None,
    emails: filters.Emails = None,
    email_match: filters.EmailMatch = None,
    usernames: filters.Usernames = None,
    q: filters.Text = None,
    time_zone: filters.TimeZone = None,
    locale: filters.Locale = None,
    created_after: filters.CreatedAfter = None,
    created_before: filters.CreatedBefore = None,
    changed_since: filters.ChangedSince = None,
    metadata: filters.Metadata = None,
    fields: filters.Fields = None,
    sort: filters.Sort = "id",
    as_of: filters.AsOf = None,
    min_generation: filters.MinGeneration = None,
    most: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print them.")] = Form.TABLE,
    *,
    as_json: AsJson = False,
) -> None:
    """List users: all of one generation, however many pages that takes."""
    about, wanted = target(context), filters.members(fields)
    with waiting("asking for the list"):
        first = about.client.page(
            ids=ids,
            emails=emails,
            email_match=email_match,
            usernames=usernames,
            q=q,
            timeZone=time_zone,
            locale=locale,
            createdAfter=created_after,
            createdBefore=created_before,
            changedSince=changed_since,
            metadata=filters.pairs(metadata),
            fields=wanted,
            sort=sort,
            asOf=as_of,
            min_generation=min_generation,
            limit=min(most or _LARGEST_PAGE, _LARGEST_PAGE),
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
def get(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="An id, an address or a username.")],
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the origin.")] = False,
    as_of: filters.AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show one user, past the origin's 500 too."""
    about = target(context)
    with waiting("asking for the user"):
        found = _one(about.client, user, fresh=fresh, as_of=as_of)
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


def _one(client: Client, user: str, *, fresh: bool, as_of: str | None) -> User:
    if user.isascii() and user.isdigit():
        return client.user(int(user), fresh=fresh, asOf=as_of)
    named = {"emails" if "@" in user else "usernames": [user]}
    page = client.look_up(fresh=fresh, asOf=as_of, **named)
    if page.not_asked:
        raise errors.NotAskedError(page.not_asked)
    if not page.users:
        raise errors.NotFoundError(404, {"message": "There is no such user."})
    return page.users[0]


def _values(user: User, columns: tuple[str, ...]) -> list[Any]:
    values: dict[str, Any] = {**user}
    return [values.get(name) for name in columns]
