"""What the code can say is in the documents, and the documents say nothing that it cannot."""

import re
from pathlib import Path

from dev.docs import configuration, options
from lib.deliveries.attempts import Undelivered
from lib.errors import CODES, Reason
from managed_users.tool import INTERRUPTED
from managed_users.tool.commands import app
from managed_users.tool.context import (
    FAILED,
    FORBIDDEN,
    MISSING,
    UNAVAILABLE,
    USAGE,
)

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


def test_every_reason_has_its_row_in_the_runbook() -> None:
    table = RUNBOOK.split("## Alarms")[0]
    documented = set(
        re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+|deadline|frozen|conflict|unexpected)`", table)
    )

    reasons = {*Reason, *Undelivered}
    assert reasons - documented == set()
    assert documented - reasons - {"store-error"} == set()


def test_every_metric_is_in_the_runbook() -> None:
    counted = re.findall(r"\b(?:count|seconds)\((.*?)\)\n", SOURCE, re.DOTALL)
    names = {name for call in counted for name in re.findall(r"\b([A-Z]\w+)=", call)}
    documented = set(
        re.findall(r"^\| `([A-Z]\w+)` \|", RUNBOOK.split("## Metrics")[1], re.MULTILINE)
    )

    assert names == documented


def test_every_error_code_is_in_the_interface() -> None:
    assert {code for code in CODES.values() if f"`{code}`" not in API} == set()


def test_every_resource_of_an_alarm_is_in_the_runbook() -> None:
    template = (ROOT / "template.yaml").read_text()
    alarms = set(re.findall(r"^  (\w+Alarm):$", template, re.MULTILINE))

    assert alarms == set(re.findall(r"`(\w+Alarm)`", RUNBOOK))


def test_every_command_and_exit_code_of_the_tool_is_documented() -> None:
    text = (ROOT / "docs" / "tool.md").read_text()
    commands = {each.callback.__name__ for each in app.registered_commands if each.callback}
    codes = {"0", *map(str, (FAILED, USAGE, MISSING, UNAVAILABLE, FORBIDDEN, INTERRUPTED))}

    table = text.split("| exit code |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE)) == codes
    assert commands == set(re.findall(r"managed-users (?:--stack <stack> )?([a-z]+)", text))


def test_the_configuration_is_the_template_s() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration.text()


def test_the_options_of_the_command_line_are_the_interface_s() -> None:
    made = ROOT / "client" / "managed_users" / "tool" / "options.json"

    assert made.read_text(encoding="utf-8") == options.text()
