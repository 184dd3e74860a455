"""AWS beside the table, as far as the service's own adapters use it: clients that can fail."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from tests.fakes import CLIENT
from tests.simulation.plan import Fault
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_MEAN_SECONDS = 0.02
OTHER_CLIENT = "clientid2"
"""Another client of the same secret, of whom no more is simulated."""

type Event = dict[str, Any]

type Deliver = Callable[[Event, str], None]
"""Takes an event and its request id."""


def _failure(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "InternalServerError"}}, operation)


@dataclass(slots=True)
class Vault:
    """The secret: which clients have which key, and what is wrong with it."""

    key: str
    clients: int
    version: int = 1
    changed_at: float = 0
    left_out: bool = False
    emptied: bool = False
    organization_id: int | None = None

    @property
    def text(self) -> str:
        """What Secrets Manager holds."""
        if self.emptied:
            return "{}"
        named: dict[str, object] = {"key": self.key, "organizationId": self.organization_id}
        entry = named if self.organization_id else self.key
        keys: dict[str, object] = {} if self.left_out else {CLIENT: entry}
        if self.clients > 1 or self.left_out:
            keys[OTHER_CLIENT] = "another"
        return json.dumps(keys)

    def change(self, now: float, **changes: Any) -> None:  # noqa: ANN401 - any field's value
        """Put a new version."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1
        self.changed_at = now


class _SecretsManager:
    def __init__(self, vault: Vault, wire: Wire) -> None:
        self._vault = vault
        self._wire = wire

    def get_secret_value(self, **_named: str) -> Event:
        self._wire.travel(_MEAN_SECONDS, "before the secret")
        if self._wire.weather.strikes(Fault.SECRET_DOWN):
            self._wire.scheduler.note("secret is not to be had")
            raise _failure("GetSecretValue")
        vault = self._vault
        answer = {"SecretString": vault.text, "VersionId": f"v{vault.version}"}
        self._wire.scheduler.note(f"secret v{vault.version}")
        self._wire.travel(_MEAN_SECONDS, "after the secret")
        return answer


class _Lambda:
    def __init__(self, deliver: Deliver, wire: Wire) -> None:
        self._deliver = deliver
        self._wire = wire

    def invoke(self, **named: Any) -> Event:  # noqa: ANN401 - boto3's own arguments
        self._wire.travel(_MEAN_SECONDS, "before invoking")
        if self._wire.weather.strikes(Fault.INVOKE_REFUSED):
            self._wire.scheduler.note("no event is taken")
            raise _failure("Invoke")
        event: Event = json.loads(named["Payload"])
        times = 2 if self._wire.weather.strikes(Fault.INVOKE_TWICE) else 1
        if self._wire.weather.strikes(Fault.INVOKE_LOST):
            times = 0
        self._wire.scheduler.note(f"invoked {times} times: {event}")
        request_id = f"event {self._wire.random.random()}"
        for _ in range(times):
            self._deliver(event, request_id)
        self._wire.travel(_MEAN_SECONDS, "after invoking")
        return {}


@dataclass(slots=True)
class Bus:
    """The event bus, with all events that it has taken, in order."""

    events: list[Event] = field(default_factory=list)


class _EventBridge:
    def __init__(self, bus: Bus, wire: Wire) -> None:
        self._bus = bus
        self._wire = wire

    def put_events(self, *, Entries: Sequence[Event]) -> Event:  # noqa: N803 - boto3's own name
        self._wire.travel(_MEAN_SECONDS, "before events")
        results: list[Event] = []
        for entry in Entries:
            if self._wire.weather.strikes(Fault.BUS_REFUSES):
                results.append({"ErrorCode": "InternalFailure"})
            else:
                self._bus.events.append(json.loads(entry["Detail"]))
                results.append({})
        self._wire.scheduler.note(f"{results.count({})} of {len(results)} events taken")
        self._wire.travel(_MEAN_SECONDS, "after events")
        return {"Entries": results}


def secrets_manager(vault: Vault, wire: Wire) -> "SecretsManagerClient":
    """Return a client of Secrets Manager."""
    return cast("SecretsManagerClient", _SecretsManager(vault, wire))


def lambda_client(deliver: Deliver, wire: Wire) -> "LambdaClient":
    """Return a client of Lambda; ``deliver`` takes each event, as often as it comes."""
    return cast("LambdaClient", _Lambda(deliver, wire))


def event_bridge(bus: Bus, wire: Wire) -> "EventBridgeClient":
    """Return a client of EventBridge."""
    return cast("EventBridgeClient", _EventBridge(bus, wire))
