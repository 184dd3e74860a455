"""One virtual clock and many tasks, of which one runs at a time: the same seed is the same run.

Tasks are greenlets, so that code which knows nothing of this can be suspended in the middle of a
call, as a process is. A task goes on until it sleeps; time passes only while all sleep.
"""

import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import NoReturn
from zlib import crc32

from greenlet import GreenletExit, getcurrent, greenlet

from tests.fakes import NOW


class Task:
    """Something that goes on by itself; others may wait for its end, however that comes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = False
        self.thread: greenlet
        self.waiting: list[Task] = []


class Scheduler:
    """Runs tasks in the order of time, and in a random one where they are due at once.

    ``now`` is the instant (epoch seconds). ``trace`` are the last things that were noted; what they
    come to in all, ``fingerprint``, is that of the seed.
    """

    def __init__(self, random: Random, *, trace_length: int | None) -> None:
        self.now = NOW
        self.fingerprint = 0
        self.trace: deque[str] = deque(maxlen=trace_length)
        self._random = random
        self._due: list[tuple[float, float, int, Task]] = []
        self._number = 0
        self._current: Task | None = None
        self._begun: dict[Task, None] = {}
        self._main = getcurrent()

    def spawn(self, name: str, work: Callable[[], object], *, after: float = 0) -> Task:
        """Let ``work`` begin in ``after`` seconds."""
        task = Task(name)

        def run() -> None:
            work()
            self._end(task)
            del self._begun[task]

        task.thread = greenlet(run, parent=self._main)
        self._begun[task] = None
        self._wake(task, self.now + after)
        return task

    def run(self, *, until: float) -> None:
        """Let all tasks go on until the instant ``until``."""
        while self._due and self._due[0][0] <= until:
            at, _, _, task = heapq.heappop(self._due)
            self.now = max(self.now, at)
            self._current = task
            task.thread.switch()
        self._current = None
        self.now = max(self.now, until)

    def sleep(self, seconds: float) -> None:
        """Let others go on for ``seconds``."""
        self._wake(self._running(), self.now + max(0.0, seconds))
        self._main.switch()

    def wait_for(self, task: Task) -> None:
        """Let others go on until ``task`` is over."""
        if not task.over:
            task.waiting.append(self._running())
            self._main.switch()

    def die(self) -> NoReturn:
        """End the running task here and now, as a process dies: nothing of it is cleaned up."""
        self._end(self._running())
        # It is not unwound before all is over, or its own cleaning up would be part of the run.
        self._main.switch()
        raise GreenletExit

    def close(self) -> None:
        """Unwind what is left of all tasks, now that they can do nothing any more."""
        self._current = None
        self._due.clear()
        for task in self._begun:
            task.thread.throw()
        self._begun.clear()

    def note(self, what: str) -> None:
        """Write down what happens."""
        who = self._current.name if self._current else "-"
        line = f"{self.now - NOW:9.3f} {who:<14} {what}"
        self.fingerprint = crc32(line.encode(), self.fingerprint)
        self.trace.append(line)

    def _running(self) -> Task:
        task = self._current
        if task is None or task.thread is not getcurrent():
            # It is being unwound, and is to do nothing any more.
            raise GreenletExit
        return task

    def _wake(self, task: Task, at: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (at, self._random.random(), self._number, task))

    def _end(self, task: Task) -> None:
        task.over = True
        for other in task.waiting:
            self._wake(other, self.now)
