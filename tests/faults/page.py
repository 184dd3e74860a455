"""``make reliability``: writes docs/reliability.md from what the faults really come to."""

import io
import sys
from contextlib import redirect_stdout
from pathlib import Path

from dev import ROOT
from tests.faults.faults import BREAKAGES, Breakage
from tests.faults.seen import STATES, Seen, rigged, see
from tests.shared_aws import SharedAws

PAGE = Path(ROOT, "docs/reliability.md")
_TEXT = Path(__file__).with_name("reliability.md")
_COLUMNS = (
    *("fault", "stored", "answer", "the next answer", "origin calls"),
    *("`lastError`", "metrics", "alarm, if it lasts"),
)
_TABLE = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def row(breakage: Breakage, state: str, seen: Seen) -> str:
    """Return the table's row."""
    subject = "" if breakage.of == "nothing" else f"{breakage.of} "
    return f"| {' | '.join([subject + breakage.name, state, *seen.cells()])} |"


def rows() -> list[str]:
    """Return all rows, in the table's order."""
    made = []
    with SharedAws() as aws, redirect_stdout(io.StringIO()):
        for breakage in BREAKAGES:
            for state in STATES:
                with rigged(aws) as rig:
                    made.append(row(breakage, state, see(rig, breakage, state)))
    return made


def documented() -> list[str]:
    """Return the rows that the page has now."""
    after_head = PAGE.read_text(encoding="utf-8").partition(f"{_TABLE}\n")[2]
    return after_head.partition("\n\n")[0].splitlines()


def page(made: list[str]) -> str:
    """Return the page with the rows ``made``."""
    table = "\n".join([_TABLE, *made])
    return _TEXT.read_text(encoding="utf-8").replace("{table}", table)


if __name__ == "__main__":
    PAGE.write_text(page(rows()), encoding="utf-8")
    sys.exit(0)
