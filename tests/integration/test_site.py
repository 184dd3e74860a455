"""The files of the local run's pages: types, validators, and nothing that is not a page."""

import pytest

from dev.local.gateway_events import Request, Response
from dev.local.site import Site

CLIENTS = ["clientid1", "</script><script>alert(1)</script>"]


def ask(path: str, method: str = "GET", **headers: str) -> Response | None:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    request = Request(method=method, target=path, headers=named, body=b"", source_ip="127.0.0.1")
    return Site(CLIENTS).answer(request)


def header(response: Response, name: str) -> str:
    return dict(response.headers)[name]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/page/app.js", "text/javascript"),
        ("/page/style.css", "text/css"),
        ("/page/docs.css", "text/css"),
        ("/page/swagger-ui.js", "text/javascript"),
    ],
)
def test_a_page_is_there_and_loads_nothing_from_elsewhere(path: str, kind: str) -> None:
    response = ask(path)

    assert response is not None
    assert (response.status, bool(response.body)) == (200, True)
    assert header(response, "Content-Type").startswith(kind)
    assert "default-src 'none'" in header(response, "Content-Security-Policy")
    assert b"http://" not in response.body or "swagger" in path


@pytest.mark.parametrize(
    "path",
    ["/page/", "/page/index.html", "/page/../site.py", "/page/%2e%2e/site.py", "/nothing", "/page"],
)
def test_nothing_else_is(path: str) -> None:
    assert ask(path) is None


def test_pages_are_only_read() -> None:
    assert ask("/", "POST") is None


def test_who_has_a_page_is_told_so() -> None:
    first = ask("/")
    assert first is not None

    again = ask("/", If_None_Match=header(first, "ETag"))

    assert again is not None
    assert (again.status, again.body) == (304, b"")


def test_clients_are_data_whatever_they_are_called() -> None:
    response = ask("/")

    assert response is not None
    assert b'["clientid1", "\\u003c/script>' in response.body
    assert b"alert(1)</script>" not in response.body
