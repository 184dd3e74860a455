"""Times several things in turns, so that what disturbs the machine disturbs all of them alike."""

import statistics
from collections.abc import Callable, Iterable, Mapping


def interleaved(
    kinds: Mapping[str, Callable[[], list[float]]], rounds: Iterable[object]
) -> dict[str, list[float]]:
    """Return for each kind the median seconds of each round; in a round each kind has a turn."""
    medians: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in rounds:
        for kind, turn in kinds.items():
            medians[kind].append(statistics.median(turn()))
    return medians
