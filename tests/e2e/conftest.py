"""One deployment and one local run for all end-to-end tests: starting takes longer than testing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from dev.origin import OriginDouble

CLIENT = "clxdemo0000000000000000001"
COLD_CLIENT = "clxdemo0000000000000000002"
CANARY = "canary-secret-7f3a9c51"
SECRETS = {CLIENT: CANARY, COLD_CLIENT: f"{CANARY}-2"}


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the directory that ``sam build`` filled."""
    if "BUILT" not in os.environ:
        pytest.fail("these tests need a build: run `make e2e`")
    return Path(os.environ["BUILT"])


@pytest.fixture(scope="session")
def origin() -> Iterator[OriginDouble]:
    """Return the origin of the deployment, with two clients of 120 users each."""
    with OriginDouble(SECRETS, users=120) as double:
        for user, address in zip(double.users(CLIENT), _addresses_in_events(), strict=False):
            double.update(CLIENT, user["id"], email=address)
        yield double


def _addresses_in_events() -> list[str]:
    text = Path(ROOT, "events/list-users-by-email.json").read_text(encoding="utf-8")
    addresses: str = json.loads(text)["queryStringParameters"]["emails"]
    return addresses.split(",")


@pytest.fixture(scope="session")
def deployment(built: Path, origin: OriginDouble) -> Iterator[Deployment]:
    """Return the deployed stack."""
    with Deployment(
        sam=os.environ["SAM"],
        built=built,
        clients=SECRETS,
        CalApiUrl=origin.url,
    ) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """Return what `make run` runs, on a free port: one demo client with 120 users."""
    with LocalStack(LocalSettings(port=0, workers=2)) as stack:
        yield stack
