"""Every view of the directory says what a naive model over the full list says.

The model reads the same parameters as the service does and looks at each user in turn: no pages,
no index, no order that it can rely on.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev.origin.users import User, demo_users
from lib.directory import index
from lib.directory.manifest import Manifest
from lib.directory.pages import cut
from lib.directory.snapshot import Snapshot
from lib.queries import list_query, select
from lib.users import row
from lib.users.document import USER_FIELDS, canonical
from tests.fakes import generation_with

type Params = Mapping[str, Sequence[str]]
type Some = st.SearchStrategy[dict[str, list[str]]]

CLIENT = "clxmodel00000000000000001"
SIZES = (0, 1, 250, 251, 500, 620)
LARGE = 10_000
PLAN, BETA, APP = "metadata[plan]", "metadata[beta]", "metadata[defaultConferencingApp]"


@cache
def users(size: int) -> list[User]:
    return demo_users(CLIENT, size)


@cache
def directory(size: int) -> Snapshot:
    """Return a snapshot of ``size`` users, cut into pages and indexed in memory."""
    lines = [canonical(user) for user in users(size)]
    pages = cut(lines)
    stored = {page.ref.digest: page for page in pages}
    shards = {index.digest_of(shard): shard for shard in index.build(lines, CLIENT)}
    return Snapshot(
        generation=generation_with(CLIENT, generation=1, users=size),
        manifest=lambda: Manifest(tuple(page.ref for page in pages), tuple(shards)),
        load=lambda refs: [stored[ref.digest] for ref in refs],
        load_shards=lambda digests: [shards[digest] for digest in digests],
    )


@dataclass(frozen=True)
class Seen:
    """What a caller sees of an answer."""

    data: list[User]
    total: int
    not_found: list[str | int] | None


def service(params: Params, size: int) -> Seen:
    rows = select.select(directory(size), list_query.parse_list(params))
    not_found = None if rows.not_found is None else list(rows.not_found)
    return Seen([json.loads(line) for line in rows.lines], rows.total, not_found)


def model(params: Params, size: int) -> Seen:
    found = [user for user in users(size) if all(passes(user, params, name) for name in params)]
    found.sort(key=cmp_to_key(order(*params.get("sort", ["id"]))))
    offset, limit = (int(params.get(name, [text])[0]) for name, text in LEFT_OUT.items())
    shown = found[offset : offset + limit]
    if "fields" in params:
        asked = params["fields"][0].split(",")
        shown = [{name: user[name] for name in user if name in asked} for user in shown]
    return Seen(shown, len(found), not_found(params, size))


LEFT_OUT = {"offset": "0", "limit": "50"}


def passes(user: User, params: Params, name: str) -> bool:
    """Return whether ``user`` is among those that one parameter lets through."""
    values = ",".join(params[name]).split(",")
    if name.startswith("emails"):
        return any(is_address_of(user, address, params) for address in values)
    if name.startswith("metadata["):
        key, metadata = name[len("metadata[") : -1], user.get("metadata") or {}
        return written(metadata.get(key, ...)) in [*values, *params[name]]
    if name.startswith("created"):
        after = instant(user["createdDate"]) >= instant(values[0])
        return after is (name == "createdAfter")
    if name == "q":
        return any(row.folded(values[0]) in row.folded(text) for text in texts_of(user))
    singular = {"ids": "id", "usernames": "username", "timeZone": "timeZone", "locale": "locale"}
    return name not in singular or user[singular[name]] in [*values, *map(number, values)]


def number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def texts_of(user: User) -> list[str]:
    return [user[name] or "" for name in ("name", "username", "email")]


def is_address_of(user: User, address: str, params: Params) -> bool:
    exact = params.get("email_match") != ["folded"]
    email, client = user["email"], CLIENT
    if not exact:
        email, address, client = email.casefold(), address.casefold(), client.casefold()
    if client not in address:
        address = address.replace("@", f"+{client}@")
    return bool(email == address)


def instant(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def written(value: object) -> str:
    """Return how a query writes a metadata value; ``...`` stands for none."""
    if value is ...:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def order(sort: str) -> Callable[[User, User], int]:
    """Return the order of two users: null after everything, equals by rising id."""
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1

    def compare(one: User, other: User) -> int:
        first, second = folded(one[name]), folded(other[name])
        if first == second:
            return int(one["id"] - other["id"])
        if first is None or second is None:
            return 1 if first is None else -1
        return sign if first > second else -sign

    return compare


def folded(value: Any) -> Any:  # noqa: ANN401 - a number, a text or nothing.
    return row.folded(value) if isinstance(value, str) else value


def not_found(params: Params, size: int) -> list[str | int] | None:
    """Return what was named and belongs to nobody, whatever else was asked."""
    missed: list[str | int] = []
    named = [name for name in ("emails", "emails[]", "ids", "usernames") if name in params]
    for name in named:
        for value in dict.fromkeys(",".join(params[name]).split(",")):
            alone = {name: [value], "email_match": params.get("email_match", ["exact"])}
            if not any(passes(user, alone, name) for user in users(size)):
                missed.append(int(value) if name == "ids" else value)
    return missed if named else None


def members(known: Sequence[object], *unknown: object) -> st.SearchStrategy[list[str]]:
    """Return a parameter with some members, most of them of users that are there."""
    one = st.sampled_from([*unknown]) | st.sampled_from([*known] or [*unknown])
    return st.lists(one, min_size=1, max_size=6).map(lambda some: [",".join(map(str, some))])


@st.composite
def addresses(draw: st.DrawFn, size: int) -> dict[str, list[str]]:
    known = [user["email"] for user in users(size)] or ["somebody@example.com"]
    forms: list[Callable[[str], str]] = [
        str,
        str.upper,
        str.title,
        lambda address: address.replace(f"+{CLIENT}", ""),
        lambda address: address.replace(f"+{CLIENT}", "").upper(),
        lambda address: f"no{address}",
    ]
    asked = [
        form(address)
        for form, address in draw(
            st.lists(
                st.tuples(st.sampled_from(forms), st.sampled_from(known)), min_size=1, max_size=6
            )
        )
    ]
    written = {"emails": [",".join(asked)]} if draw(st.booleans()) else {"emails[]": asked}
    return written | draw(st.sampled_from(({}, *({"email_match": [how]} for how in MATCHES))))


MATCHES = ("exact", "folded")


@st.composite
def parts(draw: st.DrawFn, size: int) -> list[str]:
    """Return a part of a name, username or address, in any case."""
    user = draw(st.sampled_from(users(size) or demo_users(CLIENT, 1)))
    text = user[draw(st.sampled_from(("name", "username", "email")))] or "null"
    start = draw(st.integers(0, len(text) - 1))
    part = text[start : start + draw(st.integers(1, 5))].strip()
    case: Callable[[str], str] = draw(st.sampled_from((str.upper, str.lower, str.title)))
    return [case(part or "zz")]


def dates(size: int) -> st.SearchStrategy[list[str]]:
    """Return a date: a user's own, one day, or any instant in some zone."""
    known = [user["createdDate"] for user in users(size)] or ["2024-04-02T00:00:00.000Z"]
    any_time = st.datetimes(datetime(2024, 3, 30), datetime(2026, 2, 1)).map(datetime.isoformat)  # noqa: DTZ001 - zones are added as text.
    zoned = st.builds(str.__add__, any_time, st.sampled_from(("", "Z", "+05:30", "-08:00")))
    own = st.sampled_from(known)
    return (own | own.map(lambda text: text[:10]) | zoned).map(lambda text: [text])


