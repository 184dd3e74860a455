"""The echo, after reading one small item: what any cache in DynamoDB has to do at least."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver()
dynamodb = boto3.client("dynamodb")
PAGE = "x" * int(os.environ["PAGE_BYTES"])


@app.get("/oauth-clients/<client_id>/users")
def list_users(client_id: str) -> Response[str]:
    """Read, then return the constant."""
    key = {"client_id": {"S": client_id}}
    found = dynamodb.get_item(TableName=os.environ["CLIENTS_TABLE"], Key=key)
    metrics.add_metric(name="Answers", unit=MetricUnit.Count, value=1)
    logger.info("answered", extra={"client_id": found["Item"]["client_id"]["S"]})
    return Response(status_code=200, content_type=content_types.APPLICATION_JSON, body=PAGE)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    return app.resolve(event, context)
