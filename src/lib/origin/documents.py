"""Makes documents of lists of users, and remembers which bytes they were made of.

Most revalidations are told just what they were told before. Then nothing of it is parsed, checked
and written once more: the very same bytes, asked for in the same way, make the same documents.

Pure: no clock, no I/O.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Lock

MAX_BYTES = 16 * 1024 * 1024
"""What is kept of lists at most: 100,000 users take some 8 MB."""

_QUICKLY = 1


class Documents:
    """The lists seen last, compressed, in at most ``max_bytes``, least recently used first.

    The schedule revalidates several clients side by side, so it may be asked by several threads.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._lock = Lock()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def of(
        self, body: bytes, asked: tuple[object, ...], make: Callable[[], Sequence[bytes]]
    ) -> Sequence[bytes]:
        """Return what ``make`` makes of ``body``, which depends on that and on ``asked`` alone.

        Whatever it raises is raised, and nothing is remembered.
        """
        key = blake2b(body, digest_size=20, key=blake2b(repr(asked).encode()).digest()).digest()
        with self._lock:
            if packed := self._kept.get(key):
                self._kept.move_to_end(key)
        if packed:
            return zlib.decompress(packed).split(b"\n")
        made = make()
        if made:
            self._keep(key, zlib.compress(b"\n".join(made), _QUICKLY))
        return made

    def _keep(self, key: bytes, packed: bytes) -> None:
        with self._lock:
            self._bytes += len(packed) - len(self._kept.pop(key, b""))
            self._kept[key] = packed
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest)
