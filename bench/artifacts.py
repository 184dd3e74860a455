"""Builds what is measured: our artifact, and each peer's as plain ``sam build`` would make it.

Plain ``sam build`` installs a function's requirements beside its code: all files, no bytecode. The
versions are those of ``uv.lock``, the same for everybody. Peers are kept under a name made from
what decides them, so the next run only copies.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from dev import ROOT
from dev.deploy.build_artifact import build, compile_sources, install, kept, output
from dev.deploy.deployment import ARCHITECTURE
from dev.deploy.lambda_runtime import copy_runtime_packages

CACHE = ROOT / ".build/bench"
OURS, RUNTIME = "ours", "runtime"
PLAIN = ("empty", "fastapi_hishel", "requests_cache", "typical", "echo_plain", "floor_plain")
"""Peers as plain ``sam build`` makes them; ``<name>_plain`` are others without their bytecode."""
WITH_BYTECODE = ("echo", "floor")
"""Peers that ship bytecode, so that they bound what can be reached."""
_PEERS = Path(__file__).with_name("peers")


@contextmanager
def built(ours: Path | None) -> Iterator[Path]:
    """Make a directory with an artifact each, read-only, and one of Lambda's runtime packages.

    ``ours`` is an artifact to take as it is; without it ours is built from the sources.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as scratch:
        target = Path(scratch)
        if ours:
            shutil.copytree(ours, target / OURS)
        else:
            build(target / OURS, architecture=ARCHITECTURE, uv=os.environ["UV"])
        copy_runtime_packages(target / RUNTIME)
        compile_sources(target / RUNTIME, root=str(target / RUNTIME))
        for name in (*PLAIN, *WITH_BYTECODE):
            (target / name).symlink_to(_peer(name))
        measured = [(target / name).resolve() for name in (OURS, *PLAIN, *WITH_BYTECODE)]
        try:
            _set_writable(measured, writable=False)
            yield target
        finally:
            _set_writable(measured, writable=True)


def _peer(name: str) -> Path:
    """Return the directory of an installed peer; make it if need be."""
    source = _PEERS / name.removesuffix("_plain")
    options = ("--frozen", "--no-dev", "--group", "bench", "--no-hashes", "--no-header")
    locked = output(os.environ["UV"], "export", *options)
    parts = [locked, *(path.read_text(encoding="utf-8") for path in sorted(source.glob("*.*")))]
    recipe = [*parts, ARCHITECTURE, sys.version]

    def make(packages: Path) -> None:
        wanted = (source / "requirements.txt").read_text(encoding="utf-8")
        with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as constraints:
            constraints.write(locked)
            constraints.flush()
            limits = ("--constraints", constraints.name)
            install(wanted, packages, *limits, architecture=ARCHITECTURE, uv=os.environ["UV"])
        for file in ("app.py", "requirements.txt"):
            shutil.copy(source / file, packages)
        if name in WITH_BYTECODE:
            compile_sources(packages, root=str(packages))

    return kept(CACHE, name, recipe, make)


def _set_writable(directories: Iterable[Path], *, writable: bool) -> None:
    paths = (path for each in directories for path in (each, *each.rglob("*")))
    for path in paths:
        mode = path.stat().st_mode
        path.chmod(mode | 0o200 if writable else mode & ~0o222)
