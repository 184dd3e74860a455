"""Cold starts: from the start of the process to the first answer, in Lambda's own runtime.

Our store holds a snapshot and requests-cache's table holds the page, so both answer a hit. The
others that ask the origin get its double's answer without any delay.
"""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.artifacts import OURS, PLAIN, RUNTIME
from bench.neighbours import SMALL_CLIENT, Json, Neighbours, event
from bench.process import Subject
from bench.results import Found
from dev.deploy.lambda_runtime import LambdaRuntime

_OK = 200


def measure(
    running: Neighbours, found: Found, rounds: Iterable[object], *, sam: Path, wide: bool
) -> None:
    """Add the rows of cold starts; ``wide`` includes peers that no promise is about."""
    names = [OURS, "typical", "floor"]
    if wide:
        names += [name for name in (*PLAIN, "echo") if name not in names]
    for name in names:
        # What the first start leaves behind: pages of the file cache, the peer's cache in DynamoDB.
        start(running, name, sam=sam)
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in rounds:
        for name in names:
            took[name].append(start(running, name, sam=sam) * 1000)
    for name in set(names) & set(PLAIN):
        if list((running.directory / name).rglob("*.pyc")):
            raise RuntimeError(f"{name} was compiled while it was measured")
    for name, times in took.items():
        found.sample(f"cold_{name}_ms", times)
    for name in names[1:]:
        row = {"typical": "cold_vs_typical_sam_build"}.get(name, f"cold_vs_{name}")
        found.pair(row, took[OURS], took[name], "ms")


def start(running: Neighbours, name: str, *, sam: Path) -> float:
    """Return the seconds of one cold start.

    Raises:
        RuntimeError: the function did not answer, or our own did not answer from its store.
    """
    with TemporaryDirectory() as scratch:
        subject = (
            running.ours(TMPDIR=scratch) if name == OURS else running.peer(name, TMPDIR=scratch)
        )
        runtime = lambda_runtime(running, subject, sam=sam)
        asked = event("/users", SMALL_CLIENT)
        started = time.perf_counter()
        with runtime:
            result = runtime.invoke(asked)
            took = time.perf_counter() - started
    _check(name, result)
    return took


def lambda_runtime(running: Neighbours, subject: Subject, *, sam: Path) -> LambdaRuntime:
    """Return Lambda's runtime for ``subject``, to be started; nothing else can be imported."""
    path = f"{subject.artifact}:{running.directory / RUNTIME}"
    return LambdaRuntime(
        sam=sam,
        artifact=subject.artifact,
        handler=subject.handler,
        environment={**subject.environment, "PYTHONPATH": path},
        output=subprocess.DEVNULL,
    )


def _check(name: str, result: Json) -> None:
    if result.get("statusCode") != _OK:
        raise RuntimeError(f"{name} did not answer: {str(result)[:500]}")
    if name == OURS and "; hit" not in result["headers"]["Cache-Status"]:
        raise RuntimeError(f"our answer was no hit: {result['headers']['Cache-Status']}")
