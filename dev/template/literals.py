"""Reads from ``template.yaml`` what the local stack must not define a second time.

Only literal values, and ``Ref`` to a parameter that has a default, are understood. Everything else
a template can say (conditions, functions, attributes of resources) comes back as the marker
``UNRESOLVED``, and a caller that needs it fails loudly.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

from dev import ROOT

type Json = Any  # A template is free-form: its readers check what they use.

UNRESOLVED: Final = object()
TABLE = "AWS::DynamoDB::Table"
FUNCTION = "AWS::Serverless::Function"
API = "AWS::Serverless::Api"
SCHEDULE = "AWS::Scheduler::Schedule"
ALARM = "AWS::CloudWatch::Alarm"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref x`` and the like)."""


def _short_form(_loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    return {suffix: node.value} if isinstance(node, yaml.ScalarNode) else UNRESOLVED


_Loader.add_multi_constructor("!", _short_form)


@cache
def _document() -> Json:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with short forms.


def parameter_defaults() -> dict[str, Json]:
    """Return the default of each parameter that has one."""
    parameters = _document().get("Parameters", {})
    return {name: body["Default"] for name, body in parameters.items() if "Default" in body}


def resolve(value: Json) -> Json:
    """Return ``value`` with each ``Ref`` to a parameter replaced by its default."""
    match value:
        case {"Ref": str(name)}:
            return parameter_defaults().get(name, UNRESOLVED)
        case dict():
            return {key: resolve(member) for key, member in value.items()}
        case list():
            return [resolve(member) for member in value]
        case _:
            return value


def resource(kind: str, **properties: Json) -> Json:
    """Return the properties of the one resource of type ``kind`` that has these ``properties``.

    Raises:
        LookupError: there is none, or more than one.
    """
    return resolve(_raw(kind, **properties))


def _raw(kind: str, **properties: Json) -> Json:
    found = [
        body["Properties"]
        for body in _document()["Resources"].values()
        if body["Type"] == kind and properties.items() <= _literal(body["Properties"]).items()
    ]
    if len(found) != 1:
        raise LookupError(f"template.yaml has {len(found)} resources {kind} with {properties}")
    return found[0]


def resources(kind: str) -> list[Json]:
    """Return the properties of every resource of type ``kind``."""
    found = _document()["Resources"].values()
    return [resolve(body["Properties"]) for body in found if body["Type"] == kind]


def named(name: str) -> Json:
    """Return the properties of the resource that the template calls ``name``."""
    return resolve(_document()["Resources"][name]["Properties"])


def count(kind: str) -> int:
    """Return how many resources of type ``kind`` there are, whatever they depend on."""
    return sum(body["Type"] == kind for body in _document()["Resources"].values())


def _literal(properties: Mapping[str, Json]) -> dict[str, str]:
    return {key: value for key, value in properties.items() if isinstance(value, str)}


def function_environment(handler: str) -> dict[str, str]:
    """Return what is known before deployment of the environment of the function ``handler``."""
    variables = resolve(function_variables(handler))
    return {key: str(value) for key, value in variables.items() if isinstance(value, str | int)}


def function_variables(handler: str) -> dict[str, Json]:
    """Return the variables of the function ``handler``, each as the template writes it."""
    shared = _document().get("Globals", {}).get("Function", {})
    return _variables(shared) | _variables(_raw(FUNCTION, Handler=handler))


def parameters_of(handler: str) -> dict[str, Json]:
    """Return the variables of the function ``handler`` that are parameters, each with its own."""
    parameters = _document().get("Parameters", {})
    return {
        name: parameters[value["Ref"]]
        for name, value in function_variables(handler).items()
        if isinstance(value, dict) and value.get("Ref") in parameters
    }


def api_paths() -> list[str]:
    """Return the paths of the API, such as ``/oauth-clients/{clientId}/users``."""
    return list(resource(API)["DefinitionBody"]["paths"])


def _variables(function: Mapping[str, Json]) -> dict[str, Json]:
    return dict(function.get("Environment", {}).get("Variables", {}))
