"""What readers ask, and what the answer is for given rows: a model of the views, without the code.

Only what has one right answer is asked: no filter whose text folds differently in two languages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from tests.soak.history import Row

type Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class View:
    """Filters, order and fields of a list, as a query and as what they mean."""

    query: Mapping[str, str] = field(default_factory=dict)
    test: Test = lambda _row: True
    sort: str = "id"
    fields: tuple[str, ...] = ()

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """Return which of ``rows`` (by rising id) are listed, in the list's order."""
        seen = [row for row in rows if self.test(row)]
        if self.sort != "id":
            name = self.sort.removeprefix("-")
            seen.sort(key=lambda row: row[name], reverse=self.sort.startswith("-"))
        return seen

    def shown(self, row: Row) -> Row:
        """Return the row as far as it is shown."""
        return {name: row[name] for name in self.fields if name in row} if self.fields else row


@dataclass(frozen=True, slots=True)
class Window:
    """A list without names."""

    client_id: str
    view: View
    limit: int
    offset: int

    @property
    def target(self) -> str:
        query = {"limit": self.limit, "offset": self.offset, **self.view.query}
        return f"/users?{urlencode(query)}"

    @property
    def told(self) -> str:
        return self.target


@dataclass(frozen=True, slots=True)
class Named:
    """A list by ``kind``, ids or addresses; of each name, whose it was (None: nobody's)."""

    client_id: str
    kind: str
    names: Mapping[str | int, int | None]
    posted: bool = False

    @property
    def target(self) -> str:
        if self.posted:
            return "/users/lookup"
        return f"/users?limit=250&{self.kind}={quote(','.join(map(str, self.names)), safe=',')}"

    @property
    def told(self) -> str:
        ids = ",".join(str(user_id) for user_id in self.names.values())
        return f"/users{'/lookup' if self.posted else ''}?{self.kind}=<those of {ids}>"

    def has(self, name: str | int, row: Row) -> bool:
        """Return whether the row is whom the name means."""
        return bool((row["email"] if self.kind == "emails" else row["id"]) == name)


@dataclass(frozen=True, slots=True)
class One:
    """One user by id."""

    client_id: str
    user_id: int
    view: View = field(default_factory=View)

    @property
    def target(self) -> str:
        query = f"?{urlencode(self.view.query)}" if self.view.query else ""
        return f"/users/{self.user_id}{query}"

    @property
    def told(self) -> str:
        return self.target


@dataclass(frozen=True, slots=True)
class Cache:
    """What is stored, or the wish for a sweep."""

    client_id: str
    refreshes: bool = False

    @property
    def target(self) -> str:
        return "/cache/refresh?wait=true" if self.refreshes else "/cache"

    @property
    def told(self) -> str:
        return self.target


type Question = Window | Named | One | Cache

_FIELDS = ("id", "name", "timeZone", "metadata")


def _zones(names: str) -> View:
    wanted = set(names.split(","))
    return View({"timeZone": names}, lambda row: row["timeZone"] in wanted)


def _text(text: str) -> View:
    def has(row: Row) -> bool:
        texts = (row["name"], row["username"], row["email"])
        return any(text in (each or "").lower() for each in texts)

    return View({"q": text}, has)


def _created(since: str) -> View:
    return View({"createdAfter": since}, lambda row: row["createdDate"] >= since)


def _plan(plan: str) -> View:
    return View(
        {"metadata[plan]": plan}, lambda row: (row.get("metadata") or {}).get("plan") == plan
    )


def _ordered(sort: str) -> View:
    return View({"sort": sort}, sort=sort)


EVERYBODY = View()
FEW_FIELDS = View({"fields": ",".join(_FIELDS)}, fields=_FIELDS)
RISING: Sequence[View] = (
    EVERYBODY,
    FEW_FIELDS,
    _zones("Europe/London"),
    _zones("Europe/Berlin,Asia/Tokyo,Europe/Warsaw"),
    View({"locale": "en,de"}, lambda row: row["locale"] in {"en", "de"}),
    _text("ar"),
    _text("example.org"),
    _created("2024-04-20T00:00:00.000Z"),
    _plan("pro"),
)
"""Views by rising id."""
OTHER_ORDERS: Sequence[View] = (_ordered("-id"), _ordered("createdDate"), _ordered("-createdDate"))
