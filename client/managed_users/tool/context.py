"""What all commands share: where the service is, how results are shown, how errors end."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from managed_users import errors
from managed_users.client import Client

LOCAL_URL = "http://127.0.0.1:8080/v2"
LOCAL_CLIENT = "clxdemo0000000000000000001"

type Json = Any

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The option that every command has."""

FAILED, USAGE, MISSING, UNAVAILABLE, FORBIDDEN, INTERRUPTED = 1, 2, 3, 4, 5, 130


@dataclass(frozen=True)
class Target:
    """Which deployment and which OAuth client a command is about."""

    url: str | None
    client_id: str
    stack: str | None
    region: str | None
    patience: float

    @cached_property
    def session(self) -> Session:
        """Return where AWS credentials, region and endpoints come from, as for the AWS CLI."""
        return Session()

    def aws(self, service: str) -> Json:
        """Return a botocore client, whose methods botocore makes when it runs."""
        return self.session.create_client(service, region_name=self.region)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Return what the CloudFormation stack says of itself; nothing without a stack."""
        if self.stack is None:
            return {}
        described = self.aws("cloudformation").describe_stacks(StackName=self.stack)
        found = described["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    @cached_property
    def base(self) -> str:
        """Return the base URL: what was given, else the stack's, else that of ``make run``."""
        if self.url is not None:
            return self.url
        return f"{self.outputs['ApiUrl']}/v2" if self.outputs else LOCAL_URL

    @cached_property
    def client(self) -> Client:
        """Return the client."""
        return Client.connect(self.base, self.client_id, region=self.region, patience=self.patience)


def target(context: typer.Context) -> Target:
    """Return what the command is about."""
    found: Target = context.obj
    return found


console = Console(stderr=True)
"""For people; data goes to standard output."""


def say(text: str) -> None:
    """Print a line for the person at the terminal."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def bar() -> Progress:
    """Return a progress bar, shown where somebody looks."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())


def put(line: str) -> None:
    """Print a line of data."""
    sys.stdout.write(f"{line}\n")


def put_json(value: object) -> None:
    """Print one JSON document."""
    put(json.dumps(value, indent=2, ensure_ascii=False))


def put_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; where nobody looks, its cells separated by tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            put("\t".join("" if cell is None else str(cell) for cell in row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)


def command[**P](work: Callable[P, None]) -> Callable[P, None]:
    """Return ``work`` as a command: errors that are expected end it with a line and a code."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            work(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read the output has enough; what is still buffered has nowhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
        except errors.ManagedUsersError as error:
            raise _ended(error) from None
        except (BotoCoreError, ClientError) as error:
            say(f"AWS: {error}")
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    return run


def _ended(error: errors.ManagedUsersError) -> typer.Exit:
    request_id = getattr(error, "request_id", "")
    say(f"{error}" + (f" (request {request_id})" if request_id else ""))
    match error:
        case errors.NotFoundError() | errors.GoneError():
            return typer.Exit(MISSING)
        case errors.UnavailableError() | errors.ConnectionFailedError():
            return typer.Exit(UNAVAILABLE)
        case errors.ForbiddenError():
            say("Is it signed, and may its signer invoke this API? Try: managed-users doctor")
            return typer.Exit(FORBIDDEN)
        case _:
            return typer.Exit(FAILED)


def shown(value: object) -> str:
    """Return a cell of a table or of CSV: text as it is, anything else as JSON, None empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
