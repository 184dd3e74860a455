"""The operator's command line against the running service, as a process and in this one."""

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from dev import ROOT
from dev.local.settings import TABLE_NAME, LocalSettings
from dev.local.stack import LocalStack
from dev.origin import Fault
from lib.aws.cursor_key import CursorKey
from lib.aws.table import Table
from lib.queries.cursor import Cursor, Cursors
from lib.queries.list_query import parse_list
from managed_users import Client, Page
from managed_users.tool.commands import app
from managed_users.tool.doctor import alarm_problem, shape_problem
from tests.fakes import Clock
from tests.integration.stack import Caller
from tests.patience import PATIENCE_SECONDS, wait_until

type Run = Callable[..., Result]

CLIENT = "clxtool00000000000000000001"
USERS = 620
WINDOW = 500


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    settings = LocalSettings(
        port=0, workers=2, users=USERS, clients={CLIENT: "secret-canary"}, schedule_seconds=3600
    )
    with LocalStack(settings) as running:
        yield running


@pytest.fixture
def environment(stack: LocalStack) -> dict[str, str]:
    return {
        "MANAGED_USERS_URL": f"{stack.url}/v2",
        "MANAGED_USERS_CLIENT_ID": CLIENT,
        "NO_COLOR": "1",
        **stack.aws.environment,
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--patience", "0", *arguments], env=environment)

    return invoke


@pytest.fixture
def refresh(stack: LocalStack, run: Run) -> Callable[[], None]:
    def now() -> None:
        # Past the floor between two forced sweeps, and the pause after a failure.
        Caller(stack, CLIENT).let_pass(61)
        assert run("refresh", "--wait").exit_code == 0

    return now


@pytest.fixture(autouse=True)
def _mended(stack: LocalStack) -> Iterator[None]:
    yield
    assert stack.origin is not None
    stack.origin.faults = []


def test_status_is_what_the_cache_says(run: Run, refresh: Callable[[], None]) -> None:
    refresh()

    shown, told = run("status"), json.loads(run("status", "--json").stdout)

    assert told["users"] >= WINDOW
    assert f"incompleteReason\t{told['incompleteReason']}" in shown.stdout


def test_users_are_all_users_however_many_pages_that_takes(run: Run) -> None:
    listed = json.loads(run("users", "--json").stdout)["users"]
    lines = run("users", "--format", "jsonl").stdout.splitlines()

    assert len(listed) >= WINDOW
    assert [json.loads(line) for line in lines] == listed


def test_users_can_be_filtered_and_cut(run: Run, stack: LocalStack) -> None:
    assert stack.origin is not None
    rows = [row for row in stack.origin.users(CLIENT)[:WINDOW] if row["timeZone"] == "Asia/Tokyo"]

    found = run(
        *("users", "--time-zone", "Asia/Tokyo", "--fields", "id,name", "--sort", "-id"),
        *("--limit", "3", "--format", "csv"),
    )

    wanted = [[str(row["id"]), row["name"]] for row in reversed(rows)][:3]
    assert list(csv.reader(found.stdout.splitlines())) == [["id", "name"], *wanted]


def test_a_page_is_all_that_its_next_page_takes(stack: LocalStack) -> None:
    client = Client(f"{stack.url}/v2", CLIENT)
    zones = {user["timeZone"] for user in client.users(fields=["timeZone"])}
    # Longer than a link may be, and answered by more users than one can name.
    question = [*zones, *(f"Nowhere/{'x' * 50}{number}" for number in range(60))]
    ids = [user["id"] for user in client.page(limit=5).users]

    for first, size in (
        (client.page(timeZone=question, limit=200), WINDOW),
        (client.look_up(ids=ids, limit=2, fields="id"), len(ids)),
    ):
        page: Page | None = first
        seen = []
        while page is not None:
            seen += [user["id"] for user in page.users]
            page = client.next_page(page)
        assert seen == sorted(set(seen))
        assert len(seen) == size


def test_one_user_can_be_had_by_any_name_with_some_fields_and_as_he_was(run: Run) -> None:
    (user,) = json.loads(run("users", "--limit", "1", "--json").stdout)["users"]

    for name in (str(user["id"]), user["email"], user["username"]):
        found = run("get", name, "--fields", "id, email", "--as-of", "1", "--json")
        assert json.loads(found.stdout)["user"] == {"id": user["id"], "email": user["email"]}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("users", "--time-zone", "Nowhere!"), 1, "timeZone"),
        (("users", "--ids", ""), 2, "ids is empty"),
        (("users", "--q", ""), 2, "q is empty"),
        (("users", "--email-match", "some"), 1, "email_match"),
        (("users", "--metadata", "plan"), 2, "key=value"),
        (("users", "--format", "xml"), 2, "xml"),
        (("get", "999999999"), 3, "not part of this OAuth client"),
        (("get", "nobody@example.com"), 3, "no such user"),
        (("changes", "--since", "999"), 1, "999 is above it"),
        (("changes",), 0, "is the newest"),
        (("replay", "--from", "0"), 2, "--stack"),
        (("erase", "7", "--yes"), 2, "--stack"),
        (("export", "users.xml"), 2, ".jsonl"),
        (("--url", "http://127.0.0.1:1/v2", "status"), 4, "does not accept connections"),
        (("--client-id", "clxunknown", "status"), 3, "clxunknown"),
    ],
)
def test_what_does_not_work_ends_with_a_line_and_a_code(
    run: Run, arguments: tuple[str, ...], code: int, told: str
) -> None:
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_nobody_is_erased_whose_erasure_nobody_confirms(run: Run) -> None:
    result = run("erase", "7", "--function", "f")

    assert (result.exit_code, "for ever?" in result.stderr) == (1, True)


