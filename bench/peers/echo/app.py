"""The least that a function of this kind does: route, log, measure, and answer a constant."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver()
PAGE = "x" * int(os.environ["PAGE_BYTES"])


@app.get("/oauth-clients/<client_id>/users")
def list_users(client_id: str) -> Response[str]:
    """Return the constant."""
    metrics.add_metric(name="Answers", unit=MetricUnit.Count, value=1)
    logger.info("answered", extra={"client_id": client_id})
    return Response(status_code=200, content_type=content_types.APPLICATION_JSON, body=PAGE)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    return app.resolve(event, context)
