"""What passes for an address at the origin, under which form it stores one, what finds it there.

The rules are those of validator.js 13.15, ``isEmail`` without options, which the origin calls.

Pure: no I/O.
"""

import re
from functools import cache

MAX_LENGTH = 254
"""Most UTF-16 code units of an address, and most bytes of its domain (RFC 5321 4.5.3.1)."""

MAX_LOCAL_BYTES = 64
"""Most bytes of what is before the last at sign (RFC 5321 section 4.5.3.1.1)."""

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_ANY_PAIR = "\ud800\udc00"


def is_address(text: str) -> bool:
    """Return whether ``text`` passes for an address at the origin.

    >>> is_address("bob@example.com"), is_address("bob@ex\uff41mple.com")
    (True, False)
    """
    local, _, domain = text.rpartition("@")
    # JavaScript sees two code units in a character past U+FFFF, and no rule tells them apart.
    units = _ASTRAL.sub(_ANY_PAIR, text)
    if len(units) > MAX_LENGTH:
        return False
    try:
        fits = len(local.encode()) <= MAX_LOCAL_BYTES and len(domain.encode()) <= MAX_LENGTH
    except UnicodeEncodeError:
        return False
    return fits and _pattern().fullmatch(units) is not None


@cache
def _pattern() -> re.Pattern[str]:
    # Compiled when the first address is asked for: no other hit should pay for it.
    wide = r"\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    atom = rf"[\w!#$%&'*+\-/=?^`{{|}}~{wide}]+"
    quoted = rf"[\x01-\x21\x23-\x5b\x5d-\x7f\u00a0{wide}]|\\[\x01-\x09\x0b-\x7f\u00a0{wide}]"
    # No full-width letter is in any label; the last has neither a blank nor the sign \u00a9.
    label = r"(?!-)[a-zA-Z\d\u00a1-\uff00\uff5f-\uffff-]{1,63}(?<!-)"
    letters = (
        r"[a-zA-Z\u00a1-\u00a8\u00aa-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e"
        r"\u2060-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00\uff5f-\uffef]{2,63}"
    )
    top = rf"(?:{letters}|[xX][nN][a-zA-Z\d-]{{2,61}}(?<!-))"
    return re.compile(rf'(?:"(?:{quoted})*"|"|{atom}(?:\.{atom})*)@(?:{label}\.)+{top}', re.ASCII)


def stored_form(address: str, client_id: str) -> str:
    """Return the address under which the origin looks a user up.

    Stored addresses carry ``+<client id>`` before the at sign; one that contains the client id
    anywhere is used as it is. Of an address with several at signs the origin drops the rest.

    >>> stored_form("bob@example.com", "abc")
    'bob+abc@example.com'
    """
    if client_id in address:
        return address
    local, _, rest = address.partition("@")
    return f"{local}+{client_id}@{rest.partition('@')[0]}"


def asked_form(stored: str, client_id: str) -> str | None:
    """Return what to ask the origin for to find the user with the address ``stored``.

    Its suffix can make an address too long to be asked for as it is, but the origin adds it after
    it has looked at the length. None where no question finds the user but the one for his id: his
    address lacks the suffix, as an address that he changed himself does, or it passes for none.

    >>> asked_form("bob+abc@example.com", "abc"), asked_form("bob@example.com", "abc")
    ('bob+abc@example.com', None)
    """
    for form in (stored, stored.replace(f"+{client_id}@", "@", 1)):
        # The origin takes a comma for the end of an address.
        if "," not in form and is_address(form) and stored_form(form, client_id) == stored:
            return form
    return None
