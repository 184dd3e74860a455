"""``make fuzz``: Schemathesis against the running service and its OpenAPI document.

At least 1,000 examples for the list and 200 for every other operation but the webhook, whose bodies
must be signed, with every check on. Only these are excepted: bad values of ``limit``, ``offset``
and ``emails``, which are read as the origin reads them, and the documented 503 and 504.
"""

import os
import subprocess
import sys

from dev import ROOT
from dev.local.journal import Journal
from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack

# With stamps, which some parameters need.
_SETTINGS = {"PORT": "0", "WORKERS": "4", "SCHEDULE_SECONDS": "20", "UPDATED_AT": "true"}
_MOST_SECONDS = 1_500


def main() -> int:
    """Run Schemathesis, whose arguments may be given; return its exit code."""
    with LocalStack(LocalSettings.from_env(_SETTINGS), journal=Journal(quiet=True)) as stack:
        url = f"{stack.url}/v2"
        done = subprocess.run(  # noqa: S603 - Schemathesis, and arguments of whoever runs this.
            [
                *(os.environ["SCHEMATHESIS"], "--config-file", "dev/fuzz/fuzz.toml", "run"),
                *("docs/openapi.json", "--url", url, *sys.argv[1:]),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "FUZZED_URL": url},
            timeout=_MOST_SECONDS,
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
