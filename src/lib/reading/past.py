"""Finds which generation was the newest at a moment of the past.

A generation counts as the newest from its ``modified_at`` on, when every environment answers from
it, until the next one's. These instants rise with the numbers, so a few manifests tell. One that is
not kept counts as older than any moment asked for: the search then ends at what is not there, never
at another generation.

Pure but for the store it is given.
"""

from collections.abc import Callable

from lib.directory.generation import Generation
from lib.errors import GoneError, ParameterError
from lib.queries.moment import AS_OF, AsOf
from lib.revalidation.head_updates import HISTORY_SECONDS


def number_of(
    as_of: AsOf, newest: Generation, *, modified_at: Callable[[int], float | None], now: float
) -> int:
    """Return the number of the generation ``as_of`` means; ``modified_at`` is told by number.

    Raises:
        ParameterError: it was not there yet, or nothing was.
        GoneError: it is too long ago.
        StoreError: DynamoDB failed.
    """
    if as_of.number:
        if as_of.number > newest.number:
            raise ParameterError(AS_OF, f"is above the newest generation, {newest.number}")
        return as_of.number
    if as_of.instant > now:
        raise ParameterError(AS_OF, "is in the future")
    if newest.published and newest.modified_at <= as_of.instant:
        return newest.number
    if as_of.instant < now - HISTORY_SECONDS:
        raise GoneError("This moment is too long ago: generations are kept for 30 days.")

    def later(number: int) -> bool:
        instant = modified_at(number)
        return instant is not None and instant > as_of.instant

    number = _last_not(later, newest.number)
    if number == 0:
        raise ParameterError(AS_OF, "is before the first generation")
    return number


def _last_not(later: Callable[[int], bool], newest: int) -> int:
    """Return the largest number below ``newest``, which is later, that is not; 0 counts as none.

    In ever longer steps back, since most ask for a moment ago, and then by halves.
    """
    step, below, above = 1, max(newest - 1, 0), newest
    while below > 0 and later(below):
        step *= 2
        below, above = max(below - step, 0), below
    while above - below > 1:
        middle = (below + above) // 2
        if later(middle):
            above = middle
        else:
            below = middle
    return below
