"""A FastAPI application behind Mangum, its answers cached by hishel's middleware."""

import os
from typing import Annotated, Any

import httpx
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from fastapi import FastAPI, Query
from hishel import AsyncSqliteStorage
from hishel.asgi import ASGICacheMiddleware
from hishel.fastapi import cache
from mangum import Mangum

logger = Logger()
metrics = Metrics()
app = FastAPI()
origin = httpx.AsyncClient(base_url=os.environ["CAL_API_URL"], timeout=10)
fresh = cache(max_age=int(os.environ["FRESH_SECONDS"]), public=True)


@app.get("/oauth-clients/{client_id}/users", dependencies=[fresh])
async def list_users(
    client_id: str,
    limit: Annotated[int, Query(ge=1, le=250)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """Return a window of the client's users."""
    response = await origin.get(
        f"/v2/oauth-clients/{client_id}/users",
        params={"limit": limit, "offset": offset},
        headers={"x-cal-client-id": client_id, "x-cal-secret-key": os.environ["CAL_SECRET_KEY"]},
    )
    response.raise_for_status()
    return response.json()


# Of Lambda's file system only /tmp can be written to.
storage = AsyncSqliteStorage(database_path=os.environ["CACHE_FILE"])
answer = Mangum(ASGICacheMiddleware(app, storage=storage), lifespan="off")


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    response = answer(event, context)
    metrics.add_metric(name="Answers", unit=MetricUnit.Count, value=1)
    logger.info("users listed", extra={"status": response["statusCode"]})
    return response