def test_one_user_by_id_address_and_username(run: Run, stack: LocalStack) -> None:
    assert stack.origin is not None
    inside, past = stack.origin.users(CLIENT)[0], stack.origin.users(CLIENT)[-1]

    found = [
        json.loads(run("get", name, "--json").stdout)
        for name in (str(past["id"]), past["email"], inside["username"])
    ]

    assert [told["user"]["id"] for told in found] == [past["id"], past["id"], inside["id"]]


def test_fresh_asks_the_origin(run: Run, stack: LocalStack) -> None:
    assert stack.origin is not None
    user_id = stack.origin.users(CLIENT)[5]["id"]
    run("get", str(user_id))
    stack.origin.update(CLIENT, user_id, name="Seen At Once")

    found = json.loads(run("get", str(user_id), "--fresh", "--json").stdout)

    assert found["user"]["name"] == "Seen At Once"


def test_who_asks_for_it_fresh_in_an_outage_is_told_how_old_it_is(
    run: Run, stack: LocalStack, refresh: Callable[[], None]
) -> None:
    assert stack.origin is not None
    refresh()
    inside = str(stack.origin.users(CLIENT)[0]["id"])
    stack.origin.faults = [Fault("status", status=503)]

    told = run("get", inside, "--fresh", "--json")
    nobody = run("get", "999999")

    assert told.exit_code == 0
    assert "could not be asked: seen" in told.stderr
    assert json.loads(told.stdout)["cacheStatus"].startswith("managed-users; ")
    assert (nobody.exit_code, nobody.stdout) == (4, "")


def test_names_that_nobody_has_or_that_could_not_be_asked_for_are_told(
    run: Run, stack: LocalStack, refresh: Callable[[], None]
) -> None:
    assert stack.origin is not None
    refresh()
    inside = stack.origin.users(CLIENT)[0]["id"]

    missing = run("users", "--ids", f"{inside},888888", "--format", "jsonl")
    stack.origin.faults = [Fault("status", status=503)]
    not_asked = run("users", "--ids", f"{inside},888887", "--format", "jsonl")

    for result, code, told in ((missing, 3, "888888"), (not_asked, 4, "888887")):
        assert json.loads(result.stdout)["id"] == inside
        assert (result.exit_code, told in result.stderr) == (code, True)


