"""Handlers that misbehave in the ways a worker process has to survive."""

import os
import time
from typing import Any

from dev.local.worker_child import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> object:
    """Do what ``event["do"]`` says."""
    match event["do"]:
        case "die":
            return os._exit(3)
        case "raise":
            raise ValueError("on purpose")
        case "hang":
            print("hanging")  # noqa: T201 - tests wait for it.
            time.sleep(3600)
            return None
        case "big":
            return "x" * 6_291_556
        case "unserializable":
            return object()
        case _:
            return {
                "pid": os.getpid(),
                "function": context.function_name,
                "arn": context.invoked_function_arn,
                "request_id": context.aws_request_id,
                "remaining": context.get_remaining_time_in_millis(),
                "text": "é",
                "time": time.time(),
            }
