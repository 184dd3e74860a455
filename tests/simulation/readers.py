"""Who asks: questions of every kind, with every directive, and traversals page by page."""

import json
from collections.abc import Callable, Iterator
from copy import replace
from random import Random
from urllib.parse import parse_qs

from lib.queries.moment import AS_OF
from lib.users.dates import iso_date
from tests.simulation.api import Asked, Exchange
from tests.simulation.ledger import Ledger
from tests.simulation.plan import CANARY, Plan
from tests.simulation.truth import Truth

_DIRECTIVES = (
    *("no-cache", "no-cache", "max-age=0", "max-age=1", "max-age=10", "max-age=60"),
    *("max-age=5, max-stale=30", "max-age=5, max-stale", "max-stale", "max-stale=60"),
    *("min-fresh=1", "min-fresh=30", "only-if-cached", "only-if-cached, max-stale"),
    *("only-if-cached, max-age=10", "no-cache, only-if-cached"),
)
_MOST_PAGES = 12

type Ask = Callable[[Asked], Exchange | None]
"""Asks the service; None: no answer came."""

type Judge = Callable[[Exchange, str], None]


class Reader:
    """Asks one question after the other; ``judge`` takes an exchange and the body of a 304."""

    def __init__(
        self, plan: Plan, truth: Truth, ledger: Ledger, random: Random, ask: Ask, judge: Judge
    ) -> None:
        self._plan = plan
        self._truth = truth
        self._ledger = ledger
        self._random = random
        self._ask = ask
        self._judge = judge
        self._kept: dict[str, Exchange] = {}
        self.complaints: list[str] = []

    def once(self) -> None:
        """Ask one question, or walk through all pages of one."""
        kinds = {
            self._window: 30,
            self._filtered: 6,
            self._named: 18,
            self._one: 18,
            self._cache: 2,
            self._changes: 3,
            self._next_generation: 2,
            self._past: 3,
            self._refresh: 3,
        }
        if self._random.random() < 0.08:
            self._traverse()
            return
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        asked = kind()
        if asked.route not in {"cache", "changes", "refresh"}:
            asked = self._conditional(self._directed(asked))
        self._exchange(asked)

    def _exchange(self, asked: Asked) -> Exchange | None:
        kept = self._kept.get(asked.key)
        seen = self._ask(asked)
        if seen is None:
            return None
        self._judge(seen, kept.body if kept else "")
        if seen.status == 200 and "ETag" in seen.headers:
            self._kept[asked.key] = seen
        return seen

    def _directed(self, asked: Asked) -> Asked:
        if self._random.random() < 0.55:
            return asked
        return replace(asked, directives=self._random.choice(_DIRECTIVES))

    def _conditional(self, asked: Asked) -> Asked:
        kept = self._kept.get(asked.key)
        if kept is None or asked.posted or self._random.random() < 0.4:
            return asked
        if self._random.random() < 0.7 or "Last-Modified" not in kept.headers:
            return replace(asked, if_none_match=kept.headers["ETag"])
        return replace(asked, if_modified_since=kept.headers["Last-Modified"])

    def _window(self) -> Asked:
        limit = self._random.choice((5, 20, 50, 250))
        offset = self._random.choice((0, 0, 0, 0, 5, 20, 40))
        params = {"limit": [str(limit)], "offset": [str(offset)]}
        if self._random.random() < 0.1:
            params["fields"] = ["id,email,name"]
        return Asked(route="users", params=params if self._random.random() < 0.8 else {})

    def _filtered(self) -> Asked:
        one = self._random.choice(self._truth.ids or [1])
        params = self._random.choice(
            (
                {"timeZone": ["Europe/Berlin"]},
                {"q": ["n1"]},
                {"sort": ["-name"], "limit": ["10"]},
                {"metadata[plan]": ["pro"]},
                {"metadata[stripeCustomerId]": [f"{CANARY}-stripeCustomerId-{one}"]},
            )
        )
        return Asked(route="users", params=params)

    def _ids(self, most: int) -> list[int]:
        """Return ids of users who are there, were there, or will be."""
        known, newest = list(self._truth.versions), max(self._truth.versions, default=1)
        pool = [*self._truth.ids, *known, *range(newest + 1, newest + 4), *self._truth.ids[-5:]]
        return self._random.sample(pool, min(len(pool), self._random.randint(1, most)))

    def _named(self) -> Asked:
        ids, how = self._ids(4), self._random.choice(("emails", "emails", "ids", "usernames"))
        names = [str(user_id) if how == "ids" else self._name(user_id, how) for user_id in ids]
        names = list(dict.fromkeys(names))
        if self._random.random() < 0.3:
            posted: list[str | int] = [int(name) if how == "ids" else name for name in names]
            return Asked(route="lookup", posted=json.dumps({how: posted}))
        return Asked(route="users", params={how: [",".join(names)]})

    def _name(self, user_id: int, how: str) -> str:
        row = self._truth.rows.get(user_id)
        versions = self._truth.versions.get(user_id, [])
        row = row or next((version.row for version in reversed(versions) if version.row), None)
        if how == "usernames":
            return str(row["username"]) if row else f"u{user_id}"
        address = row["email"] if row else f"user{user_id}@example.com"
        plain = self._random.random() < 0.5
        return address.replace("+clientid1", "") if plain else address

    def _one(self) -> Asked:
        (user_id,) = self._ids(1)
        fields = {"fields": ["id,name"]} if self._random.random() < 0.1 else {}
        return Asked(route="user", user_id=user_id, params=fields)

    def _cache(self) -> Asked:
        return Asked(route="cache")

    def _changes(self) -> Asked:
        newest = self._ledger.moments[-1].number
        since = max(0, newest - self._random.randrange(4))
        return Asked(route="changes", params={"since": [str(since)]})

    def _next_generation(self) -> Asked:
        number = self._ledger.moments[-1].number + self._random.choice((0, 0, 1))
        return Asked(route="users", params={"min_generation": [str(number)], "limit": ["5"]})

    def _past(self) -> Asked:
        """Ask how the directory was, by the number of a generation or by an instant.

        An instant may be of another generation by clocks that differ.
        """
        moments = [moment for moment in self._ledger.moments if moment.number]
        if not moments:
            return self._window()
        generation = self._ledger.editions[self._random.choice(moments).number].generation
        as_of = str(generation.number)
        instant = generation.modified_at + self._random.choice((0, 0, 1, 30))
        if self._plan.true_clocks and instant < moments[-1].at and self._random.random() < 0.7:
            as_of = iso_date(instant)
        params = {AS_OF: [as_of]}
        if self._random.random() < 0.5:
            return Asked(route="user", user_id=self._ids(1)[0], params=params)
        return Asked(route="users", params={**params, "limit": ["250"]})

    def _refresh(self) -> Asked:
        params = {"wait": [self._random.choice(("true", "true", "false"))]}
        if self._random.random() < 0.03:
            params["believe"] = ["true"]
        return Asked(route="refresh", params=params)

    def _traverse(self) -> None:
        """Follow the links of a list to its end: all pages are those of one generation.

        But for links that count by offset, as they do while no cursor can be signed.
        """
        asked, pages = self._window(), list[Exchange]()
        asked = replace(asked, params={**asked.params, "offset": ["0"]})
        while len(pages) < _MOST_PAGES:
            seen = self._exchange(asked)
            if seen is None or seen.status != 200:
                return
            pages.append(seen)
            following = _next(seen.headers.get("Link", ""))
            if following is None:
                self._judge_traversal(pages)
            if following is None or "cursor" not in following:
                return
            asked = replace(asked, params=following)

    def _judge_traversal(self, pages: list[Exchange]) -> None:
        generations = {page.generation.number for page in pages if page.generation}
        ids = [row["id"] for page in pages for row in json.loads(page.body)["data"]]
        if len(generations) > 1 or ids != sorted(set(ids)):
            self.complaints.append(f"a traversal shows generations {sorted(generations)}")


def _next(link: str) -> dict[str, list[str]] | None:
    for part in _links(link):
        target, _, relation = part.partition("; ")
        if relation == 'rel="next"':
            return parse_qs(target.strip("<>?"))
    return None


def _links(text: str) -> Iterator[str]:
    yield from (f"<{part}" for part in text.removeprefix("<").split(", <"))
