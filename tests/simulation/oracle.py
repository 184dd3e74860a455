"""Judges answers by what the origin was, and by what had been published.

``Age`` tells since when everything in an answer was seen; whole seconds are rounded down. Without
``Age`` the origin was asked for this very request.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus

from lib.directory.head import HEAD_SECONDS
from lib.directory.users_digest import total_of
from lib.errors import (
    NotFoundError,
    OnlyIfCachedError,
    Reason,
    RequestError,
    SecretError,
    ServiceError,
    UnavailableError,
)
from lib.queries.moment import AS_OF
from tests.simulation.api import Exchange
from tests.simulation.directives import judge_directives
from tests.simulation.ledger import Ledger, hidden
from tests.simulation.ledger_entries import changed
from tests.simulation.plan import Fault, Plan
from tests.simulation.rows import Rows
from tests.simulation.services import Vault
from tests.simulation.truth import Truth

ROUNDED_SECONDS = 1
"""``Age`` is in whole seconds, rounded down."""

LEFT_OUT_SECONDS = 20
"""How long an environment may not know that the secret names a client again."""


class Oracle:
    """Judges the answers of one run."""

    def __init__(self, plan: Plan, truth: Truth, ledger: Ledger, vault: Vault) -> None:
        self._plan = plan
        self._policy = plan.settings.policy
        self._ledger = ledger
        self._rows = Rows(truth, ledger)
        self._vault = vault
        self._slack = 2 * plan.skew + 0.002
        self._bodies: dict[tuple[str, str], str] = {}
        self._digests: dict[int, str] = {}

    def judge(self, seen: Exchange, *, known_body: str = "") -> Iterator[str]:
        """Yield what is wrong with an answer; ``known_body`` is what a 304 stands for."""
        if seen.error is not None:
            yield from self._judge_error(seen, seen.error)
            return
        body = seen.body or known_body
        if hidden(seen.body.encode(), seen.environment.settings.hiding):
            yield "the answer shows what is hidden"
        match seen.asked.route:
            case "users" | "lookup" | "user" if not body:
                yield "a 304 without a condition"
            case "users" | "user" if AS_OF in seen.asked.params:
                yield from self._judge_fields(seen)
                yield from self._judge_past(seen, body)
            case "users" | "lookup":
                yield from self._judge_fields(seen)
                yield from self._rows.judge_list(seen, body, self._since(seen))
            case "user":
                yield from self._judge_fields(seen)
                yield from self._rows.judge_user(seen, body, self._since(seen))
            case "changes":
                yield from self._judge_changes(seen)
            case "refresh" if seen.status == HTTPStatus.OK:
                yield from self._judge_refresh(seen)
            case _:
                yield from self._judge_newness(seen)

    # What an answer says of itself.

    def _since(self, seen: Exchange) -> float:
        """Return since when everything in an answer must have been seen."""
        if Fault.WRONG_CLOCK in self._plan.faults:
            return 0
        if seen.age is None:
            return seen.arrived - self._slack
        return seen.answered - seen.age - ROUNDED_SECONDS - self._slack

    def _judge_digest(self, seen: Exchange) -> Iterator[str]:
        """Yield whether the digest of users is another than that of whom the generation holds."""
        if "X-Generation" not in seen.headers:
            return
        number = int(seen.headers["X-Generation"])
        edition = self._ledger.editions[number]
        if edition.generation.hiding_digest != seen.environment.settings.hiding.digest:
            return
        if number not in self._digests:
            self._digests[number] = f"{total_of(edition.stored.values()):064x}"
        if edition.whole and seen.headers.get("X-Users-Digest") != self._digests[number]:
            yield f"the digest of users is not that of generation {number}"

    def _judge_fields(self, seen: Exchange) -> Iterator[str]:
        told = seen.cache_status
        ttl = int(told["ttl"]) if "ttl" in told else None
        if ttl is not None and seen.age is not None and ttl != self._policy.max_age - seen.age:
            yield "ttl and Age contradict each other"
        if "hit" in told and seen.age is None:
            yield "a hit without Age"
        key = (seen.asked.key, seen.headers["ETag"])
        if seen.body and self._bodies.setdefault(key, seen.body) != seen.body:
            yield "two bodies have the same ETag"
        yield from self._judge_digest(seen)
        yield from self._judge_newness(seen)
        if not seen.pinned and Fault.WRONG_CLOCK not in self._plan.faults:
            yield from judge_directives(seen, self._policy, slack=self._slack)

    def _judge_newness(self, seen: Exchange) -> Iterator[str]:
        """No process may go on with what it remembers for longer than a second."""
        generation = seen.generation
        if generation is None or seen.pinned or seen.invocation.reads_failed:
            return
        newest = self._ledger.at(seen.arrived - HEAD_SECONDS - self._slack)
        late = newest.swept_at - generation.swept_at
        if generation.number < newest.number:
            yield f"generation {generation.number}, but {newest.number} was published before"
        elif generation.number == newest.number and late > self._slack and self._plan.true_clocks:
            yield f"it rests on a sweep {late:.1f} s before the last one"
        least = seen.asked.params.get("min_generation")
        if least and generation.number < int(least[0]):
            yield "an older generation than was asked for"

    # The past.

    def _judge_past(self, seen: Exchange, body: str) -> Iterator[str]:
        """Yield whether the directory was not so at the moment that was asked for."""
        assert seen.generation is not None
        number, editions = seen.generation.number, self._ledger.editions
        told = seen.asked.params[AS_OF][0]
        if told.isdigit():
            if number != int(told):
                yield f"generation {number} is shown as {told}"
        elif not self._newest_at(number, datetime.fromisoformat(told).timestamp()):
            yield f"generation {number} was not the newest at {told}"
        rows = json.loads(body)["data"]
        yield from self._rows.judge_rows_of(
            seen, editions[number], rows if isinstance(rows, list) else [rows]
        )

    def _newest_at(self, number: int, instant: float) -> bool:
        later = self._ledger.editions.get(number + 1)
        begun = self._ledger.editions[number].generation.modified_at <= instant
        return begun and (later is None or instant < later.generation.modified_at)

    # The other routes.

    def _judge_changes(self, seen: Exchange) -> Iterator[str]:
        told = json.loads(seen.body)["data"]
        editions = self._ledger.editions
        if not {told["since"], told["generation"]} <= editions.keys():
            return
        old, new = editions[told["since"]], editions[told["generation"]]
        if not (new.whole and old.whole):
            return
        added, dropped = new.lines.keys() - old.lines.keys(), old.lines.keys() - new.lines.keys()
        if sorted([*told["created"], *told["discovered"]]) != sorted(added):
            yield "the users added since are others"
        if told["deleted"] != sorted(dropped):
            yield "the users deleted since are others"
        updated = [each["id"] for each in told["updated"]]
        if updated not in (changed(old, new, hiding) for hiding in self._plan.hidings):
            yield "the users changed since are others"

    def _judge_refresh(self, seen: Exchange) -> Iterator[str]:
        """Once it has answered, every process answers from a sweep that began afterwards."""
        moment = self._ledger.at(seen.answered - HEAD_SECONDS + 0.002)
        late = seen.arrived - moment.swept_at
        if self._plan.true_clocks and late > self._slack:
            yield f"refreshed, but others may still answer from {late:.1f} s before it was asked"

    # Errors.

    def _judge_error(self, seen: Exchange, error: ServiceError) -> Iterator[str]:
        match error:
            case NotFoundError() if "OAuth client with ID" in error.message:
                yield from self._judge_unknown_client(seen)
            case NotFoundError() if AS_OF in seen.asked.params:
                told, user_id = seen.asked.params[AS_OF][0], seen.asked.user_id
                if told.isdigit() and user_id in self._ledger.editions[int(told)].lines:
                    yield "who was there then is said not to have been"
            case NotFoundError() if seen.asked.user_id is not None:
                yield from self._judge_unknown_user(seen, seen.asked.user_id)
            case OnlyIfCachedError() if seen.invocation.origin_calls:
                yield "only-if-cached, and the origin was asked"
            case UnavailableError():
                yield from self._judge_unavailable(seen, error)
            case RequestError() if error.status in {HTTPStatus.GONE, HTTPStatus.GATEWAY_TIMEOUT}:
                pass
            case _:
                yield "an error that nobody has caused"

    def _judge_unknown_client(self, seen: Exchange) -> Iterator[str]:
        vault, faults = self._vault, self._plan.faults
        known_late = seen.answered - vault.changed_at < LEFT_OUT_SECONDS
        unheard = faults & {Fault.SECRET_DOWN, Fault.SECRET_EMPTY}
        if not (vault.left_out or known_late or unheard):
            yield "a client is not served whom the secret names"

    def _judge_unknown_user(self, seen: Exchange, user_id: int) -> Iterator[str]:
        if Fault.WRONG_CLOCK in self._plan.faults:
            return
        told, since = seen.cache_status, seen.arrived - self._slack
        if "collapsed" in told:
            # The sweep that he waited for had begun before he came.
            since = min(since, self._ledger.at(seen.answered).swept_at - self._slack)
        if "ttl" in told:
            age = self._policy.max_age - int(told["ttl"])
            since = seen.answered - age - ROUNDED_SECONDS - self._slack
            looked_up = "fwd" in told or told.get("detail") == "look-up"
            # It may have become stale while it was answered.
            stale = age - (seen.answered - seen.arrived) >= self._policy.max_age
            if stale and not looked_up:
                yield "a directory that is stale says that a user does not exist"
            longest = max(self._policy.max_age, self._plan.settings.lookup_miss_seconds)
            if age > longest + seen.answered - seen.arrived + self._slack:
                yield f"a user does not exist, it says, but it asked {age} s ago"
        yield from self._rows.judge_absent(seen, user_id, since)

    def _judge_unavailable(self, seen: Exchange, error: UnavailableError) -> Iterator[str]:
        """No fault of the origin becomes an error while something usable is stored."""
        caused = seen.asked.route == "refresh" or error.reason is Reason.GENERATION_AWAITED
        if caused or seen.invocation.reads_failed or Fault.WRONG_CLOCK in self._plan.faults:
            return
        newest = self._ledger.at(seen.arrived - HEAD_SECONDS)
        age = seen.answered - newest.swept_at + self._slack
        expired = age >= self._policy.max_age + self._policy.stale_if_error
        if not newest.number or expired:
            return
        last = self._ledger.at(seen.answered).number
        if not all(self._ledger.readable(each) for each in range(newest.number, last + 1)):
            return
        user_id = seen.asked.user_id
        if user_id is not None and not self._is_known(user_id, seen):
            return
        # Whom the secret once left out is not served before it is known to name him.
        if Fault.SECRET_LEFT_OUT in self._plan.faults and isinstance(error, SecretError):
            return
        yield f"an error although what is stored is {age:.1f} s old"

    def _is_known(self, user_id: int, seen: Exchange) -> bool:
        """Return whether every generation that may have been read has the user."""
        first = self._ledger.at(seen.arrived - HEAD_SECONDS - self._slack).number
        last = self._ledger.at(seen.answered).number
        editions = self._ledger.editions
        return all(
            number in editions and user_id in editions[number].lines
            for number in range(first, last + 1)
        )
