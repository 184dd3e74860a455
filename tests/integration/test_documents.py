"""What the documents show is what happens: every page runs from top to bottom, as it stands."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import reduce
from pathlib import Path

import pytest

from dev import ROOT
from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from tests.documents import PROGRAMS, Page, is_as_shown, pages
from tests.e2e import programs

README = ROOT / "README.md"  # test_readme.py has its own way
PAGES = [page for page in pages() if page.path != README]
RUN = [page for page in PAGES if any(block.runs for block in page.blocks())]


def name_of(page: Page) -> str:
    return str(page.path.relative_to(ROOT))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalStack]:
    """Return what runs for pages that start nothing themselves."""
    with LocalStack(LocalSettings(port=0, workers=2)) as stack:
        yield stack


@pytest.fixture
def replaced(page: Page, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return what stands in the page for this run's addresses, once what it starts is running."""
    hook = free_port()
    with ExitStack() as exits:
        started = page.starts()
        if started is None:
            stack = request.getfixturevalue("shared")
        else:
            asked = {"WORKERS": "2", **started, "PORT": str(free_port())}
            asked = {name: value.replace(":9000", f":{hook}") for name, value in asked.items()}
            stack = exits.enter_context(LocalStack(LocalSettings.from_env(asked)))
        yield {
            "http://127.0.0.1:8080": stack.url,
            "http://127.0.0.1:9999": stack.origin_url,
            "PORT=9000": f"PORT={hook}",
        }


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_a_page_runs_as_it_stands(page: Page, replaced: dict[str, str], tmp_path: Path) -> None:
    script = page.script()
    if "\nnode " in script and shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    script = reduce(lambda text, pair: text.replace(*pair), replaced.items(), script)
    Path(tmp_path, "page.sh").write_text(script, encoding="utf-8")

    printed = programs.run(
        "bash", "page.sh", folder=tmp_path, variables=environment(tmp_path, replaced)
    )

    for block, output in page.outputs(printed):
        assert block.shown
        told = reduce(lambda text, pair: text.replace(*pair[::-1]), replaced.items(), output)
        assert is_as_shown(block.shown, told), f"{name_of(page)}:{block.shown.line}\n{told}"


def environment(home: Path, replaced: dict[str, str]) -> dict[str, str]:
    """Return what a reader's terminal knows, with this repository's programs on its path."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": "100",
        "MANAGED_USERS_URL": f"{replaced['http://127.0.0.1:8080']}/v2",
    }


# What no test can do as it stands.
NOT_RUN = {"an AWS account", "a container engine", "for ever", "installs"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_program_that_is_shown_is_run_here_or_by_the_test_it_names(page: Page) -> None:
    for block in page.blocks():
        place = f"{name_of(page)}:{block.line}"
        if block.language not in PROGRAMS or block.runs or block.starts:
            continue
        if block.run_by:
            assert page.path.name in Path(ROOT, block.run_by).read_text(encoding="utf-8"), place
        else:
            assert block.reason in NOT_RUN, place


def test_there_are_pages_to_run() -> None:
    assert {"docs/tutorial.md", "docs/api.md", "docs/tool.md"} <= set(map(name_of, RUN))
