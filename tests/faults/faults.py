"""The faults: each breaks something between the service and its neighbours, over real sockets."""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass

from dev.origin import Fault, Organization, Organizations, demo_members, demo_user
from tests.integration.relay import Relay
from tests.integration.service import CLIENT, HURRIED_SECONDS, Service


@dataclass(frozen=True)
class Rig:
    """The service, and what stands between it and AWS."""

    service: Service
    dynamodb: Relay
    secrets: Relay


FIRST_USER = demo_user(CLIENT, 0)["id"]

ORGANIZATION, LIST = 4711, "the organization's list"

type Break = Callable[[Rig], None]


@dataclass(frozen=True)
class Breakage:
    """A fault, and what time is left of an invocation that meets it."""

    name: str
    do: Break
    of: str = "origin"
    seconds: float = 29

    def is_slow(self, state: str) -> bool:
        """Tell whether a socket is really waited for."""
        return self.seconds == HURRIED_SECONDS and state != "fresh"


def origin(name: str, kind: str, **rest: object) -> Breakage:
    """Return a fault of the origin that lasts."""
    fault = Fault(kind, **rest)  # type: ignore[arg-type]  # the table's own words

    def switch_on(rig: Rig) -> None:
        rig.service.origin.faults = [fault]

    endless = kind in {"hang", "slow_drip", "drip_headers"}
    return Breakage(name, switch_on, seconds=HURRIED_SECONDS if endless else 29)


def listed(name: str, kind: str, **rest: object) -> Breakage:
    """Return a fault of the organization's list alone that lasts."""
    return replace(origin(name, kind, match="/organizations/", **rest), of=LIST)


def organize(rig: Rig, *, others: bool = False) -> None:
    """Give the client an organization that lists its users, or ``others`` alone."""
    service = rig.service
    known = frozenset(user["id"] for user in service.origin.users(CLIENT))
    organization = Organization(
        organization_id=ORGANIZATION,
        clients=[CLIENT],
        members=demo_members(known, 30),
        lacking=known if others else frozenset(),
    )
    service.origin.organizations = Organizations([organization])
    service.name_organization(ORGANIZATION)


def _list_others(rig: Rig) -> None:
    organize(rig, others=True)


def _lose(kind: str) -> Break:
    def lose(rig: Rig) -> None:
        table = rig.service.table
        for item in table.items():
            if item["sk"]["S"] == kind or (kind == "manifest" and item["sk"]["S"] != "head"):
                _delete(rig, item)
        if kind == "manifest":
            table.client.update_item(
                TableName=table.name,
                Key={"pk": {"S": f"client#{CLIENT}"}, "sk": {"S": "head"}},
                UpdateExpression="REMOVE listing",
            )

    return lose


def _delete(rig: Rig, item: Mapping[str, dict[str, str]]) -> None:
    table = rig.service.table
    table.client.delete_item(
        TableName=table.name, Key={"pk": {"S": item["pk"]["S"]}, "sk": {"S": item["sk"]["S"]}}
    )


def _alter_pages(rig: Rig) -> None:
    table = rig.service.table
    for item in table.items():
        if item["sk"]["S"] == "page":
            table.client.put_item(TableName=table.name, Item={**item, "data": {"B": b"\0altered"}})


def _hang_up(rig: Rig) -> None:
    rig.dynamodb.hangs_up = True


def _fail(status: int, code: str) -> Break:
    def fail(rig: Rig) -> None:
        rig.dynamodb.error = (status, code)

    return fail


def _lose_an_answer(rig: Rig) -> None:
    rig.dynamodb.answers_to_writes_to_lose = 1


def _set_back(rig: Rig) -> None:
    rig.service.clock.now -= 3600


def _close_secrets(rig: Rig) -> None:
    rig.secrets.hangs_up = True


def _secret(text: str) -> Break:
    def put(rig: Rig) -> None:
        client = rig.service.aws.client("secretsmanager")
        client.put_secret_value(SecretId=rig.service.secret, SecretString=text)

    return put


def _close_origin(rig: Rig) -> None:
    rig.service.origin.stop()


BREAKAGES = (
    Breakage("nothing", lambda _rig: None, of="nothing"),
    Breakage("refuses connections", _close_origin),
    origin("hangs", "hang"),
    origin("answers after half a second", "delay", seconds=0.5),
    origin("resets the connection", "reset"),
    origin("resets in the middle of an answer", "reset_mid_body"),
    origin("ends an answer early", "truncate"),
    origin("drips its answer byte by byte", "slow_drip", seconds=0.2),
    origin("drips its headers byte by byte", "drip_headers", seconds=0.2),
    origin("sends a 103 before its answer", "early_hints"),
    origin("answers 500", "status", status=500),
    origin("answers 503", "status", status=503),
    origin("answers 500 once", "status", status=500, times=1),
    origin("answers 401", "status", status=401),
    origin("answers 403", "status", status=403),
    origin("answers 403 with a challenge", "challenge"),
    origin("answers 404", "status", status=404),
    origin("answers 429", "status", status=429),
    origin("answers 502 in HTML", "html"),
    origin("answers 200 in HTML", "html", status=200),
    origin("redirects elsewhere", "redirect"),
    origin("answers more than 16 MB", "oversize"),
    origin("answers 200 with status: error", "status_error_200"),
    origin("answers null", "wrong_shape", shape="null"),
    origin("answers without data", "wrong_shape", shape="no_data"),
    origin("answers an array", "wrong_shape", shape="array"),
    origin("lists a null", "wrong_shape", shape="null_row"),
    origin("lists a user without an id", "wrong_shape", shape="no_id"),
    origin("lists a user whose id is text", "wrong_shape", shape="text_id"),
    origin("lists a user twice", "duplicate_ids"),
    origin("lists users out of order", "unordered_ids"),
    origin("lists nobody", "empty_list"),
    origin("lists only two thirds", "lose_third"),
    origin("lists 27 KB of metadata a user", "huge_metadata"),
    origin("lists a user with metadata 3,000 levels deep", "deep_metadata", user_id=FIRST_USER),
    Breakage("hangs up", _hang_up, of="DynamoDB"),
    Breakage("throttles everything", _fail(400, "ThrottlingException"), of="DynamoDB"),
    Breakage("answers 500", _fail(500, "InternalServerError"), of="DynamoDB"),
    Breakage("does not answer a write that it did", _lose_an_answer, of="DynamoDB"),
    Breakage("has lost the pages", _lose("page"), of="DynamoDB"),
    Breakage("has lost the index", _lose("index"), of="DynamoDB"),
    Breakage("has altered the pages", _alter_pages, of="DynamoDB"),
    Breakage("has lost the head", _lose("head"), of="DynamoDB"),
    Breakage("hangs up", _close_secrets, of="Secrets Manager"),
    Breakage("holds no JSON", _secret("no json"), of="Secrets Manager"),
    Breakage(
        "does not name the client",
        _secret('{"clxanother000000000000000": "key"}'),
        of="Secrets Manager",
    ),
    Breakage("is set back an hour", _set_back, of="the clock"),
    listed("answers 403", "status", status=403),
    listed("answers 404", "status", status=404),
    listed("answers 503", "status", status=503),
    listed("hangs", "hang"),
    listed("is empty", "empty_list"),
    listed("lacks a third", "lose_third"),
    Breakage("is another organization's", _list_others, of=LIST),
)
