"""The options that filter users: the service's own parameters under their own names."""

from typing import Annotated

import typer

from managed_users.client import Filter

Ids = Annotated[str | None, typer.Option(help="User ids, separated by commas.")]
Emails = Annotated[str | None, typer.Option(help="Addresses, separated by commas.")]
Usernames = Annotated[str | None, typer.Option(help="Usernames, separated by commas.")]
Text = Annotated[str | None, typer.Option("--q", help="A part of name, username or address.")]
TimeZone = Annotated[str | None, typer.Option(help="Time zones, separated by commas.")]
Locale = Annotated[str | None, typer.Option(help="Locales, separated by commas.")]
CreatedAfter = Annotated[str | None, typer.Option(help="Created then or later.")]
CreatedBefore = Annotated[str | None, typer.Option(help="Created earlier.")]
Metadata = Annotated[list[str] | None, typer.Option(help="key=value; may be given repeatedly.")]
Fields = Annotated[str | None, typer.Option(help="Only these fields, separated by commas.")]
Sort = Annotated[str, typer.Option(help="id, createdDate, name or email; - before it reverses.")]


def of(**given: Filter | None) -> dict[str, Filter]:
    """Return the filters that were given."""
    return {name: value for name, value in given.items() if value}


def pairs(given: list[str] | None) -> dict[str, str]:
    """Return ``key=value`` texts as a mapping.

    Raises:
        typer.BadParameter: one has no ``=``.
    """
    found = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter("metadata must be key=value")
        found[key] = value
    return found
