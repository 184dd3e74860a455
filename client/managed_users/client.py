"""The client: one method a question. Bodies are as ``docs/api.md`` of the service describes them.

Filters are the service's own parameters, so that new ones need no new client: lists become values
separated by commas, dates ISO 8601, ``metadata`` is a mapping, and None is as if not given.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from managed_users.errors import NotAskedError
from managed_users.models import Cache, Changes, Events, Named, Page, PageDigests, Refreshed, User
from managed_users.transport import Answer, Signer, Transport

type Value = str | float | bool | None
"""A value of metadata; None is JSON's null."""

type Filter = (
    str | int | bool | date | Sequence[str | int] | Mapping[str, Value | list[Value]] | None
)

_LARGEST_PAGE = 250
_NAMES = ("emails", "ids", "usernames")
_PLACES = ("limit", "cursor", "offset", "min_generation")
_DEPLOYED = re.compile(
    r"[a-z0-9]+(?:-vpce-[a-z0-9]+)?\.execute-api\.([a-z0-9-]+)\.amazonaws\.com.*"
)


class Client:
    """Asks for the managed users of one OAuth client.

    Args:
        url: The base URL, ``/v2`` included.
        client_id: The OAuth client's id.
        transport: How requests are sent; unsigned unless it has a signer.
    """

    def __init__(self, url: str, client_id: str, *, transport: Transport | None = None) -> None:
        self.url = url.rstrip("/")
        self.client_id = client_id
        self._base = f"{self.url}/oauth-clients/{quote(client_id, safe='')}"
        self._transport = transport or Transport()

    @classmethod
    def connect(
        cls, url: str, client_id: str, *, region: str | None = None, patience: float = 60
    ) -> Self:
        """Return a client that signs requests if ``url`` is a deployed API's.

        A domain of one's own does not tell its ``region``, which therefore has to be given.
        Credentials are found as the AWS CLI finds them; without any, requests are not signed.
        """
        signer = signer_for(url, region)
        return cls(url, client_id, transport=Transport(signer=signer, patience=patience))

    def page(self, *, fresh: bool = False, **filters: Filter) -> Page:
        """Return one window of the list.

        Raises:
            ManagedUsersError: see ``managed_users.errors``, here and below.
        """
        return self._page(f"{self._base}/users{_query(filters)}", fresh=fresh)

    def next_page(self, page: Page) -> Page | None:
        """Return the window after ``page``, of the same generation; None behind the last.

        The page is all that it takes, whatever it was asked with.
        """
        if page.next_url is None:
            return None
        return self._look_up(page.next_url, page.named) if page.named else self._page(page.next_url)

    def page_at(self, url: str) -> Page:
        """Return the window at ``url``, which was the ``next_url`` of a page."""
        return self._page(url)

    def users(self, **filters: Filter) -> Iterator[User]:
        """Yield every user of the list once, all of one generation.

        Raises:
            NotAskedError: these are all that are known, and others of those who were asked for by
                name may exist.
        """
        query = _query({"limit": _LARGEST_PAGE, **filters})
        first = page = self._page(f"{self._base}/users{query}")
        yield from first.users
        while (following := self.next_page(page)) is not None:
            page = following
            yield from page.users
        if first.not_asked:
            raise NotAskedError(first.not_asked)

    def user(self, user_id: int, *, fresh: bool = False, **options: Filter) -> User:
        """Return one user; ``fresh`` asks the origin."""
        answer = self._get(f"{self._base}/users/{user_id}{_query(options)}", fresh=fresh)
        user: User = answer.body["data"]
        return user

    def look_up(self, *, fresh: bool = False, **names: Filter) -> Page:
        """Return the users with these ``emails``, ``ids`` or ``usernames``; no URL has them.

        Other filters, ``limit`` and ``fields`` go where they belong. Look at the page's
        ``not_asked`` before you take somebody for gone.
        """
        asked = {
            kind: _members(names.pop(kind), kind) for kind in _NAMES if names.get(kind) is not None
        }
        return self._look_up(f"{self._base}/users/lookup{_query(names)}", asked, fresh=fresh)

    def cache(self) -> Cache:
        """Return what is stored, and how old it is."""
        data: Cache = self._get(f"{self._base}/cache").body["data"]
        return data

    def changes(self, since: int, *, values: bool = False) -> Changes:
        """Return what changed after generation ``since``, with ``values`` the users, too."""
        asked = _query({"since": since, **_included(values=values)})
        data: Changes = self._get(f"{self._base}/cache/changes{asked}").body["data"]
        return data

    def events(
        self, after: str | int | None = None, *, limit: int = 1_000, values: bool = False
    ) -> Events:
        """Return the events after a cursor or a generation; None: where to start.

        With ``values``, users as they were and are. A cursor or generation whose events are no
        longer known is a GoneError.
        """
        place = {} if after is None else {"after": after}
        asked = _query({**place, "limit": limit, **_included(values=values)})
        body = self._get(f"{self._base}/events{asked}").body
        told = body["pagination"]
        return Events(
            events=body["data"],
            cursor=told["cursor"],
            more=told["hasMore"],
            generation=told["generation"],
            users_digest=told["usersDigest"],
        )

    def page_digests(self) -> PageDigests:
        """Return the digests of the directory, page by page (``managed_users.digest``)."""
        data: PageDigests = self._get(f"{self._base}/cache/pages").body["data"]
        return data

    def refresh(self, *, wait: bool = True, believe: bool = False) -> Refreshed:
        """Have the origin asked; if ``wait``, return when every later read sees what it said.

        With ``believe``, users who are missing from its list are gone, however many they are.
        """
        asked = [name for name, on in (("wait", wait), ("believe", believe)) if on]
        suffix = "?" + "&".join(f"{name}=true" for name in asked) if asked else ""
        answer = self._transport.send("POST", f"{self._base}/cache/refresh{suffix}")
        self._transport.forget()
        data: Refreshed = answer.body["data"]
        return data

    def _look_up(self, url: str, named: Named, *, fresh: bool = False) -> Page:
        answer = self._transport.send("POST", url, body=named, headers=_wishes(fresh=fresh))
        return _page_of(answer, named)

    def _page(self, url: str, *, fresh: bool = False) -> Page:
        return _page_of(self._get(url, fresh=fresh))

    def _get(self, url: str, *, fresh: bool = False) -> Answer:
        return self._transport.send("GET", url, headers=_wishes(fresh=fresh))


