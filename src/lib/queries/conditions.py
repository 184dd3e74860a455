"""What a filter asks of a user: each function takes what was read from a parameter.

Pure: no I/O.
"""

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter

from lib.queries.parameters import members_of
from lib.users.dates import iso_date
from lib.users.row import Row, composed, form_of_json, json_form

type Condition = Callable[[Row], bool]


def has_part(text: str) -> Condition:
    """Return whether a name, username or address holds ``text``, which is folded."""

    def met(row: Row) -> bool:
        # Not any(…): a generator for each user takes longer than all else.
        name, username, address = row.texts
        return text in name or text in username or text in address

    return met


def is_one_of(attribute: str) -> Callable[[Collection[str]], Condition]:
    """Return a filter: whether a row's ``attribute`` is one of some values."""
    value_of = attrgetter(attribute)
    return lambda values: lambda row: value_of(row) in values


def created_after(instant: float) -> Condition:
    """Return whether somebody was created then or later (epoch seconds)."""
    return lambda row: row.created >= instant


def created_before(instant: float) -> Condition:
    """Return whether somebody was created earlier (epoch seconds)."""
    return lambda row: row.created < instant


def changed_since(instant: float) -> Condition:
    """Return whether a stamp is of then or later (epoch seconds)."""
    # Stamps are all written alike, so they compare as texts.
    since = iso_date(instant)
    return lambda row: (row.updated_at or "") >= since


def has_metadata(key: str, values: Sequence[str]) -> Condition:
    """Return whether a user's metadata has one of ``values``: a text, or any other one as JSON."""
    key, texts = composed(key), frozenset(map(composed, members_of(values)))
    forms = frozenset(filter(None, map(form_of_json, texts)))

    def met(row: Row) -> bool:
        if key not in row.metadata:
            return False
        value = row.metadata[key]
        return composed(value) in texts if isinstance(value, str) else json_form(value) in forms

    return met
