"""An artifact for another processor is refused in one sentence."""

from pathlib import Path

import pytest

from handlers.artifact import refuse_other_processors


@pytest.mark.parametrize(
    ("built_for", "machine"),
    [("arm64", "aarch64"), ("arm64", "arm64"), ("x86_64", "x86_64")],
)
def test_an_artifact_runs_on_the_processor_it_was_built_for(
    tmp_path: Path, built_for: str, machine: str
) -> None:
    (tmp_path / "architecture").write_text(f"{built_for}\n")

    refuse_other_processors(tmp_path, machine)


@pytest.mark.parametrize(("built_for", "machine"), [("arm64", "x86_64"), ("x86_64", "aarch64")])
def test_an_artifact_refuses_any_other_and_says_what_to_do(
    tmp_path: Path, built_for: str, machine: str
) -> None:
    (tmp_path / "architecture").write_text(f"{built_for}\n")

    with pytest.raises(RuntimeError) as caught:
        refuse_other_processors(tmp_path, machine)

    assert str(caught.value) == (
        f"This artifact was built for {built_for}, and the function runs on {machine}: deploy it "
        f"with Architecture={built_for}, or build another (make build ARCHITECTURE=…)."
    )


def test_sources_run_anywhere(tmp_path: Path) -> None:
    refuse_other_processors(tmp_path, "riscv64")
