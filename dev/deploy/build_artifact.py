"""Builds what a Lambda function runs: ``src`` and the locked dependencies, compiled.

SAM's own Python builders ship no bytecode, and Lambda's file system is read-only: without it every
cold start compiles everything again. So the Makefile's ``build-<function>`` targets, which
``sam build`` calls, run this module.

All functions get the same content, each in an artifact of its own. A shared layer would save a
second upload and nothing else, and would bring a version to publish, keep and clean up.

The content depends on ``uv.lock``, ``src``, this module, ``stand_ins`` and the commit's name alone:
wheels only, their hashes checked, times and paths fixed. Dependencies are kept in ``.build`` under
a name made from what decides them, so the other functions and the next build only copy.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from dev import ROOT
from dev.deploy import stand_ins
from dev.deploy.version import version_of

type Json = Any  # A model's nodes are free-form.

_CACHE = ROOT / ".build"
PLATFORMS = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}
# Where Lambda unpacks the artifact; in bytecode it stands for the directory of the build.
_TASK_ROOT = "/var/task"
# The earliest time that a zip file can hold.
_EPOCH = 315_532_800

# Of the 400 services that botocore describes, those that the functions call, and what they call.
_SERVICES = {
    "dynamodb": {"BatchGetItem", "BatchWriteItem", "GetItem", "TransactWriteItems", "UpdateItem"},
    "events": {"PutEvents"},
    "lambda": {"Invoke"},
    "secretsmanager": {"GetSecretValue"},
    "sqs": {"ChangeMessageVisibility", "SendMessage"},
}
# Files that pip and uv write for themselves, and which differ from one installation to the next.
_INSTALLER_FILES = frozenset(
    {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}
)
# What no function loads: commands, tests, and what boto3 makes resources of.
_UNUSED = ("bin", "boto3/data", "boto3/examples", "s3transfer", "**/tests", "**/__pycache__")


def build(target: Path, *, architecture: str, uv: str, cache: Path = _CACHE) -> None:
    """Fill the directory ``target`` with the artifact for ``architecture``."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(_dependencies(architecture, uv=uv, cache=cache), target)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        own = Path(scratch)
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "src", own, dirs_exist_ok=True, ignore=unwanted)
        write_version(own / "handlers/version.py")
        compile_sources(own, root=_TASK_ROOT)
        shutil.copytree(own, target, dirs_exist_ok=True)
    # For src/handlers/artifact.py: `sam build` does not tell which processor the template is asked
    # for, so that the two can differ.
    (target / "architecture").write_text(f"{architecture}\n", encoding="ascii")
    _fix_times_and_modes(target)


def write_version(module: Path) -> None:
    """Write into ``handlers.version`` which build this is."""
    text = module.read_text(encoding="utf-8")
    written = text.replace('VERSION = "unbuilt"', f'VERSION = "{version_of(ROOT)}"')
    if written == text:
        raise LookupError(f"{module.name} has no version to be replaced")
    module.write_text(written, encoding="utf-8")


def _dependencies(architecture: str, *, uv: str, cache: Path) -> Path:
    """Return the directory of installed, trimmed and compiled dependencies; make it if need be."""
    locked = output(uv, "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header")
    made_by = [Path(file).read_text(encoding="utf-8") for file in (__file__, stand_ins.__file__)]
    recipe = [locked, *made_by, architecture, sys.version]

    def make(packages: Path) -> None:
        checked = ("--no-deps", "--require-hashes")
        install(locked, packages, *checked, architecture=architecture, uv=uv)
        _trim(packages)
        compile_sources(packages, root=_TASK_ROOT)

    return kept(cache, f"dependencies-{architecture}", recipe, make)


