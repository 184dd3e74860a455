"""The recorded exchanges with the origin, where a file of them is to be had.

The file is no part of this project. ``ORIGIN_RECORDINGS`` names one: a JSON object a line with
``name``, ``users`` (how many the client had), ``request`` and ``response``; in bodies the timestamp
is replaced by ``<ISO-8601>``. Without it, tests that replay it are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

type Exchange = dict[str, Any]

CLIENT = "cluo37fwd0001khkzqqynkpj3"
CLIENTS = {
    CLIENT: "sekret",
    "cluo37fwd0002otherorg0000": "sekret2",
    "clnotplatform000000000000": "sekret3",
}
MISSING = "ORIGIN_RECORDINGS does not name a recordings file"


def _exchanges() -> list[Exchange]:
    named = os.environ.get("ORIGIN_RECORDINGS")
    lines = Path(named).read_text(encoding="utf-8").splitlines() if named else []
    return [json.loads(line) for line in lines]


EXCHANGES = _exchanges()
