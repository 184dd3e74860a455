"""Headers stay below 4 KB however long the question, and links lead on all the same."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from tests.e2e import programs
from tests.integration.stack import Caller

CLIENT = "clxheaders00000000000000001"
WINDOW = 500
MOST_BYTES = 4096
GATEWAY_BYTES = 400
"""About what API Gateway adds: its ids, the trace, the encoding, and CloudFront's own."""

FOLLOW = """
const ids = [];
for (let url = process.env.START; url; ) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  ids.push(...(await answer.json()).data.map((user) => user.id));
  const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get("Link"));
  url = next && new URL(next[1], url);
}
console.log(JSON.stringify(ids));
"""


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    settings = LocalSettings(
        port=0, workers=2, users=620, clients={CLIENT: "secret-canary"}, schedule_seconds=3600
    )
    with LocalStack(settings) as stack:
        running = Caller(stack, CLIENT)
        running.get()
        yield running


def named(caller: Caller) -> Mapping[str, str]:
    """Return long questions that have more users than one window and not too many to be named."""
    users = caller.origin.users(CLIENT)
    emails = [user["email"] for user in users[:150]]
    usernames = [user["username"] or "nobody" for user in users[:250]]
    queries = {
        "addresses": [("emails", ",".join(emails))],
        "addresses, one by one": [("emails[]", email) for email in emails],
        "addresses past the window": [("emails", ",".join(u["email"] for u in users[WINDOW:]))],
        "usernames": [("usernames", ",".join(usernames)), ("sort", "-name")],
        "ids": [("ids", ",".join(str(user["id"]) for user in users[:250])), ("fields", "id")],
        "metadata": [("metadata[plan]", f"pro,{'x' * 4_000}")],
    }
    return {name: urlencode(query) for name, query in queries.items()}


NAMED = (
    "addresses",
    "addresses, one by one",
    "addresses past the window",
    "usernames",
    "ids",
    "metadata",
)


def head_bytes(answer: requests.Response) -> int:
    """Return the size of an answer's header fields, with what API Gateway adds."""
    fields = sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())
    return fields + GATEWAY_BYTES


def windows(caller: Caller, query: str) -> Iterator[requests.Response]:
    """Yield what following the links gives, as anybody does who knows nothing of the service."""
    following: str | None = f"?{query}"
    while following:
        answer = caller.get(f"/users{following}")
        assert answer.status_code == 200, answer.text
        yield answer
        following = reference(answer, "next")


def reference(answer: requests.Response, relation: str) -> str | None:
    found = re.search(rf'<(\?[^>]*)>; rel="{relation}"', answer.headers.get("Link", ""))
    return found and found[1]


@pytest.mark.parametrize("name", NAMED)
def test_links_of_a_long_question_lead_through_everybody(caller: Caller, name: str) -> None:
    query = named(caller)[name]
    whole = caller.get(f"/users?{query}&limit=250").json()

    walked = list(windows(caller, f"{query}&limit=20"))

    assert len(walked) > 2
    assert [user for answer in walked for user in answer.json()["data"]] == whole["data"]
    assert {answer.headers["X-Total-Count"] for answer in walked} == {str(len(whole["data"]))}
    assert max(map(head_bytes, walked)) <= MOST_BYTES


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
@pytest.mark.parametrize("name", NAMED)
def test_node_s_own_fetch_reads_and_follows_them(caller: Caller, name: str, tmp_path: Path) -> None:
    query = f"{named(caller)[name]}&limit=20"
    start = f"{caller.stack.url}/v2/oauth-clients/{CLIENT}/users?{query}"

    printed = programs.run(
        "node", "--input-type=module", "-e", FOLLOW, folder=tmp_path, variables={"START": start}
    )

    expected = [user["id"] for answer in windows(caller, query) for user in answer.json()["data"]]
    assert json.loads(printed) == expected


def test_where_the_users_are_too_many_to_be_named_the_cursor_goes_beside_the_question(
    caller: Caller,
) -> None:
    zones = {user["timeZone"] for user in caller.origin.users(CLIENT)}
    zones |= {f"Etc/Nowhere-{number}" for number in range(200)}
    query = urlencode({"timeZone": ",".join(sorted(zones)), "limit": "200"})
    first = caller.get(f"/users?{query}")
    following = reference(first, "next") or ""

    alone = caller.get(f"/users{following}")
    beside = caller.get(f"/users?{query}&cursor={following.partition('cursor=')[2]}")

    assert int(first.headers["X-Total-Count"]) > 250
    assert head_bytes(first) <= MOST_BYTES
    assert reference(first, "first") is None
    assert alone.status_code == 400
    assert "send it with the filters" in alone.json()["error"]["message"]
    assert beside.status_code == 200
    assert beside.json()["pagination"]["currentPage"] == 2
