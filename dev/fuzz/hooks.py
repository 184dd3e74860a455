"""What Schemathesis cannot know of this service: values that only a running one hands out.

Loaded by Schemathesis in its own environment (see ``dev.fuzz``).
"""

import os
import re
from typing import Any

import requests
import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import negative_data_rejection

type Json = Any  # Cases and answers are Schemathesis' own.

_BAD = re.compile(r"parameters? ((?:`[^`]+`(?:, )?)+) in query")
_ORIGINS = {"limit", "offset", "emails", "emails[]"}
# Anything is text once it is in a query.
_TEXTS = {"locale", "timeZone", "usernames", "q"}
_NEXT = re.compile(r'<(\?[^>]*)>; rel="next"')


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Json, case: Json, _kwargs: Json) -> None:
    """Give a valid case a cursor and generations that exist, and nothing that a cursor forbids."""
    if case.meta is None or case.meta.generation.mode.is_negative or not case.query:
        return
    if "clientId" not in case.path_parameters:
        return
    client = f"{os.environ['FUZZED_URL']}/oauth-clients/{case.path_parameters['clientId']}"
    asked = case.query
    if "asOf" in asked:
        asked.pop("min_generation", None)
    if numbered := {"min_generation", "since", "asOf", "after"} & asked.keys():
        newest = requests.get(f"{client}/cache", timeout=35).json()["data"]["generation"]
        for name in numbered:
            # Of a moment not long past, since this service is young; nor are there other cursors.
            young = name in {"asOf", "after"}
            asked[name] = newest if young else min(int(asked[name]), newest)
    if "cursor" in asked:
        for name in ("cursor", "offset", "min_generation", "asOf"):
            asked.pop(name, None)
        cursor = _next_cursor(client, asked) if case.method == "GET" else None
        if cursor:
            asked["cursor"] = cursor


def _next_cursor(client: str, asked: Json) -> str | None:
    answer = requests.get(f"{client}/users", params=asked | {"limit": 1}, timeout=35)
    link = _NEXT.search(answer.headers.get("Link", ""))
    # A link that names users by id instead belongs to another question.
    same = link is not None and ("&ids=" in link[1]) == ("ids" in asked)
    found = re.search(r"cursor=([^&]*)", link[1]) if link and same else None
    return found[1] if found else None


@schemathesis.check  # type: ignore[untyped-decorator]
def own_parameters_reject_bad_data(context: Json, response: Json, case: Json) -> bool | None:
    """Apply ``negative_data_rejection``, but to the parameters that are read as the origin does.

    JavaScript's parseInt takes 0.5 for 0 and 10abc for 10, and existing clients may rely on it.
    """
    try:
        result: bool | None = negative_data_rejection(context, response, case)
    except Failure as failure:
        named = _BAD.search(failure.message)
        bad = set(re.findall("`([^`]+)`", named[1])) if named else set()
        if bad & _ORIGINS and bad <= _ORIGINS | _TEXTS:
            return None
        raise
    return result
