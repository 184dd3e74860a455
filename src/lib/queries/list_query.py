"""Turns query parameters into one normalised question about the directory.

``limit``, ``offset`` and ``emails`` mean what they mean at the origin (``origin_parameters``);
every other view is our own and strict: an unknown name or a bad value is a 400 that says what is
allowed, because a misspelt filter that returns everyone is worse than an error. A comma means or,
several parameters mean and; a value of metadata may hold a comma itself, so it is taken whole, too.
``clientId`` is accepted and ignored, since a published client sends it.

Pure: no I/O.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

from lib.errors import InvalidRequestError
from lib.queries import conditions, origin_parameters
from lib.queries.conditions import Condition
from lib.queries.moment import AS_OF
from lib.queries.origin_parameters import Params
from lib.queries.parameters import (
    METADATA,
    METADATA_NAME,
    read_fields,
    read_ids,
    read_include,
    read_instant,
    read_members,
    read_names_like,
    read_number,
    read_one_of,
    read_text,
    read_whole,
    refuse_unknown,
)
from lib.queries.views import View, declared, view
from lib.users.dates import iso_date
from lib.users.document import UPDATED_AT

SORT_KEYS = ("id", "createdDate", UPDATED_AT, "name", "email")
_ORDERS = tuple(sign + key for key in SORT_KEYS for sign in ("", "-"))


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """Which users, in which order, and which of their fields (empty: all).

    A filter that is None or empty lets everyone through. ``created_after`` is inclusive,
    ``created_before`` exclusive, ``changed_since`` inclusive, all epoch seconds.

    Here each view of our own is declared, and nowhere else: its attribute, what that is if nothing
    is asked, its parameter, what reads that, and, of a filter, what lets a user through.
    """

    limit: int = origin_parameters.DEFAULT_LIMIT
    offset: int = 0
    emails: tuple[str, ...] | None = None
    email_match: str = view("exact", "email_match", read_one_of(("exact", "folded")))
    ids: tuple[int, ...] | None = view(None, "ids", read_ids)
    usernames: tuple[str, ...] | None = view(None, "usernames", read_members)
    q: str = view("", "q", read_text, conditions.has_part)
    time_zones: frozenset[str] = view(
        frozenset(), "timeZone", read_names_like("Europe/London"), conditions.is_one_of("time_zone")
    )
    locales: frozenset[str] = view(
        frozenset(), "locale", read_names_like("en"), conditions.is_one_of("locale")
    )
    created_after: float | None = view(None, "createdAfter", read_instant, conditions.created_after)
    created_before: float | None = view(
        None, "createdBefore", read_instant, conditions.created_before
    )
    changed_since: float | None = view(None, "changedSince", read_instant, conditions.changed_since)
    metadata: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fields: tuple[str, ...] = view((), "fields", read_fields)
    sort: str = view("id", "sort", read_one_of(_ORDERS))

    @cached_property
    def filtered(self) -> bool:
        """Whether the answer is anything but a run of the directory in id order."""
        return any(name != "fields" for name, _ in self._view)

    @cached_property
    def names_alone(self) -> bool:
        """Whether one list names users, and nothing else decides who is in the answer."""
        decide = {name for name, _ in self._view} - {"email_match", "fields", "sort"}
        return len(decide) == 1 and decide <= {"emails", "ids", "usernames"}

    @property
    def needs_stamps(self) -> bool:
        """Whether it can only be answered where users carry stamps."""
        return self.changed_since is not None or self.sort.endswith(UPDATED_AT)

    @cached_property
    def filters_key(self) -> str:
        """Return filters, order and fields in normal form: equal views, equal keys.

        It holds addresses, so it is only ever hashed.
        """
        return ", ".join(f"{name}={_normal(name, value)!r}" for name, value in self._view)

    @cached_property
    def _view(self) -> list[tuple[str, Any]]:
        """What is asked for beside the window, as far as it says anything."""
        asked = self.__dict__
        return [(name, asked[name]) for name, unsaid in _UNSAID if asked[name] != unsaid]

    @cached_property
    def question(self) -> str:
        """The query string that asks the same from the first user on."""
        asked = urlencode(self.parameters(), errors="backslashreplace")
        return f"limit={self.limit}&{asked}" if asked else f"limit={self.limit}"

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters that ask the same, without ``limit`` and ``offset``."""
        if not self._view:
            return []
        # A list is sent back as a list: the origin neither splits nor trims its members.
        parameters = [("emails[]", address) for address in self.emails or ()]
        parameters += [(each.name, _written(value)) for each, value in self._said()]
        return parameters + [
            (f"metadata[{key}]", text) for key, texts in self.metadata for text in texts
        ]

    def conditions(self) -> list[Condition]:
        """Return what a user must meet, all of it, to be in the answer, names aside."""
        met = [each.condition(value) for each, value in self._said() if each.condition]
        return met + [conditions.has_metadata(key, values) for key, values in self.metadata]

    def _said(self) -> Iterator[tuple[View, Any]]:
        asked = dict(self._view)
        return ((each, asked[each.attribute]) for each in _VIEWS if each.attribute in asked)

    def at(self, offset: int) -> "ListQuery":
        """Return the same view from another position on."""
        return replace(self, offset=offset) if self._view else _window(self.limit, offset)

    def filters_digest(self, client_id: str) -> str:
        """Return what names the view of one client in a cursor."""
        named = f"{client_id} {self.filters_key}".encode("utf-8", "backslashreplace")
        return hashlib.blake2b(named, digest_size=9).hexdigest()

    def key(self) -> str:
        """Return the whole question in normal form: the view and the window of it."""
        return f"{self.limit} {self.offset} {self.filters_key}"


