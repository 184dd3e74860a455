"""Times answers from memory, in process: the handler as Lambda calls it, logs and metrics on.

Prints the median of each kind in microseconds and its ratio to a hit of 50 users, from one run:
absolute figures of a shared machine mean little.
"""

import contextlib
import io
import os
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from dev.embedded_aws import EmbeddedAws
from dev.local_settings import API_HANDLER, LocalSettings
from dev.origin_double import OriginDouble

CLIENT = "clxdemo0000000000000000001"
ROUNDS = 400


class Context:
    """The part of Lambda's context that the handler reads."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left: always all of it."""
        return 29_000


def event(
    query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a proxy event that lists users."""
    return {
        "httpMethod": "GET",
        "path": f"/oauth-clients/{CLIENT}/users",
        "headers": dict(headers or {}),
        "multiValueQueryStringParameters": {key: [text] for key, text in (query or {}).items()},
        "requestContext": {"requestId": "bench"},
    }


def measure(aws: EmbeddedAws, origin: OriginDouble) -> dict[str, float]:
    """Return the median microseconds of each kind of answer, the kinds interleaved."""
    aws.create_table("bench")
    aws.put_secret("bench", {CLIENT: "key"})
    neighbours = {"TABLE_NAME": "bench", "SECRET_ID": "bench", "CAL_API_URL": origin.url}
    function = LocalSettings().function(API_HANDLER, aws.environment | neighbours)
    quiet = {"POWERTOOLS_METRICS_DISABLED", "POWERTOOLS_LOG_LEVEL"}
    os.environ.update({k: v for k, v in function.environment.items() if k not in quiet})
    from handlers.api import handler  # noqa: PLC0415 - it reads its environment when imported.

    with contextlib.redirect_stdout(io.StringIO()):
        tag = handler(event(), Context())["headers"]["ETag"]
        kinds = {
            "hit, 50 of 500 users": event(),
            "hit, 250 of 500 users": event({"limit": "250"}),
            "304": event(headers={"If-None-Match": tag}),
            "one address": event({"emails": origin.users(CLIENT)[250]["email"]}),
            "time zone filter": event({"timeZone": "Europe/London"}),
        }
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, asked in kinds.items():
                started = time.perf_counter()
                handler(asked, Context())
                times[kind].append(time.perf_counter() - started)
    return {kind: statistics.median(taken) * 1e6 for kind, taken in times.items()}


def main() -> None:
    """Run and print."""
    with EmbeddedAws() as aws, OriginDouble({CLIENT: "key"}, users=500) as origin:
        medians = measure(aws, origin)
    base = next(iter(medians.values()))
    for kind, median in medians.items():
        print(f"{kind:24} {median:8.0f} us {median / base:6.2f}")


if __name__ == "__main__":
    main()
