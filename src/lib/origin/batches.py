"""Cuts addresses into batches that one call to the origin can carry.

Pure: no I/O.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

MAX_URL_BYTES = 6_000
"""What the addresses of one call may take in its URL."""


def batches_of[K](addresses: Mapping[K, str], *, most: int) -> Iterator[dict[K, str]]:
    """Yield ``addresses`` in runs that one URL can carry, each of at most ``most``."""
    batch: dict[K, str] = {}
    size = 0
    for key, address in addresses.items():
        length = len(quote(f"{address},", safe=""))
        if batch and (len(batch) == most or size + length > MAX_URL_BYTES):
            yield batch
            batch, size = {}, 0
        batch[key] = address
        size += length
    if batch:
        yield batch
