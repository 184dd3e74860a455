"""The bench's own load generator, asking the origin double."""

from bench.load import Load, at_rate
from dev.origin import OriginDouble

PATH = "/v2/oauth-clients/client/users"
KEY = {"x-cal-secret-key": "secret"}


def test_every_request_of_a_load_is_asked_and_its_status_told() -> None:
    with OriginDouble({"client": "secret"}, users=3) as origin:
        port = int(origin.url.rpartition(":")[2])
        load = Load(
            port=port,
            paths=[f"{PATH}?limit=1", PATH],
            headers=KEY,
            rate=100,
            seconds=0.1,
        )
        outcome = at_rate(load)

    assert outcome.statuses == [200] * 10
    assert len(outcome.seconds) == 10
    assert sorted(call.query for call in origin.calls) == [""] * 5 + ["limit=1"] * 5


def test_an_answer_without_a_body_does_not_keep_the_next_from_being_read() -> None:
    with OriginDouble({"client": "secret"}, users=3) as origin:
        port = int(origin.url.rpartition(":")[2])
        known = KEY | {"If-None-Match": "*"}
        load = Load(port=port, paths=[PATH], headers=known, rate=200, seconds=0.5)
        outcome = at_rate(load)

    assert outcome.statuses == [304] * 100
