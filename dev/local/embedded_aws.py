"""The embedded AWS of the local stack and of the tests: ministack on a free loopback port.

The table is made from ``template.yaml``'s own definition, so what runs here cannot drift from what
is deployed. Credentials are fixed and worthless; no request can reach the real AWS.
"""

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, overload

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

from dev import ROOT
from dev.local.child import start_child, stop_child
from dev.template.literals import TABLE, resource

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "us-east-1"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
# Nobody's profile, and no file of anybody's: the account that they lead to is a real one.
_NOBODYS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
# What create_table understands of a table's properties. Encryption and recovery mean nothing here.
_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema")
_STANDARD_ERROR = 2


class EmbeddedAws:
    """One ministack process: started by ``with``, empty unless ``state_directory`` is given.

    It listens on the address ``host``, which is loopback unless containers must reach it.
    """

    def __init__(self, *, state_directory: Path | None = None, host: str = "127.0.0.1") -> None:
        self.region = REGION
        self._host = host
        self.endpoint = ""
        self._state_directory = state_directory
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process. Returns at once: requests wait in the socket until it is up."""
        listener = socket.create_server((self._host, 0), backlog=1024)
        port = listener.getsockname()[1]
        self.endpoint = f"http://{self._host}:{port}"
        with listener:
            process = start_child(
                ["dev.local.ministack_child", str(listener.fileno())],
                environment=self._process_environment(port),
                output=_STANDARD_ERROR,
                descriptor=listener.fileno(),
            )
        self._running.callback(stop_child, process)

    def stop(self) -> None:
        """Stop the process; with a state directory its state is written now."""
        self._running.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point an AWS SDK at this process and at nothing else."""
        return _CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: str) -> BaseClient: ...
    def client(self, service: str) -> BaseClient:
        """Return a boto3 client of ``service`` in this process."""
        session = boto3.session.Session(
            aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
            botocore_session=botocore.session.Session(_NOBODYS),
        )
        config = Config(
            connect_timeout=2, read_timeout=15, retries={"total_max_attempts": 3}, proxies={}
        )
        client: BaseClient = session.client(  # type: ignore[call-overload]
            service, endpoint_url=self.endpoint, config=config
        )
        return client

    def create_table(self, name: str) -> None:
        """Create the service's table as ``template.yaml`` defines it, unless it exists already."""
        properties = resource(TABLE)
        client = self.client("dynamodb")
        stream = properties.get("StreamSpecification")
        try:
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                **{key: properties[key] for key in _TABLE_PROPERTIES},
                **({"StreamSpecification": {"StreamEnabled": True} | stream} if stream else {}),
            )
        except client.exceptions.ResourceInUseException:
            return
        client.update_time_to_live(
            TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
        )

    def create_bus(self, name: str) -> None:
        """Create the event bus ``name``, unless it exists already."""
        client = self.client("events")
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_event_bus(Name=name)

    def put_secret(self, name: str, mapping: Mapping[str, object]) -> None:
        """Store ``mapping`` by client id as the newest version of the secret ``name``."""
        client = self.client("secretsmanager")
        text = json.dumps(dict(mapping))
        try:
            client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=text)

    def _process_environment(self, port: int) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        # Without byte code its import takes three times as long.
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        state = self._state_directory
        persistence = {"PERSIST_STATE": "1", "STATE_DIR": str(state)} if state else {}
        return (
            inherited
            | _CREDENTIALS
            | persistence
            | {
                "PYTHONPATH": str(ROOT),
                "GATEWAY_PORT": str(port),
                "BIND_HOST": self._host,
                "MINISTACK_REGION": self.region,
                "LAMBDA_EXECUTOR": "local",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "LOG_LEVEL": "ERROR",
                # A Docker daemon on this machine is none of its business.
                "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            }
        )
