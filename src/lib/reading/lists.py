"""Answers lists of users: a slice of the newest generation, of a pinned one, or named users.

Pure but for what it is wired to.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from lib.caching import provenance
from lib.caching.freshness import FreshnessPolicy
from lib.caching.provenance import Validators
from lib.clock import Time
from lib.directory.generation import Generation
from lib.directory.snapshot import Snapshot
from lib.errors import GoneError, ParameterError
from lib.queries import bodies, links, select
from lib.queries.cursor import LIFETIME_SECONDS, Cursor, Cursors, issued_at
from lib.queries.list_query import ListQuery
from lib.queries.moment import AS_OF, AsOf, Moment
from lib.queries.select import Slice
from lib.reading.named import NamedReads, looked_up
from lib.reading.representations import Representation, Representations
from lib.reading.request import Answer, Read, ReadRequest
from lib.users.address import stored_form
from lib.users.document import id_of
from lib.users.keys import UserKeys

if TYPE_CHECKING:
    from lib.reading.lookup import Found

_INVALID_CURSOR = "This cursor is no longer valid; start again."


class ListRequest(NamedTuple):
    """What a list is asked for.

    ``linked`` is the question as links write it: what a body names is sent again in a body.
    """

    read: ReadRequest
    query: ListQuery
    linked: ListQuery
    moment: Moment


class _Seen(NamedTuple):
    """What a read makes of a snapshot; ``rows`` is None where the caller has them already.

    ``validators`` are those of the generation's own rows; an answer with others has its body's.
    ``body`` is one that is kept, empty if none is.
    """

    validators: Validators
    rows: Slice | None
    total: int | None
    observed_at: float
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ListReads:
    """Lists of any client's users; ``updated_at``: whether these get stamps."""

    named: NamedReads
    policy: FreshnessPolicy
    hiding_digest: str
    cursors: Cursors
    time: Time
    updated_at: bool = False
    representations: Representations = field(default_factory=Representations)

    def answer(self, asked: ListRequest) -> tuple[Answer, "Found | None"]:
        """Return the answer, and the look-up that was made for it.

        Raises:
            ServiceError: as ``Proxy.read``; and a cursor of another view, or one no longer kept.
        """
        if asked.query.needs_stamps and not self.updated_at:
            raise ParameterError(
                "sort" if asked.query.changed_since is None else "changedSince",
                "asks when users were updated, which this deployment does not keep "
                "(UpdatedAt=true)",
            )
        if asked.moment.cursor is not None:
            return self._next(asked, asked.moment.cursor), None
        if asked.moment.as_of is not None:
            return self._past(asked, asked.moment.as_of), None
        if asked.query.emails is not None or asked.query.ids is not None:
            return self._named(asked)
        request = asked.read._replace(rests_on=partial(_rests_on, asked.query))
        read = self.named.proxy.read(request, lambda snapshot: self._slice(asked, snapshot))
        return self._answer(asked, read, None), None

    def _named(self, asked: ListRequest) -> tuple[Answer, "Found | None"]:
        query, client_id = asked.query, asked.read.client_id
        selected: list[tuple[Snapshot, Slice]] = []

        def missing(snapshot: Snapshot) -> UserKeys:
            rows = select.select(snapshot, query)
            selected[:] = [(snapshot, rows)]
            return user_keys(rows.not_found or (), client_id)

        def view(snapshot: Snapshot, found: "Found | None") -> _Seen:
            # If nobody was missing, the rows are there already.
            rows = next((rows for seen, rows in selected if seen is snapshot), None)
            return self._slice(asked, snapshot, found=found, rows=rows)

        names: list[str | int] = [*(query.emails or ()), *(query.ids or ())]
        # Who has a username may be anybody, so it takes everybody to answer for one.
        wanted = user_keys(names, client_id) if query.usernames is None else None
        request = asked.read._replace(rests_on=partial(_rests_on, query), wanted=wanted)
        read, found = self.named.read(request, missing=missing, view=view)
        return self._answer(asked, read, found), found

    def _next(self, asked: ListRequest, cursor: Cursor) -> Answer:
        """Answer from the generation that ``cursor`` pins."""
        client_id = asked.read.client_id
        if cursor.filters_digest != asked.query.filters_digest(client_id):
            raise ParameterError(
                "cursor",
                "belongs to another view: send it with the filters, sort and fields of the list "
                "that it came with",
            )
        query = asked.query.at(cursor.offset)
        same = asked.linked == asked.query
        linked = query if same else asked.linked.at(cursor.offset)
        there = asked._replace(query=query, linked=linked)

        def view(snapshot: Snapshot) -> _Seen:
            # The generation's word, not the cursor's: it may be another's of the same number.
            if snapshot.generation.hiding_digest != self.hiding_digest:
                raise GoneError(_INVALID_CURSOR)
            return self._slice(there, snapshot)

        expired = self.time.now() - cursor.issued_at >= LIFETIME_SECONDS
        if expired or cursor.hiding_digest != self.hiding_digest:
            raise _gone(_INVALID_CURSOR, asked)
        with _leading_to_the_newest(asked):
            read = self.named.proxy.read_pinned(client_id, cursor.generation, view)
        return self._answer(there, read, None)

    def _past(self, asked: ListRequest, as_of: AsOf) -> Answer:
        """Answer as it was then; who is not there was not known then, and is not looked up."""
        with _leading_to_the_newest(asked):
            read = self.named.proxy.read_as_of(
                asked.read.client_id, as_of, lambda snapshot: self._slice(asked, snapshot)
            )
        return self._answer(asked, read, None)

    def _slice(
        self,
        asked: ListRequest,
        snapshot: Snapshot,
        *,
        found: "Found | None" = None,
        rows: Slice | None = None,
    ) -> _Seen:
        query, generation = asked.query, snapshot.generation
        validators = Validators(
            etag=bodies.list_etag(generation, query),
            modified_at=generation.modified_at,
            pinned=asked.moment.pinned,
        )
        observed_at = _rests_on(query, generation)
        unchanged = found is None and not snapshot.extra and self._as_published(generation)
        if unchanged and asked.read.conditions.met_by(validators):
            # How many users a filter hides is not known without reading them.
            total = None if query.filtered or validators.pinned else generation.users
            return _Seen(validators, None, total, observed_at)
        kept = None
        if unchanged:
            kept = self.representations.get(generation.client_id, validators.etag)
        chosen = kept.rows if kept else rows or select.select(snapshot, query)
        if _rests_on_its_own(query, chosen):
            observed_at = _seen_since(generation, chosen.lines, found)
        return _Seen(validators, chosen, chosen.total, observed_at, body=kept.body if kept else "")

    def _answer(self, asked: ListRequest, read: Read[_Seen], found: "Found | None") -> Answer:
        seen, generation = read.value, read.generation
        came_by = read.resting_on(seen.observed_at)
        if found is not None:
            came_by = looked_up(came_by, found)
        validators, body, end = seen.validators, "", asked.query.offset + asked.query.limit
        # What a generation was not published with, no cursor and no date of it could tell of.
        published = self._as_published(generation) and not read.exact
        beside = not published or found is not None
        # Where a link names its generation, there is no need of a cursor.
        pinnable = (
            published
            and not asked.moment.as_of
            and not (found and (found.lines or found.unanswered))
        )
        ids: Sequence[int] = ()
        if seen.rows is not None:
            rows, body = seen.rows, seen.body
            if not body:
                rows = bodies.fitting(rows, shorten=validators.pinned)
                not_asked = () if found is None else _not_asked(asked, rows, found)
                body = bodies.list_body(generation, asked.query, rows, not_asked=not_asked)
                # Who is not found is told in the order asked, which no tag knows of.
                if not beside and not rows.not_found:
                    made = Representation(rows, body)
                    self.representations.keep(generation.client_id, validators.etag, made)
            end = asked.query.offset + len(rows.lines)
            # What is named in a body stays out of URLs, by id too.
            ids = rows.ids if asked.linked == asked.query else ()
            if beside:
                validators = Validators(etag=bodies.body_etag(body), pinned=validators.pinned)
                body = "" if asked.read.conditions.met_by(validators) else body
        where = {"X-Generation": str(generation.number)}
        if (users_digest := generation.users_digest(self.hiding_digest)) is not None:
            where["X-Users-Digest"] = users_digest
        if seen.total is not None:
            places = self._places(asked, generation, pinnable=pinnable)
            where["Link"] = links.links(
                asked.linked,
                places,
                end=end,
                total=seen.total,
                ids=ids,
                within=f"{AS_OF}={generation.number}" if asked.moment.as_of else "",
            )
            where["X-Total-Count"] = str(seen.total)
        # Last of all: the key of cursors may take its time to be read.
        headers = provenance.fields(came_by, validators, self.policy, now=self.time.now()) | where
        status = HTTPStatus.OK if body else HTTPStatus.NOT_MODIFIED
        return Answer(status, body, headers, generation, came_by)

    def _as_published(self, generation: Generation) -> bool:
        """Return whether users are shown as they were published: the same is hidden still."""
        return generation.hiding_digest == self.hiding_digest

    def _places(
        self, asked: ListRequest, generation: Generation, *, pinnable: bool
    ) -> links.CursorAt:
        now = issued_at(self.time.now())

        def cursor_at(offset: int, view: ListQuery | None) -> str | None:
            if not pinnable:
                return None
            named = (view or asked.query).filters_digest(generation.client_id)
            place = Cursor(generation.number, offset, now, named, generation.hiding_digest)
            return self.cursors.write(place)

        return cursor_at


