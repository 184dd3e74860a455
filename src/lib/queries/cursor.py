"""Writes and reads cursors: a place in one view of one generation, signed.

A cursor is opaque to callers and holds nothing of a user. Only what was handed out here is read, to
the letter: a made-up place could show users of a generation that the caller was never meant to see.

Pure but for the key it is given.
"""

import base64
import hmac
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from lib.errors import ParameterError, StoreError

_dumps = json.JSONEncoder(separators=(",", ":")).encode

LIFETIME_SECONDS = 3600
"""How long a cursor may be used after the minute in which it was handed out."""

_TAG_BYTES = 16


class Cursor(NamedTuple):
    """The next place to read from.

    ``issued_at`` is the end of the minute in which it was handed out, in epoch seconds.
    ``filters_digest`` names filters, order and fields, not the page size.
    """

    generation: int
    offset: int
    issued_at: int
    filters_digest: str
    hiding_digest: str


def issued_at(now: float) -> int:
    """Return when a cursor counts as handed out: for a minute a place has the same one."""
    return (int(now) // 60 + 1) * 60


class Signed[Content: tuple[Any, ...]]:
    """Contents of one ``kind`` as texts, under one key, which is asked for when it is first needed.

    A text is base64url (RFC 4648 section 5, unpadded) of a tag (HMAC-SHA-256, RFC 2104, its first
    half) and the content. ``form`` is signed with it and changes with the shape of the content, so
    that no other shape is read; ``parameter`` is where callers send it.
    """

    def __init__(
        self, key: Callable[[], bytes], *, kind: Callable[..., Content], form: bytes, parameter: str
    ) -> None:
        self._key = key
        self._kind = kind
        self._form = form
        self._parameter = parameter
        # One window is asked for again and again.
        self._signed = lru_cache(1024)(self._sign)

    def sign(self, content: Content) -> str:
        """Return the text of ``content``.

        Raises:
            StoreError: the key cannot be had.
        """
        return self._signed(content)

    def read(self, text: str) -> Content:
        """Return the content of ``text``.

        Raises:
            ParameterError: nobody handed out this text under this key.
            StoreError: the key cannot be had.
        """
        try:
            content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            raise self._not_ours() from None
        tag, packed = content[:_TAG_BYTES], content[_TAG_BYTES:]
        # A decoder passes over characters and bits that stand for nothing.
        if _text(content) != text or not hmac.compare_digest(tag, self._tag(packed)):
            raise self._not_ours()
        return self._kind(*json.loads(packed))

    def _sign(self, content: Content) -> str:
        packed = _dumps(content).encode()
        return _text(self._tag(packed) + packed)

    def _tag(self, packed: bytes) -> bytes:
        return hmac.digest(self._key(), self._form + packed, "sha256")[:_TAG_BYTES]

    def _not_ours(self) -> ParameterError:
        return ParameterError(self._parameter, "is not a cursor that was handed out here")


class Cursors(Signed[Cursor]):
    """Cursors of lists."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        super().__init__(key, kind=Cursor, form=b"cursor 1 ", parameter="cursor")

    def write(self, cursor: Cursor) -> str | None:
        """Return the text that goes into a link, None while the key cannot be had."""
        try:
            return self.sign(cursor)
        except StoreError:
            return None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
