"""What every test runs under: the variables that logs and metrics read when imported."""

import os

os.environ.update(
    POWERTOOLS_SERVICE_NAME="managed-users-tests",
    POWERTOOLS_METRICS_NAMESPACE="ManagedUsersProxy",
    POWERTOOLS_LOG_LEVEL="INFO",
)
