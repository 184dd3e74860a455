"""The options that filter users: the service's own parameters, as its OpenAPI document has them.

``options.json`` is made from that document, so a new parameter is nowhere written down here.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from managed_users.client import Filter, Value

type Options = str | list[str] | None
"""What Typer gives for one of them."""

_METADATA = "metadata"


def options_of(resource: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: a command's ``**filters`` are an option for each of ``resource``'s."""

    def with_options(work: Callable[..., None]) -> Callable[..., None]:
        own = signature(work)
        places: dict[Any, list[Parameter]] = {}
        for parameter in own.parameters.values():
            places.setdefault(parameter.kind, []).append(parameter)
        del places[Parameter.VAR_KEYWORD]
        options = [_option(name, told) for name, told in _offered()[resource].items()]
        places[Parameter.KEYWORD_ONLY] = options + places[Parameter.KEYWORD_ONLY]
        parameters = [parameter for kind in sorted(places) for parameter in places[kind]]
        work.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return work

    return with_options


def asked(filters: dict[str, Options]) -> dict[str, Filter]:
    """Return options as the client takes them.

    Raises:
        typer.BadParameter: ``--metadata`` is not ``key=value``.
    """
    return {
        name: _pairs(value) if isinstance(value, list) else value
        for name, value in filters.items()
        # Typer gives none where none is given.
        if value is not None
    }


def members(text: Options) -> list[str]:
    """Return what is separated by commas, without the blanks around it."""
    return [member.strip() for member in text.split(",")] if isinstance(text, str) else []


@cache
def _offered() -> dict[str, dict[str, str]]:
    text = Path(__file__).with_name("options.json").read_text(encoding="utf-8")
    offered: dict[str, dict[str, str]] = json.loads(text)
    return offered


def _option(name: str, told: str) -> Parameter:
    flag = "--" + re.sub(r"_|(?=[A-Z])", "-", name).lower()
    kind: Any = str | None
    if name == _METADATA:
        kind = list[str] | None
        told = "key=value; of several values of a key, any will do."
    annotation = Annotated[kind, typer.Option(flag, help=told)]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _pairs(given: list[str]) -> Filter:
    """Return ``key=value`` texts as a mapping to the values of each key.

    Raises:
        typer.BadParameter: one has no ``=``.
    """
    found: dict[str, list[Value]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter("metadata must be key=value")
        found.setdefault(key, []).append(value)
    return {**found}
