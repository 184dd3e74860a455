"""Judges answers by what the origin was, and by what had been published.

``Age`` tells since when everything in an answer was seen; whole seconds are rounded down. Without
``Age`` the origin was asked for this very request. So each user shown was so at some moment from
then to now, and who is said not to exist was absent at one.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from lib.caching.headers import RequestDirectives
from lib.directory.head import HEAD_SECONDS
from lib.errors import NotFoundError, OnlyIfCachedError, ServiceError, UnavailableError
from lib.queries import list_query
from lib.queries.list_query import ListQuery
from lib.users.address import stored_form
from tests.fakes import CLIENT, FakeStore, User
from tests.simulation.allowances import Allowance
from tests.simulation.api import Asked, Exchange
from tests.simulation.ledger import Ledger, hidden
from tests.simulation.plan import Fault, Plan
from tests.simulation.services import Vault
from tests.simulation.truth import Truth

ROUNDED_SECONDS = 1
"""``Age`` is in whole seconds, rounded down."""

LEFT_OUT_SECONDS = 20
"""How long an environment may not know that the secret names a client again."""

_EXCUSES = frozenset(
    {
        "frozen",
        "lease-held",
        "look-up",
        "origin-backoff",
        "origin-blocked",
        "origin-budget",
        "origin-error",
        "refresh-floor",
        "stale-if-error",
        "store-error",
    }
)
"""Details that say why an answer is older than it was asked to be."""

type Row = dict[str, Any]


class Oracle:
    """Judges the answers of one run; ``seen_bodies`` are those of entity tags."""

    def __init__(
        self, plan: Plan, truth: Truth, ledger: Ledger, vault: Vault, store: FakeStore
    ) -> None:
        self._plan = plan
        self._truth = truth
        self._ledger = ledger
        self._vault = vault
        self._store = store
        self._slack = 2 * plan.skew + 0.002
        self._bodies: dict[tuple[str, str], str] = {}

    def judge(self, seen: Exchange, *, known_body: str = "") -> Iterator[str]:
        """Yield what is wrong with an answer; ``known_body`` is what a 304 stands for."""
        if seen.error is not None:
            yield from self._judge_error(seen, seen.error)
            return
        if seen.status == HTTPStatus.ACCEPTED:
            return
        if hidden(seen.body.encode(), seen.environment.settings.hiding):
            looked_up = seen.found is not None and seen.found.lines
            if not (looked_up and self._hiding_changes(Allowance.LOOK_UPS_ACROSS_HIDING)):
                yield "the answer shows what is hidden"
        match seen.asked.route:
            case "users" | "lookup":
                yield from self._judge_fields(seen)
                yield from self._judge_list(seen, known_body)
            case "user":
                yield from self._judge_fields(seen)
                yield from self._judge_user(seen, known_body)
            case "changes":
                yield from self._judge_changes(seen)
            case "refresh":
                yield from self._judge_refresh(seen)
            case _:
                yield from self._judge_newness(seen)

    def _hiding_changes(self, _allowed: Allowance) -> bool:
        """Return whether what is allowed may be seen, as long as it is allowed."""
        return Fault.HIDING in self._plan.faults

    # What an answer says of itself.

    def since(self, seen: Exchange) -> float:
        """Return since when everything in an answer must have been seen."""
        if self._plan.settings.policy.frozen or Fault.WRONG_CLOCK in self._plan.faults:
            return 0
        if seen.age is None:
            return seen.arrived - self._slack
        return seen.answered - seen.age - ROUNDED_SECONDS - self._slack

    def _judge_fields(self, seen: Exchange) -> Iterator[str]:
        told, policy = seen.cache_status, self._plan.settings.policy
        if "ttl" in told and seen.age is not None and int(told["ttl"]) != policy.max_age - seen.age:
            yield "ttl and Age contradict each other"
        if told.keys() & {"hit"} and seen.age is None:
            yield "a hit without Age"
        key = (seen.asked.key, seen.headers["ETag"])
        if seen.body and self._bodies.setdefault(key, seen.body) != seen.body:
            if not self._hiding_changes(Allowance.ETAG_ACROSS_HIDING):
                yield "two bodies have the same ETag"
        yield from self._judge_newness(seen)
        if "cursor" not in seen.asked.params:
            yield from self._judge_directives(seen)

    def _judge_newness(self, seen: Exchange) -> Iterator[str]:
        """No process may go on with what it remembers for longer than a second."""
        generation = seen.generation
        if generation is None or "cursor" in seen.asked.params or seen.invocation.reads_failed:
            return
        newest = self._ledger.at(seen.arrived - HEAD_SECONDS - self._slack)
        if generation.number < newest.number:
            yield f"generation {generation.number}, but {newest.number} was published before"
        elif generation.number == newest.number and self._plan.true_clocks:
            late = newest.swept_at - generation.swept_at
            if late > 0.002:
                yield f"it rests on a sweep {late:.1f} s before the last one"
        least = seen.asked.params.get("min_generation")
        if least and generation.number < int(least[0]):
            yield "an older generation than was asked for"

    def _judge_directives(self, seen: Exchange) -> Iterator[str]:
        directives = RequestDirectives.parse(seen.asked.directives)
        policy, told, generation = self._plan.settings.policy, seen.cache_status, seen.generation
        assert generation is not None
        if Fault.WRONG_CLOCK in self._plan.faults:
            return
        # What it was, at least, when it was decided on.
        took = seen.answered - seen.arrived + self._slack
        age = max(0, (seen.age or 0) - int(took) - ROUNDED_SECONDS)
        if directives.only_if_cached:
            if seen.invocation.origin_calls:
                yield "only-if-cached, and the origin was asked"
            return
        swept_age = seen.arrived - generation.swept_at - self._slack - 0.002
        if not policy.frozen and swept_age >= policy.max_age + policy.stale_if_error:
            yield f"it is served although it expired ({swept_age:.1f} s old)"
        if told.get("detail") in _EXCUSES or generation.swept_at >= seen.arrived - self._slack:
            return
        if directives.no_cache and seen.age is not None and age > 0:
            yield f"no-cache, and it is {seen.age} s old without a reason"
        if directives.max_age is not None and age > directives.max_age:
            yield f"max-age={directives.max_age}, and it is {seen.age} s old without a reason"
        least = directives.min_fresh
        if least is not None and "fwd" not in told and policy.max_age - age < least:
            yield f"min-fresh={least}, and it is {seen.age} s old without a reason"
        unsaid = directives.max_stale is None and "detail" not in told and seen.age is not None
        if unsaid and swept_age >= policy.max_age + 1:
            yield f"it is {seen.age} s old, and nothing says why"
        longest = policy.max_age + policy.stale_while_revalidate
        if directives.max_stale is None and "fwd" not in told and swept_age >= longest:
            yield f"it is {swept_age:.1f} s old, and nobody was waited for"

    # Who is shown, and who is not.

    def _judge_list(self, seen: Exchange, known_body: str) -> Iterator[str]:
        body = seen.body or known_body
        if not body:
            yield "a 304 without a condition"
            return
        content, query = json.loads(body), _query(seen.asked)
        since = self.since(seen)
        for row in content["data"]:
            if not self._was_so(row, query.fields, since, seen.answered):
                yield f"user {row['id']} was not so since Age: {self._story(row['id'], seen)}"
        if query.named:
            yield from self._judge_names(seen, content, query, since)
        elif not query.filtered and "cursor" not in seen.asked.params:
            yield from self._judge_completeness(seen, content, since)
        yield from self._judge_edition(seen, content, query)

    def _was_so(self, row: Row, fields: tuple[str, ...], since: float, until: float) -> bool:
        if "id" not in row:
            return True
        return any(
            version.row is not None and self._shows(row, version.row, fields)
            for version in self._truth.between(row["id"], since, until)
        )

    def _shows(self, row: Row, there: User, fields: tuple[str, ...]) -> bool:
        for hiding in self._plan.hidings:
            shown = hiding.apply(there)
            if fields:
                shown = {name: shown[name] for name in fields if name in shown}
            if row == shown:
                return True
        return False

    def _story(self, user_id: int, seen: Exchange) -> str:
        versions = self._truth.versions.get(user_id, [])[1:]
        told = (
            f"{'there' if version.row else 'gone'} from {version.since - seen.answered:.2f}"
            for version in versions[-3:]
        )
        return ", ".join(told)

    def _judge_completeness(self, seen: Exchange, content: Row, since: float) -> Iterator[str]:
        """Who was there all the time is listed, but for those past the window."""
        generation, told = seen.generation, content["pagination"]
        assert generation is not None
        ids = [row["id"] for row in content["data"]]
        lowest = ids[0] if ids and told["hasPreviousPage"] else 0
        highest = ids[-1] if ids and told["hasNextPage"] else 2**53
        if not told["complete"] and generation.window_last_id:
            highest = min(highest, generation.window_last_id)
        if not ids and told["totalItems"]:
            return
        excused = self._truth.omitted(since, seen.answered)
        for user_id in self._truth.alive_throughout(since, seen.answered):
            if lowest <= user_id <= highest and user_id not in ids and user_id not in excused:
                yield f"user {user_id} was there since Age and is missing"

    def _judge_names(
        self, seen: Exchange, content: Row, query: ListQuery, since: float
    ) -> Iterator[str]:
        shown = {row["id"]: row for row in content["data"]}
        for name in content.get("notFound", ()):
            if name in (query.usernames or ()) and not content["pagination"]["complete"]:
                continue
            if holder := self._holder_throughout(name, query, since, seen.answered):
                yield f"user {holder} is said not to exist: {self._story(holder, seen)}"
        missing = {*content.get("notFound", ()), *content.get("notAsked", ())}
        found = {name for row in shown.values() for name in _names(row, query)}
        names = {*(query.emails or ()), *(query.ids or ()), *(query.usernames or ())}
        if not content["pagination"]["hasNextPage"] and not query.offset and names - missing - found:
            yield f"{sorted(map(str, names - missing - found))[:3]} are neither shown nor missing"

    def _holder_throughout(
        self, name: str | int, query: ListQuery, since: float, until: float
    ) -> int | None:
        """Return who had the name at every moment, unless a list left him out meanwhile."""
        excused = self._truth.omitted(since, until)
        candidates = [name] if isinstance(name, int) else list(self._truth.versions)
        for user_id in candidates:
            versions = list(self._truth.between(user_id, since, until))
            if user_id not in excused and all(
                version.row is not None and name in _names(version.row, query)
                for version in versions
            ):
                return user_id
        return None

    def _judge_user(self, seen: Exchange, known_body: str) -> Iterator[str]:
        body = seen.body or known_body
        if not body:
            yield "a 304 without a condition"
            return
        row: Row = json.loads(body)["data"]
        fields = tuple(",".join(seen.asked.params.get("fields", ())).split(","))
        since = self.since(seen)
        if not self._was_so(row, fields if fields != ("",) else (), since, seen.answered):
            yield f"user {row['id']} was not so since Age: {self._story(row['id'], seen)}"

    def _judge_edition(self, seen: Exchange, content: Row, query: ListQuery) -> Iterator[str]:
        """What no look-up touched is a run of one generation."""
        assert seen.generation is not None
        edition = self._ledger.editions.get(seen.generation.number)
        exact = query.named and RequestDirectives.parse(seen.asked.directives).no_cache
        looked_up = seen.found is not None or exact
        if edition is None or not edition.whole or looked_up or query.filtered:
            return
        ids = sorted(edition.lines)
        cursor = list_query.parse_moment(seen.asked.params).cursor
        offset = cursor.offset if cursor else query.offset
        wanted = ids[offset : offset + query.limit]
        if "id" in (query.fields or ("id",)) and [row["id"] for row in content["data"]] != wanted:
            yield "it is no run of its generation"
        if content["pagination"]["totalItems"] != len(ids):
            yield "totalItems is not that of its generation"

    # The other routes.

    def _judge_changes(self, seen: Exchange) -> Iterator[str]:
        told = json.loads(seen.body)["data"]
        old, new = (self._ledger.editions.get(told[name]) for name in ("since", "generation"))
        if new is None or old is None or not (new.whole and old.whole):
            return
        added, dropped = new.lines.keys() - old.lines.keys(), old.lines.keys() - new.lines.keys()
        changed = {id_ for id_ in old.lines.keys() & new.lines.keys() if old.lines[id_] != new.lines[id_]}
        if sorted([*told["created"], *told["discovered"]]) != sorted(added):
            yield "the users added since are others"
        if told["deleted"] != sorted(dropped):
            yield "the users deleted since are others"
        if [each["id"] for each in told["updated"]] != sorted(changed):
            yield "the users changed since are others"

    def _judge_refresh(self, seen: Exchange) -> Iterator[str]:
        """Once it has answered, every process answers from a sweep that began afterwards."""
        moment = self._ledger.at(seen.answered - HEAD_SECONDS + 0.002)
        late = seen.arrived - moment.swept_at
        if self._plan.true_clocks and late > 0.002:
            yield f"refreshed, but others may still answer from {late:.1f} s before it was asked"

    # Errors.

    def _judge_error(self, seen: Exchange, error: ServiceError) -> Iterator[str]:
        if isinstance(error, NotFoundError):
            yield from self._judge_not_found(seen, error)
        elif isinstance(error, OnlyIfCachedError):
            if seen.invocation.origin_calls:
                yield "only-if-cached, and the origin was asked"
        elif isinstance(error, UnavailableError):
            yield from self._judge_unavailable(seen, error)
        elif error.status != HTTPStatus.GONE:
            yield f"an error that nobody asked for: {error!r}"

    def _judge_not_found(self, seen: Exchange, error: NotFoundError) -> Iterator[str]:
        user_id = seen.asked.user_id
        if "OAuth client with ID" in error.message:
            vault = self._vault
            excused = (
                vault.left_out
                or seen.answered - vault.changed_at < LEFT_OUT_SECONDS
                or self._plan.faults & {Fault.SECRET_DOWN, Fault.SECRET_EMPTY}
            )
            if not excused:
                yield "a client is not served whom the secret names"
            return
        if user_id is None or Fault.WRONG_CLOCK in self._plan.faults:
            return
        told, policy = seen.cache_status, self._plan.settings.policy
        since = seen.arrived - self._slack
        if "ttl" in told:
            age = policy.max_age - int(told["ttl"])
            since = seen.answered - age - ROUNDED_SECONDS - self._slack
            if age >= policy.max_age and told.get("detail") != "look-up":
                yield "a directory that is stale says that a user does not exist"
        was_absent = self._truth.was_absent(user_id, since, seen.answered)
        if not was_absent and user_id not in self._truth.omitted(since, seen.answered):
            yield f"user {user_id} is said not to exist: {self._story(user_id, seen)}"

    def _judge_unavailable(self, seen: Exchange, error: UnavailableError) -> Iterator[str]:
        """No fault of the origin becomes an error while something usable is stored."""
        if seen.asked.route == "refresh" or seen.invocation.reads_failed:
            return
        if error.reason in {"generation-awaited", "invoke-failed"}:
            return
        policy, newest = self._plan.settings.policy, self._ledger.at(seen.arrived - HEAD_SECONDS)
        age = seen.answered - newest.swept_at + self._slack
        edition = self._ledger.editions.get(newest.number)
        if edition is None or age >= policy.max_age + policy.stale_if_error:
            return
        if Fault.WRONG_CLOCK in self._plan.faults:
            return
        user_id = seen.asked.user_id
        if user_id is not None and not self._is_known(user_id, seen):
            return
        if not self._ledger.readable(newest.number):
            return
        head = self._store.peek(CLIENT)
        if error.reason.startswith("secret") and head.health.last_error == "client-not-configured":
            return
        yield f"an error although a usable snapshot is stored ({age:.1f} s old): {error!r}"

    def _is_known(self, user_id: int, seen: Exchange) -> bool:
        """Return whether every generation that may have been read has the user."""
        first = self._ledger.at(seen.arrived - HEAD_SECONDS - self._slack).number
        last = self._ledger.at(seen.answered).number
        editions = (self._ledger.editions.get(number) for number in range(first, last + 1))
        return all(edition is not None and user_id in edition.lines for edition in editions)


def _query(asked: Asked) -> ListQuery:
    if not asked.posted:
        return list_query.parse_list(asked.params)
    posted = {name: [",".join(map(str, each))] for name, each in json.loads(asked.posted).items()}
    return list_query.parse_list({"limit": ["250"], **asked.params, **posted})


def _names(row: Row, query: ListQuery) -> set[str | int]:
    """Return by which of the names in ``query`` a user is meant."""
    names: set[str | int] = {id_ for id_ in query.ids or () if id_ == row.get("id")}
    names |= {name for name in query.usernames or () if name == row.get("username")}
    return names | {
        name for name in query.emails or () if stored_form(name, CLIENT) == row.get("email")
    }
