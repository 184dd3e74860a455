"""Lists as the site's parser wants them.

Documents are written in GitHub's Markdown (CommonMark). Python-Markdown, which the site is made
with, ends a list where what belongs to an item is indented by less than four columns, and sees none
where no empty line is before it.
"""

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt

_MARKER: Final = re.compile(r"(\s*)([-*+]|\d+[.)])\s+")
_INDENT: Final = " " * 4


def laid_out(text: str) -> str:
    """Return ``text`` with its lists indented by four, and empty lines before lists and tables."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    lines = text.splitlines()
    items = [token.map for token in tokens if token.type == "list_item_open" and token.map]
    # Inner ones first: they move once more with what they are in.
    for start, end in reversed(items):
        lines[start:end] = _indented(lines[start:end])
    openings = {
        token.map[0]
        for token in tokens
        if token.type.endswith(("list_open", "table_open")) and token.map and token.level == 0
    }
    return "".join(f"{line}\n" for line in _spaced(lines, openings))


def _indented(item: list[str]) -> Iterator[str]:
    first, *others = item
    _, lead, _, text = _MARKER.split(first, maxsplit=1)
    width = len(first) - len(text)
    yield first
    for line in others:
        yield f"{lead}{_INDENT}{line[width:]}" if line.startswith(" " * width) else line


def _spaced(lines: list[str], openings: set[int]) -> Iterator[str]:
    before = ""
    for number, line in enumerate(lines):
        if number in openings and before.strip():
            yield ""
        yield line
        before = line
