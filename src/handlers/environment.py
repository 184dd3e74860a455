"""What a function's environment says: its settings, and how long its clients of AWS may take."""

from collections.abc import Mapping

from botocore.config import Config

from lib.settings import Settings


def settings_of(env: Mapping[str, str]) -> Settings:
    """Return the settings in the environment ``env`` of a function.

    The refresh function is told no name of the refresh function, since a template cannot refer to
    what it is about to create: there it is the function's own. The changes function invokes nobody.

    Raises:
        ValueError: as ``Settings.from_env``.
    """
    own = env.get("AWS_LAMBDA_FUNCTION_NAME")
    return Settings.from_env(({"REFRESH_FUNCTION_NAME": own} if own else {}) | dict(env))


def client_config(*, attempts: int) -> Config:
    """Return how a client of AWS connects, waits and tries again."""
    return Config(
        connect_timeout=1,
        read_timeout=3,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
