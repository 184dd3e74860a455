"""Deploys ``template.yaml`` with SAM CLI to an embedded AWS, as it would be deployed to AWS.

The embedded AWS checks IAM policies here: a role that lacks an action, or a caller without
permission, is refused as in an account. It believes callers, though, to be who they say they are.
"""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, override

from dev import ROOT
from dev.local.embedded_aws import EmbeddedAws

ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
_STACK = "managed-users"


class StrictAws(EmbeddedAws):
    """An embedded AWS that enforces IAM. It unpacks functions into the directory ``scratch``."""

    def __init__(self, *, scratch: Path) -> None:
        super().__init__()
        self._scratch = scratch

    @override
    def _process_environment(self, port: int) -> dict[str, str]:
        own = {"AUTH": "true", "TMPDIR": str(self._scratch)}
        return super()._process_environment(port) | own


class DeploymentError(RuntimeError):
    """SAM CLI could not deploy; the text is what it said."""


class Deployment:
    """The stack in an AWS of its own: deployed by ``with``, gone afterwards.

    ``built`` is the directory that ``sam build`` filled for this machine's ``ARCHITECTURE``, and
    ``sam`` the command.
    """

    def __init__(
        self, *, sam: str, built: Path, clients: Mapping[str, object], **parameters: str
    ) -> None:
        self.outputs: dict[str, str] = {}
        self._sam = sam
        self._built = built
        self._clients = clients
        self._parameters = {"Architecture": ARCHITECTURE} | parameters
        self._scratch = TemporaryDirectory(prefix="deployment-", ignore_cleanup_errors=True)
        self._running = ExitStack()
        self.aws = StrictAws(scratch=Path(self._scratch.name))

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self._scratch)
            starting.enter_context(self.aws)
            self._deploy()
            self.outputs = self._read_outputs()
            self._put_secret()
            self._allow_plain_text()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """The base URL: what follows is the path at the origin."""
        return f"{self.aws.endpoint}/_aws/execute-api/{self.outputs['ApiId']}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which SAM CLI talks to this AWS and to no other."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | self.aws.environment | {"SAM_CLI_TELEMETRY": "0"}

    def _deploy(self) -> None:
        overrides = [f"{name}={value}" for name, value in self._parameters.items()]
        template = str(self._built / "template.yaml")
        settings = str(ROOT / "samconfig.toml")
        done = subprocess.run(  # noqa: S603 - the command is SAM CLI.
            [
                *(self._sam, "deploy", "--template-file", template, "--no-confirm-changeset"),
                *("--no-progressbar", "--config-file", settings),
                *("--parameter-overrides", *overrides),
            ],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DeploymentError(done.stdout)

    def _read_outputs(self) -> dict[str, str]:
        client: Any = self.aws.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=_STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @property
    def dead_letters_url(self) -> str:
        """The queue's URL. The output has the host that AWS would name, not this address."""
        return self._queue_url("DeadLetterQueueUrl")

    @property
    def deliveries_url(self) -> str:
        """The same of the webhook's queue, where there is a webhook."""
        return self._queue_url("DeliveriesQueueUrl")

    def _queue_url(self, output: str) -> str:
        return f"{self.aws.endpoint}/000000000000/{self.outputs[output].rpartition('/')[2]}"

    def _allow_plain_text(self) -> None:
        """Take the queues' policies away: they refuse whoever speaks no TLS, as all do here."""
        self.dead_letters_policy = self._take_policy(self.dead_letters_url)
        if "DeliveriesQueueUrl" in self.outputs:
            self._take_policy(self.deliveries_url)

    def _take_policy(self, url: str) -> str:
        queues: Any = self.aws.client("sqs")
        told = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        policy: str = told["Attributes"]["Policy"]
        return policy

    def _put_secret(self) -> None:
        text = json.dumps(dict(self._clients))
        client = self.aws.client("secretsmanager")
        client.put_secret_value(SecretId=self.outputs["SecretArn"], SecretString=text)
