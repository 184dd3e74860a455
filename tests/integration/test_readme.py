"""What the README shows is what happens: its requests are made, in its order."""

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from dev import ROOT
from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from tests.patience import PATIENCE_SECONDS

README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCAL = "http://127.0.0.1:8080"
EXAMPLES = re.findall(r"```console\n\$ (curl .*?)\n(.*?)```", README, re.DOTALL)
# What differs from run to run.
_VARIES = re.compile(r"ttl=\d+|cursor=[^>]*|\d\d:\d\d:\d\d|\w{3}, \d\d \w{3} \d{4}|(?<=^Age: )\d+")


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(LocalSettings(port=0, schedule_seconds=3600)) as running:
        yield running


def fields(head: str) -> list[str]:
    """Return the status line and header fields, without what varies."""
    return [_VARIES.sub("…", line.strip()) for line in head.strip().splitlines()]


def test_each_request_is_answered_as_shown(stack: LocalStack) -> None:
    for command, shown in EXAMPLES:
        asked = shlex.split(command.replace(LOCAL, stack.url))
        done = subprocess.run(  # noqa: S603 - the README's own.
            asked, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
        )

        told_head, _, told_body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        shown_head, _, shown_body = shown.partition("\n\n")
        assert set(fields(shown_head)) <= set(fields(told_head)), command
        beginning = shown_body.partition("…")[0].strip().rstrip(",")
        assert told_body.startswith(beginning)


def test_there_are_three_first_requests() -> None:
    assert len(EXAMPLES) == 3


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`?make ([a-z][a-z-]+)", README))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"run", "test"} <= named <= targets


def test_every_file_that_is_linked_exists() -> None:
    linked = re.findall(r"\]\((?!http)([^)#]+)", README)

    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []
