"""Names the users that somebody asks for, by address or id.

Pure: no I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.users.keys import address_key, id_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Addresses as the origin stores them, and ids."""

    addresses: Sequence[str] = ()
    ids: Sequence[int] = ()

    @property
    def keys(self) -> list[str]:
        """The look-up keys, each once."""
        named = [address_key(address) for address in self.addresses]
        return list(dict.fromkeys([*named, *map(id_key, self.ids)]))
