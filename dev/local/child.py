"""Starts and stops the processes of the local stack so that none of them is ever left behind.

A child's standard input is a pipe that only its parent holds open. When the parent ends, however it
ends, the kernel closes the pipe and the child sees the end of its input. Unlike a death signal
(``PR_SET_PDEATHSIG``) this does not depend on which of the parent's threads started the child.

Children live in a process group of their own: a Ctrl-C at the terminal reaches the main process
alone, which then stops them in order.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from dev import ROOT

_LINGER_SECONDS = 2.0


def start_child(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: int,
    descriptor: int,
) -> subprocess.Popen[bytes]:
    """Start ``python -m <arguments>``: it inherits ``descriptor`` and prints to ``output``."""
    return subprocess.Popen(  # noqa: S603 - the arguments are this package's own modules.
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=(descriptor,),
        process_group=0,
    )


def stop_child(process: subprocess.Popen[bytes], *, grace_seconds: float = _LINGER_SECONDS) -> None:
    """Ask ``process`` to end, wait ``grace_seconds``, then make it."""
    process.terminate()
    try:
        process.wait(timeout=grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def end_with_parent() -> None:
    """In a child: end this process as soon as its parent is gone."""
    threading.Thread(target=_await_end_of_input, daemon=True, name="parent-watch").start()


def _await_end_of_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # A process that is busy importing or answering may not act on the signal soon.
    time.sleep(_LINGER_SECONDS)
    os._exit(1)
