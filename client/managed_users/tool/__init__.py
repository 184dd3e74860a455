"""The command line ``managed-users``, for whoever runs the service.

Exit codes: 0 done; 1 a check failed, or the service refused; 2 the command line makes no sense;
3 there is no such user, client or generation; 4 the service cannot be reached, or not now;
5 the request is not allowed; 130 interrupted.
"""

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from managed_users.tool.commands import app  # noqa: PLC0415 - with a word on what is missing.
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: install managed-users[tool] for the command line")
    app()
