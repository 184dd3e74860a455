"""The command line itself: what is common to all commands."""

from importlib.metadata import version
from typing import Annotated

import typer

from managed_users.tool.context import LOCAL_CLIENT, Anywhere, Target, put

app = typer.Typer(
    name="managed-users",
    cls=Anywhere,
    help="Look at a managed-users proxy, refresh it, follow its changes, and get its data out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it.
    if wanted:
        put(version("managed-users"))
        raise typer.Exit


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
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say of every answer how old it is, and why.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say which it is."),
    ] = False,
) -> None:
    """Look at a managed-users proxy, refresh it, follow its changes, and get its data out."""
    context.obj = Target(url or None, client_id, stack or None, region or None, patience, verbose)
