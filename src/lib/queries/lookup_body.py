"""Reads the body of a look-up: one list of users, by address, id or username.

Pure: no I/O.
"""

import json
from typing import Any

from lib.errors import InvalidRequestError
from lib.queries.parameters import MAX_MEMBERS, MAX_NUMBER
from lib.users.address import is_address

NAMES = frozenset({"emails", "ids", "usernames"})
"""By what users may be named."""

LONGEST_NAME = 320
"""Most characters of an address (RFC 5321 section 4.5.3.1, local part and domain) or username."""

_SHOWN = 40


_FORMS = '{"emails": ["…"]}, {"ids": [1]} or {"usernames": ["…"]}'


def parse(body: str) -> dict[str, Any]:
    """Return the one list of users that a look-up's body names.

    Raises:
        InvalidRequestError: it names none, more than one, or something else; the message says
            which, and quotes nobody's name.
    """
    name, members = _one_list(body)
    if not isinstance(members, list):
        raise _refused(f"'{name}' is no list")
    if not 0 < len(members) <= MAX_MEMBERS:
        raise _refused(f"'{name}' has {len(members)} members, and 1 to {MAX_MEMBERS} are allowed")
    for place, member in enumerate(members):
        problem = (_problem_of_id if name == "ids" else _problem_of_name)(member)
        if problem:
            raise _refused(f"Member {place} of '{name}' {problem}")
    for address in members if name == "emails" else ():
        if not is_address(address):
            raise InvalidRequestError(f"Invalid email {address}")
    # To JSON, 1.0 is the same number as 1.
    return {name: tuple(map(int, members) if name == "ids" else members)}


def _one_list(body: str) -> tuple[str, Any]:
    if not body:
        raise _refused("There is no body")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused("The body is not JSON") from None
    if not isinstance(content, dict):
        raise _refused("The body is not a JSON object")
    unknown = sorted(content.keys() - NAMES)
    if unknown:
        raise _refused(f"The body has the unknown member '{unknown[0][:_SHOWN]}'")
    if not content:
        raise _refused("The body names nobody")
    if len(content) > 1:
        raise _refused(f"The body has {' and '.join(sorted(content))}, and one of them is allowed")
    ((name, members),) = content.items()
    return name, members


def _refused(problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"{problem}. Send JSON like {_FORMS}.")


def _problem_of_id(member: object) -> str:
    if isinstance(member, bool) or not isinstance(member, int | float):
        return "is not a number"
    # Neither is what JSON has no number for.
    if not 0 <= member <= MAX_NUMBER or member != int(member):
        return f"is not a whole number from 0 to {MAX_NUMBER}"
    return ""


def _problem_of_name(member: object) -> str:
    if not isinstance(member, str):
        return "is not a text"
    # Those not found are in the answer, which has an end.
    if len(member) > LONGEST_NAME:
        return f"has {len(member)} characters, and {LONGEST_NAME} are allowed"
    return ""