EVERYBODY = ListQuery()
"""What is asked without any parameter; made once, because most requests ask it."""


def _written(value: object) -> str:
    """Return a parameter's text for what was read from one."""
    if isinstance(value, float):
        return iso_date(value)
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _normal(name: str, value: Any) -> Any:  # noqa: ANN401 - any attribute's value
    """Return ``value`` without what makes no difference: the order of names, and repetitions."""
    return sorted(set(value)) if name in _SETS else value


def parse_list(params: Params) -> ListQuery:
    """Return the question that a list request asks.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    if not params:
        return EVERYBODY
    own = {name: values for name, values in params.items() if not origin_parameters.owns(name)}
    refuse_unknown(own, names=LIST_NAMES)
    limit, offset, emails = origin_parameters.parse(params)
    views = {
        each.attribute: each.read(each.name, own[each.name]) for each in _VIEWS if each.name in own
    }
    if emails is None and not own:
        return _window(limit, offset)
    return ListQuery(limit=limit, offset=offset, emails=emails, metadata=_metadata(own), **views)


@lru_cache(1024)
def _window(limit: int, offset: int) -> ListQuery:
    return ListQuery(limit=limit, offset=offset)


def parse_user_fields(params: Params) -> tuple[str, ...]:
    """Return the fields that a by-id request asks for (empty: all).

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    refuse_unknown(params, names=("fields", "min_generation", AS_OF))
    return read_fields("fields", params["fields"]) if "fields" in params else ()


def parse_changes(params: Params) -> tuple[int, bool]:
    """Return since which generation changes are asked for, and whether with values.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    refuse_unknown(params, names=("since", "include"))
    return read_number("since", params.get("since", ("",))), read_include(params)


def parse_switches(params: Params, names: Sequence[str]) -> dict[str, bool]:
    """Return boolean parameters, false where absent; no other name is allowed.

    Raises:
        InvalidRequestError: naming parameter, reason and what is allowed.
    """
    refuse_unknown(params, names=names)
    read = read_one_of(("false", "true"))
    return {name: read(name, params.get(name, ("false",))) == "true" for name in names}


def parse_nothing(params: Params) -> None:
    """Accept no parameter but ``clientId``.

    Raises:
        InvalidRequestError: naming the parameter.
    """
    refuse_unknown(params, names=())


def parse_user_id(text: str) -> int:
    """Return the user id in a path (the origin's ParseIntPipe).

    Raises:
        InvalidRequestError: with the origin's message.
    """
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise InvalidRequestError("Validation failed (numeric string is expected)")
    return int(text)


def _metadata(params: Params) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = ((METADATA.fullmatch(name), name, values) for name, values in params.items())
    return tuple(
        sorted((match[1], read_whole(name, values)) for match, name, values in found if match)
    )


_VIEWS = declared(ListQuery)

_UNSAID = tuple(
    (each.name, each.default)
    for each in dataclass_fields(ListQuery)
    if each.name not in {"limit", "offset"}
)
"""The attributes that make a view, and what each is if nothing is asked of it."""

_SETS = frozenset({"emails", "ids", "usernames", "time_zones", "locales"})

LIST_NAMES = (
    *("limit", "offset", "emails"),
    *(each.name for each in _VIEWS),
    *(METADATA_NAME, "cursor", "min_generation", AS_OF),
)
"""Every parameter that a list understands."""
