"""The origin's rules as tables: what each request is answered with, without a socket."""

import json
import re
from typing import Any

import pytest

from dev.origin import OriginDouble, Request, plain_users
from dev.origin.answers import Answer
from dev.origin.rules import parse_int, parse_query

CLIENT = "clientid1"
NOT_PLATFORM = "clientid2"
OTHER = "clientid3"
LIST = f"/v2/oauth-clients/{CLIENT}/users"


def origin_with(users: int) -> OriginDouble:
    secrets = {CLIENT: "right", NOT_PLATFORM: "right", OTHER: "another"}
    origin = OriginDouble(secrets, users=0, clock=lambda: 1.7e9, not_platform=[NOT_PLATFORM])
    origin.replace(CLIENT, plain_users(CLIENT, users))
    return origin


def ask(target: str, *, users: int = 3, method: str = "GET", **headers: str) -> Answer:
    sent = {"x-cal-secret-key": "right"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    request = Request(method=method, target=target, headers=sent)
    return origin_with(users).answer(request).answer


def body_of(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


def ids(answer: Answer) -> list[int]:
    assert answer.status == 200, answer.body
    return [row["id"] for row in body_of(answer)["data"]]


def errors(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 400
    error = body_of(answer)["error"]
    assert (error["code"], error["message"]) == ("BadRequestException", "Bad Request Exception")
    found: list[dict[str, Any]] = error["details"]["errors"]
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("limit=1", [1]),
        ("limit=250", [1, 2, 3]),
        ("limit=1.9", [1]),
        ("limit=2.0&offset=1.0", [2, 3]),
        ("limit=10abc", [1, 2, 3]),
        ("limit=1e2", [1]),
        ("limit=0x10", [1, 2, 3]),
        ("limit=0x1", [1]),
        ("limit=+2", [1, 2]),
        ("limit=%2B2", [1, 2]),
        ("limit=1&limit=2", [1]),
        ("limit[]=2", [1, 2]),
        ("limit%5B%5D=2", [1, 2]),
        ("limit[0]=2", [1, 2]),
        ("offset=0", [1, 2, 3]),
        ("offset=-0", [1, 2, 3]),
        ("offset=1&limit=1", [2]),
        ("offset=3", []),
        ("offset=250", []),
        ("foo=bar", [1, 2, 3]),
        (f"clientId={CLIENT}&limit=2&offset=0", [1, 2]),
    ],
)
def test_a_window_the_origin_accepts_answers_its_rows(query: str, expected: list[int]) -> None:
    assert ids(ask(f"{LIST}?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "shown", "broken"),
    [
        ("limit=0", 0, ["min"]),
        ("limit=-1", -1, ["min"]),
        ("limit=251", 251, ["max"]),
        ("limit=abc", None, ["max", "min", "isNumber"]),
        ("limit=", "", ["max", "min", "isNumber"]),
        ("limit", "", ["max", "min", "isNumber"]),
        ("limit=%20", None, ["max", "min", "isNumber"]),
        ("limit=0x", None, ["max", "min", "isNumber"]),
        ("limit[a]=2", None, ["max", "min", "isNumber"]),
        ("limit[21]=2", None, ["max", "min", "isNumber"]),
        ("limit[]=", None, ["max", "min", "isNumber"]),
        ("limit=99999999999999999999", 10**20, ["max"]),
        ("limit=12345678901234567890", 12345678901234567000, ["max"]),
        pytest.param("limit=" + "9" * 400, None, ["max", "isNumber"], id="limit=infinity"),
        pytest.param("limit=0x" + "f" * 300, None, ["max", "isNumber"], id="limit=hex infinity"),
        ("offset=-1", -1, ["min"]),
        ("offset=251", 251, ["max"]),
        ("offset=abc", None, ["max", "min", "isNumber"]),
        ("offset=", "", ["max", "min", "isNumber"]),
    ],
)
def test_a_bad_number_is_refused_with_the_rules_it_breaks(
    query: str, shown: object, broken: list[str]
) -> None:
    name = "limit" if query.startswith("limit") else "offset"
    lowest = {"limit": 1, "offset": 0}[name]
    messages = {
        "max": f"{name} must not be greater than 250",
        "min": f"{name} must not be less than {lowest}",
        "isNumber": f"{name} must be a number conforming to the specified constraints",
    }

    found = errors(ask(f"{LIST}?{query}"))

    assert found == [
        {
            "target": {name: shown},
            "value": shown,
            "property": name,
            "children": [],
            "constraints": {rule: messages[rule] for rule in broken},
        }
    ]
    assert list(found[0]["constraints"]) == broken


def test_several_bad_parameters_are_reported_together_and_show_all_that_was_read() -> None:
    found = errors(ask(f"{LIST}?offset=999&limit=0&foo=1&emails[a]=x"))

    assert [error["property"] for error in found] == ["emails", "limit", "offset"]
    assert [error["target"] for error in found] == [
        {"offset": 999, "limit": 0, "emails": {"a": "x"}}
    ] * 3
    assert found[0]["constraints"] == {"arrayNotEmpty": "emails cannot be empty."}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("emails=bob@example.com", [2]),
        ("emails=BOB@example.com", []),
        ("emails=alice@example.com", []),
        ("emails=Alice@example.com", [1]),
        ("emails=zzz@example.com", []),
        ("emails=%20bob@example.com%20,%20carol@example.com", [2, 3]),
        ("emails=bob@example.com,bob@example.com", [2]),
        ("emails=carol@example.com,bob@example.com", [2, 3]),
        ("emails=bob@example.com%2Ccarol@example.com", [2, 3]),
        (f"emails=bob%2B{CLIENT}@example.com", [2]),
        (f"emails={CLIENT}@example.com", []),
        ("emails=bob@example.com,carol@example.com&limit=1", [2]),
        ("emails=bob@example.com,carol@example.com&limit=1&offset=1", [3]),
        ("emails=bob@example.com&emails=carol@example.com", [2, 3]),
        ("emails=bob@example.com&emails=nope", [2]),
        ("emails=%20bob@example.com&emails=carol@example.com", [3]),
        ("emails[]=bob@example.com", [2]),
        ("emails[]=bob@example.com,carol@example.com", []),
        ("emails[]=nope", []),
        ("emails[]=", []),
        ("emails[0]=bob@example.com&emails[1]=carol@example.com", [2, 3]),
    ],
)
def test_emails_the_origin_accepts_answer_the_rows_they_name(
    query: str, expected: list[int]
) -> None:
    assert ids(ask(f"{LIST}?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "blamed"),
    [
        ("emails=", ""),
        ("emails", ""),
        ("emails=,", ""),
        ("emails=bob@example.com,", ""),
        ("emails=nope", "nope"),
        ("emails=bob@example.com,nope", "nope"),
        ("emails=a@b@c.com", "a@b@c.com"),
        ("emails=bob@localhost", "bob@localhost"),
        ("emails=.bob@example.com", ".bob@example.com"),
        (f"emails=bob+{CLIENT}@example.com", f"bob {CLIENT}@example.com"),
        ("emails=nope&limit=abc", "nope"),
        pytest.param(f"emails={'a' * 65}@x.com", f"{'a' * 65}@x.com", id="a local part too long"),
    ],
)
def test_one_bad_address_fails_the_whole_call_before_all_else(query: str, blamed: str) -> None:
    answer = ask(f"{LIST}?{query}")

    message = f"Invalid email {blamed}"
    details = {"message": message, "error": "Bad Request", "statusCode": 400}
    assert answer.status == 400
    assert body_of(answer)["error"] == {
        "code": "BadRequestException",
        "message": message,
        "details": details,
    }


@pytest.mark.parametrize(
    ("query", "first", "last", "rows"),
    [
        ("", 1, 50, 50),
        ("limit=250", 1, 250, 250),
        ("limit=250&offset=250", 251, 500, 250),
        ("limit=2&offset=249", 250, 251, 2),
        ("emails=user600@example.com,user1@example.com,user619@example.com", 600, 619, 2),
        ("emails=" + ",".join(f"user{n}@example.com" for n in range(501, 561)), 501, 550, 50),
    ],
    ids=["default", "first", "second", "across", "past the window", "60 addresses"],
)
def test_paging_reaches_500_of_620_users_and_addresses_reach_the_others(
    query: str, first: int, last: int, rows: int
) -> None:
    found = ids(ask(f"{LIST}?{query}", users=620))

    assert (found[0], found[-1], len(found)) == (first, last, rows)


def test_a_user_past_the_window_is_found_by_id() -> None:
    answer = ask(f"{LIST}/600", users=620)

    assert body_of(answer) == {"status": "success", "data": plain_users(CLIENT, 620)[599]}


@pytest.mark.parametrize(
    ("user", "status", "message"),
    [
        ("99", 404, "User with ID 99 is not part of this OAuth client."),
        ("-1", 404, "User with ID -1 is not part of this OAuth client."),
        ("abc", 400, "Validation failed (numeric string is expected)"),
        ("1.5", 400, "Validation failed (numeric string is expected)"),
        ("0x1", 400, "Validation failed (numeric string is expected)"),
    ],
)
def test_an_id_that_names_no_user_is_refused(user: str, status: int, message: str) -> None:
    answer = ask(f"{LIST}/{user}")

    assert (answer.status, body_of(answer)["error"]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("client", "secret", "status", "message"),
    [
        (CLIENT, "", 401, "ApiAuthStrategy - Only 'x-cal-client-id' header provided."),
        (CLIENT, "wrong", 401, "ApiAuthStrategy - oAuth client - Invalid client secret"),
        (CLIENT, "another", 401, "ApiAuthStrategy - oAuth client - Invalid client secret"),
        ("x", "right", 401, "ApiAuthStrategy - oAuth client - Client with ID x not found"),
        (NOT_PLATFORM, "right", 403, "OrganizationRolesGuard - Organization is not a platform"),
    ],
)
@pytest.mark.parametrize("query", ["", "?limit=0"])
def test_authentication_comes_before_the_query(
    client: str, secret: str, status: int, message: str, query: str
) -> None:
    target = f"/v2/oauth-clients/{client}/users{query}"

    answer = ask(target, x_cal_secret_key=secret)

    error = body_of(answer)["error"]
    assert answer.status == status
    assert error["message"].startswith(message)
    assert error["details"]["statusCode"] == status


def test_the_path_decides_the_client_whatever_the_header_says() -> None:
    assert ids(ask(LIST, x_cal_client_id=OTHER)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v2/nope"),
        ("GET", "/v2/nope?limit=1"),
        ("GET", f"/v2/oauth-clients/{CLIENT}//users"),
        ("GET", f"{LIST}/1/2"),
        ("PUT", LIST),
    ],
)
def test_a_route_that_does_not_exist_is_404_and_does_not_count(method: str, target: str) -> None:
    answer = ask(target, method=method)

    message = f"Cannot {method} {target}"
    details = {"message": message, "error": "Not Found", "statusCode": 404}
    error = {"code": "NotFoundException", "message": message, "details": details}
    assert answer.status == 404
    assert body_of(answer) == {
        "status": "error",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "path": target,
        "error": error,
    }
    assert not any("RateLimit" in name for name in answer.headers)


