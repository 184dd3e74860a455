"""What every test runs under: no deadline of the machine's, and what logs and metrics read."""

import os

from hypothesis import HealthCheck, settings

os.environ.update(
    POWERTOOLS_SERVICE_NAME="managed-users-tests",
    POWERTOOLS_METRICS_NAMESPACE="ManagedUsersProxy",
    POWERTOOLS_LOG_LEVEL="INFO",
)
# How long an example takes, or its making, says something of the machine alone.
settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("unhurried")
