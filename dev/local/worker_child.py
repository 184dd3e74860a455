"""One Lambda environment: imports a handler once, then answers one event at a time.

Mirrors what the Lambda runtime does around a handler: the context object, the JSON encoding of the
result (not escaped to ASCII, as since Python 3.12), the bound on its size, a traceback on standard
error for an unhandled exception.

Not for people: ``dev.local.workers`` runs it as a module, with a file descriptor and a handler.
"""

import importlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dev.local import frames
from dev.local.child import end_with_parent

# What the runtime accepts: 6 MB and a little for the envelope.
MAX_RESPONSE_BYTES = 6_291_556

type Handler = Callable[[dict[str, Any], LambdaContext], object]


class Tag(StrEnum):
    """First byte of each message to the parent."""

    READY = "R"
    RESULT = "="
    HANDLER_ERROR = "!"
    TOO_LARGE = ">"


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """What the service uses of the runtime's context object."""

    aws_request_id: str
    deadline: float
    function_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    memory_limit_in_mb: str = field(
        default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    )
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        """The function's name in the form that AWS uses between services."""
        region = os.environ["AWS_REGION"]
        return f"arn:aws:lambda:{region}:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the invocation is ended by force."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def load(handler: str) -> Handler:
    """Import ``module.function``, the form that templates use."""
    module, _, function = handler.rpartition(".")
    loaded: Handler = getattr(importlib.import_module(module), function)
    return loaded


def answer(handler: Handler, message: bytes) -> bytes:
    """Return the message that answers the invocation in ``message``."""
    invocation = json.loads(message)
    context = LambdaContext(
        aws_request_id=invocation["request_id"],
        deadline=time.monotonic() + invocation["timeout_seconds"],
    )
    try:
        result = json.dumps(handler(invocation["event"], context), ensure_ascii=False).encode()
    except Exception:  # noqa: BLE001 - as the runtime: report it and live on.
        traceback.print_exc()
        return Tag.HANDLER_ERROR.encode()
    if len(result) > MAX_RESPONSE_BYTES:
        print(f"response of {len(result)} bytes is over {MAX_RESPONSE_BYTES}", file=sys.stderr)
        return Tag.TOO_LARGE.encode()
    return Tag.RESULT.encode() + result


def main() -> None:
    """Answer invocations until the parent closes the connection or is gone.

    ``CLOCK_AHEAD_SECONDS`` makes the clock of this environment a wrong one.
    """
    end_with_parent()
    if ahead := float(os.environ.get("CLOCK_AHEAD_SECONDS", "0")):
        real_time = time.time
        time.time = lambda: real_time() + ahead
    connection = socket.socket(fileno=int(sys.argv[1]))
    handler = load(sys.argv[2])
    frames.send(connection, Tag.READY.encode())
    while (message := frames.receive(connection)) is not None:
        frames.send(connection, answer(handler, message))


if __name__ == "__main__":
    main()