def _gone(message: str, asked: ListRequest) -> GoneError:
    return GoneError(message, fields={"Link": links.first_link(asked.linked)})


@contextmanager
def _leading_to_the_newest(asked: ListRequest) -> Iterator[None]:
    """Let whoever asks for what is gone know where to start again."""
    try:
        yield
    except GoneError as error:
        raise _gone(error.message, asked) from error


def _not_asked(asked: ListRequest, rows: Slice, found: "Found") -> tuple[str | int, ...]:
    """Return those not found of whom nothing is known, because the origin was not asked."""
    if not found.unanswered:
        return ()
    return tuple(
        name
        for name in rows.not_found or ()
        if set(user_keys([name], asked.read.client_id).keys) & found.unanswered
    )


def user_keys(names: Iterable[str | int], client_id: str) -> UserKeys:
    """Return the addresses and ids among ``names``; usernames cannot be asked for."""
    named = list(names)
    return UserKeys(
        addresses=[stored_form(n, client_id) for n in named if isinstance(n, str) and "@" in n],
        ids=[name for name in named if isinstance(name, int)],
    )


def _rests_on(query: ListQuery, generation: Generation) -> float:
    """Return since when everybody was seen who can change the answer to ``query``."""
    if query.ids and query.names_alone:
        return min(map(generation.observed_at, query.ids))
    # Those past the origin's window have the highest ids; where there is none, they may have any.
    end, in_window = query.offset + query.limit, generation.users - generation.adopted
    anywhere = generation.unconfirmed_since or (
        generation.adopted and not generation.window_last_id
    )
    if query.filtered or anywhere or end > in_window:
        return generation.oldest_observation
    return generation.swept_at


def _rests_on_its_own(query: ListQuery, rows: Slice) -> bool:
    """Return whether nobody can change the answer but those in it, and those it does not find.

    A username that is not found may be anybody's by now. Without their ids nobody knows who the
    users in ``rows`` are.
    """
    all_there = len(rows.lines) == rows.total and not (query.usernames and rows.not_found)
    return query.names_alone and not query.fields and all_there


def _seen_since(generation: Generation, lines: Iterable[bytes], found: "Found | None") -> float:
    """Return since when all of ``lines`` were seen, but for those that a look-up found."""
    beside = {id_of(line) for line in found.lines} if found else set()
    ids = (user_id for user_id in map(id_of, lines) if user_id not in beside)
    return min(map(generation.observed_at, ids), default=generation.swept_at)
