"""What the timeline of the local run takes for a sweep, and what it says of one."""

import json

import pytest

from dev.local.gateway_events import Request, Response
from dev.local.timeline import Timeline

CLIENT = "clxdemo"
LEASE = {"action": "refresh", "clientId": CLIENT, "lease": {}}
FORCED = {"action": "refresh", "clientId": CLIENT, "requestedAt": 1}


def request(path: str = "/users", method: str = "GET") -> Request:
    target = f"/v2/oauth-clients/{CLIENT}{path}"
    return Request(method=method, target=target, headers=[], body=b"", source_ip="127.0.0.1")


def answer(status: int, cache_status: str = "", **headers: str) -> Response:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status=status, headers=[("Cache-Status", cache_status), *named], body=b"")


def told(timeline: Timeline) -> list[dict[str, object]]:
    entries, _ = timeline.since(0, CLIENT)
    own = ("sequence", "time", "kind", "client")
    return [{name: entry[name] for name in entry if name not in own} for entry in entries]


@pytest.mark.parametrize(
    ("event", "by"),
    [({"action": "refresh-all"}, "schedule"), (LEASE, "reader"), (FORCED, "request")],
)
def test_a_sweep_of_the_refresh_function_says_who_wanted_it(event: object, by: str) -> None:
    timeline = Timeline()

    timeline.refreshed(event, {"clientId": CLIENT, "outcome": "published", "generation": 2})

    assert told(timeline) == [{"by": by, "outcome": "published", "generation": 2}]


def test_a_run_of_the_schedule_is_a_sweep_of_each_client() -> None:
    timeline = Timeline()
    failed = {"outcome": "failed", "reason": "origin-5xx", "received": 503, "error": "OriginError"}

    timeline.refreshed(
        {"action": "refresh-all"},
        {"clients": 2, "results": [{"clientId": CLIENT, **failed}, {"clientId": "x", **failed}]},
    )

    assert told(timeline) == [
        {"by": "schedule", "outcome": "failed", "reason": "origin-5xx", "received": 503}
    ]


@pytest.mark.parametrize(
    "done",
    [
        {"clientId": CLIENT, "outcome": "superseded"},
        {"clientId": CLIENT, "outcome": "done", "asked": 3},
        {"outcome": "failed", "reason": "secret-missing"},
        None,
    ],
)
def test_what_is_no_sweep_is_not_told(done: object) -> None:
    timeline = Timeline()

    timeline.refreshed(LEASE, done)

    assert told(timeline) == []


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            answer(200, "managed-users; fwd=uri-miss; fwd-status=200; stored", X_Generation="1"),
            {"outcome": "swept", "generation": 1},
        ),
        (
            answer(200, "managed-users; fwd=stale; fwd-status=503; ttl=-9; detail=stale-if-error"),
            {"outcome": "failed", "received": 503},
        ),
        (
            answer(503, "managed-users; fwd=uri-miss; fwd-status=429; detail=origin-blocked"),
            {"outcome": "failed", "received": 429, "reason": "origin-blocked"},
        ),
    ],
)
def test_a_request_that_had_the_origin_asked_is_a_sweep(
    response: Response, expected: dict[str, object]
) -> None:
    timeline = Timeline()

    timeline.answered(request(), response)

    assert told(timeline) == [{"by": "request", **expected}]


@pytest.mark.parametrize(
    "cache_status",
    [
        "managed-users; hit; ttl=50",
        "managed-users; fwd=uri-miss; collapsed",
        "managed-users; fwd=miss; fwd-status=200; stored; detail=look-up",
        "",
    ],
)
def test_other_requests_are_none(cache_status: str) -> None:
    timeline = Timeline()

    timeline.answered(request(), answer(200, cache_status))

    assert told(timeline) == []


@pytest.mark.parametrize(("outcome", "many"), [("unchanged", 1), ("joined", 0)])
def test_a_forced_sweep_is_told_where_it_was_made(outcome: str, many: int) -> None:
    timeline = Timeline()
    body = json.dumps({"data": {"outcome": outcome, "generation": 3, "calls": 1}}).encode()

    timeline.answered(
        request("/cache/refresh?wait=true", "POST"), Response(status=200, headers=[], body=body)
    )

    assert (
        told(timeline)
        == [{"by": "request", "outcome": outcome, "generation": 3, "calls": 1}] * many
    )


def test_who_has_seen_some_is_told_the_rest() -> None:
    timeline = Timeline()
    timeline.add("sweep", CLIENT, outcome="swept")
    _, seen = timeline.since(0, CLIENT)
    timeline.add("sweep", "another", outcome="swept")
    timeline.add("origin", None, did={"what": "faults", "faults": []})

    entries, sequence = timeline.since(seen, CLIENT)

    assert [(entry["kind"], entry["sequence"]) for entry in entries] == [("origin", 3)]
    assert sequence == 3
