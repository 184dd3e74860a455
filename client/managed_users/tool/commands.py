"""The commands but for those that show users."""

import json
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from managed_users.models import Changes
from managed_users.tool import copies, users
from managed_users.tool.app import app
from managed_users.tool.cells import facts
from managed_users.tool.context import (
    FAILED,
    USAGE,
    AsJson,
    Target,
    command,
    put,
    put_json,
    put_state,
    put_table,
    say,
    target,
    waiting,
)

__all__ = ["app", "users"]


@app.command()
@command
def status(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show what is stored, how old it is, and what is wrong."""
    cache = target(context).client.cache()
    if as_json:
        put_json(cache)
        return
    put_table(("", ""), facts(cache))


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
    with waiting("the origin is asked"):
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
    newest = client.cache()["generation"]
    if since is None:
        say(f"Generation {newest} is the newest" + ("." if follow else "; --since an earlier one?"))
    elif since > newest:
        say(f"Generation {newest} is the newest, {since} is above it.")
        raise typer.Exit(FAILED)
    seen = newest if since is None else since
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
    name = _function(about, function, "ChangesFunctionName")
    event = {"action": "replay", "clientId": about.client_id, "from": start}
    result = _invoke(about, name, event)
    if as_json:
        put_json(result)
        return
    put(f"{result['events']} events announced again")


@app.command()
@command
def erase(
    context: typer.Context,
    user: Annotated[int, typer.Argument(min=1, help="The id of somebody who is gone.")],
    function: Annotated[
        str | None, typer.Option(help="The function; the stack's unless given.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether that is meant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase somebody who was deleted from the past as well, with the generations that hold him."""
    about = target(context)
    name = _function(about, function, "RefreshFunctionName")
    if not yes:
        asked = f"Erase user {user} from all that is kept of {about.client_id}, for ever?"
        typer.confirm(asked, abort=True, err=True)
    event: dict[str, Any] = {"action": "erase", "clientId": about.client_id, "userId": user}
    erased = {"generations": 0, "pages": 0}
    while True:
        result = _invoke(about, name, event)
        erased = {kind: count + result[kind] for kind, count in erased.items()}
        if "next" not in result:
            break
        event["from"] = result["next"]
        say(f"going on from generation {result['next']}")
    if as_json:
        put_json(erased)
        return
    put(f"{erased['generations']} generations are gone, {erased['pages']} pages deleted")


def _function(about: Target, given: str | None, output: str) -> str:
    name = given or about.outputs.get(output)
    if name is None:
        say("Which function? Give --stack or --function.")
        raise typer.Exit(USAGE)
    return name


def _invoke(about: Target, name: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - its own
    """Return what a function answers to an event."""
    answer = about.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    result: Any = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        say(str(result.get("errorMessage", "the function failed")))
        raise typer.Exit(FAILED)
    return result


@app.command()
@command
def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Check what the service needs, and say what to do where something is wrong."""
    from managed_users.tool import doctor as checks  # noqa: PLC0415 - only where it is needed.

    results = []
    for result in checks.examine(target(context)):
        results.append(result)
        if not as_json:
            put_state(result.check, result.state, result.told)
    if as_json:
        put_json([{"check": r.check, "state": r.state, "told": r.told} for r in results])
    if any(result.state is checks.State.FAIL for result in results):
        raise typer.Exit(FAILED)


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
