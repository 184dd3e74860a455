"""Asks the origin (Cal.com API v2) for managed users: which question, with which headers.

The list of an organization was built from the origin's source and documents, and never run against
the live service (docs/adr/0021).

``exchange`` carries a question there and its answer back, ``answers`` vouches for what came. Here
users enter the service: what a deployment hides is dropped, what cannot be kept is left out, and
everybody else knows them as canonical documents only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from lib.errors import OriginTimeoutError, Reason
from lib.origin import answers
from lib.origin.answers import Received, Row
from lib.origin.credential import Credential
from lib.origin.documents import Documents
from lib.origin.exchange import Exchange
from lib.origin.rate_limit import RateLimit
from lib.users import bounds
from lib.users.hiding import HidingPolicy
from lib.users.keys import possible_id


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """Validated data, and the rate limit that came with it."""

    data: T
    rate_limit: RateLimit | None


class Origin:
    """The origin at ``base_url`` (ending in ``/v2``); instants are those of ``clock``.

    It lists ``max_rows`` users a call at most, and shows none of what ``hiding`` hides. Of lists it
    remembers ``max_bytes``, compressed. Every method raises OriginError or one of its kinds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        max_rows: int,
        clock: Callable[[], float],
        hiding: HidingPolicy,
        max_bytes: int = 0,
    ) -> None:
        self.max_rows = max_rows
        self._base_url = base_url
        self._clock = clock
        self._hiding = hiding
        self._documents = Documents(max_bytes=max_bytes)
        self._exchange = Exchange()

    def list_users(
        self, client_id: str, credential: Credential, *, offset: int, limit: int, deadline: float
    ) -> Answer[Sequence[bytes]]:
        """Return one window of the client's users."""
        query = {"limit": limit, "offset": offset}
        received = self._get(_users_of(client_id), client_id, credential, query, deadline=deadline)
        return self._list(received, answers.rows_of, most=limit)

    def find_users(
        self, client_id: str, credential: Credential, *, emails: Sequence[str], deadline: float
    ) -> Answer[Sequence[bytes]]:
        """Return the client's users with these addresses, as they are stored at the origin.

        They must be few enough for one URL, no more than ``max_rows``, and valid: one that is not
        fails the whole call.
        """
        query: dict[str, int | str] = {"emails": ",".join(emails), "limit": len(emails)}
        received = self._get(_users_of(client_id), client_id, credential, query, deadline=deadline)
        rows = answers.found_of(received, most=len(emails), now=self._clock())
        return self._answer(received, self._shown(rows))

    def get_user(
        self, client_id: str, credential: Credential, user_id: int, *, deadline: float
    ) -> Answer[bytes | None]:
        """Return one user, or None if the origin says in so many words that there is none.

        An id that no user can have is not asked for: the origin fails over it.
        """
        if not possible_id(user_id):
            return Answer(None, None)
        path = f"{_users_of(client_id)}/{user_id}"
        received = self._get(path, client_id, credential, {}, deadline=deadline)
        row = answers.user_of(received, user_id, now=self._clock())
        return self._answer(received, None if row is None else self._shown([row])[0])

    def list_members(
        self,
        organization_id: int,
        client_id: str,
        credential: Credential,
        *,
        skip: int,
        take: int,
        deadline: float,
    ) -> Answer[Sequence[bytes]]:
        """Return the members of an organization at positions ``skip`` to ``skip + take``.

        The order is by rising id only where ``take`` is sent, which the origin bounds to 1000. The
        members are its staff and the users of all its OAuth clients, whose no row says.
        """
        path, query = f"organizations/{organization_id}/users", {"skip": skip, "take": take}
        received = self._get(path, client_id, credential, query, deadline=deadline)
        return self._list(received, answers.members_of, most=take)

    def _get(
        self,
        path: str,
        client_id: str,
        credential: Credential,
        query: Mapping[str, int | str],
        *,
        deadline: float,
    ) -> Received:
        left = deadline - self._clock()
        if left <= 0:
            raise OriginTimeoutError("no time left to ask the origin", reason=Reason.DEADLINE)
        return self._exchange.get(
            f"{self._base_url}/{path}",
            query=query,
            headers={"x-cal-client-id": client_id, "x-cal-secret-key": credential.key.reveal()},
            seconds=left,
        )

    def _list(
        self, received: Received, read: Callable[..., Sequence[Row]], *, most: int
    ) -> Answer[Sequence[bytes]]:
        """Return what a list shows, of which ``read`` returns the rows, at most ``most``."""
        lines = self._documents.of(
            received.body,
            (received.status, read.__name__, most),
            lambda: self._shown(read(received, most=most, now=self._clock())),
        )
        return self._answer(received, lines)

    def _shown(self, rows: Sequence[Row]) -> Sequence[bytes]:
        return [bounds.document(row, self._hiding) for row in rows]

    def _answer[T](self, received: Received, data: T) -> Answer[T]:
        return Answer(data, answers.rate_limit_of(received, now=self._clock()))


def _users_of(client_id: str) -> str:
    return f"oauth-clients/{quote(client_id, safe='')}/users"
