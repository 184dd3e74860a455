"""Builds what is measured: our artifact, and each peer's as plain ``sam build`` would make it.

Plain ``sam build`` installs a function's requirements beside its code: all files, no bytecode. The
versions are those of ``uv.lock``, the same for everybody. Peers are kept under a name made from
what decides them, so the next run only copies.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dev import ROOT
from dev.deploy import build_artifact
from dev.deploy.deployment import ARCHITECTURE
from dev.deploy.lambda_runtime import copy_runtime_packages

CACHE = ROOT / ".build/bench"
OURS, RUNTIME = "ours", "runtime"
PLAIN = ("empty", "fastapi_hishel", "requests_cache", "typical", "echo_plain", "floor_plain")
"""Peers as plain ``sam build`` makes them; ``<name>_plain`` are others without their bytecode."""
WITH_BYTECODE = ("echo", "floor")
"""Peers that ship bytecode, so that they bound what can be reached."""
_PEERS = Path(__file__).with_name("peers")
_PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}


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
            build_artifact.build(target / OURS, architecture=ARCHITECTURE, uv=os.environ["UV"])
        copy_runtime_packages(target / RUNTIME)
        _compile(target / RUNTIME)
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
    locked = _uv("export", "--frozen", "--no-dev", "--group", "bench", "--no-hashes", "--no-header")
    parts = [locked, *(path.read_text(encoding="utf-8") for path in sorted(source.glob("*.*")))]
    digest = hashlib.sha256("\0".join([*parts, ARCHITECTURE, sys.version]).encode()).hexdigest()
    made = CACHE / f"{name}-{digest[:16]}"
    if made.exists():
        return made
    with TemporaryDirectory(dir=CACHE) as scratch:
        constraints = Path(scratch, "constraints.txt")
        constraints.write_text(locked, encoding="utf-8")
        packages = Path(scratch, "packages")
        packages.mkdir()
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        platform = ["--python-version", version, "--python-platform", _PLATFORMS[ARCHITECTURE]]
        files = ["--requirements", str(source / "requirements.txt"), "--target", str(packages)]
        limits = ["--constraints", str(constraints), "--only-binary", ":all:"]
        _uv("pip", "install", "--quiet", "--link-mode", "copy", *platform, *files, *limits)
        (packages / ".lock").unlink(missing_ok=True)
        for file in ("app.py", "requirements.txt"):
            shutil.copy(source / file, packages)
        if name in WITH_BYTECODE:
            _compile(packages)
        try:
            packages.rename(made)
        except OSError:
            # A run beside this one was faster; what it made is the same.
            if not made.exists():
                raise
    return made


def _uv(*arguments: str) -> str:
    command = [os.environ["UV"], *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - uv.
    return done.stdout


def _compile(directory: Path) -> None:
    command = [sys.executable, "-I", "-m", "compileall", "-q"]
    options = ["--invalidation-mode", "unchecked-hash", str(directory)]
    subprocess.run([*command, *options], check=True)  # noqa: S603 - this interpreter.


def _set_writable(directories: Iterable[Path], *, writable: bool) -> None:
    paths = (path for each in directories for path in (each, *each.rglob("*")))
    for path in paths:
        mode = path.stat().st_mode
        path.chmod(mode | 0o200 if writable else mode & ~0o222)
