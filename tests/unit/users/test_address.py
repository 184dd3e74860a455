"""What passes for an address at the origin, and which question finds the user who has one.

Each verdict is that of validator.js 13.15 (``isEmail`` without options).
"""

import pytest

from lib.users.address import asked_form, is_address, stored_form

CLIENT = "clx25charactersofaclientid"
LONG = "x" * 60
FULL_DOMAIN = ".".join(["d" * 63, "d" * 63, "d" * 63, "d" * 57, "co"])
"""With a local part of one character, an address of 254."""


@pytest.mark.parametrize(
    "text",
    [
        "a@b.co",
        "o'brien@example.com",
        "first.last+tag@sub.example.org",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "用户@例子.中国",
        "a@xn--80ak6aa92e.com",
        "a@example.xn--p1ai",
        "a@example.XN--P1AI",
        "a@example.xnab",
        "a@example.COM",
        "a@1.2.3.com",
        "a@a--b.com",
        # No rule of any provider's own is applied.
        "a@gmail.com",
        "a.b.c@gmail.com",
        "x" * 64 + "@example.com",
        "é" * 32 + "@example.com",
        "a@" + "x" * 63 + ".com",
        "a@" + "é" * 63 + ".com",
        "a@example." + "x" * 63,
        f"a@{FULL_DOMAIN}",
        # A character past U+FFFF is two units to JavaScript, and passes in any label but the last.
        "a@\U0001f600.com",
        "a@" + "\U0001f600" * 31 + ".com",
        # U+3000 is a blank to JavaScript, which matters in the last label only.
        "a@ex\u3000ample.com",
        "a\u3000b@example.com",
        "a@example.c\u00aem",
        '"a b"@example.com',
        '"a@b"@example.com',
        '"a,b"@example.com',
        '"\\""@example.com',
        '"a\nb"@example.com',
        '""@example.com',
        '"@example.com',
    ],
)
def test_what_passes_for_an_address_at_the_origin(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "@example.com",
        "a@",
        "a@b@c.com",
        "a b@example.com",
        "a,b@example.com",
        "a\u00a0b@example.com",
        "a@localhost",
        "a@example.c",
        "a@example.c0m",
        "a@example.123",
        "a@example.com.",
        "a@-example.com",
        "a@example-.com",
        "a@example.-com",
        "a@example.com-",
        "a@example.xn--",
        "a@exa_mple.com",
        "a@example..com",
        "a@exam ple.com",
        "a@ex\u00a0ample.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        # Full-width letters and dots, which browsers take for the narrow ones.
        "bob@ex\uff41mple.com",
        "bob@example\uff0ecom",
        "bob@example.\uff43\uff4f\uff4d",
        "a@example.c\u00a9m",
        "a@example.co\u3000",
        "a@example.co\ufeff",
        "a@example.co\U0001f600",
        "\U0001f600@example.com",
        "\ufdd0@example.com",
        "a@example.xn--\u017fab",
        "x" * 65 + "@example.com",
        "é" * 33 + "@example.com",
        "a@" + "x" * 64 + ".com",
        "a@" + "\U0001f600" * 32 + ".com",
        "a@example." + "x" * 64,
        f"aa@{FULL_DOMAIN}",
        # 126 characters of two bytes each, with the dots more than 254 bytes.
        "a@" + "é" * 63 + "." + "é" * 63 + ".com",
        '"a"b"@example.com',
        '"a\\"@example.com',
        '"a\x00b"@example.com',
        'x"a"@example.com',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "Bob <bob@example.com>",
        "\ud800@example.com",
        "a@\ud800.com",
    ],
)
def test_what_does_not_pass_for_an_address_at_the_origin(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("bob@example.com", "bob+cid@example.com"),
        ("Bob+x@example.com", "Bob+x+cid@example.com"),
        ("bob+cid@example.com", "bob+cid@example.com"),
        ("bob@cid.example.com", "bob@cid.example.com"),
        ('"a@b"@example.com', '"a+cid@b"'),
        ("nope", "nope+cid@"),
    ],
)
def test_an_address_without_the_client_id_is_looked_up_with_it(address: str, stored: str) -> None:
    assert stored_form(address, "cid") == stored


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        (f"bob+{CLIENT}@example.com", f"bob+{CLIENT}@example.com"),
        (f"bob@{CLIENT}.example.com", f"bob@{CLIENT}.example.com"),
        # Valid when the user was made, and too long ever since.
        (f"{LONG}+{CLIENT}@example.com", f"{LONG}@example.com"),
        # The origin would look for bob+<client id>@example.com.
        ("bob@example.com", None),
        # It would refuse both forms.
        (f"{LONG}{LONG}+{CLIENT}@example.com", None),
        (f'"a,b+{CLIENT}@example.com', None),
        (f"+{CLIENT}@example.com", f"+{CLIENT}@example.com"),
        (f"{LONG}+{CLIENT}+{CLIENT}@example.com", None),
        ("", None),
    ],
)
def test_a_stored_address_is_asked_for_by_the_form_that_finds_it(
    stored: str, asked: str | None
) -> None:
    assert asked_form(stored, CLIENT) == asked
