"""Runs ministack, the embedded AWS, on a socket that is already listening.

The parent process binds the socket and hands it over, so the port is known and taken from the
start: two stacks that start at the same moment cannot be given the same one, and a request sent
before ministack is up waits in the socket's queue instead of being refused.

Not for people: ``dev.local.embedded_aws`` runs it as a module, with the file descriptor.
"""

import asyncio
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config

from dev.local.child import end_with_parent

# Connections that clients keep open must not hold up the end of the process.
_GRACE_SECONDS = 0.3


def _config(descriptor: int) -> Config:
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = _GRACE_SECONDS
    config.loglevel = "ERROR"
    return config


def main() -> None:
    """Serve until SIGTERM, or until the parent process is gone."""
    end_with_parent()
    # Imported late: this is most of the start-up time, and the parent may be gone meanwhile.
    from ministack.app import app  # type: ignore[import-untyped]  # noqa: PLC0415

    asyncio.run(serve(app, _config(int(sys.argv[1]))))


if __name__ == "__main__":
    main()
