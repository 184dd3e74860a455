"""Reads what was published last, as far as it can be read.

Pure but for the contents it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lib.directory.head import Head
from lib.directory.manifest import Manifest, PageRef
from lib.directory.pages import Draft
from lib.directory.snapshot import snapshot_of
from lib.directory.store import Contents
from lib.errors import BrokenSnapshotError
from lib.revalidation.window import Users
from lib.users.hiding import HidingPolicy


@dataclass(frozen=True, kw_only=True)
class LastGeneration:
    """What a head names; its users are hidden as this deployment hides them now."""

    contents: Contents
    head: Head
    hiding: HidingPolicy

    @cached_property
    def manifest(self) -> Manifest:
        """What is stored of it; a broken manifest counts as none."""
        if not self.head.generation.published:
            return Manifest()
        try:
            return self.contents.manifest(self.head.generation)
        except BrokenSnapshotError:
            return Manifest()

    def users(self, draft: Draft) -> Users:
        """Return its users; those of pages that are in ``draft``, too, need no reading.

        Who is in a page that cannot be read is left out.
        """
        known = set(self.manifest.pages)
        users = {
            user_id: line
            for page in draft.pages
            if page.ref in known
            for user_id, line in page.users()
        }
        refs = [ref for ref in self.manifest.pages if ref not in draft.refs]
        try:
            return users | self.read(refs)
        except BrokenSnapshotError:
            pass
        for ref in refs:
            try:
                users |= self.read([ref])
            except BrokenSnapshotError:
                continue
        return users

    def read(self, refs: Sequence[PageRef]) -> Users:
        """Return the users in some pages.

        Raises:
            BrokenSnapshotError: one of them cannot be read.
        """
        read = snapshot_of(self.contents, self.head.generation, hiding=self.hiding).load(refs)
        return {user_id: line for page in read for user_id, line in page.users()}
