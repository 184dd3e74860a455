"""Calls a deployed API as its callers do: over HTTP, signed."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dev.local.embedded_aws import EmbeddedAws
from tests.patience import PATIENCE_SECONDS

type Json = Any  # Bodies are free-form: each test looks at what it asserts.

OWNER = Credentials("local", "local")
"""The owner of the account, who may do everything."""


class Deployed(Protocol):
    """A stack, and the AWS that it is in."""

    @property
    def aws(self) -> EmbeddedAws:
        """The AWS."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the stack says of itself."""

    @property
    def url(self) -> str:
        """The base URL of its API, without a stage."""


def send(
    deployment: Deployed,
    method: str,
    path: str,
    *,
    caller: Credentials | None = OWNER,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> requests.Response:
    """Return the answer to one request; without a ``caller`` it is not signed."""
    url = f"{deployment.url}{path}"
    request = AWSRequest(method, url, headers=headers, data=body)
    if caller:
        SigV4Auth(caller, "execute-api", deployment.aws.region).add_auth(request)
    return requests.request(
        method, url, headers=dict(request.headers), data=body, timeout=PATIENCE_SECONDS
    )


def caller_who_may(deployment: Deployed, name: str, *routes: str) -> Credentials:
    """Return the credentials of a new user, who may make the requests ``METHOD/path``."""
    iam: Any = deployment.aws.client("iam")
    api = f"arn:aws:execute-api:{deployment.aws.region}:000000000000:{deployment.outputs['ApiId']}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": [f"{api}/v2/{route}" for route in routes],
            }
        ],
    }
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="api", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def eventually[T](
    read: Callable[[], T], enough: Callable[[T], bool], *, seconds: float = PATIENCE_SECONDS
) -> T:
    """Return what ``read`` returns as soon as it is ``enough``, or the last of it in the end."""
    until = time.monotonic() + seconds
    while not enough(seen := read()) and time.monotonic() < until:
        # Nothing announces what another process does; its effect can only be asked for.
        time.sleep(0.1)
    return seen
