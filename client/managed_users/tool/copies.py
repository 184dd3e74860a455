"""The commands that get the data out: into a file, and into a database."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from managed_users.tool.context import FAILED, USAGE, AsJson, command, put, put_json, say, target


@command
def export(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="Where to: *.jsonl or *.csv; - prints JSON lines.", dir_okay=False),
    ],
    *,
    resume: Annotated[bool, typer.Option(help="Go on where an interrupted export ended.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the whole directory to a file, from what is stored: the origin may be gone."""
    from managed_users.tool import export as exporting  # noqa: PLC0415 - only where it is needed.

    if str(file) == "-":
        for user in target(context).client.users():
            put(json.dumps(user, ensure_ascii=False))
        return
    if file.suffix not in exporting.FORMS:
        say(f"the name must end in {' or '.join(exporting.FORMS)}")
        raise typer.Exit(USAGE)
    if file.exists() and not overwrite:
        say(f"{file} exists; replace it with --overwrite")
        raise typer.Exit(USAGE)
    done = exporting.export(target(context).client, file, resume=resume)
    if as_json:
        put_json(done)
        return
    put(f"{done['users']} users in {file}")
    if not done["complete"]:
        say(f"Not all is known here: {done['incompleteReason']}.")


@command
def mirror(
    context: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            help="The database: sqlite:///users.db, postgresql+psycopg://…",
            envvar="MANAGED_USERS_MIRROR",
        ),
    ],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document a line.")] = False,
) -> None:
    """Keep a copy of the directory in a database, and prove it equal by the service's digest."""
    try:
        from managed_users.tool.mirror import mirror_into  # noqa: PLC0415 - needs more than the rest
    except ModuleNotFoundError as error:
        say(f"{error}: install managed-users[mirror] for this command")
        raise typer.Exit(FAILED) from None
    for done in mirror_into(to, target(context).client, every=every if follow else None):
        if as_json:
            put(json.dumps(done))
        else:
            put("{users} users of generation {generation}, digest {usersDigest}".format(**done))
        sys.stdout.flush()
