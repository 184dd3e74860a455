"""Content codings: who gets gzip, and what that is."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.caching.coding import gzipped, prefers_gzip


@pytest.mark.parametrize(
    ("text", "gzip_wanted"),
    [
        # Nobody who names no coding is sent one.
        (None, False),
        ("", False),
        (" ", False),
        (",", False),
        ("br", False),
        ("deflate, br, zstd", False),
        ("identity", False),
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br,\tgzip ;q=0.5", True),
        ("gzip; q=0.5", True),
        ("gzip;Q=1", True),
        ("gzip;q=0.001", True),
        ("gzip;q=1.000", True),
        ("gzip;q=0.", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*", True),
        ("*;q=0.1", True),
        ("*;q=0", False),
        ("br, *", True),
        ("gzip;q=0, *", False),
        ("gzip, *;q=0", True),
        ("gzip;q=0.2, *;q=0.5", False),
        ("identity;q=0", False),
        ("identity;q=0, gzip", True),
        ("identity, gzip", True),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("identity;q=0.5, gzip;q=0.4", False),
        ("identity;q=0.5, *;q=0.5", True),
        ("identity;q=0.5, *;q=0.4", False),
        ("gzip;q=0.5, gzip", True),
        ("gzip, gzip;q=0", False),
        ("gzip;q=0, x-gzip", False),
        # What is malformed is not there, and no neighbour's trouble.
        ("gzip;q=2", False),
        ("gzip;q=1.001", False),
        ("gzip;q=0.0001", False),
        ("gzip;q=-1", False),
        ("gzip;q=", False),
        ("gzip;q", False),
        ("gzip;level=1", False),
        ("gzip;q=\u0661", False),
        ("gzip q=1", False),
        ("gz ip", False),
        ("@@@, gzip", True),
        (";q=1, gzip", True),
        ("gzip;q=x, *;q=0.5", True),
    ],
)
def test_gzip_is_for_whoever_names_it_and_wants_nothing_better(
    text: str | None, *, gzip_wanted: bool
) -> None:
    assert prefers_gzip(text) is gzip_wanted


NAMES = st.sampled_from(["gzip", "x-gzip", "identity", "*", "br", "deflate"])
WEIGHTS = st.integers(0, 1000)


@given(st.lists(st.tuples(NAMES, WEIGHTS), max_size=5))
def test_gzip_is_never_sent_to_whom_it_is_not_acceptable(members: list[tuple[str, int]]) -> None:
    text = ", ".join(f"{name};q={weight / 1000:.3f}" for name, weight in members)
    named = [weight for name, weight in members if name in {"gzip", "x-gzip"}]
    others = [weight for name, weight in members if name == "*"]

    if prefers_gzip(text):
        assert min(named or others) > 0


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert prefers_gzip(text) in {True, False}


@given(st.binary(max_size=5_000))
def test_what_is_packed_comes_out_again_and_is_packed_the_same_way_each_time(text: bytes) -> None:
    packed = gzipped(text)

    assert gzip.decompress(packed) == text
    assert gzipped(text) == packed


def test_a_packed_body_names_no_time() -> None:
    packed = gzipped(b"x" * 2_000)

    assert packed[:3] == b"\x1f\x8b\x08"
    assert packed[4:8] == b"\0\0\0\0"
    assert len(packed) < 100
