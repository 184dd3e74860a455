"""The name of a build: from the project's version, and the commit where there is one."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from dev import ROOT
from dev.deploy.build_artifact import write_version
from dev.deploy.version import version_of
from handlers import version

SOURCE = Path(ROOT, "src/handlers/version.py")


def git(root: Path, *arguments: str) -> str:
    roles = [f"GIT_{role}_{part}" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")]
    who = dict.fromkeys(roles, "dev@example.com")
    done = subprocess.run(  # noqa: S603 - git.
        ["git", "-C", str(root), *arguments],  # noqa: S607 - whichever the path has.
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that is no repository."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (root / "src/module.py").write_text("A = 1\n")
    return root


@pytest.fixture
def commit(project: Path) -> str:
    """Make the project a repository of one commit, and return its name."""
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--no-gpg-sign", "--message", "first")
    return git(project, "rev-parse", "HEAD")


def test_a_build_of_a_commit_is_named_after_it(project: Path, commit: str) -> None:
    assert version_of(project) == f"1.2.3+{commit[:12]}"


def test_a_build_of_something_else_says_so(project: Path, commit: str) -> None:
    (project / "src/module.py").write_text("A = 2\n")

    assert version_of(project) == f"1.2.3+{commit[:12]}.changed"


def test_what_is_in_no_artifact_changes_nothing(project: Path, commit: str) -> None:
    (project / "notes.txt").write_text("beside it\n")

    assert version_of(project) == f"1.2.3+{commit[:12]}"


def test_an_archive_has_its_version_alone(project: Path) -> None:
    assert version_of(project) == "1.2.3"


@pytest.mark.usefixtures("commit")
def test_an_archive_within_another_repository_is_not_named_after_that(project: Path) -> None:
    inner = project / "vendor/service"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text('[project]\nversion = "4.5.6"\n')

    assert version_of(inner) == "4.5.6"


def test_where_there_is_no_git_the_version_is_there(
    project: Path, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commit
    monkeypatch.setenv("PATH", "")

    assert version_of(project) == "1.2.3"


def test_the_source_tree_is_unbuilt_and_a_build_is_not(tmp_path: Path) -> None:
    module = tmp_path / "version.py"
    module.write_text(SOURCE.read_text(encoding="utf-8"), encoding="utf-8")

    write_version(module)
    built: dict[str, str] = {}
    exec(module.read_text(encoding="utf-8"), built)  # noqa: S102 - the module that was just written.

    assert version.VERSION == "unbuilt"
    assert re.fullmatch(r"\d+\.\d+\.\d+(\+[0-9a-f]{12}(\.changed)?)?", built["VERSION"])


def test_a_module_without_a_version_is_an_error(tmp_path: Path) -> None:
    module = tmp_path / "version.py"
    module.write_text("VERSION = 1\n", encoding="utf-8")

    with pytest.raises(LookupError, match=r"version\.py has no version"):
        write_version(module)
