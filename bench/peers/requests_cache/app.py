"""The origin behind requests-cache, with DynamoDB as its backend."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from requests_cache import CachedSession, DynamoDbCache

logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver()
session = CachedSession(
    # The table comes from a template, as the documentation has it. Decoded content would be
    # stored as DynamoDB numbers, and those cannot be read back as JSON.
    backend=DynamoDbCache(
        os.environ["CACHE_TABLE"], create_table=False, ttl=False, decode_content=False
    ),
    expire_after=int(os.environ["FRESH_SECONDS"]),
    allowable_codes=[200],
)


@app.get("/oauth-clients/<client_id>/users")
def list_users(client_id: str) -> Response[str]:
    """Return a window of the client's users."""
    response = session.get(
        f"{os.environ['CAL_API_URL']}/v2/oauth-clients/{client_id}/users",
        params=app.current_event.query_string_parameters,
        headers={"x-cal-client-id": client_id, "x-cal-secret-key": os.environ["CAL_SECRET_KEY"]},
        timeout=10,
    )
    hit = bool(getattr(response, "from_cache", False))
    metrics.add_metric(name="Hit", unit=MetricUnit.Count, value=int(hit))
    logger.info("users listed", extra={"hit": hit})
    return Response(
        status_code=response.status_code,
        content_type=content_types.APPLICATION_JSON,
        body=response.text,
        headers={"X-Cache": "hit" if hit else "miss"},
    )


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    return app.resolve(event, context)
