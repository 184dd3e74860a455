"""A directory larger than one Lambda response: stored, served in windows, and told so."""

import json
import random
import re
from collections.abc import Iterator

import pytest

from dev.local.embedded_aws import EmbeddedAws
from dev.origin import User, demo_users
from tests.integration.service import CLIENT, Answer, Service, running_service

USERS = 250
LAMBDA_LIMIT_BYTES = 6 * 1024 * 1024
DYNAMODB_LIMIT_BYTES = 400 * 1024


def heavy_users() -> list[User]:
    """Return users with the most metadata that the origin allows, hard to compress."""
    dice = random.Random(27)  # noqa: S311 - the same users on every run.
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    metadata = [
        {f"{key:040}": "".join(dice.choices(letters, k=500)) for key in range(50)}
        for _ in range(USERS)
    ]
    users = zip(demo_users(CLIENT, USERS), metadata, strict=True)
    return [user | {"metadata": extra} for user, extra in users]


@pytest.fixture(scope="module")
def service(aws: EmbeddedAws) -> Iterator[Service]:
    with running_service(aws, users=0) as running:
        running.origin.replace(CLIENT, heavy_users())
        yield running


def envelope_bytes(answer: Answer) -> int:
    """Return the size of what the function returned, as the Lambda runtime encodes it."""
    headers = dict(answer.response.headers)
    body = answer.response.body.decode()
    result = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": False}
    return len(json.dumps(result, ensure_ascii=False).encode())


def test_a_window_that_is_too_large_is_refused_and_the_limit_it_names_works(
    service: Service,
) -> None:
    refused = service.get(f"/users?limit={USERS}")
    named = re.search(r"limit=(\d+) ", refused.error["message"])
    assert named is not None
    largest = int(named[1])

    fitting = service.get(f"/users?limit={largest}")
    over = service.get(f"/users?limit={largest + 1}")

    assert (refused.status, refused.error["code"]) == (400, "ResponseTooLarge")
    assert "fields=" in refused.error["message"]
    assert len(fitting.ids) == largest
    assert 0.97 * LAMBDA_LIMIT_BYTES < envelope_bytes(fitting) < LAMBDA_LIMIT_BYTES
    assert over.status == 400


def test_the_whole_directory_is_served_in_windows(service: Service) -> None:
    service.forget()

    windows = [service.get(f"/users?limit=50&offset={offset}") for offset in range(0, USERS, 50)]

    data = [user for window in windows for user in window.body["data"]]
    assert data == service.origin.users(CLIENT)
    assert len(json.dumps(data)) > 6_750_000


def test_fewer_fields_make_every_user_fit(service: Service) -> None:
    answer = service.get(f"/users?limit={USERS}&fields=id,email")

    assert len(answer.ids) == USERS


def test_a_filter_finds_its_users_among_heavy_ones(service: Service) -> None:
    wanted = service.origin.users(CLIENT)[200]

    answer = service.get(f"/users?emails={wanted['email'].replace('+', '%2B')}")

    assert answer.body["data"] == [wanted]


def test_no_stored_item_comes_near_dynamodbs_limit(service: Service) -> None:
    service.get("/users?limit=1")

    pages = [len(item["data"]["B"]) for item in service.items() if item["sk"]["S"] == "page"]

    assert len(pages) > 10
    assert max(pages) < 0.8 * DYNAMODB_LIMIT_BYTES


def test_one_changed_heavy_user_rewrites_one_page(service: Service) -> None:
    service.get("/users?limit=1")
    before = {item["pk"]["S"] for item in service.items()}
    service.origin.update(CLIENT, service.origin.users(CLIENT)[100]["id"], name="Renamed")

    service.refresh()

    added = {item["pk"]["S"] for item in service.items()} - before
    assert len(added) == 1
    assert added.pop().startswith("page#")
