"""The command line ``managed-users``, for whoever runs the service.

Exit codes: 0 done; 1 a check failed, or the service refused; 2 the command line makes no sense;
3 there is no such user, client or generation; 4 the service cannot be reached, or not now, or not
about everybody; 5 the request is not allowed; 130 interrupted.
"""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit."""
    if sys.stdout is None:
        sys.exit("standard output is closed")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter shows its number.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        from managed_users.tool.commands import app  # noqa: PLC0415 - with a word on what is missing.
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: install managed-users[tool] for the command line")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    app()
