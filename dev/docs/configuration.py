"""Writes ``docs/configuration.md``: every parameter of ``template.yaml``, by group.

``python -m dev.docs.configuration <file>`` writes it; ``make configuration`` the one that is kept.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.template.translation import source

type Json = Any  # A template is free-form.

_HEAD = """\
# Configuration
The parameters of `template.yaml`, as `sam deploy --guided` asks for them. This page is made from
the template (`make configuration`); a test compares the two.
"""


def text() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_groups()])


def _groups() -> Iterator[str]:
    template = source()
    parameters = template["Parameters"]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        yield f"## {group['Label']['default']}"
        yield "| parameter | default | allowed | meaning |"
        yield "|---|---|---|---|"
        for name in group["Parameters"]:
            described = parameters[name]
            meaning = " ".join(described["Description"].split())
            cells = [f"`{name}`", _default(described), _allowed(described), meaning]
            yield f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"
        yield ""


def _default(described: Json) -> str:
    default = described.get("Default", "")
    return f"`{default}`" if str(default) else ""


def _allowed(described: Json) -> str:
    if "AllowedValues" in described:
        return ", ".join(f"`{value}`" for value in described["AllowedValues"] if str(value))
    low, high = described.get("MinValue"), described.get("MaxValue")
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"{low} or more"
    return str(described.get("ConstraintDescription", ""))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