def region_of(url: str) -> str | None:
    """Return the region that a deployed API's own ``url`` names.

    >>> region_of("https://abc.execute-api.eu-central-1.amazonaws.com/v2")
    'eu-central-1'
    """
    host = _DEPLOYED.fullmatch(urlsplit(url).hostname or "")
    return host[1] if host else None


def signer_for(url: str, region: str | None = None) -> Signer | None:
    """Return what signs requests to ``url``: nothing where no region is known."""
    region = region or region_of(url)
    if region is None:
        return None
    from botocore.session import Session

    credentials = Session().get_credentials()
    return Signer(credentials, region) if credentials else None


def _included(*, values: bool) -> dict[str, str]:
    return {"include": "values"} if values else {}


def _wishes(*, fresh: bool) -> dict[str, str]:
    return {"Cache-Control": "no-cache"} if fresh else {}


def _query(filters: Mapping[str, Filter]) -> str:
    """Return filters as a query, each value as the service reads it.

    Raises:
        ValueError: a filter is empty; sent as it is, it would ask for everybody.

    >>> _query({"ids": [1, 2], "metadata": {"plan": ["pro", None]}, "q": "a b", "sort": None})
    '?ids=1%2C2&metadata%5Bplan%5D=pro%2Cnull&q=a%20b'
    """
    pairs: list[tuple[str, str]] = []
    for name, value in filters.items():
        if isinstance(value, Mapping):
            for key, member in value.items():
                of_key = member if isinstance(member, list) else [member]
                pairs.append((f"{name}[{key}]", ",".join(map(_metadata, of_key))))
        elif value is not None:
            pairs.append((name, ",".join(map(str, _members(value, name)))))
    return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""


def _members(value: Filter, name: str) -> list[str | int]:
    """Return the members of a filter, one by one.

    Raises:
        ValueError: there are none.
    """
    members: list[str | int]
    if isinstance(value, bool):
        members = [str(value).lower()]
    elif isinstance(value, date):
        members = [value.isoformat()]
    else:
        members = [value] if isinstance(value, str | int) else list(value or ())
    if not members or "" in members:
        raise ValueError(f"{name} is empty: leave it out to ask for everybody")
    return members


def _metadata(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _next_of(asked: str, link: str) -> str:
    """Return where ``link`` leads; one with no room for the question is sent beside it.

    >>> _next_of("https://host/users?q=a%20b&offset=2", "?limit=2&cursor=x")
    'https://host/users?limit=2&cursor=x&q=a%20b'
    """
    url = urljoin(asked, link)
    place = parse_qsl(urlsplit(url).query)
    if not {name for name, _ in place} <= {"limit", "cursor"}:
        return url
    question = parse_qsl(urlsplit(asked).query, keep_blank_values=True)
    beside = [(name, value) for name, value in question if name not in _PLACES]
    return urljoin(asked, f"?{urlencode(place + beside, quote_via=quote)}")


def _page_of(answer: Answer, named: Named | None = None) -> Page:
    from requests.utils import parse_header_links

    body, headers = answer.body, answer.headers
    links = {link["rel"]: link["url"] for link in parse_header_links(headers.get("Link", ""))}
    return Page(
        users=body["data"],
        pagination=body["pagination"],
        not_found=body.get("notFound", ()),
        not_asked=body.get("notAsked", ()),
        age=answer.age,
        cache_status=headers.get("Cache-Status", ""),
        generation=int(headers.get("X-Generation", 0)),
        users_digest=headers.get("X-Users-Digest"),
        next_url=_next_of(answer.url, links["next"]) if "next" in links else None,
        named=named,
    )
