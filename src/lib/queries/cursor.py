"""Reads and writes cursors: a place in one view of one generation.

A cursor is opaque to callers and holds nothing of a user. It is checked, not trusted: a place
outside the view shows an empty page, a generation that is not there is gone.

Pure: no clock, no I/O.
"""

import base64
import json
from dataclasses import dataclass

from lib.errors import InvalidRequestError

_dumps = json.JSONEncoder(separators=(",", ":")).encode

LIFETIME_SECONDS = 3600
"""How long a cursor may be used after it was handed out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next place to read from; ``view`` names filters, order and fields, not the page size."""

    generation: int
    offset: int
    issued_at: int
    view: str
    policy: str

    def encode(self) -> str:
        """Return the text that goes into a link."""
        packed = _dumps(
            (self.generation, self.offset, self.issued_at, self.view, self.policy)
        ).encode()
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """Return the cursor in ``text``.

    Raises:
        InvalidRequestError: nobody handed out this text.
    """
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        generation, offset, issued_at, view, policy = json.loads(packed)
    except (ValueError, TypeError, RecursionError):
        raise _not_ours() from None
    numbers = (generation, offset, issued_at)
    if not all(type(number) is int and 0 <= number < 2**53 for number in numbers):
        raise _not_ours()
    if not isinstance(view, str) or not isinstance(policy, str):
        raise _not_ours()
    return Cursor(generation, offset, issued_at, view, policy)


def _not_ours() -> InvalidRequestError:
    return InvalidRequestError("Parameter 'cursor' is not a cursor that was handed out here.")
