"""Answers one user, by id.

Pure but for what it is wired to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from lib.caching import provenance
from lib.caching.freshness import FreshnessPolicy
from lib.caching.provenance import Provenance, Validators
from lib.clock import Time
from lib.directory.snapshot import Snapshot
from lib.errors import NotFoundError, OnlyIfCachedError
from lib.queries import bodies, select
from lib.reading.named import NamedReads, looked_up
from lib.reading.request import Answer, Read, ReadRequest
from lib.users.keys import UserKeys

if TYPE_CHECKING:
    from lib.queries.moment import AsOf
    from lib.reading.lookup import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleReads:
    """Single users of any client."""

    named: NamedReads
    policy: FreshnessPolicy
    time: Time

    def answer(
        self,
        request: ReadRequest,
        user_id: int,
        fields: Sequence[str],
        as_of: "AsOf | None" = None,
    ) -> tuple[Answer, "Found | None"]:
        """Return the answer, and the look-up that was made for it.

        Of what is past, nobody is looked up.

        Raises:
            NotFoundError: there is no such client or user.
            ServiceError: as ``Proxy.read``; and nothing is known of the user, who could not be
                asked for.
        """
        wanted = UserKeys(ids=(user_id,))
        asked = request._replace(
            wanted=wanted, rests_on=lambda generation: generation.observed_at(user_id)
        )

        def missing(snapshot: Snapshot) -> UserKeys:
            return UserKeys() if snapshot.find(user_id) else wanted

        def view(snapshot: Snapshot, _found: "Found | None") -> bytes | None:
            return snapshot.find(user_id)

        if as_of is None:
            read, found = self.named.read(asked, missing=missing, view=view)
        else:
            proxy = self.named.proxy
            read, found = (
                proxy.read_as_of(request.client_id, as_of, lambda was: was.find(user_id)),
                None,
            )
        came_by = self._came_by(read, user_id, found)
        line = read.value
        if line is None:
            raise self._absent(request, user_id, came_by, found)
        as_published = read.generation.hiding_digest == self.named.proxy.hiding.digest
        dated = as_published and not read.exact and found is None
        validators = Validators(
            etag=bodies.user_etag(line, fields),
            modified_at=read.generation.modified_at if dated else None,
            pinned=as_of is not None,
        )
        known = request.conditions.met_by(validators)
        status = HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK
        body = "" if known else bodies.user_body(select.project(line, tuple(fields)))
        headers = provenance.fields(came_by, validators, self.policy, now=self.time.now())
        return Answer(status, body, headers, read.generation, came_by), found

    def _came_by(self, read: Read[bytes | None], user_id: int, found: "Found | None") -> Provenance:
        observed_at = read.generation.observed_at(user_id)
        return looked_up(read.resting_on(observed_at), found, alone=True)

    def _absent(
        self, request: ReadRequest, user_id: int, came_by: Provenance, found: "Found | None"
    ) -> Exception:
        """Return the error of a user who is not there, or of whom nothing is known.

        Where nobody is ever asked again, who is not stored is not there.
        """
        if found is not None and found.unanswered:
            if found.failure is not None:
                return found.failure
            if request.directives.only_if_cached:
                return OnlyIfCachedError(
                    "Nothing is stored of this user, and only-if-cached was asked."
                )
        status = provenance.cache_status(came_by, self.policy, now=self.time.now())
        return NotFoundError(
            f"User with ID {user_id} is not part of this OAuth client.",
            fields={"Cache-Status": str(status)},
        )
