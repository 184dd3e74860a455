"""The commands and their options."""

import csv
import json
import sys
import time
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import typer

from managed_users import errors
from managed_users.models import Changes, User
from managed_users.tool import copies, filters
from managed_users.tool import doctor as checks
from managed_users.tool.context import (
    FAILED,
    LOCAL_CLIENT,
    USAGE,
    AsJson,
    Target,
    command,
    put,
    put_json,
    put_table,
    say,
    shown,
    target,
)

app = typer.Typer(
    name="managed-users",
    help="Look at a managed-users proxy, refresh it, follow its changes, and get its data out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COLUMNS = ("id", "email", "name", "timeZone", "locale", "createdDate")


class Form(StrEnum):
    """How users are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@app.callback()
def of(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="MANAGED_USERS_URL",
            help="Base URL, /v2 included; the stack's or the local run's unless given.",
        ),
    ] = None,
    client_id: Annotated[
        str, typer.Option(envvar="MANAGED_USERS_CLIENT_ID", help="The OAuth client's id.")
    ] = LOCAL_CLIENT,
    stack: Annotated[
        str | None,
        typer.Option(envvar="MANAGED_USERS_STACK", help="CloudFormation stack of the deployment."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            envvar="MANAGED_USERS_REGION",
            help="Where the stack is, and what to sign for if the URL does not tell it.",
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds for which a failing request is tried again.")
    ] = 30,
) -> None:
    """Look at a managed-users proxy, refresh it, follow its changes, and get its data out."""
    context.obj = Target(url or None, client_id, stack or None, region or None, patience)


@app.command()
@command
def status(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show what is stored, how old it is, and what is wrong."""
    cache = target(context).client.cache()
    if as_json:
        put_json(cache)
        return
    put_table(("", ""), [(name, shown(value)) for name, value in cache.items()])


@app.command()
@command
def users(
    context: typer.Context,
    ids: filters.Ids = None,
    emails: filters.Emails = None,
    usernames: filters.Usernames = None,
    q: filters.Text = None,
    time_zone: filters.TimeZone = None,
    locale: filters.Locale = None,
    created_after: filters.CreatedAfter = None,
    created_before: filters.CreatedBefore = None,
    metadata: filters.Metadata = None,
    fields: filters.Fields = None,
    sort: filters.Sort = "id",
    most: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print them.")] = Form.TABLE,
    *,
    as_json: AsJson = False,
) -> None:
    """List users: all of one generation, however many pages that takes."""
    asked = filters.of(
        ids=ids,
        emails=emails,
        usernames=usernames,
        q=q,
        timeZone=time_zone,
        locale=locale,
        createdAfter=created_after,
        createdBefore=created_before,
        metadata=filters.pairs(metadata),
        fields=fields,
        sort=sort,
    )
    columns = tuple(fields.split(",")) if fields else _COLUMNS
    found = islice(target(context).client.users(**asked), most)
    match Form.JSON if as_json else form:
        case Form.JSON:
            put_json(list(found))
        case Form.JSONL:
            for user in found:
                put(json.dumps(user, ensure_ascii=False))
        case Form.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(_cells(user, columns) for user in found)
        case Form.TABLE:
            put_table(columns, (_cells(user, columns) for user in found))


@app.command()
@command
def get(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="An id, an address or a username.")],
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the origin.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one user, past the origin's 500 too."""
    client = target(context).client
    if user.isascii() and user.isdigit():
        found = client.user(int(user), fresh=fresh)
    else:
        page = client.look_up(fresh=fresh, **{"emails" if "@" in user else "usernames": [user]})
        if not page.users:
            raise errors.NotFoundError(404, {"message": _nobody(page.not_asked)})
        found = page.users[0]
    if as_json:
        put_json(found)
        return
    put_table(("", ""), [(name, shown(value)) for name, value in found.items()])


@app.command()
@command
def refresh(
    context: typer.Context,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done.")] = False,
    believe: Annotated[
        bool, typer.Option("--believe", help="Whoever is missing is gone, however many they are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have the origin asked now."""
    done = target(context).client.refresh(wait=wait, believe=believe)
    if as_json:
        put_json(done)
        return
    put(f"{done['outcome']} generation {done['generation']}")


@app.command()
@command
def changes(
    context: typer.Context,
    since: Annotated[
        int | None, typer.Option(min=0, help="A generation; the newest unless given.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document a line.")] = False,
) -> None:
    """Show who was created, discovered, updated or deleted."""
    client = target(context).client
    seen = client.cache()["generation"] if since is None else since
    while True:
        if client.cache()["generation"] > seen:
            told = client.changes(seen)
            seen = told["generation"]
            _put_changes(told, as_json=as_json)
        if not follow:
            return
        sys.stdout.flush()
        time.sleep(every)


app.command()(copies.export)
app.command()(copies.mirror)


@app.command()
@command
def replay(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", min=0, help="The generation to start after.")],
    function: Annotated[
        str | None, typer.Option(help="The function; the stack's unless given.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Announce all changes after a generation again: consumers must expect repeats anyway."""
    about = target(context)
    name = function or about.outputs.get("ChangesFunctionName")
    if name is None:
        say("Which function? Give --stack or --function.")
        raise typer.Exit(USAGE)
    event = {"action": "replay", "clientId": about.client_id, "from": start}
    answer = about.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    result: Any = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        say(str(result.get("errorMessage", "the function failed")))
        raise typer.Exit(FAILED)
    if as_json:
        put_json(result)
        return
    put(f"{result['events']} events announced again")


@app.command()
@command
def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Check what the service needs, and say what to do where something is wrong."""
    results = list(checks.examine(target(context)))
    if as_json:
        put_json([{"check": r.check, "state": r.state, "told": r.told} for r in results])
    else:
        put_table(("check", "state", ""), [(r.check, r.state, r.told) for r in results])
    if any(result.state is checks.State.FAIL for result in results):
        raise typer.Exit(FAILED)


def _cells(user: User, columns: tuple[str, ...]) -> list[str]:
    values: dict[str, Any] = {**user}
    return [shown(values.get(name)) for name in columns]


def _put_changes(told: Changes, *, as_json: bool) -> None:
    if as_json:
        put(json.dumps(told))
        return
    for user_id in told["created"]:
        put(f"created {user_id}")
    for user_id in told["discovered"]:
        put(f"discovered {user_id}")
    for updated in told["updated"]:
        put(f"updated {updated['id']} {','.join(updated['fields'])}")
    for user_id in told["deleted"]:
        put(f"deleted {user_id}")


def _nobody(not_asked: object) -> str:
    if not_asked:
        return "Nobody known here, and the origin could not be asked."
    return "There is no such user."