def test_options_of_all_commands_may_come_after_the_command(run: Run) -> None:
    result = run("status", "--verbose", "--client-id", "clxunknown")
    listed = run("users", "--limit", "1", "-v", "--fields", "id, name", "--format", "csv")

    assert (result.exit_code, "clxunknown" in result.stderr) == (3, True)
    assert "managed-users; " in listed.stderr
    assert listed.stdout.startswith("id,name\n")


def test_every_parameter_of_a_list_is_an_option() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    listing = document["paths"]["/oauth-clients/{clientId}/users"]
    given = [*listing.get("parameters", []), *listing["get"]["parameters"]]
    names = {
        resolved["name"].partition("[")[0]
        for each in given
        for resolved in [_resolved(document, each)]
        if resolved["in"] == "query"
    }
    group: Any = get_command(app)
    options = {option for each in group.commands["users"].params for option in each.opts}

    # By these, pages are found; the tool follows links.
    pages = {"offset", "cursor", "clientId"}
    wanted = {f"--{re.sub(r'[A-Z_]', _hyphen, name)}" for name in names - pages}
    assert wanted - options == set()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1/v2", "does not accept connections"),
        ("http://there-is.invalid/v2", "cannot be found"),
        ("htp://127.0.0.1/v2", "not where a service can be"),
        ("nonsense", "is not where a service can be: give --url"),
        ("localhost:3000", "is not where a service can be: give --url"),
    ],
)
def test_what_is_hopeless_is_said_at_once(run: Run, url: str, told: str) -> None:
    result = run("status", "--url", url, "--patience", "3600")

    assert (result.exit_code, told in result.stderr) == (4, True)
    assert url.removesuffix("/v2") in result.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("users --limit 1 > /dev/full", 1),
        ("users --limit 1 >&-", 1),
        ("users --limit 1 | head -c 1", 0),
        ("users --limit 1", 0),
    ],
)
def test_no_output_that_goes_wrong_is_a_traceback(
    environment: dict[str, str], command: str, code: int
) -> None:
    main = "from managed_users.tool import main; main()"
    tool = f"{shlex.join((sys.executable, '-c', main))} {command}"
    ascii_only = {**os.environ, **environment, "PYTHONIOENCODING": "ascii"}

    done = subprocess.run(  # noqa: S603 - a shell's redirections of our own.
        ["/bin/sh", "-c", tool],
        check=False,
        env=ascii_only,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").stdout.strip() == version("managed-users")


def test_changes_since_a_generation(
    run: Run, stack: LocalStack, refresh: Callable[[], None]
) -> None:
    assert stack.origin is not None
    refresh()
    since = json.loads(run("status", "--json").stdout)["generation"]
    before = stack.origin.users(CLIENT)[7]
    user_id = before["id"]
    stack.origin.update(CLIENT, user_id, name="Changed")
    refresh()

    lines = run("changes", "--since", str(since))
    told = json.loads(run("changes", "--since", str(since), "--json").stdout)

    assert f"updated {user_id} name\n" in lines.stdout
    was = [
        json.loads(run(*asked, "--as-of", str(since), "--json").stdout)
        for asked in (
            ("get", str(user_id)),
            ("get", before["email"]),
            ("users", "--ids", str(user_id)),
        )
    ]
    assert [told.get("user") or told["users"][0] for told in was] == [before] * 3
    assert {"id": user_id, "fields": ["name"]} in told["updated"]


def test_an_export_has_every_user(run: Run, tmp_path: Path) -> None:
    lines, table = tmp_path / "users.jsonl", tmp_path / "users.csv"

    told = json.loads(run("export", str(lines), "--json").stdout)
    run("export", str(table))

    users = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert told["users"] == len(users) == len(rows) >= WINDOW
    assert [row["id"] for row in rows] == [str(user["id"]) for user in users]
    assert users == json.loads(run("users", "--json").stdout)["users"]
    assert run("export", "-").stdout == lines.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["users.csv", "users.jsonl"]


def test_an_export_replaces_nothing_unless_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text("mine", encoding="utf-8")

    refused = run("export", str(file))
    kept = file.read_text(encoding="utf-8")
    replaced = run("export", str(file), "--overwrite")

    assert (refused.exit_code, kept) == (2, "mine")
    assert replaced.exit_code == 0
    assert file.read_text(encoding="utf-8") != "mine"


def test_an_interrupted_export_goes_on_where_it_ended(
    run: Run, stack: LocalStack, tmp_path: Path
) -> None:
    assert stack.origin is not None
    whole, file = tmp_path / "whole.jsonl", tmp_path / "users.jsonl"
    run("export", str(whole))
    text = whole.read_bytes()
    first = b"".join(text.splitlines(keepends=True)[:250])
    Path(f"{file}.part").write_bytes(first + b'{"id": 1, "torn')
    notes = {"next_url": _second_page(stack), "size": len(first), "users": 250}
    Path(f"{file}.progress").write_text(json.dumps(notes), encoding="utf-8")

    done = run("export", str(file))

    assert "going on after 250 users" in done.stderr
    assert file.read_bytes() == text


def test_an_export_whose_generation_is_gone_starts_again(
    run: Run, stack: LocalStack, tmp_path: Path
) -> None:
    file = tmp_path / "users.jsonl"
    Path(f"{file}.part").write_bytes(b"old\n")
    # The second page is that of a cursor, so the table has a key.
    before = _second_page(stack).partition("cursor=")[0]
    table = Table(stack.aws.client("dynamodb"), TABLE_NAME, sleep=Clock().sleep)
    key = CursorKey(table, new_key=bytes)
    gone = Cursor(generation=1, offset=250, issued_at=0, filters_digest=_view(), hiding_digest="")
    link = f"{before}cursor={Cursors(key).write(gone)}"
    notes = {"next_url": link, "size": 4, "users": 1}
    Path(f"{file}.progress").write_text(json.dumps(notes), encoding="utf-8")

    done = run("export", str(file))

    assert "starting again" in done.stderr
    assert not file.read_bytes().startswith(b"old")


def test_an_export_needs_no_origin(run: Run, stack: LocalStack, tmp_path: Path) -> None:
    assert stack.origin is not None
    run("status")
    stack.origin.stop()
    try:
        done = run("export", str(tmp_path / "users.jsonl"))
        refused = run("refresh", "--wait")
    finally:
        stack.origin.start()

    assert done.exit_code == 0
    assert refused.exit_code == 4


def test_the_doctor_finds_nothing_wrong(run: Run, refresh: Callable[[], None]) -> None:
    refresh()

    results = json.loads(run("doctor", "--json").stdout)

    states = {result["check"]: result["state"] for result in results}
    assert states["service"] == states["client"] == states["clock"] == "ok"
    assert "fail" not in states.values()


def test_the_doctor_says_what_is_wrong(run: Run) -> None:
    unreachable = run("--url", "http://127.0.0.1:1/v2", "doctor")
    unknown = run("--client-id", "clxunknown", "doctor")

    assert (unreachable.exit_code, unknown.exit_code) == (1, 1)
    assert "service\tfail\thttp://127.0.0.1:1 does not accept connections" in unreachable.stdout
    assert "client\tfail\tunknown to the deployment" in unknown.stdout


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": "key"}', None),
        ("canary", "not JSON"),
        ('["canary"]', "not an object"),
        ('{"a": ""}', "empty"),
        ('{"a": {"key": "canary", "organizationId": 7}}', None),
        ('{"a": {"organizationId": 7}}', "empty"),
        ('{"b": "canary"}', "does not name"),
    ],
)
def test_the_shape_of_a_secret_is_told_without_it(text: str, problem: str | None) -> None:
    told = shape_problem(text, "a")

    assert (told is None) if problem is None else (problem in str(told))
    assert "canary" not in str(told)


