"""Writes what the command line offers as filters: the query parameters in ``docs/openapi.json``.

``python -m dev.docs.options <file>`` writes it; ``make options`` the one that is kept.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dev import ROOT

type Json = Any  # A document is free-form.

_BASE = "/oauth-clients/{clientId}"
_RESOURCES = {"users": f"{_BASE}/users", "user": f"{_BASE}/users/{{userId}}"}
# The tool follows cursors and cuts lists itself; the rest is another writing, or ignored.
_NOT_OFFERED = {"limit", "offset", "cursor", "emails[]", "clientId"}


def text() -> str:
    """Return the file: for users and for one user, the parameters' names and what they mean."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    described = document["components"]["parameters"]
    offered = {}
    for resource, path in _RESOURCES.items():
        references = document["paths"][path]["get"]["parameters"]
        parts = [described[part["$ref"].rpartition("/")[2]] for part in references]
        offered[resource] = {
            part["name"]: _meaning(part)
            for part in parts
            if part["in"] == "query" and part["name"] not in _NOT_OFFERED
        }
    return json.dumps(offered, indent=2, ensure_ascii=False) + "\n"


def _meaning(part: Json) -> str:
    """Return the first sentence of a description, and how several or which few values are meant."""
    schema = part["schema"]
    told = part["description"].partition(". ")[0].rstrip(".").replace("`", "") + "."
    allowed = ", ".join(schema.get("enum") or schema.get("items", {}).get("enum", ()))
    if schema["type"] == "array":
        return f"{told} Separated by commas{f': {allowed}' if allowed else ''}."
    return f"{told} One of {allowed}." if allowed else told


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
