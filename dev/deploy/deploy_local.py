"""``make deploy-local``: the deployed shape on this machine, until Ctrl-C.

An embedded AWS, the origin double and the real ``template.yaml``, deployed by SAM CLI.
"""

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from dev.deploy.deployment import Deployment
from dev.origin import OriginDouble

_CLIENT = "clxdemo0000000000000000001"
_SECRET = "demo-secret"


def main() -> None:
    """Deploy, say how to call it, wait for a signal, take it all down."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clients = {_CLIENT: _SECRET}
    sam, built = os.environ["SAM"], Path(os.environ["BUILT"])
    with (
        OriginDouble(clients) as origin,
        Deployment(sam=sam, built=built, clients=clients, CalApiUrl=origin.url) as deployed,
    ):
        _explain(deployed)
        stop.wait()


def _explain(deployed: Deployment) -> None:
    aws = deployed.aws
    sign = f"--aws-sigv4 aws:amz:{aws.region}:execute-api --user local:local"
    print(f"curl -i {sign} '{deployed.url}/v2/oauth-clients/{_CLIENT}/users?limit=2'")
    print(f"aws {aws.endpoint} region={aws.region} secret={deployed.outputs['SecretArn']}")
    print(f"export {' '.join(f'{name}={value}' for name, value in _variables(deployed).items())}")
    print(f"ready {deployed.url}", flush=True)


def _variables(deployed: Deployment) -> Mapping[str, str]:
    """Return what SAM CLI has to be told of this AWS; that of docs/sam.md."""
    names = (
        "AWS_ENDPOINT_URL",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    )
    return {name: deployed.aws.environment[name] for name in names}


if __name__ == "__main__":
    main()