def test_a_reader_who_has_enough_is_no_error(environment: dict[str, str]) -> None:
    with _started(environment, "users", "--format", "jsonl") as (tool, out, err):
        out.readline()
        out.close()

        assert (tool.wait(timeout=PATIENCE_SECONDS), err.read()) == (0, "")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children be interrupted, even where the suite runs in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_following_changes_ends_with_control_c(
    stack: LocalStack, environment: dict[str, str], refresh: Callable[[], None]
) -> None:
    assert stack.origin is not None
    refresh()
    asked_before = _looks(stack)
    with _started(environment, "changes", "--follow", "--every", "0.2") as (tool, out, err):
        # It begins with the generation that is the newest when it starts.
        wait_until(lambda: _looks(stack) > asked_before)
        user_id = stack.origin.users(CLIENT)[9]["id"]
        stack.origin.update(CLIENT, user_id, name="Followed")
        refresh()

        line = out.readline()
        tool.send_signal(signal.SIGINT)

        assert line == f"updated {user_id} name\n"
        assert tool.wait(timeout=PATIENCE_SECONDS) == 130
        assert err.read().endswith("is the newest.\n")


def _looks(stack: LocalStack) -> int:
    return sum(f"/{CLIENT}/cache 200" in line for line in stack.journal.lines)


