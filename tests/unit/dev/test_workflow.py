"""The workflow for GitHub runs what .ci/run runs, with code of others pinned and no rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted(Path(ROOT, ".github", "workflows").glob("*.y*ml"))
}
WORKFLOWS: dict[str, Any] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = [
    pytest.param(job, id=f"{name}: {job_name}")
    for name, workflow in WORKFLOWS.items()
    for job_name, job in workflow["jobs"].items()
]
_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_the_targets_are_those_of_the_whole_gate() -> None:
    gate = re.findall(r"^make (\S+)$", Path(ROOT, ".ci", "run").read_text(), re.MULTILINE)

    (job,) = WORKFLOWS["check.yml"]["jobs"].values()

    assert job["strategy"]["matrix"]["target"] == gate
    assert {"check", "test", "e2e"} <= set(gate)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_action_is_pinned_by_commit_and_says_its_version(text: str) -> None:
    uses = re.findall(r"uses: .*", text)

    assert uses
    assert [line for line in uses if not _PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_a_workflow_may_only_read(workflow: Any) -> None:  # noqa: ANN401 - as YAML has it.
    assert workflow["permissions"] == {"contents": "read"}
    # But for a draft, which a person publishes.
    allowed = [{"contents": "write"}] if "tags" in workflow[True]["push"] else []
    given = [job["permissions"] for job in workflow["jobs"].values() if "permissions" in job]
    assert given == allowed
    assert workflow["concurrency"]["cancel-in-progress"] is True


def test_a_release_is_a_draft_and_is_built_of_a_tag_alone() -> None:
    workflow = WORKFLOWS["release.yml"]
    commands = "\n".join(step.get("run", "") for step in workflow["jobs"]["draft"]["steps"])

    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 takes "on" for true.
    assert re.findall(r"gh release (\w+) ", commands) == ["create"]
    assert "--draft" in commands
    assert "publish" not in commands


def test_the_hooks_are_the_gates_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    check = (ROOT / "Makefile").read_text().split("\ncheck: ")[1].split("\n\n")[0]
    tools = re.findall(r"\$\(RUN\) (\S+)|(lint-template)$", check, re.MULTILINE)

    assert [one or other for one, other in tools] == [
        re.findall(r"ruff|mypy|lint-imports|lint-template", hook["entry"])[0] for hook in hooks
    ]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_ends_in_time_and_keeps_no_credentials(job: Any) -> None:  # noqa: ANN401 - likewise.
    checkouts = [step for step in job["steps"] if "actions/checkout@" in step.get("uses", "")]

    assert job["timeout-minutes"] <= 60
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]
    assert [step for step in job["steps"] if "${{" in step.get("run", "")] == []
