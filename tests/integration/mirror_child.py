"""Mirrors in processes of its own, each of which kills itself at a point it is told.

Started once; for each line of standard input, a number of statements (0: all), it forks a process
that mirrors, and answers with that one's exit code, or -9.
"""

import os
import signal
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from managed_users import Client
from managed_users.tool.database import Database
from managed_users.tool.mirror import Mirror


def die_after(statements: int) -> None:
    """Have this process killed before, after or at the commit of a statement of its own."""
    left = [statements]

    def count(*_: Any) -> None:  # noqa: ANN401 - each event has arguments of its own
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, count)


def mirror(url: str, client_id: str, database: str) -> None:
    """Bring a copy up to date."""
    with Database.at(database, client_id) as copy:
        Mirror(Client(url, client_id), copy).step()


def main() -> None:
    """Fork for each line."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                die_after(int(line))
                mirror(*sys.argv[1:])
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