def _second_page(stack: LocalStack) -> str:
    page = Client(f"{stack.url}/v2", CLIENT).page(limit=250)
    assert page.next_url is not None
    return page.next_url


def _view() -> str:
    return parse_list({"limit": ["250"]}).filters_digest(CLIENT)


@contextmanager
def _started(
    environment: dict[str, str], *arguments: str
) -> Iterator[tuple["subprocess.Popen[str]", IO[str], IO[str]]]:
    program = Path(sys.executable).with_name("managed-users")
    with subprocess.Popen(  # noqa: S603 - the tool itself.
        [program, *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as tool:
        assert tool.stdout is not None
        assert tool.stderr is not None
        # Nothing that is read here may be waited for in vain.
        limit = threading.Timer(PATIENCE_SECONDS, tool.kill)
        limit.start()
        try:
            yield tool, tool.stdout, tool.stderr
        finally:
            limit.cancel()
            tool.kill()


def alarm(name: str, state: str, *actions: str) -> dict[str, object]:
    return {"AlarmName": name, "StateValue": state, "AlarmActions": list(actions)}


@pytest.mark.parametrize(
    ("alarms", "told"),
    [
        ([], "there are none"),
        ([alarm("late", "ALARM"), alarm("other", "INSUFFICIENT_DATA")], "late: see the runbook"),
        ([alarm("late", "INSUFFICIENT_DATA", "topic"), alarm("b", "OK")], "no data yet: late"),
        ([alarm("late", "OK"), alarm("b", "OK")], "they tell nobody"),
    ],
)
def test_the_doctor_says_which_alarms_ring_or_cannot(
    alarms: list[dict[str, object]], told: str
) -> None:
    problem = alarm_problem(alarms)

    assert problem is not None
    assert problem.startswith(told)


def test_alarms_that_are_quiet_and_tell_somebody_are_well() -> None:
    assert alarm_problem([alarm("late", "OK", "topic"), alarm("b", "OK")]) is None


def _resolved(document: Any, given: Any) -> Any:  # noqa: ANN401 - as the document has it.
    """Return a parameter, which may stand elsewhere."""
    reference = given.get("$ref")
    return (
        document["components"]["parameters"][reference.rpartition("/")[2]] if reference else given
    )


def _hyphen(letter: re.Match[str]) -> str:
    return "-" + letter[0].lower().strip("_")
