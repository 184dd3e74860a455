"""Builds what deliveries need, once per environment, beside what ``wiring`` builds for all."""

import os
from functools import cache, cached_property

from handlers.environment import client_config
from handlers.reporting import report_secret_failure
from handlers.wiring import wiring
from lib.aws.delivery_queue import DeliveryQueue
from lib.aws.signing_secrets import SigningSecrets
from lib.clock import Time
from lib.deliveries.delivery import Deliveries
from lib.deliveries.receiver import SIDE_BY_SIDE, HttpReceiver
from lib.settings import DeliverySettings

__all__ = ["SIDE_BY_SIDE", "delivering"]


@cache
def delivering() -> "Delivering":
    """Return what this environment delivers with."""
    return Delivering(DeliverySettings.from_env(os.environ))


class Delivering:
    """Deliveries, wired for ``settings``."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._settings = settings

    @property
    def time(self) -> Time:
        """The time and the chance of this environment."""
        return wiring().time

    @cached_property
    def queue(self) -> DeliveryQueue:
        """The queue that deliveries come from."""
        client = wiring().session.client("sqs", config=client_config(attempts=3))
        return DeliveryQueue(
            client,
            self._settings.queue_url,
            dead_letters_url=self._settings.dead_letters_url,
        )

    @cached_property
    def deliveries(self) -> Deliveries:
        """Deliveries to the webhook's receiver."""
        client = wiring().session.client("secretsmanager", config=client_config(attempts=2))
        secrets = SigningSecrets(
            client,
            self._settings.signing_secret_id,
            clock=self.time.now,
            report=report_secret_failure,
        )
        receiver = HttpReceiver(self._settings.url)
        return Deliveries(receiver=receiver, keys=secrets.current, time=self.time)
