"""How large artifacts are, unpacked and zipped."""

import zlib
from collections.abc import Iterable

from bench.artifacts import OURS
from bench.neighbours import Neighbours
from bench.results import Found

_MEASURED = (OURS, "typical", "requests_cache", "fastapi_hishel")


def measure(running: Neighbours, found: Found, rounds: Iterable[object]) -> None:
    """Add the sizes of our artifact and of peers', in MB of a million bytes."""
    for _ in rounds:
        for name in _MEASURED:
            directory = (running.directory / name).resolve()
            contents = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
            zipped = sum(len(zlib.compress(content)) for content in contents)
            found.add(f"artifact_{name}_unzipped_mb", sum(map(len, contents)) / 1e6, "MB")
            found.add(f"artifact_{name}_zipped_mb", zipped / 1e6, "MB")
