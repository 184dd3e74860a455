"""Runs programs of others against the service: a shell, Node, what npm has published."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_INSTALL_SECONDS = 240
_RUN_SECONDS = 90
_OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")


def install(*packages: str, folder: Path) -> None:
    """Install ``packages``, names with their exact versions or files, into ``folder``."""
    command = [_npm(), "install", "--prefix", str(folder), *_OPTIONS, *packages]
    _run(command, seconds=_INSTALL_SECONDS)


def install_locked(folder: Path) -> None:
    """Install what the lockfile in ``folder`` names."""
    _run([_npm(), "ci", "--prefix", str(folder), *_OPTIONS], seconds=_INSTALL_SECONDS)


def run(*command: str, folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Return what ``command`` prints in ``folder``; it sees ``variables`` and nothing else.

    Of this machine's environment only the search path is kept: a proxy or a profile of its own
    must not come between.
    """
    environment = {"PATH": os.environ["PATH"], **(variables or {})}
    return _run(list(command), seconds=_RUN_SECONDS, folder=folder, environment=environment)


def _npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    return npm


def _run(
    command: list[str],
    *,
    seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    done = subprocess.run(  # noqa: S603 - npm, and programs of this repository.
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
