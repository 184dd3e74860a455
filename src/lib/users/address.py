"""What passes for an address at the origin, and under which form it stores one.

Pure: no I/O.
"""

import re
from functools import cache
from typing import NamedTuple


def is_address(text: str) -> bool:
    """Return whether ``text`` passes for an address at the origin (validator.js ``isEmail``)."""
    patterns = _address_patterns()
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    return (
        bool(at)
        and len(local.encode("utf-8", "replace")) <= 64  # noqa: PLR2004 - RFC 5321 4.5.3.1.1
        and len(domain) <= 254  # noqa: PLR2004 - RFC 5321 4.5.3.1.2
        and patterns.local.fullmatch(local) is not None
        and len(labels) > 1
        and all(patterns.label.fullmatch(label) for label in labels)
        and patterns.top_label.fullmatch(labels[-1]) is not None
    )


class _AddressPatterns(NamedTuple):
    local: re.Pattern[str]
    label: re.Pattern[str]
    top_label: re.Pattern[str]


@cache
def _address_patterns() -> _AddressPatterns:
    # Compiled when the first address is asked for: it takes 25 ms, which no other hit should pay.
    letters = r"[a-z\d!#$%&'*+\-/=?^_`{|}~\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]+"
    return _AddressPatterns(
        local=re.compile(rf"{letters}(?:\.{letters})*", re.IGNORECASE),
        label=re.compile(
            r"[a-z\d\u00a1-\uffff](?:[a-z\d\u00a1-\uffff-]{0,61}[a-z\d\u00a1-\uffff])?",
            re.IGNORECASE,
        ),
        top_label=re.compile(r"[a-z\u00a1-\uffff]{2,63}|xn[a-z\d-]{2,61}", re.IGNORECASE),
    )


def stored_form(address: str, client_id: str) -> str:
    """Return the address under which the origin looks a user up.

    Stored addresses carry ``+<client id>`` before the at sign; one that contains the client id
    anywhere is used as it is.

    >>> stored_form("bob@example.com", "abc")
    'bob+abc@example.com'
    """
    if client_id in address:
        return address
    local, _, rest = address.partition("@")
    return f"{local}+{client_id}@{rest}"
