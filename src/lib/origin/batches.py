"""Cuts addresses into batches that one URL of the origin can carry.

Pure: no I/O.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

MAX_URL_BYTES = 6_000
"""What the addresses of one call may take in its URL."""

MAX_ROWS = 250
"""The origin lists no more rows than this, filtered or not."""


def batches_of[K](addresses: Mapping[K, str]) -> Iterator[dict[K, str]]:
    """Yield ``addresses`` in runs that fit into one call each."""
    batch: dict[K, str] = {}
    size = 0
    for key, address in addresses.items():
        length = len(quote(f"{address},", safe=""))
        if batch and (len(batch) == MAX_ROWS or size + length > MAX_URL_BYTES):
            yield batch
            batch, size = {}, 0
        batch[key] = address
        size += length
    if batch:
        yield batch
