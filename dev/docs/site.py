"""Lays out what ``make docs`` builds a site of: the repository's own Markdown, as it stands.

``python -m dev.docs.site <folder> [<node_modules>]`` puts ``zensical.toml`` and ``docs-source``
there. Every page keeps its path, so a relative link means the same on the site.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from dev import ROOT
from dev.docs.lists import laid_out

_CONFIGURATION = Path(__file__).parent / "zensical.toml"
_ASSETS = Path(__file__).parent / "assets"
# What runs in a reader's browser, and would else be fetched from a public server.
_LIBRARIES = {
    "mermaid.js": "@mermaid-js/tiny/dist/mermaid.tiny.js",
    "iframe-worker.js": "iframe-worker/shim/index.js",  # the search, where pages are files
}
_TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE")
_CLIENTS = ("client/README.md", "client/typescript/README.md")


def documents() -> Iterator[Path]:
    """Return every file that the site is made of: pages, and what they show or link to."""
    yield from (ROOT / name for name in (*_TOP, *_CLIENTS))
    yield from (path for path in sorted(ROOT.glob("docs/**/*")) if path.is_file())


def lay_out(folder: Path, libraries: Path | None) -> None:
    """Put all documents into ``folder`` anew, as ``docs-source``, and the site's configuration.

    Without ``libraries``, a folder of npm's, diagrams need a public server when somebody reads,
    and the search needs the site to be served.
    """
    source = folder / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    for path in documents():
        place = source / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            place.write_text(laid_out(path.read_text("utf-8")), encoding="utf-8")
        else:
            shutil.copyfile(path, place)
    assets = source / "assets"
    shutil.copytree(_ASSETS, assets)
    for name, file in _LIBRARIES.items():
        (assets / name).write_bytes((libraries / file).read_bytes() if libraries else b"")
    shutil.copyfile(_CONFIGURATION, folder / "zensical.toml")


def _main() -> None:
    folder, *libraries = map(Path, sys.argv[1:])
    lay_out(folder, libraries[0] if libraries else None)


if __name__ == "__main__":
    _main()
