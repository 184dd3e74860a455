"""The webhook's signing secrets in Secrets Manager: rotation, outages, and what never shows."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import count
from traceback import TracebackException
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.last_good import PAUSE_SECONDS
from lib.aws.signing_secrets import KEEP_SECONDS, SigningSecrets
from lib.errors import SecretError
from tests.fakes import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

numbers = count(1)


def secret(letter: str) -> str:
    """Return a signing secret, another for each letter."""
    return f"whsec_{b64encode(letter.encode() * 32).decode()}"


class Vault:
    """A client in front of Secrets Manager that counts fetches and can be cut off."""

    def __init__(self, client: "SecretsManagerClient", name: str) -> None:
        self.client = client
        self.name = name
        self.fetches = 0
        self.outage: Exception | None = None
        self.clock = Clock()
        self.told: list[str] = []
        self.secrets = SigningSecrets(
            cast("SecretsManagerClient", self),
            name,
            clock=self.clock,
            report=lambda error: self.told.append(error.reason),
        )

    def get_secret_value(self, **parameters: str) -> Any:  # noqa: ANN401 - boto3's own answer
        """Answer as Secrets Manager does, unless there is an outage."""
        self.fetches += 1
        if self.outage:
            raise self.outage
        return self.client.get_secret_value(SecretId=parameters["SecretId"])

    def put(self, text: str) -> None:
        """Make ``text`` the newest version."""
        self.client.put_secret_value(SecretId=self.name, SecretString=text)

    def signatures(self) -> list[str]:
        """Return what the keys sign, one after the other."""
        return [key.sign(b"content") for key in self.secrets.current()]


@pytest.fixture(scope="module")
def client(aws: EmbeddedAws) -> Iterator["SecretsManagerClient"]:
    made = aws.client("secretsmanager")
    yield made
    made.close()


@pytest.fixture
def vault(client: "SecretsManagerClient") -> Vault:
    made = Vault(client, f"signing-{next(numbers)}")
    client.create_secret(Name=made.name, SecretString=secret("a"))
    return made


def unreachable() -> Exception:
    """Return what botocore raises while nothing listens."""
    return EndpointConnectionError(endpoint_url="https://secretsmanager.example")


def throttled() -> Exception:
    """Return what botocore raises when Secrets Manager refuses."""
    return ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")


def test_a_rotation_signs_with_both_and_then_with_the_new_one_alone(vault: Vault) -> None:
    (old,) = vault.signatures()
    vault.put(f"{secret('b')}\n{secret('a')}\n")
    vault.clock.now += KEEP_SECONDS

    new, still = vault.signatures()
    vault.put(secret("b"))
    vault.clock.now += KEEP_SECONDS

    assert still == old
    assert new != old
    assert vault.signatures() == [new]


@pytest.mark.parametrize(("passed", "fetches"), [(KEEP_SECONDS - 1, 1), (KEEP_SECONDS, 2), (-1, 2)])
def test_fetched_secrets_are_used_for_a_minute(vault: Vault, passed: int, fetches: int) -> None:
    vault.signatures()
    vault.clock.now += passed

    vault.signatures()

    assert vault.fetches == fetches


@pytest.mark.parametrize("outage", [unreachable, throttled])
def test_during_an_outage_the_last_good_ones_go_on_being_used(
    vault: Vault, outage: Callable[[], Exception]
) -> None:
    before = vault.signatures()
    vault.outage = outage()
    vault.clock.now += KEEP_SECONDS

    after = [vault.signatures() for _ in range(3)]

    assert after == [before] * 3
    assert (vault.fetches, vault.told) == (2, ["secret-missing"])


@pytest.mark.parametrize("text", [" ", "no secret", json.dumps({"a": "b"})])
def test_a_malformed_secret_is_not_used_and_not_quoted(vault: Vault, text: str) -> None:
    before = vault.signatures()
    vault.put(text)
    vault.clock.now += KEEP_SECONDS

    assert vault.signatures() == before
    assert vault.told == ["secret-malformed"]


def test_without_any_secret_a_failure_is_not_asked_about_again_at_once(vault: Vault) -> None:
    vault.outage = unreachable()
    for _ in range(3):
        with pytest.raises(SecretError) as caught:
            vault.signatures()
        assert caught.value.reason == "secret-missing"
    assert vault.fetches == 1
    vault.outage = None
    vault.clock.now += PAUSE_SECONDS

    assert len(vault.signatures()) == 1


def test_no_secret_is_in_a_traceback(client: "SecretsManagerClient") -> None:
    vault = Vault(client, f"signing-{next(numbers)}")
    client.create_secret(Name=vault.name, SecretString=f"{secret('a')} and-another")

    with pytest.raises(SecretError) as caught:
        vault.signatures()

    told = "".join(TracebackException.from_exception(caught.value).format())
    assert secret("a").removeprefix("whsec_") not in told
    assert "and-another" not in told
