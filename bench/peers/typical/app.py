"""As commonly written: validation, traces, a boto3 resource, and a call of the origin each time."""

import os
from typing import Annotated, Any

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

tracer = Tracer()
logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)
clients = boto3.resource("dynamodb").Table(os.environ["CLIENTS_TABLE"])


class User(BaseModel):
    """A managed user."""

    id: int
    email: str
    username: str | None
    name: str | None
    bio: str | None
    timeZone: str  # noqa: N815 - the origin's name.
    weekStart: str  # noqa: N815
    createdDate: str  # noqa: N815
    timeFormat: int | None  # noqa: N815
    defaultScheduleId: int | None  # noqa: N815
    locale: str | None = None
    avatarUrl: str | None = None  # noqa: N815
    metadata: dict[str, Any] | None = None


class Users(BaseModel):
    """The origin's answer."""

    status: str
    data: list[User]


@app.get("/oauth-clients/<client_id>/users")
@tracer.capture_method
def list_users(
    client_id: str,
    limit: Annotated[int, Query(ge=1, le=250)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Users:
    """Return a window of the client's users."""
    client = clients.get_item(Key={"client_id": client_id})["Item"]
    response = requests.get(
        f"{os.environ['CAL_API_URL']}/v2/oauth-clients/{client_id}/users",
        params={"limit": limit, "offset": offset},
        headers={"x-cal-client-id": client_id, "x-cal-secret-key": client["secret_key"]},
        timeout=10,
    )
    response.raise_for_status()
    users = Users.model_validate(response.json())
    metrics.add_metric(name="UsersListed", unit=MetricUnit.Count, value=len(users.data))
    logger.info("users listed", extra={"users": len(users.data)})
    return users


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    return app.resolve(event, context)
