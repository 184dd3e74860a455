"""What the bench makes of a load, of wrk's words and of contenders; nothing is measured here."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from bench import compression, contenders, throughput
from bench.load import Load, due, percentile, wrk_rate
from bench.results import Row

PEERS = Path(contenders.__file__).with_name("peers")


def test_requests_are_due_at_even_times_whatever_the_answers_take() -> None:
    assert list(due(4, 1.5)) == [0, 0.25, 0.5, 0.75, 1, 1.25]


@pytest.mark.parametrize(
    ("count", "share", "value"), [(100, 0.99, 99), (100, 1, 100), (200, 0.99, 198), (1, 0.99, 1)]
)
def test_a_percentile_is_a_value_that_was_seen(count: int, share: float, value: int) -> None:
    assert percentile(list(range(count, 0, -1)), share) == value


def test_wrk_is_believed_only_when_all_was_answered_well() -> None:
    said = "  90 requests in 1.00s, 1.50MB read\nRequests/sec:     89.55\n"

    assert wrk_rate(said) == 89.55
    for spoilt in ("  Non-2xx or 3xx responses: 2\n", "  Socket errors: connect 1\n"):
        with pytest.raises(RuntimeError, match="not answered well"):
            wrk_rate(spoilt + said)
    with pytest.raises(RuntimeError, match="not answered well"):
        wrk_rate("")


def test_a_load_survives_its_way_to_another_process() -> None:
    load = Load(port=80, paths=["/"], headers={"If-None-Match": '"a"'}, rate=1, seconds=1)

    assert Load(**json.loads(json.dumps(asdict(load)))) == load


@pytest.mark.parametrize("name", ["nginx/nginx.conf", "varnish/default.vcl"])
def test_all_that_a_peers_configuration_leaves_open_is_filled_in(name: str) -> None:
    text = (PEERS / name).read_text(encoding="utf-8")
    left_open = set(re.findall(r"@([A-Z_]+)@", text))

    filled = contenders.filled(text, dict.fromkeys(left_open, "x"))

    assert {"FRESH", "SECRET"} < left_open
    assert not re.search(r"@[A-Z_]+@", filled)


def test_what_was_not_measured_or_cannot_be_answered_is_a_dash() -> None:
    rows = {
        "throughput_nginx_hit_rps": Row("throughput_nginx_hit_rps", 12_345, "1/s"),
        "throughput_nginx_hit_p99_ms": Row("throughput_nginx_hit_p99_ms", 1.234, "ms"),
        "throughput_local_lookup_first_p99_ms": Row("", 2, "ms"),
    }

    told = {title: cells for title, *cells in throughput.table(rows)}

    assert told["a hit"] == ["—", "—", "12,345 / 1.23", "—"]
    assert told[throughput.TITLES["lookup_first"]] == ["—", "— / 2", "—", "—"]
    assert told[throughput.TITLES["filter"]] == ["—"] * 4
    assert {cell for _, *cells in compression.table({}) for cell in cells} == {"—"}


def test_bytes_of_a_result_are_those_of_its_json() -> None:
    assert compression.result_size({"body": 'é"', "n": [1]}) == len(
        '{"body":"é\\"","n":[1]}'.encode()
    )
    assert compression.most_users(compression.LAMBDA_BYTES, 250) == 250