@pytest.mark.parametrize("path", [f"{LIST}/", f"{LIST}/1/"])
def test_a_trailing_slash_changes_nothing(path: str) -> None:
    assert body_of(ask(path)) == body_of(ask(path.rstrip("/")))


def test_a_list_is_compact_json_with_the_keys_in_the_origins_order() -> None:
    body = ask(f"{LIST}?limit=1").body.decode()

    assert re.findall(r'"(\w+)":', body) == [
        *("status", "data", "id", "email", "username", "name", "bio", "timeZone", "weekStart"),
        *("createdDate", "timeFormat", "defaultScheduleId", "locale", "avatarUrl"),
        *("metadata", "key"),
    ]
    assert " " not in body


def test_the_tag_of_an_empty_list_is_the_one_the_origin_computes() -> None:
    assert ask(f"{LIST}?offset=3").headers["ETag"] == 'W/"1e-JkPcI+pGj7BBTxOuZTVVIm91zaY"'


@pytest.mark.parametrize("listed", ["{}", "*", 'W/"1-other", {}'])
def test_a_known_tag_is_answered_304_without_a_body_and_still_counts(listed: str) -> None:
    etag = ask(LIST).headers["ETag"]

    answer = ask(LIST, if_none_match=listed.format(etag))

    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", etag)
    assert answer.headers["X-RateLimit-Remaining-Default"] == "119"
    assert "Content-Type" not in answer.headers


def test_another_tag_is_answered_in_full() -> None:
    assert ask(LIST, if_none_match='W/"1-other"').status == 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1e3", 1), ("-5", -5), ("\t7", 7), ("0XfF", 255), ("007", 7), ("9" * 22, 1e22)],
)
def test_parse_int_reads_numbers_as_javascript_does(text: str, expected: float) -> None:
    assert repr(parse_int(text)) == repr(expected)


def test_parse_query_nests_names_as_the_origin_does() -> None:
    assert parse_query("a=1&b=1&b=2&c[]=1&d[x]=1&e[20]=1&f[21]=1") == {
        "a": "1",
        "b": ["1", "2"],
        "c": ["1"],
        "d": {"x": "1"},
        "e": ["1"],
        "f": {"21": "1"},
    }
