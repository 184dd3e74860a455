"""The options that filter users: the service's own parameters under their own names."""

from typing import Annotated

import typer

from managed_users.client import Filter, Value

Ids = Annotated[str | None, typer.Option(help="User ids, separated by commas.")]
Emails = Annotated[str | None, typer.Option(help="Addresses, separated by commas.")]
EmailMatch = Annotated[
    str | None, typer.Option(help="exact, or folded: the case of an address does not matter.")
]
Usernames = Annotated[str | None, typer.Option(help="Usernames, separated by commas.")]
Text = Annotated[str | None, typer.Option("--q", help="A part of name, username or address.")]
TimeZone = Annotated[str | None, typer.Option(help="Time zones, separated by commas.")]
Locale = Annotated[str | None, typer.Option(help="Locales, separated by commas.")]
CreatedAfter = Annotated[str | None, typer.Option(help="Created then or later.")]
CreatedBefore = Annotated[str | None, typer.Option(help="Created earlier.")]
ChangedSince = Annotated[str | None, typer.Option(help="Seen changed then or later.")]
Metadata = Annotated[
    list[str] | None, typer.Option(help="key=value; of several values of a key, any will do.")
]
Fields = Annotated[str | None, typer.Option(help="Only these fields, separated by commas.")]
AsOf = Annotated[str | None, typer.Option(help="As it was: a generation, or a date in ISO 8601.")]
Sort = Annotated[str, typer.Option(help="id, createdDate, updatedAt, name, email; - reverses.")]
MinGeneration = Annotated[
    int | None, typer.Option(min=1, help="As they are in this generation or a later one.")
]


def members(text: str | None) -> list[str] | None:
    """Return what is separated by commas, without the blanks around it."""
    return None if text is None else [member.strip() for member in text.split(",")]


def pairs(given: list[str] | None) -> Filter:
    """Return ``key=value`` texts as a mapping to the values of each key.

    Raises:
        typer.BadParameter: one has no ``=``.
    """
    found: dict[str, list[Value]] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter("metadata must be key=value")
        found.setdefault(key, []).append(value)
    return {**found}
