"""Every link of the documents leads somewhere: to a file of the repository, and a heading in it."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it.token import Token

from dev import ROOT
from dev.docs.site import documents
from tests.documents import Page

PAGES = [
    *(path for path in documents() if path.suffix == ".md"),
    *(ROOT / name for name in ("bench/benchmarks.md", "tests/faults/reliability.md")),
]
_ELSEWHERE = ("http:", "https:", "mailto:")


def inlines(page: Path) -> Iterator[tuple[Token, Token]]:
    """Return each piece of text with what comes before it."""
    tokens = Page(page).tokens()
    for before, token in pairwise(tokens):
        if token.type == "inline":
            yield before, token


def links(page: Path) -> Iterator[str]:
    for _, inline in inlines(page):
        for part in inline.children or ():
            target = part.attrGet("href") or part.attrGet("src")
            if target and not str(target).startswith(_ELSEWHERE):
                yield str(target)


def anchors(page: Path) -> set[str]:
    """Return what GitHub and the site call the headings of ``page``."""
    found: set[str] = set()
    for before, inline in inlines(page):
        if before.type == "heading_open":
            text = "".join(part.content for part in inline.children or ())
            plain = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(plain if plain not in found else f"{plain}-1")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    # Templates of generated pages are written for where the pages are.
    folder = page.parent if page.name not in {"benchmarks.md", "reliability.md"} else ROOT / "docs"
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_an_anchor_is_what_github_makes_of_a_heading(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `GET …/cache/changes`\n## By metadata\n## Somebody's\n## By metadata\n")

    assert anchors(page) == {"get-cachechanges", "by-metadata", "somebodys", "by-metadata-1"}
