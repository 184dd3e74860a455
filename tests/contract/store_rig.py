"""A store under test, fake or real, with a client of its own and the means to damage it."""

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from lib.aws.directory_store import DirectoryStore
from lib.aws.table import Table
from lib.directory import pages
from lib.directory.head import Head, Lease, Value, attributes_of
from lib.directory.manifest import Manifest
from tests.fakes import NOW, Clock, FakeStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "contract"
MINUTE = int(NOW // 60)
COUNTERS: dict[str, Value] = {"calls": 2, "calls_before": 0, "calls_minute": MINUTE}


def taken(lease: Lease) -> dict[str, Value]:
    """Return what an acquisition writes."""
    return attributes_of(lease) | COUNTERS


class Rig:
    """A store and one client of its own; ``lose`` and ``alter`` damage what is stored."""

    def __init__(
        self,
        store: FakeStore | DirectoryStore,
        client_id: str,
        put_item: Callable[[str, str, bytes | None], None],
    ) -> None:
        self.store = store
        self.client_id = client_id
        self.put_item = put_item

    @property
    def head(self) -> Head:
        """The head as it is now."""
        return self.store.head(self.client_id)

    def acquire(self, holder: str = "me", *, head: Head | None = None, now: float = NOW) -> Lease:
        """Take the lease, which must be free."""
        seen = self.head if head is None else head
        lease = Lease(
            client_id=self.client_id,
            holder=holder,
            token=seen.lease.token + 1,
            expires_at=now + 15.25,
        )
        assert self.store.acquire(seen, lease=lease, now=now, update=taken(lease))
        return lease

    def publish(self, count: int = 3, **changes: Value) -> list[pages.Page]:
        """Publish a generation of ``count`` one-user pages; return them."""
        cut = self.put(count)
        base = self.head
        lease = self.acquire()
        manifest = Manifest(tuple(page.ref for page in cut))
        self.store.put(self.client_id, [], manifest.branches, expires_at=int(NOW) + 60)
        number = base.generation.number + 1
        self.store.publish(lease, base, self.changes(**changes), number=number, root=manifest.root)
        return cut

    def put(self, count: int) -> list[pages.Page]:
        """Put ``count`` one-user pages."""
        cut = [pages.cut([b'{"id":%d,"n":"%d"}' % (n, n)])[0] for n in range(1, count + 1)]
        self.store.put(self.client_id, cut, {}, expires_at=int(NOW) + 60)
        return cut

    @staticmethod
    def changes(**changes: Value) -> dict[str, Value]:
        """Return what a publication changes."""
        published: dict[str, Value] = {
            "digest": "d1",
            "users": 3,
            "complete": True,
            "policy": "p1",
            "swept_at": NOW + 0.125,
            "modified_at": int(NOW),
            "pages_expire_at": int(NOW) + 60,
            "lease_holder": None,
            "lease_expires_at": None,
        }
        return published | changes


_numbers = count(1)


def fake_rig() -> Rig:
    """Return a rig around a fake store."""
    fake, client_id = FakeStore(), f"client-{next(_numbers)}"

    def put(kind: str, name: str, data: bytes | None) -> None:
        if kind == "manifest":
            del fake.manifests[client_id, int(name)]
        elif data is None:
            del fake.stored_pages[client_id, name]
        else:
            fake.stored_pages[client_id, name] = (data, 0)

    return Rig(fake, client_id, put)


def real_rig(client: "DynamoDBClient") -> Rig:
    """Return a rig around the table behind ``client``."""
    client_id = f"client-{next(_numbers)}"

    def put(kind: str, name: str, data: bytes | None) -> None:
        keys: dict[str, Any] = {
            "page": {"pk": {"S": f"page#{client_id}#{name}"}, "sk": {"S": "page"}},
            "branch": {"pk": {"S": f"index#{client_id}#{name}"}, "sk": {"S": "index"}},
            "manifest": {"pk": {"S": f"client#{client_id}"}, "sk": {"S": f"gen#{name}"}},
        }
        key = keys[kind]
        if data is None:
            client.delete_item(TableName=TABLE, Key=key)
        else:
            client.put_item(TableName=TABLE, Item=key | {"data": {"B": data}})

    store = DirectoryStore(Table(client, TABLE, sleep=Clock().sleep), report=lambda *_: None)
    return Rig(store, client_id, put)
