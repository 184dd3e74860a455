"""What the documents show, as a reader would run it. The rules are in CONTRIBUTING.md.

A page is one shell in an empty folder: blocks of ``sh``, ``python`` and ``js``, and commands of
``console``, run from top to bottom, as they stand. A block of ``text`` right behind one is what it
prints (``…`` stands for what varies), one of ``json`` has the shape of it. A program below
"`name.py`:" is a file. ``make run`` says what is running. ``<!-- run by FILE -->`` and ``<!-- not
run: REASON -->`` before a block leave it to others.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from copy import replace
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dev.docs.site import documents

PROGRAMS: Final = frozenset({"sh", "console", "py", "python", "js", "ts"})
_INTERPRETERS: Final = {"py": "python", "python": "python", "js": "node"}
_FILE: Final = re.compile(r"`([\w-]+\.(?:py|mjs))`.*:$", re.DOTALL)
_REMARK: Final = re.compile(r"<!-- (run by (?P<by>\S+)|not run: (?P<reason>.+)) -->")
_MARK: Final = "@@ block "


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page. ``file`` is what a reader calls it.

    ``run_by`` names the test that runs it instead, ``reason`` why none does.
    """

    line: int
    language: str
    text: str
    file: str | None = None
    run_by: str | None = None
    reason: str | None = None
    shown: "Block | None" = None

    @property
    def runs(self) -> bool:
        """Whether the page's shell runs it."""
        left = self.run_by or self.reason or self.starts
        return self.language in PROGRAMS and not left

    @property
    def starts(self) -> bool:
        """Whether it starts the service."""
        return self.language == "sh" and self.text.strip().endswith("make run")

    @property
    def variables(self) -> dict[str, str]:
        """Variables that ``make run`` is given."""
        words = shlex.split(self.text)[:-2]
        return dict(word.split("=", 1) for word in words)


@dataclass(frozen=True, slots=True)
class Page:
    """A document, by its path."""

    path: Path

    def tokens(self) -> list[Token]:
        """Return its Markdown, parsed."""
        return MarkdownIt("commonmark").enable("table").parse(self.path.read_text("utf-8"))

    def blocks(self) -> list[Block]:
        """Return its fenced blocks, from top to bottom."""
        found: list[Block] = []
        before: list[Token] = []
        for token in self.tokens():
            if token.type != "fence":
                before.append(token)
                continue
            block = _block(token, before)
            if not before and found and found[-1].runs and block.language in {"text", "json"}:
                found[-1] = replace(found[-1], shown=block)
            elif block.language == "console" and block.runs:
                found += _session(block)
            else:
                found.append(block)
            before = []
        return found

    def starts(self) -> dict[str, str] | None:
        """Return the variables with which the page has the service started; None: it does not."""
        started = [block.variables for block in self.blocks() if block.starts]
        return started[0] if started else None

    def script(self) -> str:
        """Return all that is run, as one program for bash; ``outputs`` reads what it prints."""
        lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT"]
        for block in self.blocks():
            if block.runs:
                lines.append(f"printf '\\n%s\\n' '{_MARK}{block.line}'")
                lines += _commands(block)
        return "\n".join(lines) + "\n"

    def outputs(self, printed: str) -> Iterator[tuple[Block, str]]:
        """Return each block whose output is shown, with what it printed."""
        pieces = re.split(rf"^{_MARK}(\d+)\n", printed, flags=re.MULTILINE)[1:]
        told = {int(line): output for line, output in zip(pieces[::2], pieces[1::2], strict=True)}
        for block in self.blocks():
            if block.runs and block.shown:
                yield block, told[block.line]


def pages() -> list[Page]:
    """Return all documents but decisions, which show nothing that can be run."""
    return [
        Page(path)
        for path in documents()
        if path.suffix == ".md" and "adr" not in path.parts and path.name != "CHANGELOG.md"
    ]


def is_as_shown(shown: Block, printed: str) -> bool:
    """Return whether ``printed`` is what the page shows."""
    if shown.language == "json":
        return _has_shape(json.loads(printed), json.loads(shown.text))
    pieces = [re.escape(" ".join(piece.split())) for piece in shown.text.split("…")]
    return re.search(r"\s?.*\s?".join(pieces), " ".join(printed.split())) is not None


def _has_shape(value: object, shown: object) -> bool:
    """Compare names and types: values vary. ``{"…": …}`` and null leave the rest open."""
    if shown is None or value is None or shown == "…":
        return True
    if isinstance(shown, Mapping):
        open_ended = "…" in shown
        names = shown.keys() - {"…"}
        return (
            isinstance(value, Mapping)
            and (names <= value.keys() if open_ended else names == value.keys())
            and all(_has_shape(value[name], shown[name]) for name in names)
        )
    if isinstance(shown, list):
        return isinstance(value, list) and all(_has_shape(each, shown[0]) for each in value[:1])
    return type(value) is type(shown)


def _block(token: Token, before: list[Token]) -> Block:
    assert token.map
    found = before and _REMARK.search(before[-1].content)
    return Block(
        line=token.map[0] + 1,
        language=token.info.split()[0] if token.info else "",
        text=token.content,
        file=_file(before),
        run_by=found["by"] if found else None,
        reason=found["reason"] if found else None,
    )


def _file(before: list[Token]) -> str | None:
    """Return the name that the paragraph right above gives a program."""
    for inline, closing in pairwise(before[-2:]):
        if closing.type == "paragraph_close" and (named := _FILE.search(inline.content)):
            return named[1]
    return None


def _session(block: Block) -> Iterator[Block]:
    """Return each command of a terminal's session, with what it is shown to print."""
    command: Block | None = None
    for line, text in enumerate(block.text.splitlines(keepends=True), start=block.line + 1):
        if text.startswith("$ "):
            if command:
                yield command
            command = Block(line=line, language="sh", text=text.removeprefix("$ "))
        elif command:
            told = command.shown.text if command.shown else ""
            command = replace(command, shown=Block(line=line, language="text", text=told + text))
    if command:
        yield command


def _commands(block: Block) -> Iterator[str]:
    if block.language == "sh":
        yield block.text
        return
    suffix = "mjs" if block.language == "js" else "py"
    file = block.file or f"block-{block.line}.{suffix}"
    yield f"cat > {file} << 'END OF {file}'"
    yield f"{block.text}END OF {file}"
    if block.file is None:
        yield f"{_INTERPRETERS[block.language]} {file}"
