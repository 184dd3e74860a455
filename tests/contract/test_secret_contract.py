"""Secrets Manager's adapter: rotation, removal, outages, and what never shows."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from traceback import TracebackException
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dev.local.embedded_aws import EmbeddedAws
from lib.aws.secret import KEEP_SECONDS, PAUSE_SECONDS, Secrets
from lib.errors import NotFoundError, SecretError
from tests.fakes import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

numbers = count(1)


class Vault:
    """A client in front of Secrets Manager that counts fetches and can be cut off."""

    def __init__(self, client: "SecretsManagerClient", name: str) -> None:
        self.client = client
        self.name = name
        self.fetches = 0
        self.outage: Exception | None = None
        self.clock = Clock()
        self.told: list[str] = []
        self.secrets = Secrets(
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

    def put_keys(self, **keys: str) -> None:
        """Make the newest version of these keys."""
        self.put(json.dumps(keys))

    def key(self, client_id: str = "one") -> str:
        """Return the key of a client."""
        return self.secrets.credential(client_id).key.reveal()


@pytest.fixture(scope="module")
def client(aws: EmbeddedAws) -> Iterator["SecretsManagerClient"]:
    made = aws.client("secretsmanager")
    yield made
    made.close()


@pytest.fixture
def vault(client: "SecretsManagerClient") -> Vault:
    made = Vault(client, f"secret-{next(numbers)}")
    text = json.dumps({"one": "key1", "two": "key2"})
    client.create_secret(Name=made.name, SecretString=text)
    return made


def unreachable() -> Exception:
    """Return what botocore raises while nothing listens."""
    return EndpointConnectionError(endpoint_url="https://secretsmanager.example")


def throttled() -> Exception:
    """Return what botocore raises when Secrets Manager refuses."""
    return ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")


def test_each_client_has_its_key_of_the_same_version(vault: Vault) -> None:
    one, two = vault.secrets.credential("one"), vault.secrets.credential("two")

    assert (one.key.reveal(), two.key.reveal()) == ("key1", "key2")
    assert one.version == two.version
    assert vault.fetches == 1


def test_the_configured_clients_are_told_in_order(vault: Vault) -> None:
    assert vault.secrets.client_ids() == ["one", "two"]


@pytest.mark.parametrize(("passed", "key"), [(KEEP_SECONDS - 1, "key1"), (KEEP_SECONDS, "new")])
def test_a_fetched_secret_is_used_for_five_minutes(vault: Vault, passed: int, key: str) -> None:
    vault.key()
    vault.put_keys(one="new")
    vault.clock.now += passed

    assert vault.key() == key


def test_a_version_that_the_origin_refused_is_replaced_at_once(vault: Vault) -> None:
    old = vault.secrets.credential("one")
    vault.put_keys(one="new")

    fetched = vault.secrets.credential("one", newer_than=old.version)

    assert fetched.key.reveal() == "new"
    assert fetched.version != old.version


def test_a_refused_version_that_is_still_the_newest_is_returned_as_it_is(vault: Vault) -> None:
    old = vault.secrets.credential("one")

    fetched = vault.secrets.credential("one", newer_than=old.version)

    assert (fetched.version, vault.fetches) == (old.version, 2)


def test_a_client_that_is_not_named_is_not_found(vault: Vault) -> None:
    with pytest.raises(NotFoundError) as caught:
        vault.key("three")

    assert caught.value.message == "OAuth client with ID three not found."


@pytest.mark.parametrize(("passed", "fetches"), [(PAUSE_SECONDS - 1, 1), (PAUSE_SECONDS, 2)])
def test_an_unknown_client_is_not_looked_for_at_every_request(
    vault: Vault, passed: int, fetches: int
) -> None:
    vault.key()
    vault.clock.now += passed

    with pytest.raises(NotFoundError):
        vault.key("three")

    assert vault.fetches == fetches


def test_a_client_that_was_just_added_is_found_after_a_moment(vault: Vault) -> None:
    vault.key()
    vault.put_keys(one="key1", three="key3")
    vault.clock.now += PAUSE_SECONDS

    assert vault.key("three") == "key3"


def test_a_clock_that_was_set_back_keeps_no_secret_for_longer(vault: Vault) -> None:
    assert vault.secrets.client_ids() == ["one", "two"]
    vault.put_keys(one="key1", two="key2", three="key3")

    vault.clock.now -= 900

    assert vault.key("three") == "key3"


def test_a_client_that_was_removed_is_not_found_after_a_while(vault: Vault) -> None:
    vault.key("two")
    vault.put_keys(one="key1")
    vault.clock.now += KEEP_SECONDS

    with pytest.raises(NotFoundError):
        vault.key("two")


@pytest.mark.parametrize("outage", [unreachable, throttled])
def test_during_an_outage_the_last_good_secret_goes_on_being_used(
    vault: Vault, outage: Callable[[], Exception]
) -> None:
    old = vault.secrets.credential("one")
    vault.outage = outage()
    vault.clock.now += KEEP_SECONDS

    credentials = [vault.secrets.credential("one") for _ in range(3)]

    assert {credential.version for credential in credentials} == {old.version}
    assert vault.fetches == 2
    assert vault.told == ["secret-missing"]


@pytest.mark.parametrize("outage", [unreachable, throttled])
def test_without_any_secret_an_outage_is_an_error_and_asked_about_again(
    vault: Vault, outage: Callable[[], Exception]
) -> None:
    vault.outage = outage()
    with pytest.raises(SecretError) as caught:
        vault.key()
    with pytest.raises(SecretError):
        vault.key()
    asked = vault.fetches
    vault.outage = None
    vault.clock.now += 5

    assert vault.key() == "key1"
    assert asked == 1
    assert (caught.value.status, caught.value.reason) == (503, "secret-missing")


def test_a_secret_that_does_not_exist_is_an_error(client: "SecretsManagerClient") -> None:
    vault = Vault(client, "never-made")

    with pytest.raises(SecretError):
        vault.key()


@pytest.mark.parametrize(
    "text",
    [
        "canary-key",
        '{"one": "canary-key"',
        '["canary-key"]',
        "{}",
        "null",
        '{"one": "canary-key", "deep": ' + "[" * 50_000,
    ],
)
def test_a_malformed_secret_is_an_error_that_quotes_nothing(vault: Vault, text: str) -> None:
    vault.put(text)

    with pytest.raises(SecretError) as caught:
        vault.key()

    trace = TracebackException.from_exception(caught.value)
    assert caught.value.reason == "secret-malformed"
    assert "canary-key" not in "".join(trace.format())


def test_a_malformed_new_version_leaves_the_last_good_one(vault: Vault) -> None:
    vault.key()
    vault.put("{}")
    vault.clock.now += KEEP_SECONDS

    assert vault.key() == "key1"
    assert vault.told == ["secret-malformed"]


def test_a_secret_that_was_fetched_again_is_nothing_to_tell(vault: Vault) -> None:
    vault.key()
    vault.clock.now += KEEP_SECONDS

    vault.key()

    assert (vault.fetches, vault.told) == (2, [])


@pytest.mark.parametrize(
    "key",
    [
        5,
        None,
        "",
        "  ",
        {"Key": "canary-key"},
        {"key": 5},
        ["canary-key"],
        "canary-key✓",
        "canary\nkey",
        "canary\0key",
    ],
)
def test_a_key_that_is_none_concerns_its_own_client_only(vault: Vault, key: object) -> None:
    vault.put(json.dumps({"one": key, "two": "key2"}))

    assert vault.key("two") == "key2"
    assert vault.secrets.client_ids() == ["one", "two"]
    with pytest.raises(SecretError) as caught:
        vault.key("one")
    trace = TracebackException.from_exception(caught.value)
    assert caught.value.reason == "secret-malformed"
    assert "canary-key" not in "".join(trace.format())


def test_a_client_id_that_no_header_can_carry_concerns_nobody_else(vault: Vault) -> None:
    vault.put(json.dumps({"o\nne": "key1", "two": "key2"}))

    assert vault.key("two") == "key2"
    with pytest.raises(SecretError):
        vault.key("o\nne")


@pytest.mark.parametrize("beside", [{}, {"webhookSecret": "w"}, {"later": [1], "key ": "other"}])
def test_a_client_may_have_more_to_be_said_of_it_than_its_key(
    vault: Vault, beside: dict[str, object]
) -> None:
    vault.put(json.dumps({"one": {"key": " key1\n", **beside}, "two": "key2"}))

    assert (vault.key("one"), vault.key("two")) == ("key1", "key2")
    assert vault.secrets.client_ids() == ["one", "two"]


@pytest.mark.parametrize(
    ("said", "secrets"),
    [
        ({"key": "k", "webhookSecret": "canary-w"}, ["canary-w"]),
        (
            {"key": "k", "webhookSecret": [" canary-new\n", "canary-old"]},
            ["canary-new", "canary-old"],
        ),
        ({"key": "k", "webhookSecret": ["", None, "canary✓", "canary-w"]}, ["canary-w"]),
        ({"webhookSecret": "canary-w"}, ["canary-w"]),
        ({"key": "k", "webhookSecret": ""}, []),
        ({"key": "k", "webhookSecret": {"a": "b"}}, []),
        ({"key": "k"}, []),
        ("k", []),
        (["canary-w"], []),
        (None, []),
    ],
)
def test_what_signs_a_client_s_webhooks_is_beside_its_key(
    vault: Vault, said: object, secrets: list[str]
) -> None:
    vault.put(json.dumps({"one": said, "two": "key2"}))

    found = vault.secrets.webhook_secrets("one")

    assert [each.reveal() for each in found] == secrets
    assert vault.secrets.webhook_secrets("two") == vault.secrets.webhook_secrets("x") == ()
    assert "canary" not in f"{found!r} {vars(vault.secrets)!r}"


def test_whoever_sends_bad_signatures_has_the_secret_fetched_once_in_a_moment(
    vault: Vault,
) -> None:
    vault.secrets.webhook_secrets("one")
    for _ in range(100):
        vault.secrets.webhook_secrets("one", anew=True)
    before = vault.fetches
    vault.clock.now += PAUSE_SECONDS
    for _ in range(100):
        vault.secrets.webhook_secrets("one", anew=True)

    assert (before, vault.fetches) == (1, 2)


def test_during_an_outage_the_last_webhook_secrets_go_on_being_used(vault: Vault) -> None:
    vault.put(json.dumps({"one": {"key": "key1", "webhookSecret": "w"}}))
    vault.secrets.webhook_secrets("one")
    vault.outage = unreachable()
    vault.clock.now += KEEP_SECONDS

    assert [each.reveal() for each in vault.secrets.webhook_secrets("one")] == ["w"]


def test_blanks_and_line_ends_around_a_key_are_none_of_it(vault: Vault) -> None:
    vault.put_keys(one=" \tkey1\r\n", two="key of two")

    assert (vault.key("one"), vault.key("two")) == ("key1", "key of two")


def test_a_key_that_was_mended_is_found_after_a_moment(vault: Vault) -> None:
    vault.put_keys(one="", two="key2")
    with pytest.raises(SecretError):
        vault.key("one")
    vault.put_keys(one="key1", two="key2")
    vault.clock.now += PAUSE_SECONDS

    assert vault.key("one") == "key1"


def test_no_printed_form_holds_a_key(vault: Vault) -> None:
    vault.put_keys(one="canary-key")
    credential = vault.secrets.credential("one")

    printed = f"{credential!r} {credential} {vars(vault.secrets)!r}"

    assert "canary-key" not in printed


@pytest.mark.parametrize(
    ("entry", "organization_id"),
    [
        ("key1", None),
        ({"key": "key1"}, None),
        ({"key": "key1", "organizationId": 4711}, 4711),
        # What is none is said, rather than passed over in silence.
        ({"key": "key1", "organizationId": "4711"}, 0),
        ({"key": "key1", "organizationId": None}, 0),
        ({"key": "key1", "organizationId": True}, 0),
        ({"key": "key1", "organizationId": -1}, 0),
        ({"key": "key1", "organizationId": 2**31}, 0),
        ({"key": "key1", "organisationId": 4711}, 0),
        ({"key": "key1", "organizationId": 4711, "more": 1}, 0),
    ],
)
def test_a_client_may_have_an_organization_beside_its_key(
    vault: Vault, entry: object, organization_id: int | None
) -> None:
    vault.put(json.dumps({"one": entry, "two": "key2"}))

    credential = vault.secrets.credential("one")

    assert credential.key.reveal() == "key1"
    assert credential.organization_id == organization_id
    assert vault.secrets.credential("two").organization_id is None


@pytest.mark.parametrize("entry", [{}, {"organizationId": 4711}, {"key": ""}, {"key": 5}, []])
def test_an_entry_without_a_key_concerns_its_own_client_only(vault: Vault, entry: object) -> None:
    vault.put(json.dumps({"one": entry, "two": "key2"}))

    with pytest.raises(SecretError):
        vault.key("one")
    assert vault.key("two") == "key2"
