"""Judges lists of a client whose organization's list is swept: who is shown, and who has to be.

Such a directory comes from no one sweep: the list tells of most, a part of the window and calls for
single users of the rest. What holds of all of it is what ``Age`` tells: everybody in an answer was
so at some moment since then. Nobody is ever in it who was not a user of this client. And where
nothing is said to be missing, whoever was there all that time is there.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.soak.history import Directory, Row
from tests.soak.match import Told
from tests.soak.questions import View, Window

_MOST_TOLD = 4


def wrong_with(
    directory: Directory, question: Window, told: Told, since: float, until: float
) -> Iterator[str]:
    """Yield what is wrong with the rows of a window, all of which were seen from ``since`` on."""
    view, ids = question.view, [row["id"] for row in told.rows]
    if any(low >= high for low, high in pairwise(ids)):
        yield "users are out of order, or there twice"
    if strangers := [each for each in ids if each not in directory.spans]:
        yield f"{len(strangers)} are no users of this client: {strangers[:_MOST_TOLD]}"
    others = [row["id"] for row in told.rows if not _was(directory, view, row, since, until)]
    if others:
        yield f"{len(others)} users were not so since Age tells: {others[:_MOST_TOLD]}"
    if told.pagination["incompleteReason"] is None:
        yield from _missing(directory, question, told, since, until)


def _was(directory: Directory, view: View, row: Row, since: float, until: float) -> bool:
    return directory.was(
        row["id"], since, until, lambda was: view.test(was) and view.shown(was) == row
    )


def _missing(
    directory: Directory, question: Window, told: Told, since: float, until: float
) -> Iterator[str]:
    test, shown = question.view.test, {row["id"] for row in told.rows}
    always = {each for each in directory.spans if directory.always(each, since, until, test)}
    ever = sum(directory.was(each, since, until, test) for each in directory.spans)
    if not len(always) <= told.total <= ever:
        yield f"{told.total} users in all, and there were {len(always)} to {ever}"
    first = 0 if question.offset == 0 else min(shown, default=0)
    last = max(shown, default=0) if len(shown) == question.limit else max(always, default=0)
    if question.offset and not shown:
        return
    if missing := sorted(each for each in always - shown if first <= each <= last):
        yield f"{len(missing)} users are missing: {missing[:_MOST_TOLD]}"
