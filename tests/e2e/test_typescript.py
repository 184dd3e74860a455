"""The TypeScript client: its tests on the running service, its package, its README's examples."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import ROOT
from dev.deploy.deployment import Deployment
from dev.local.settings import DEMO_CLIENTS, LocalSettings
from dev.local.stack import LocalStack
from tests.e2e import programs
from tests.e2e.calls import OWNER, Json
from tests.e2e.conftest import CLIENT
from tests.e2e.signatures import SignatureGate

pytestmark = pytest.mark.e2e
SOURCE = Path(ROOT, "client/typescript")
MANIFEST: Json = json.loads(Path(SOURCE, "package.json").read_text(encoding="utf-8"))
README = Path(SOURCE, "README.md").read_text(encoding="utf-8")
FIRST, SIGNED, COPY, WEBHOOK = re.findall(r"^```ts\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXAMPLES = {"first": FIRST, "signed": SIGNED, "copy": COPY, "webhook": WEBHOOK}
# Delivers to the example, as a good and as a bad sender would.
DELIVER = """
import { Webhook } from "standardwebhooks";
import { POST } from "./webhook.js";

const body = JSON.stringify({ type: "updated", data: { generation: 8 } });
for (const secret of process.env.SECRETS.split(" ")) {
  const at = new Date();
  const headers = {
    "webhook-id": "e1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("e1", at, body),
  };
  const url = "https://receiver.example.com/hook";
  console.log((await POST(new Request(url, { method: "POST", headers, body }))).status);
}
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh copy of the package, with the tools that its lockfile names."""
    root = tmp_path_factory.mktemp("typescript")
    made = shutil.ignore_patterns("node_modules", "dist", ".build")
    for part in ("docs", "client/typescript"):
        shutil.copytree(Path(ROOT, part), root / part, ignore=made)
    folder = root / "client/typescript"
    programs.install_locked(folder)
    return folder


@pytest.fixture(scope="module")
def consumer(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder where the package is installed as npm would publish it, and its examples."""
    folder = tmp_path_factory.mktemp("consumer")
    (packed,) = json.loads(programs.run("npm", "pack", "--json", "--silent", folder=package))
    tools = ("typescript", "@types/node", "aws4fetch", "standardwebhooks")
    versions = [f"{name}@{MANIFEST['devDependencies'][name]}" for name in tools]
    programs.install(str(package / packed["filename"]), *versions, folder=folder)
    manifest = {"type": "module", "private": True}
    Path(folder, "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, text in EXAMPLES.items():
        Path(folder, f"{name}.ts").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def compiled(consumer: Path) -> Path:
    """Return the folder once the compiler has found nothing wrong with the examples."""
    options = ("--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess")
    places = (
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2023,dom",
        "--types",
        "node",
    )
    files = [f"{name}.ts" for name in EXAMPLES]
    programs.run("npx", "tsc", *options, *places, *files, folder=consumer)
    return consumer


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """Return what leads a program to a directory with more users than its origin lists."""
    with LocalStack(LocalSettings(port=0, workers=2, users=501, schedule_seconds=3600)) as stack:
        (client,) = DEMO_CLIENTS
        yield {"API": stack.url, "CLIENT": client}


def test_its_types_are_those_of_the_documents_and_nobody_objects_to_it(package: Path) -> None:
    programs.run("npm", "run", "check", folder=package)


def test_it_passes_its_tests_on_the_running_service(
    package: Path, variables: dict[str, str]
) -> None:
    printed = programs.run("npm", "test", folder=package, variables=variables)

    assert re.search(r"^\S+ skipped 0$", printed, re.MULTILINE), printed


def test_it_needs_nothing_and_is_of_the_version_of_the_service() -> None:
    project = tomllib.loads(Path(ROOT, "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert MANIFEST.keys().isdisjoint({"dependencies", "peerDependencies"})
    assert MANIFEST["version"] == project["version"]


def test_its_lockfile_names_no_registry() -> None:
    lock: Json = json.loads(Path(SOURCE, "package-lock.json").read_text(encoding="utf-8"))

    named = {name for name, locked in lock["packages"].items() if "resolved" in locked}
    assert named == set()


def test_what_is_packed_is_what_was_compiled(consumer: Path) -> None:
    installed = Path(consumer, "node_modules", MANIFEST["name"])
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    modules = {path.stem for path in Path(SOURCE, "src").iterdir()}

    compiled = {f"dist/{name}{suffix}" for name in modules for suffix in (".js", ".d.ts")}
    assert files == compiled | {"package.json", "README.md"}


def test_the_first_example_lists(compiled: Path, variables: dict[str, str]) -> None:
    printed = programs.run("node", "first.js", folder=compiled, variables=variables)

    assert re.fullmatch(r"(\d+ \w.*\n)+", printed)


def test_the_example_that_signs_is_let_in(compiled: Path, deployment: Deployment) -> None:
    with SignatureGate(deployment, caller=OWNER) as gate:
        variables = {
            "API": gate.url,
            "CLIENT": CLIENT,
            "AWS_REGION": deployment.aws.region,
            "AWS_ACCESS_KEY_ID": OWNER.access_key,
            "AWS_SECRET_ACCESS_KEY": OWNER.secret_key,
        }
        printed = programs.run("node", "signed.js", folder=compiled, variables=variables)

    assert re.fullmatch(r"\d+ \[ 'nobody@example.com' \]\n", printed)


def test_the_example_that_keeps_a_copy_has_everybody(
    compiled: Path, variables: dict[str, str]
) -> None:
    printed = programs.run("node", "copy.js", folder=compiled, variables=variables)

    assert re.fullmatch(r"500 users in generation \d+\n", printed)


def test_the_example_that_receives_takes_what_is_signed_alone(compiled: Path) -> None:
    Path(compiled, "deliver.js").write_text(DELIVER, encoding="utf-8")
    good = "whsec_Y2FuYXJ5LXNlY3JldC1vZi0zMi1ieXRlcy1oZXJlISE="
    other = "whsec_YW5vdGhlci1zZWNyZXQtb2YtMzItYnl0ZXMtaGVyZSE="

    printed = programs.run(
        "node",
        "deliver.js",
        folder=compiled,
        variables={"WEBHOOK_SECRETS": good, "SECRETS": f"{good} {other}"},
    )

    assert printed.splitlines() == ["updated 8", "204", "401"]