def kept(cache: Path, name: str, recipe: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return the directory in ``cache`` that ``recipe`` decides; have it made if need be."""
    digest = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
    made = cache / f"{name}-{digest}"
    if made.exists():
        return made
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        making = Path(scratch, "made")
        making.mkdir()
        make(making)
        try:
            making.rename(made)
        except OSError:
            # A build beside this one was faster; what it made is the same.
            if not made.exists():
                raise
    return made


def install(requirements: str, target: Path, *options: str, architecture: str, uv: str) -> None:
    """Install the lines of ``requirements`` into ``target``: wheels alone, copied."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    platform = ["--python-version", version, "--python-platform", PLATFORMS[architecture]]
    wheels = ["--only-binary", ":all:", "--link-mode", "copy"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(requirements)
        file.flush()
        files = ["--target", str(target), "--requirements", file.name]
        output(uv, "pip", "install", "--quiet", *options, *platform, *wheels, *files)
    (target / ".lock").unlink(missing_ok=True)


def output(*command: str) -> str:
    """Return what a command prints that must not fail."""
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - uv.
    return done.stdout


def _trim(packages: Path) -> None:
    for pattern in _UNUSED:
        for directory in list(packages.glob(pattern)):
            shutil.rmtree(directory)
    stand_ins.put_into(packages)
    _trim_data(packages / "botocore/data")
    for information in packages.glob("*.dist-info"):
        for file in information.iterdir():
            if file.name in _INSTALLER_FILES:
                file.unlink()


def _trim_data(data: Path) -> None:
    """Leave what botocore knows of the services that are called, of the newest version of each."""
    for directory in data.iterdir():
        if directory.is_dir() and directory.name not in _SERVICES:
            shutil.rmtree(directory)
    for service in _SERVICES:
        *older, _newest = sorted(data.joinpath(service).iterdir())
        for version in older:
            shutil.rmtree(version)
    for model in data.rglob("*.json.gz"):
        _trim_model(model)
    _trim_endpoints(data / "endpoints.json")


def _trim_model(file: Path) -> None:
    """Leave out the texts of a service's model, three quarters of what its client has to parse.

    What is left of a service are the operations that the functions call, and their shapes.
    """
    model = json.loads(gzip.decompress(file.read_bytes()), object_hook=_without_text)
    if file.name == "service-2.json.gz":
        _keep_operations(model, _SERVICES[file.parents[1].name])
    file.with_suffix("").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")
    file.unlink()


def _keep_operations(model: Json, names: Collection[str]) -> None:
    """Leave in a service's model the operations ``names``, and the shapes that these need."""
    model["operations"] = {name: model["operations"][name] for name in sorted(names)}
    needed: dict[str, Json] = {}
    unread = [model["operations"]]
    while unread:
        node = unread.pop()
        children = node.values() if isinstance(node, dict) else node
        unread += (each for each in children if isinstance(each, dict | list))
        shape = node.get("shape") if isinstance(node, dict) else None
        # A member of that name is an object.
        if isinstance(shape, str) and shape not in needed:
            needed[shape] = model["shapes"][shape]
            unread.append(needed[shape])
    model["shapes"] = needed


def _without_text(node: Json) -> Json:
    # A member of that name would be an object, not a text.
    if isinstance(node.get("documentation"), str):
        del node["documentation"]
    return node


def _trim_endpoints(file: Path) -> None:
    """Leave the endpoints of the services that are used: every client parses all of the file."""
    endpoints = json.loads(file.read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: service for name, service in partition["services"].items() if name in _SERVICES
        }
    file.write_text(json.dumps(endpoints, separators=(",", ":")), encoding="utf-8")


def compile_sources(directory: Path, *, root: str) -> None:
    """Write bytecode that is used without looking at its source's time, which a zip file blurs.

    In it ``root`` stands for ``directory``. An interpreter of its own does it: what bytecode looks
    like depends on what the compiling process holds in memory.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(directory), "-p", root]
    output(sys.executable, "-I", "-m", "compileall", *options, str(directory))


def _fix_times_and_modes(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_EPOCH, _EPOCH))


def main() -> None:
    """Build into the directory that SAM names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--architecture", choices=PLATFORMS, default="arm64")
    parser.add_argument("--uv", default="uv")
    arguments = parser.parse_args()
    build(arguments.target, architecture=arguments.architecture, uv=arguments.uv)


if __name__ == "__main__":
    main()
