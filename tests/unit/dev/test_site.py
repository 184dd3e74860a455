"""What the site is made of: every document, with lists that its parser sees."""

import re
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dev import ROOT
from dev.docs.lists import laid_out
from dev.docs.site import documents

WRITTEN = """\
Some words:
- one
  goes on
- two
  1. inner
     goes on

     ```sh
     a command
       indented
     ```
  2. last

| a | b |
|---|---|
"""
LAID_OUT = """\
Some words:

- one
    goes on
- two
    1. inner
        goes on

        ```sh
        a command
          indented
        ```
    2. last

| a | b |
|---|---|
"""


def test_what_belongs_to_an_item_is_indented_by_four_as_often_as_it_is_nested() -> None:
    assert laid_out(WRITTEN) == LAID_OUT


def test_a_table_below_words_has_an_empty_line_before_it() -> None:
    assert laid_out("Words\n| a |\n|---|\n") == "Words\n\n| a |\n|---|\n"


@pytest.mark.parametrize(
    "path", [path for path in documents() if path.suffix == ".md"], ids=lambda path: path.name
)
def test_a_document_means_the_same_as_before(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert rendered(laid_out(text)) == rendered(text)


def rendered(text: str) -> str:
    """Return its HTML, but for where comments begin and whether words in lists stand apart."""
    html: str = MarkdownIt("commonmark").enable("table").render(text)
    return re.sub(r"\s*(<!--)", r"\1", html).replace("\n", "")


def test_every_document_but_decisions_is_in_the_navigation() -> None:
    text = (ROOT / "dev/docs/zensical.toml").read_text(encoding="utf-8")

    pages = {str(path.relative_to(ROOT)) for path in documents() if path.suffix == ".md"}
    named = {page for page in pages if f'"{page}"' in text}
    assert tomllib.loads(text)["project"]["nav"]
    assert {page for page in pages - named if not page.startswith("docs/adr/0")} == set()
