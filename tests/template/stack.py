"""What CloudFormation would create from the template for a given choice of parameters.

Only what the tests need of CloudFormation is here: conditions, references to parameters and
``Fn::Split``. References to other resources stay as they are, in their long form.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from dev.template.translation import translate

type Json = Any  # A template is free-form: each test looks at what it asserts.

NO_VALUE: Final = {"Ref": "AWS::NoValue"}
GIVEN_TABLE: Final = {
    "TableName": "managed-users-restored",
    "TableStreamArn": (
        "arn:aws:dynamodb:eu-west-1:123456789012:table/managed-users-restored"
        "/stream/2026-11-27T10:00:00.000"
    ),
}
"""Parameters of a stack that uses a table which exists already."""


class Stack:
    """The translated template under one choice of parameters; the others have their defaults."""

    def __init__(self, **parameters: str) -> None:
        self.template = _translated()
        declared = self.template["Parameters"]
        unknown = parameters.keys() - declared.keys()
        if unknown:
            raise LookupError(f"the template has no parameters {unknown}")
        self.parameters = {name: str(body["Default"]) for name, body in declared.items()}
        self.parameters |= parameters
        self.resources: dict[str, Json] = {
            name: self.resolve(body)
            for name, body in self.template["Resources"].items()
            if "Condition" not in body or self.holds(body["Condition"])
        }

    @property
    def outputs(self) -> dict[str, Json]:
        """The value of each output that these parameters make."""
        return {
            name: self.resolve(body["Value"])
            for name, body in self.template["Outputs"].items()
            if "Condition" not in body or self.holds(body["Condition"])
        }

    def properties(self, name: str) -> Json:
        """Return the properties of the resource ``name``."""
        return self.resources[name]["Properties"]

    def of_type(self, kind: str) -> dict[str, Json]:
        """Return the properties of every resource of type ``kind``, by name."""
        return {
            name: body["Properties"]
            for name, body in self.resources.items()
            if body["Type"] == kind
        }

    def holds(self, condition: str) -> bool:
        """Tell whether the named ``condition`` is true for these parameters."""
        return self._true(self.template["Conditions"][condition])

    def refused(self) -> list[str]:
        """Return what the template's rules say against these parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.template["Rules"].values()
            if self._true(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._true(assertion["Assert"])
        ]

    def resolve(self, value: Json) -> Json:
        """Return ``value`` as CloudFormation would see it."""
        match value:
            case {"Fn::If": [condition, then, otherwise]}:
                return self.resolve(then if self.holds(condition) else otherwise)
            case {"Fn::Split": [separator, text]}:
                return self.resolve(text).split(separator)
            case {"Ref": str(name)} if name in self.parameters:
                return self.parameters[name]
            case Mapping():
                return dict(self._members(value))
            case list():
                members = (self.resolve(member) for member in value)
                return [member for member in members if member != NO_VALUE]
            case _:
                return value

    def _members(self, value: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        for key, member in value.items():
            resolved = self.resolve(member)
            if resolved != NO_VALUE:
                yield key, resolved

    def _true(self, expression: Json) -> bool:
        match expression:
            case {"Fn::Not": [member]}:
                return not self._true(member)
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::And": members}:
                return all(self._true(member) for member in members)
            case {"Fn::Or": members}:
                return any(self._true(member) for member in members)
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
            case _:
                raise NotImplementedError(f"condition {expression}")


@cache
def _translated() -> Json:
    return translate()
