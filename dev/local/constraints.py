"""Holds what a run is told to what a deployment would accept: ``template.yaml``'s own constraints.

Each says what is wrong in a sentence, or nothing.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from dev.template.literals import FUNCTION, parameters_of, resources

_LIKE = 0.9
_LONG = 8
"""Shorter names are like too many that have nothing to do with this."""


def broken_constraint(variables: Mapping[str, str]) -> str | None:
    """Return which of ``variables`` the template would not accept, and what it would."""
    parameters = {
        name: parameter
        for function in resources(FUNCTION)
        for name, parameter in parameters_of(function["Handler"]).items()
    }
    for name in variables.keys() & parameters.keys():
        wanted = _wanted(parameters[name], variables[name])
        if wanted:
            return f"{name} must be {wanted}"
    return None


def misspelt(variables: Collection[str], known: Collection[str]) -> str | None:
    """Return which of ``variables`` is nearly one that is ``known``, and which."""
    for name in sorted(set(variables) - set(known)):
        meant = get_close_matches(name, known, n=1, cutoff=_LIKE) if len(name) >= _LONG else []
        if meant:
            return f"{name} is no setting: did you mean {meant[0]}?"
    return None


def _wanted(parameter: Mapping[str, Any], text: str) -> str | None:
    """Return what ``parameter`` wants instead of ``text``."""
    if parameter["Type"] == "Number":
        least, most = parameter["MinValue"], parameter["MaxValue"]
        whole = re.fullmatch("[0-9]{1,9}", text)
        return (
            None
            if whole and least <= int(text) <= most
            else f"a whole number from {least} to {most}"
        )
    allowed = parameter.get("AllowedValues")
    if allowed is not None:
        return None if text in allowed else " or ".join(allowed)
    pattern = parameter.get("AllowedPattern", ".*")
    return None if re.fullmatch(pattern, text) else str(parameter["ConstraintDescription"])
