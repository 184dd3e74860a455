"""What all commands share: where the service is, how results are shown, how errors end."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, override

import typer
from typer.core import TyperGroup, TyperOption

from managed_users import errors
from managed_users.client import Client, signer_for
from managed_users.tool import INTERRUPTED
from managed_users.transport import Answer, Transport

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from botocore.session import Session
    from rich.console import Console
    from rich.progress import Progress

LOCAL_URL = "http://127.0.0.1:8080/v2"
LOCAL_CLIENT = "clxdemo0000000000000000001"

type Json = Any

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The option that every command has."""

FAILED, USAGE, MISSING, UNAVAILABLE, FORBIDDEN = 1, 2, 3, 4, 5


class Anywhere(TyperGroup):
    """Commands whose common options may stand before the command and after it."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = [option for option in self.params if isinstance(option, TyperOption)]
        common = {name: option.is_flag for option in options for name in option.opts}
        before: list[str] = []
        after: list[str] = []
        given = iter(args)
        for argument in given:
            if argument == "--":
                after += [argument, *given]
            elif argument.partition("=")[0] not in common or argument in {"--help", "-h"}:
                after.append(argument)
            elif "=" in argument or common[argument]:
                before.append(argument)
            else:
                before += [argument, *islice(given, 1)]
        return super().parse_args(ctx, before + after)


@dataclass(frozen=True)
class Target:
    """Which deployment and which OAuth client a command is about, and what it answered so far."""

    url: str | None
    client_id: str
    stack: str | None
    region: str | None
    patience: float
    verbose: bool = False
    answers: list[Answer] = field(default_factory=list)

    @cached_property
    def session(self) -> "Session":
        """Return where AWS credentials, region and endpoints come from, as for the AWS CLI."""
        from botocore.session import Session  # noqa: PLC0415 - slow to import, and often not needed.

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
        transport = Transport(
            signer=signer_for(self.base, self.region),
            patience=self.patience,
            on_answer=self._heard,
            on_retry=lambda error, seconds: say(f"{error}; trying again in {seconds:.0f} s"),
        )
        return Client(self.base, self.client_id, transport=transport)

    @property
    def provenance(self) -> dict[str, Any]:
        """How old the last answer is, in seconds, and how it came by; nothing where none tells."""
        answer = self.answers[-1]
        return {"age": answer.age, "cacheStatus": answer.headers.get("Cache-Status")}

    def _heard(self, answer: Answer) -> None:
        self.answers.append(answer)
        if self.verbose and "Cache-Status" in answer.headers:
            seen = "now" if answer.age is None else f"{answer.age} s ago"
            say(f"seen {seen}: {answer.headers['Cache-Status']}")


def target(context: typer.Context) -> Target:
    """Return what the command is about."""
    found: Target = context.obj
    return found


@cache
def console() -> "Console":
    """Return what shows things to people; data goes to standard output."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and often not needed.

    return Console(stderr=True)


def say(text: str) -> None:
    """Print a line for the person at the terminal."""
    if sys.stderr.isatty():
        console().print(text, highlight=False, markup=False, soft_wrap=True)
    else:
        typer.echo(text, err=True)


def waiting(text: str) -> "AbstractContextManager[object]":
    """Show that something takes its time, where somebody looks."""
    return console().status(text) if sys.stderr.isatty() else nullcontext()


def bar() -> "Progress":
    """Return a progress bar, shown where somebody looks."""
    from rich.progress import (  # noqa: PLC0415 - slow to import, and often not needed.
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console(), transient=True, disable=not sys.stderr.isatty())


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
    from rich.console import Console  # noqa: PLC0415 - slow to import, and often not needed.
    from rich.table import Table  # noqa: PLC0415

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)


_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def put_state(name: str, state: str, told: str) -> None:
    """Print at once what became of one of several checks."""
    if sys.stdout.isatty():
        typer.echo(f"{name:13} {typer.style(f'{state:5}', fg=_COLOURS[state])} {told}")
    else:
        put(f"{name}\t{state}\t{told}")
    sys.stdout.flush()


def command[**P](work: Callable[P, None]) -> Callable[P, None]:
    """Return ``work`` as a command: errors that are expected end it with a line and a code."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            work(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read the output has enough.
            _drop_output()
            raise typer.Exit from None
        except OSError as error:
            _drop_output()
            say(f"cannot write: {error.strerror}")
            raise typer.Exit(FAILED) from None
        except ValueError as error:
            say(str(error))
            raise typer.Exit(USAGE) from None
        except errors.ManagedUsersError as error:
            raise _ended(error) from None
        except Exception as error:
            if not _of_aws(error):
                raise
            say(f"AWS: {error}")
            raise typer.Exit(FAILED) from None

    return run


def _drop_output() -> None:
    """Let what is still buffered go nowhere, or Python would fail over it once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_aws(error: Exception) -> bool:
    loaded = sys.modules.get("botocore.exceptions")
    return loaded is not None and isinstance(error, loaded.BotoCoreError | loaded.ClientError)


def _ended(error: errors.ManagedUsersError) -> typer.Exit:
    request_id = getattr(error, "request_id", "")
    say(f"{error}" + (f" (request {request_id})" if request_id else ""))
    match error:
        case errors.NotFoundError() | errors.GoneError():
            return typer.Exit(MISSING)
        case errors.UnavailableError() | errors.ConnectionFailedError() | errors.NotAskedError():
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
