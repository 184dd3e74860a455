"""Tells where a run was made: machine, versions, day."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from dev import ROOT

_PACKAGES = (
    "aws-lambda-powertools",
    "awslambdaric",
    "botocore",
    "boto3",
    "requests-cache",
    "fastapi",
    "mangum",
    "hishel",
    "aws-xray-sdk",
    "ministack",
)


def about(options: Sequence[str]) -> Mapping[str, str]:
    """Return what there is to know of a run with the command line's ``options``.

    Where an artifact lay is nobody's business.
    """
    told = ["…" if option.startswith(("/", ".")) else option for option in options]
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**2
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": f'make bench BENCH_OPTIONS="{" ".join(told)}"' if told else "make bench",
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {megabytes / 1024:.0f} GB",
        "versions": ", ".join(
            [
                f"Python {platform.python_version()}",
                *(f"{name} {version(name)}" for name in _PACKAGES),
            ]
        ),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - git.
    return done.stdout.strip() or "unknown"
