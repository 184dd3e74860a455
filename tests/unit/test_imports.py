"""What importing a handler does: nothing that copies of a restored environment must not share."""

import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
# Audit events cannot be unhooked, so an interpreter of its own looks on.
_IMPORT = """
import importlib, sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event))
importlib.import_module(sys.argv[1])
from handlers.wiring import wiring
connecting = {"socket.connect", "socket.getaddrinfo"}
print(wiring.cache_info().currsize, sorted(connecting & set(seen)))
late = {"requests", "pydantic", "lib.origin.client", "lib.origin.webhook", "lib.caching.coding"}
late |= {"lib.deliveries"}
print(sorted(late & sys.modules.keys()) if sys.argv[1] == "handlers.api" else [])
"""


@pytest.mark.parametrize(
    "handler", ["handlers.api", "handlers.refresh", "handlers.changes", "handlers.deliveries"]
)
def test_importing_a_handler_connects_and_wires_nothing(handler: str) -> None:
    done = subprocess.run(  # noqa: S603 - this interpreter.
        [sys.executable, "-c", _IMPORT, handler],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SRC), "POWERTOOLS_METRICS_NAMESPACE": "Test"},
    )

    assert done.stdout.splitlines() == ["0 []", "[]"]


def test_the_command_line_starts_without_what_only_requests_need() -> None:
    late = "{'requests', 'tenacity', 'botocore', 'rich', 'sqlalchemy'}"
    script = f"import sys, managed_users.tool.commands; print({late} & sys.modules.keys())"

    done = subprocess.run(  # noqa: S603 - this interpreter.
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )

    assert done.stdout == "set()\n"
