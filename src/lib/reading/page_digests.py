"""Tells the digests of a directory page by page: whose copy differs finds where.

Pure but for what it is wired to.
"""

from dataclasses import dataclass
from typing import Any

from lib.directory.generation import Generation
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Contents
from lib.directory.users_digest import MODULUS
from lib.users.hiding import HidingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDigests:
    """The pages of any client, as ``hiding`` shows them."""

    contents: Contents
    hiding: HidingPolicy

    def of(self, generation: Generation) -> dict[str, Any]:
        """Return the digest of all users, and of each page; a page goes as far as the next begins.

        Raises:
            BrokenSnapshotError: some of it cannot be read.
        """
        snapshot = snapshot_of(self.contents, generation, hiding=self.hiding)
        pages = snapshot.load(snapshot.manifest().pages) if generation.published else ()
        total = sum(page.total for page in pages) % MODULUS
        return {
            "generation": generation.number,
            "users": sum(len(page.ids) for page in pages),
            "usersDigest": f"{total:064x}",
            "pages": [
                {
                    "firstId": page.ids[0],
                    "lastId": page.ids[-1],
                    "users": len(page.ids),
                    "usersDigest": f"{page.total:064x}",
                }
                for page in pages
            ],
        }
