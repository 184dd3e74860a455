"""The suite itself: nothing in it sleeps, measures, or gives an example a deadline."""

import re

from dev import ROOT

TESTS = ROOT / "tests"
SLEEPS = re.compile(
    r"\btime\.(?:sleep|monotonic|perf_counter)\b|\bfrom time import|\bdeadline=(?:None|timedelta)"
)
MAY = {
    "conftest.py": "the one profile says that there is no deadline",
    "patience.py": "waits for a condition",
    "e2e/calls.py": "waits for a condition",
    "integration/sample_handlers.py": "hangs on purpose",
    "simulation/__main__.py": "tells how long a simulation took that somebody asked for",
    "simulation/many.py": "simulates for as long as somebody asked for",
    "simulation/environment.py": "its time is virtual",
}


def test_nothing_sleeps_or_measures_but_what_waits_for_conditions() -> None:
    found = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if SLEEPS.search(path.read_text(encoding="utf-8"))
    }

    # A soak runs for as long as it is told to, and is none of the suite.
    assert {name for name in found if not name.startswith("soak/")} == set(MAY)
