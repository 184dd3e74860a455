"""``make local-aws``: what functions in containers (``sam local``) need beside them, until Ctrl-C.

The embedded AWS with table, secret and bus, and the origin double, all of it on this machine, where
a container finds it under the name ``host.docker.internal``. Docker Desktop leads that name to this
machine's loopback. An engine on Linux leads it to the address of its bridge, so where there is that
bridge everything listens there, and whoever is on it can call; ``BIND`` says otherwise.

``sam local`` sets no variable that the template does not declare, and an endpoint of AWS is none of
a deployment's business. So the functions are run by a copy of the built template that declares
them, and ``--env-vars`` gives the values.

Environment: BUILT (the directory that ``sam build`` filled), BIND, USERS, CAL_API_URL,
CAL_OAUTH_CLIENTS, STATE_DIR; WEBHOOK_URL and WEBHOOK_SECRET for the deliveries function.
"""

import json
import os
import signal
import socket
import struct
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from dev import ROOT
from dev.deploy.deployment import ARCHITECTURE
from dev.local.embedded_aws import EmbeddedAws
from dev.local.settings import (
    BUS_NAME,
    SECRET_NAME,
    STACK_NAME,
    TABLE_NAME,
    LocalSettings,
    LocalSettingsError,
)
from dev.local.webhook import create_webhook
from dev.origin import OriginDouble

LOOPBACK = "127.0.0.1"
HOST_OF_CONTAINERS = "host.docker.internal"
# Where `sam local start-lambda` listens, which runs what one function hands over to another.
LAMBDA_PORT = 3001
# Where samconfig.toml has `sam local` look.
DIRECTORY = ROOT / ".build" / "sam-local"
_BRIDGE = "docker0"
# ioctl(2): the IPv4 address of an interface, and where it is in the answer.
_SIOCGIFADDR = 0x8915
_ADDRESS = slice(20, 24)

type Json = Any  # A template is free-form.


class LocalAws:
    """The embedded AWS and the origin double, on the address ``bind``: a context manager.

    ``directory`` gets ``template.yaml`` and ``env.json``, for ``sam local``.
    """

    def __init__(
        self, settings: LocalSettings, *, built: Path, directory: Path, bind: str = LOOPBACK
    ) -> None:
        self.template = directory / "template.yaml"
        self.variables = directory / "env.json"
        self.origin_url = settings.origin_url or ""
        self.aws = EmbeddedAws(state_directory=settings.state_directory, host=bind)
        self._settings = settings
        self._built = built
        self._bind = bind
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.aws)
            if not self.origin_url:
                clients, users = self._settings.clients, self._settings.users
                origin = OriginDouble(clients, users=users, host=self._bind)
                self.origin_url = starting.enter_context(origin).url
            self.aws.create_table(TABLE_NAME)
            self.aws.create_bus(BUS_NAME)
            self.aws.put_secret(SECRET_NAME, self._settings.secret)
            if self._settings.webhook:
                create_webhook(self.aws, self._settings.webhook, bus=BUS_NAME)
            self._write()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _write(self) -> None:
        variables = self._environment()
        self.template.parent.mkdir(parents=True, exist_ok=True)
        self.variables.write_text(json.dumps({"Parameters": variables}, indent=2) + "\n")
        built = yaml.safe_load((self._built / "template.yaml").read_text(encoding="utf-8"))
        template = _declaring(built, variables, code=self._built.resolve())
        self.template.write_text(yaml.safe_dump(template, sort_keys=False))

    def _environment(self) -> dict[str, str]:
        own = {
            "TABLE_NAME": TABLE_NAME,
            "SECRET_ID": SECRET_NAME,
            "EVENT_BUS_NAME": BUS_NAME,
            "POWERTOOLS_SERVICE_NAME": STACK_NAME,
            "CAL_API_URL": self._for_containers(self.origin_url),
            "AWS_ENDPOINT_URL": self._for_containers(self.aws.endpoint),
            # `sam local start-lambda` knows functions by their logical ids.
            "AWS_ENDPOINT_URL_LAMBDA": f"http://{HOST_OF_CONTAINERS}:{LAMBDA_PORT}",
            "REFRESH_FUNCTION_NAME": "RefreshFunction",
            "CHANGES_FUNCTION_NAME": "ChangesFunction",
            # SAM would pass on the caller's own session.
            "AWS_SESSION_TOKEN": "",
        }
        if webhook := self._settings.webhook:
            given = webhook.environment(self.aws)
            queues = ("DELIVERIES_QUEUE_URL", "DEAD_LETTERS_URL")
            own |= given | {name: self._for_containers(given[name]) for name in queues}
        return self.aws.environment | dict(self._settings.function_environment) | own

    def _for_containers(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.hostname not in {self._bind, LOOPBACK, "localhost"}:
            return url
        return parts._replace(netloc=f"{HOST_OF_CONTAINERS}:{parts.port}").geturl()


def _declaring(template: Json, variables: dict[str, str], *, code: Path) -> Json:
    """Return ``template`` with ``variables`` declared and its functions' code found in ``code``."""
    template["Parameters"]["Architecture"]["Default"] = ARCHITECTURE
    declared = template["Globals"]["Function"]["Environment"]["Variables"]
    declared |= {name: "" for name in variables if name not in declared}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = str(code / resource["Properties"]["CodeUri"])
    return template


def main() -> int:
    """Start everything, say what can be done with it, wait for a signal; return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    bind = os.environ.get("BIND") or address_of(_BRIDGE) or LOOPBACK
    built = Path(os.environ["BUILT"])
    try:
        _check(bind)
        settings = LocalSettings.from_env(os.environ)
    except LocalSettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with LocalAws(settings, built=built, directory=DIRECTORY, bind=bind) as running:
        _explain(running, bind)
        stop.wait()
    return 0


def _check(bind: str) -> None:
    try:
        socket.create_server((bind, 0)).close()
    except OSError as error:
        raise LocalSettingsError("BIND must be an address of this machine") from error


def address_of(interface: str) -> str | None:
    """Return the IPv4 address of a network interface of this machine, None where there is none."""
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - not everywhere.

    asked = struct.pack("256s", interface.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            told = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, asked)
        except OSError:
            return None
    return socket.inet_ntoa(told[_ADDRESS])


def commands(bind: str) -> list[str]:
    """Return what can be done while this runs: the commands of docs/sam.md, for this machine."""
    reachable = "" if bind == LOOPBACK else f" --host {bind}"
    return [
        "sam local invoke ApiFunction -e events/list-users.json",
        "sam local invoke RefreshFunction -e events/schedule.json",
        "sam local invoke ChangesFunction -e events/replay.json",
        "sam local start-api",
        f"sam local start-lambda{reachable}",
    ]


def _explain(running: LocalAws, bind: str) -> None:
    print(f"aws {running.aws.endpoint} region={running.aws.region} secret={SECRET_NAME}")
    print(f"origin {running.origin_url}")
    print("try, in another terminal:")
    for command in commands(bind):
        print(f"  {command}")
    print(f"ready {running.aws.endpoint}", flush=True)


if __name__ == "__main__":
    # The settings are checked by the functions' own code, which their build puts at the root.
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(main())
