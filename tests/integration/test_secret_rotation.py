"""The origin's secret is rotated, or Secrets Manager is down: what goes on without a restart."""

import json
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import Fault
from tests.integration.relay import Relay
from tests.integration.service import (
    CLIENT,
    ERROR_AGE,
    REVALIDATE_AGE,
    SECRET,
    Service,
    running_service,
)

REFRESH = {"action": "refresh", "clientId": CLIENT}


@pytest.fixture
def secrets_manager(aws: EmbeddedAws) -> Iterator[Relay]:
    with Relay(aws.endpoint) as relay:
        yield relay


@pytest.fixture
def service(aws: EmbeddedAws, secrets_manager: Relay) -> Iterator[Service]:
    with running_service(aws, AWS_ENDPOINT_URL_SECRETS_MANAGER=secrets_manager.url) as running:
        yield running


def test_the_next_revalidation_uses_a_rotated_secret(service: Service) -> None:
    service.get()
    service.origin.rotate_secret(CLIENT, "new-key")
    service.put_secret({CLIENT: "new-key"})
    service.origin.clear_calls()

    results = [service.refresh(REFRESH)["outcome"] for _ in range(2)]

    assert results == ["unchanged", "unchanged"]
    assert [call.status for call in service.origin.calls] == [401, 200, 200]


def test_a_reader_that_waits_gets_new_data_with_a_rotated_secret(service: Service) -> None:
    service.get()
    service.origin.rotate_secret(CLIENT, "new-key")
    service.put_secret({CLIENT: "new-key"})

    answer = service.get(headers={"Cache-Control": "no-cache"})

    assert answer.cache_status == "managed-users; fwd=request; fwd-status=200; stored"


def test_a_secret_rotated_at_the_origin_only_leaves_stale_data_and_is_noted_once(
    service: Service,
) -> None:
    service.get()
    service.origin.rotate_secret(CLIENT, "new-key")
    service.let_pass(ERROR_AGE)
    service.origin.clear_calls()

    answers = [service.get() for _ in range(3)]

    assert "; fwd-status=401; " in answers[0].cache_status
    assert [len(answer.ids) for answer in answers] == [3, 3, 3]
    assert [call.status for call in service.origin.calls] == [401]
    assert (service.head()["last_error"], service.head()["failures"]) == ("origin-auth", 1)
    assert service.get("/cache").body["data"]["lastError"] == "origin-auth"


def test_it_recovers_by_itself_when_the_secret_follows(service: Service) -> None:
    service.get()
    service.origin.rotate_secret(CLIENT, "new-key")
    service.refresh(REFRESH)
    service.put_secret({CLIENT: "new-key"})
    service.let_pass(10, same_environment=True)

    assert service.refresh(REFRESH)["outcome"] == "unchanged"


def test_a_secret_that_is_none_is_told_of_while_the_last_good_one_goes_on(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.get()
    manager = service.aws.client("secretsmanager")
    manager.put_secret_value(SecretId=service.secret, SecretString="canary-secret")
    service.origin.faults = [Fault("status", status=401, times=1)]

    service.refresh(REFRESH)
    service.let_pass(10, same_environment=True)
    after = service.refresh(REFRESH)

    told = [record for record in caplog.records if record.message == "secret not renewed"]
    assert [vars(record)["reason"] for record in told] == ["secret-malformed"]
    assert after["outcome"] == "unchanged"
    assert "canary-secret" not in caplog.text


@pytest.mark.parametrize("key", ["", "canary-ключ", "canary\nkey"])
def test_a_key_that_is_none_is_its_own_client_s_trouble(
    aws: EmbeddedAws, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = "clxsample0000000000000002"
    with running_service(aws, clients={CLIENT: SECRET, other: "other"}) as service:
        service.put_secret({CLIENT: f" {SECRET}\n", other: key})

        good = service.get()
        bad = service.get(f"/v2/oauth-clients/{other}/users")
        result = service.refresh({"action": "refresh", "clientId": other})

        assert len(good.ids) == 3
        assert (bad.status, bad.error["code"]) == (503, "ServiceUnavailableException")
        assert bad.cache_status.endswith("; detail=secret-malformed")
        assert (result["outcome"], result["reason"]) == ("failed", "secret-malformed")
        assert service.origin.list_calls(other) == []
    assert "canary" not in caplog.text


def test_the_last_good_secret_goes_on_while_secrets_manager_is_down(
    service: Service, secrets_manager: Relay
) -> None:
    service.get()
    secrets_manager.stop()
    service.origin.faults = [Fault("status", status=401, times=1)]

    refused = service.refresh(REFRESH)
    service.let_pass(10, same_environment=True)
    after = service.refresh(REFRESH)

    assert (refused["outcome"], refused["reason"]) == ("failed", "origin-auth")
    assert after["outcome"] == "unchanged"


def test_a_hit_needs_no_secrets_manager_even_in_a_new_environment(
    service: Service, secrets_manager: Relay
) -> None:
    service.get()
    secrets_manager.stop()
    service.forget()

    assert "; hit; " in service.get().cache_status


def test_stale_data_is_served_by_a_new_environment_without_secrets_manager(
    service: Service, secrets_manager: Relay
) -> None:
    service.get()
    secrets_manager.stop()
    service.let_pass(ERROR_AGE)

    answer = service.get()

    assert answer.cache_status.endswith("; detail=stale-if-error")
    assert len(answer.ids) == 3


def test_a_cold_client_is_503_while_secrets_manager_is_down(
    service: Service, secrets_manager: Relay
) -> None:
    secrets_manager.stop()

    answer = service.get()

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailableException")
    assert int(answer.headers["Retry-After"]) >= 1
    assert SECRET not in answer.response.body.decode()


def test_secrets_manager_is_asked_once_for_many_readers(
    service: Service, secrets_manager: Relay
) -> None:
    for _ in range(3):
        service.get()
    service.let_pass(REVALIDATE_AGE, same_environment=True)
    service.refresh(REFRESH)

    assert [operation for operation, _ in secrets_manager.calls] == ["GetSecretValue"]


def test_a_client_that_the_secret_no_longer_names_is_not_found(service: Service) -> None:
    service.get()
    service.put_secret({"another": "key"})
    service.let_pass(REVALIDATE_AGE)
    service.get()

    result = service.refresh(service.next_invocation())

    assert result["outcome"] == "failed"
    service.forget()
    assert service.get().status == 404


def test_a_pending_version_is_used_once_it_is_the_current_one(service: Service) -> None:
    service.get()
    manager = service.aws.client("secretsmanager")
    pending = manager.put_secret_value(
        SecretId=service.secret,
        SecretString=json.dumps({CLIENT: "new-key"}),
        VersionStages=["AWSPENDING"],
    )["VersionId"]
    before = service.refresh(REFRESH)["outcome"]
    # As a rotation goes: first at the origin, then here.
    service.origin.rotate_secret(CLIENT, "new-key")
    between = service.refresh(REFRESH)["outcome"], service.get().status
    versions = manager.describe_secret(SecretId=service.secret)["VersionIdsToStages"]
    (current,) = (version for version, stages in versions.items() if "AWSCURRENT" in stages)
    manager.update_secret_version_stage(
        SecretId=service.secret,
        VersionStage="AWSCURRENT",
        MoveToVersionId=pending,
        RemoveFromVersionId=current,
    )
    service.let_pass(61, same_environment=True)
    after = service.refresh(REFRESH)["outcome"]

    assert (before, between, after) == ("unchanged", ("failed", 200), "unchanged")
