"""Keeps what is known of organizations' lists, one small item a client.

It holds ids and no addresses. Whatever of it cannot be read counts as not known: all of it can be
found out anew.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib.aws import items
from lib.aws.items import Item
from lib.aws.table import Table
from lib.directory import listing as ids
from lib.directory.listing import Listing, Progress

if TYPE_CHECKING:
    from lib.directory.head import Value


class ListingStore:
    """Listings in ``table``; every method raises StoreError if DynamoDB fails."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def listing(self, client_id: str) -> Listing:
        """Return what is known of the list of one client's organization."""
        values = items.decode(self._table.get(_key(client_id)))
        skip, began_at = _number(values, "skip"), _number(values, "began_at")
        return Listing(
            organization_id=int(_number(values, "organization_id")),
            refused=str(values.get("refused", "")),
            retry_at=_number(values, "retry_at"),
            take=int(_number(values, "take")),
            undecided=int(_number(values, "undecided")),
            progress=Progress(
                skip=int(skip),
                below=int(_number(values, "below")),
                began_at=began_at,
                unconfirmed_since=_number(values, "unconfirmed_since"),
            )
            if skip and began_at
            else None,
            others=_ids(values, "others"),
            strays=_ids(values, "strays"),
        )

    def put_listing(self, client_id: str, listing: Listing) -> None:
        """Keep ``listing``."""
        progress = listing.progress
        values: dict[str, Value] = {
            "organization_id": listing.organization_id,
            "refused": listing.refused or None,
            "retry_at": listing.retry_at,
            "take": listing.take,
            "undecided": listing.undecided,
            "others": ids.pack(listing.others) if listing.others else None,
            "strays": ids.pack(listing.strays) if listing.strays else None,
        }
        if progress:
            values |= {
                "skip": progress.skip,
                "below": progress.below,
                "began_at": progress.began_at,
                "unconfirmed_since": progress.unconfirmed_since,
            }
        self._table.put_all([_key(client_id) | items.encode(values)])


def _number(values: Mapping[str, Any], name: str) -> float:
    value: Any = values.get(name)
    # A bool is an int to Python, and nothing of the kind here.
    return value if type(value) in {int, float} and value >= 0 else 0


def _ids(values: Mapping[str, Any], name: str) -> frozenset[int]:
    try:
        return ids.unpack(values[name])
    except (KeyError, TypeError, ValueError):
        return frozenset()


def _key(client_id: str) -> Item:
    return items.encode({"pk": f"client#{client_id}", "sk": "listing"})
