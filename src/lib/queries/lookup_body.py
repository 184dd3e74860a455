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


def parse(body: str) -> dict[str, Any]:
    """Return the one list of users that a look-up's body names.

    Raises:
        InvalidRequestError: it names none, more than one, or something else.
    """
    try:
        content = json.loads(body)
        ((name, members),) = content.items()
    except (ValueError, AttributeError, RecursionError):
        name, members = "", None
    usable = name in NAMES and isinstance(members, list) and 0 < len(members) <= MAX_MEMBERS
    if not usable or not all(map(_is_id if name == "ids" else _is_name, members)):
        raise InvalidRequestError(
            'The body must be JSON like {"emails": ["…"]}, {"ids": [1]} or {"usernames": ["…"]}, '
            f"with 1 to {MAX_MEMBERS} members: ids up to {MAX_NUMBER}, names of at most "
            f"{LONGEST_NAME} characters."
        )
    for address in members if name == "emails" else ():
        if not is_address(address):
            raise InvalidRequestError(f"Invalid email {address}")
    # To JSON, 1.0 is the same number as 1.
    return {name: tuple(map(int, members) if name == "ids" else members)}


def _is_id(member: object) -> bool:
    if isinstance(member, bool) or not isinstance(member, int | float):
        return False
    return 0 <= member <= MAX_NUMBER and member == int(member)


def _is_name(member: object) -> bool:
    # Those not found are in the answer, which has an end.
    return isinstance(member, str) and len(member) <= LONGEST_NAME
