"""Refuses to run what was built for another processor.

The artifact holds compiled wheels. On another processor a function would start, answer from the
table, and fail with its first question to the origin, in words that name a missing module.
"""

from pathlib import Path

_MACHINES = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64",)}


def refuse_other_processors(root: Path, machine: str) -> None:
    """Check that the artifact at ``root`` was built for ``machine``, a name of ``uname``.

    ``dev/deploy/build_artifact.py`` writes for which it was; sources have no such file and run
    anywhere.

    Raises:
        RuntimeError: it was not; Lambda logs the sentence and begins no invocation.
    """
    try:
        built_for = (root / "architecture").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    if machine not in _MACHINES[built_for]:
        raise RuntimeError(
            f"This artifact was built for {built_for}, and the function runs on {machine}: "
            f"deploy it with Architecture={built_for}, "
            "or build another (make build ARCHITECTURE=…)."
        )