def of(size: int, name: str) -> list[Any]:
    return sorted({user[name] for user in users(size) if user[name] is not None})


def named(name: str, values: st.SearchStrategy[list[str]]) -> Some:
    return values.map(lambda texts: {name: texts})


VIEWS: Mapping[str, Callable[[int], Some]] = {
    "emails": addresses,
    "ids": lambda size: named("ids", members(of(size, "id"), 1, 999_999_999)),
    "usernames": lambda size: named("usernames", members(of(size, "username"), "nobody", "None")),
    "q": lambda size: named("q", parts(size)),
    "timeZone": lambda size: named("timeZone", members(of(size, "timeZone"), "Mars/Olympus")),
    "locale": lambda size: named("locale", members(of(size, "locale"), "xx", "None")),
    "createdAfter": lambda size: named("createdAfter", dates(size)),
    "createdBefore": lambda size: named("createdBefore", dates(size)),
    PLAN: lambda _: named(PLAN, members(("free", "pro", "enterprise"), "Free", "null")),
    BETA: lambda _: named(BETA, members(("true", "false"), "True", "1")),
    APP: lambda _: named(APP, members(('{"appSlug":"zoom"}', '{"a":1,"appSlug":"zoom"}'), "zoom")),
    "email_match": lambda _: st.sampled_from(MATCHES).map(lambda how: {"email_match": [how]}),
    "fields": lambda _: named("fields", members(USER_FIELDS, "id")),
    "sort": lambda _: st.sampled_from(
        [sign + key for key in ("id", "createdDate", "name", "email") for sign in ("", "-")]
    ).map(lambda key: {"sort": [key]}),
}


