"""Names a build: the project's version, and the commit that it was made of."""

import subprocess
import tomllib
from pathlib import Path


def version_of(root: Path) -> str:
    """Return the name of what is built from the project in ``root``.

    That is ``0.1.0+1a2b3c4d5e6f``; with ``.changed`` if files differ from that commit; and without
    a commit if the project is no git repository of its own, as in an archive of it.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = str(project["version"])
    if _git(root, "rev-parse", "--show-toplevel") != str(root.resolve()):
        return version
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    # What git ignores is in no artifact, nor is what lies beside the project's own files.
    changed = _git(
        root, "status", "--porcelain", "--", "src", "dev/deploy", "pyproject.toml", "uv.lock"
    )
    return f"{version}+{commit}{'.changed' if changed else ''}" if commit else version


def _git(root: Path, *arguments: str) -> str:
    """Return what git says, nothing if it cannot be asked or has no answer."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - git.
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
