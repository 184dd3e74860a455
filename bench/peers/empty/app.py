"""Nothing at all: what the runtime itself takes to start and to answer."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    del event, context
    return {"statusCode": 200, "body": ""}