def windows(size: int) -> Some:
    """Return where the answer begins and ends, or that neither is said."""
    return st.fixed_dictionaries(
        {},
        optional={
            "limit": st.integers(1, 250).map(lambda number: [str(number)]),
            "offset": st.integers(0, size + 5).map(lambda number: [str(number)]),
        },
    )


@st.composite
def several(draw: st.DrawFn, size: int) -> dict[str, list[str]]:
    names = draw(st.lists(st.sampled_from(sorted(VIEWS)), max_size=4, unique=True))
    asked = draw(windows(size))
    for name in names:
        asked |= draw(VIEWS[name](size))
    return asked


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", VIEWS)
@given(data=st.data())
@settings(max_examples=8)
def test_one_view_of_any_directory_is_what_the_model_says(
    name: str, size: int, data: st.DataObject
) -> None:
    params = data.draw(windows(size)) | data.draw(VIEWS[name](size))

    assert service(params, size) == model(params, size)


@pytest.mark.parametrize("size", SIZES)
@given(data=st.data())
@settings(max_examples=40)
def test_several_views_at_once_are_what_the_model_says(size: int, data: st.DataObject) -> None:
    params = data.draw(several(size))

    assert service(params, size) == model(params, size)


@pytest.mark.parametrize("part", ["A GROSS", "n groß", "ÇELIK", "MÜLLER", "ŁUKASZ", "কান", "さくら"])
def test_a_part_is_found_in_any_script_whatever_its_case(part: str) -> None:
    params = {"q": [part]}

    assert service(params, 620) == model(params, 620)


@pytest.mark.parametrize("name", VIEWS)
@given(data=st.data())
@settings(max_examples=1)
def test_one_view_of_a_large_directory_is_what_the_model_says(
    name: str, data: st.DataObject
) -> None:
    params = data.draw(windows(LARGE)) | data.draw(VIEWS[name](LARGE))

    assert service(params, LARGE) == model(params, LARGE)


@pytest.mark.parametrize("size", [*SIZES, LARGE])
def test_windows_one_after_the_other_show_the_whole_directory(size: int) -> None:
    seen = [
        service({"limit": ["250"], "offset": [str(offset)]}, size)
        for offset in range(0, size + 1, 250)
    ]

    assert [user for window in seen for user in window.data] == users(size)
    assert {window.total for window in seen} == {size}
