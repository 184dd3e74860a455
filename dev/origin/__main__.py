"""Serves a stand-in for Cal.com's managed-users endpoints on 127.0.0.1 until a signal stops it."""

import argparse
import json
import signal

from dev.origin import OriginDouble

_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    """Print the URL in one line, then serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m dev.origin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--users", type=int, default=120, help="demo users of each client")
    parser.add_argument(
        "--clients",
        type=json.loads,
        default={"clxdemo0000000000000000001": "demo-secret"},
        help='JSON object of client ids and secrets, as in {"id": "secret"}',
    )
    options = parser.parse_args()
    # Blocked before any thread starts: threads inherit it, so the signal waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    with OriginDouble(options.clients, users=options.users, port=options.port) as origin:
        print(origin.url, flush=True)
        signal.sigwait(_STOP_SIGNALS)


if __name__ == "__main__":
    main()
