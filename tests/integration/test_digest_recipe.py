"""The recipe in ``docs/mirror.md``, run as it stands: Python, Node and the service agree."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from dev import ROOT
from dev.origin import demo_users
from lib.directory.users_digest import total_of
from lib.users.document import canonical
from managed_users import digest_of
from tests.e2e import programs

PAGE = Path(ROOT, "docs", "mirror.md").read_text(encoding="utf-8")
ODD = [
    {"id": 1, "name": "half \ud83d", "metadata": {"\ufb33": 1, "😀": 2, "€": "\u2028\x7f\x01"}},
    {"id": 2, "metadata": [1e21, 1e-7, 0.000001, 1.0, -0.0, 5e-324, 123456789012345678901234]},
    {"id": 3, "metadata": {"huge": 10**400, "no": None, "yes": True, "-1": 2**53 + 1, "1": []}},
    {
        "id": 4,
        "metadata": {},
        "name": '"\\/\b\f\n\r\t',
        "bio": "ß é\u0301",
        "x": 1.10,
    },
]
USERS = [*demo_users("clxrecipe", 50), *ODD]


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_it_takes_about_twenty_lines() -> None:
    assert len(block("python").splitlines()) <= 28
    assert len(block("js").splitlines()) <= 20


@pytest.mark.parametrize("language", ["python", "js"])
def test_a_recipe_makes_what_the_service_does(language: str, tmp_path: Path) -> None:
    if language == "js" and shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    lines = tmp_path / "users.jsonl"
    lines.write_text("".join(f"{json.dumps(user)}\n" for user in USERS), encoding="utf-8")
    program = tmp_path / ("digest.py" if language == "python" else "digest.mjs")
    program.write_text(block(language), encoding="utf-8")
    interpreter = sys.executable if language == "python" else "node"

    command = f"{shlex.join((interpreter, str(program)))} < {shlex.quote(str(lines))}"
    printed = programs.run("sh", "-c", command, folder=tmp_path).strip()

    assert printed == f"{total_of([canonical(user) for user in USERS]):064x}"
    assert printed == digest_of(USERS)


@pytest.mark.parametrize("user", ODD, ids=lambda user: str(user["id"]))
def test_odd_users_have_their_own(user: dict[str, object]) -> None:
    assert digest_of([user]) == f"{total_of([canonical(user)]):064x}"
