"""What ``sam build`` made: complete by itself, compiled, trimmed, the same every time."""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import xform_name

from dev import ROOT
from dev.deploy.build_artifact import build
from dev.deploy.deployment import ARCHITECTURE
from dev.deploy.version import version_of

pytestmark = pytest.mark.e2e
FUNCTIONS = {
    "ApiFunction": "handlers.api",
    "RefreshFunction": "handlers.refresh",
    "ChangesFunction": "handlers.changes",
    "DeliveriesFunction": "handlers.deliveries",
}
# Lambda refuses more than 250 MB; this bounds what a cold start has to fetch.
MOST_BYTES = 32_000_000
# Every module of ours, because many are imported by functions when they need them.
_IMPORT = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
assert importlib.import_module(sys.argv[2]).handler
for package in ("handlers", "lib"):
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)
from boto3.session import Session
for service in ("dynamodb", "events", "lambda", "secretsmanager", "sqs"):
    Session().client(service, region_name="us-east-1")
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
json.dump([file for file in files if file], sys.stdout)
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_nothing_but_its_artifact_and_python_itself(
    built: Path, function: str
) -> None:
    artifact = (built / function).resolve()
    standard_library = Path(os.__file__).parent

    done = subprocess.run(  # noqa: S603 - this interpreter, without site-packages.
        [sys.executable, "-I", "-S", "-c", _IMPORT, str(artifact), FUNCTIONS[function]],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )

    strangers = [
        file
        for file in json.loads(done.stdout)
        if not Path(file).is_relative_to(artifact)
        and not Path(file).is_relative_to(standard_library)
    ]
    assert strangers == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artifact_says_which_processor_it_is_for(built: Path, function: str) -> None:
    assert (built / function / "architecture").read_text() == f"{ARCHITECTURE}\n"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_module_has_bytecode_that_is_not_checked_again(built: Path, function: str) -> None:
    sources = sorted((built / function).rglob("*.py"))
    compiled = [Path(importlib.util.cache_from_source(str(source))) for source in sources]

    assert len(sources) > 100
    assert [path for path in compiled if not path.exists()] == []
    # Hash-based and unchecked, by the flags in the header (PEP 552).
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\x00\x00\x00"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artifact_is_trimmed(built: Path, function: str) -> None:
    artifact = built / function
    data = artifact / "botocore/data"
    services = {path.name for path in data.iterdir() if path.is_dir()}
    texts = [path for path in data.rglob("*.json") if '"documentation":"' in path.read_text()]
    size = sum(path.stat().st_size for path in artifact.rglob("*") if path.is_file())

    assert services == {"dynamodb", "events", "lambda", "secretsmanager", "sqs"}
    assert texts == []
    assert not list(data.rglob("*.gz"))
    assert not (artifact / "boto3/data").exists()
    assert not list(artifact.rglob("tests"))
    assert size < MOST_BYTES


def test_the_operations_that_are_called_are_those_that_an_artifact_describes(built: Path) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    called = set(re.findall(r"client\.([a-z_]+)\b", sources))

    described = {
        xform_name(operation)
        for model in (built / "ApiFunction/botocore/data").rglob("service-2.json")
        for operation in json.loads(model.read_text())["operations"]
    }

    assert called == described


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_artifact_says_what_it_was_built_of(built: Path, function: str) -> None:
    module = (built / function / "handlers/version.py").read_text(encoding="utf-8")

    (version,) = re.findall(r'^VERSION = "(.+)"$', module, re.MULTILINE)
    assert version.partition("+")[0] == version_of(ROOT).partition("+")[0]


def test_a_build_gives_the_same_bytes_again(built: Path, tmp_path: Path) -> None:
    (uv,) = (ROOT / ".tools").glob("uv-*/bin/uv")

    build(tmp_path / "again", architecture=ARCHITECTURE, uv=str(uv), cache=tmp_path / "cache")

    assert _digests(tmp_path / "again") == _digests(built / "ApiFunction")
    assert _digests(built / "RefreshFunction") == _digests(built / "ApiFunction")


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }
