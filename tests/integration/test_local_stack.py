"""``python -m dev.local`` as people and scripts meet it: what it prints, answers and leaves."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from dev import ROOT
from tests.patience import PATIENCE_SECONDS, wait_until


class Run:
    """One ``python -m dev.local`` in a session of its own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._opened: list[int] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dev.local"],
            cwd=ROOT,
            env={**os.environ, "PORT": "0", "WORKERS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def value(self, word: str) -> str:
        """Read on until a line starts with ``word`` and return what follows."""
        return self.line(f"^{re.escape(word)} ").removeprefix(f"{word} ").rstrip()

    def line(self, pattern: str) -> str:
        """Read on until a line matches ``pattern`` and return it."""
        assert self.process.stdout is not None
        limit = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        limit.start()
        try:
            for line in self.process.stdout:
                self.lines.append(line.rstrip())
                if re.search(pattern, line):
                    return line.rstrip()
        finally:
            limit.cancel()
        raise AssertionError(f"no line matches {pattern}: {self.lines}")

    def children(self) -> list[int]:
        """Return descriptors that become readable when the run's child processes end."""
        opened = [os.pidfd_open(pid) for pid in children_of(self.process.pid)]
        self._opened += opened
        return opened

    def wait(self) -> int:
        """Wait for the exit code."""
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def end(self) -> None:
        """Make sure that it is over."""
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        for descriptor in self._opened:
            os.close(descriptor)


@contextmanager
def running(environment: Mapping[str, str] | None = None) -> Iterator[Run]:
    run = Run(environment or {})
    try:
        yield run
    finally:
        run.end()


def users_of(url: str) -> str:
    return f"{url}/v2/oauth-clients/clxdemo0000000000000000001/users"


def test_a_first_list_is_fetched_and_the_second_is_a_hit() -> None:
    with running() as run:
        url = run.value("ready")
        first = requests.get(users_of(url), params={"limit": "5"}, timeout=PATIENCE_SECONDS)
        second = requests.get(users_of(url), params={"limit": "5"}, timeout=PATIENCE_SECONDS)

    assert first.status_code == second.status_code == 200
    assert "stored" in first.headers["Cache-Status"]
    assert "; hit" in second.headers["Cache-Status"]
    assert first.json()["data"] == second.json()["data"]
    assert len(first.json()["data"]) == 5


def test_it_prints_where_things_are_and_a_line_a_request_without_its_query() -> None:
    with running({"USERS": "3"}) as run:
        aws = run.value("aws")
        origin = run.value("origin")
        url = run.value("ready")
        requests.get(users_of(url), params={"emails": "ada@example.com"}, timeout=PATIENCE_SECONDS)
        line = run.line(" GET ")

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ region=[a-z0-9-]+ secret=[\w-]+", aws)
    assert re.match(r"http://127\.0\.0\.1:\d+", origin)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d GET /v2/oauth-clients/clxdemo0+1/users 200 \d+ ms managed-users; .+",
        line,
    )
    assert any(users_of(url) in printed and "curl" in printed for printed in run.lines)
    assert not any("example.com" in printed for printed in run.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to_group", [True, False])
def test_a_signal_ends_it_and_leaves_no_process(number: signal.Signals, *, to_group: bool) -> None:
    with running() as run:
        url = run.value("ready")
        with requests.Session() as session:
            session.get(users_of(url), timeout=PATIENCE_SECONDS)
            children = run.children()
            if to_group:
                os.killpg(run.process.pid, number)
            else:
                run.process.send_signal(number)

            code = run.wait()

        alive = still_running(children)
        rest = run.process.stdout.read() if run.process.stdout else ""

    assert code == 0
    assert len(children) >= 3
    assert alive == 0
    assert "Traceback" not in rest


def test_a_signal_during_the_start_ends_it_too() -> None:
    with running() as run:
        await_child(run.process.pid)

        os.killpg(run.process.pid, signal.SIGINT)

        assert run.wait() == 0


def test_children_end_by_themselves_when_the_run_is_killed() -> None:
    with running() as run:
        run.value("ready")
        children = run.children()

        run.process.kill()

        wait_until(lambda: still_running(children) == 0)


def test_a_worker_that_is_killed_is_replaced() -> None:
    with running() as run:
        url = run.value("ready")
        requests.get(users_of(url), timeout=PATIENCE_SECONDS)
        for child in run.children():
            # All but the embedded AWS, whose state the next answer needs.
            if "worker_child" in command_of(child):
                signal.pidfd_send_signal(child, signal.SIGKILL)
                select.select([child], [], [], PATIENCE_SECONDS)

        after = requests.get(users_of(url), timeout=PATIENCE_SECONDS)

    assert after.status_code == 200
    assert "; hit" in after.headers["Cache-Status"]


def test_a_busy_port_is_named_and_nothing_is_left_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        with running({"PORT": port}) as run:
            output, _ = run.process.communicate(timeout=PATIENCE_SECONDS)

    assert run.process.returncode == 1
    assert len(output.splitlines()) == 1
    assert port in output
    assert "PORT=" in output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("USERS", "-1"),
        ("SCHEDULE_SECONDS", "1.5"),
        ("FRESH_SECONDS", "soon"),
        ("STALE_IF_ERROR_SECONDS", "1"),
        ("CAL_API_URL", "api.cal.com"),
        ("CAL_API_URL", "https://api.cal.com"),  # with the demo's secret
        ("CAL_API_URL", "http://api.example.com"),
        ("CAL_OAUTH_CLIENTS", '{"abc": }'),
        ("CAL_OAUTH_CLIENTS", '{"a b": "key"}'),
        ("FRESH_SECONDS", "0"),
        ("FRESH_SECOND", "60"),
        ("SCHEDULE_SECOND", "60"),
        ("FROZEN_MODE", "yes"),
        ("HIDDEN_FIELDS", "id"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(name: str, value: str) -> None:
    with running({name: value}) as run:
        output, _ = run.process.communicate(timeout=PATIENCE_SECONDS)

    assert run.process.returncode == 2
    assert len(output.splitlines()) == 1
    assert name in output


def test_it_runs_in_a_shell_that_has_a_proxy_and_a_profile() -> None:
    nowhere = "http://127.0.0.1:1"
    shell = {"HTTP_PROXY": nowhere, "http_proxy": nowhere, "AWS_PROFILE": "there-is-none"}

    with running(shell) as run, requests.Session() as session:
        session.trust_env = False
        answer = session.get(users_of(run.value("ready")), timeout=PATIENCE_SECONDS)

    assert answer.status_code == 200


def test_what_a_page_asks_to_keep_itself_new_is_no_line_each() -> None:
    with running() as run:
        url = run.value("ready")
        for headers in ({"X-Poll": "true"}, {}):
            requests.get(users_of(url), headers=headers, timeout=PATIENCE_SECONDS)
        run.line(r"GET /v2/oauth-clients/\S+ 200 .*; hit")

    assert sum(" GET /v2/" in line for line in run.lines) == 1


def test_two_runs_side_by_side_do_not_meet() -> None:
    with running({"USERS": "3"}) as one, running({"USERS": "4"}) as other:
        urls = [one.value("ready"), other.value("ready")]
        answers = [requests.get(users_of(url), timeout=PATIENCE_SECONDS) for url in urls]

    assert [len(answer.json()["data"]) for answer in answers] == [3, 4]


def test_state_is_kept_in_its_directory_and_nowhere_else(tmp_path: Path) -> None:
    kept = {"STATE_DIR": str(tmp_path / "state")}
    with running(kept) as run:
        requests.get(users_of(run.value("ready")), timeout=PATIENCE_SECONDS)
    with running(kept) as run:
        again = requests.get(users_of(run.value("ready")), timeout=PATIENCE_SECONDS)
    with running() as run:
        fresh = requests.get(users_of(run.value("ready")), timeout=PATIENCE_SECONDS)

    assert "; hit" in again.headers["Cache-Status"]
    assert "fwd=uri-miss" in fresh.headers["Cache-Status"]


@pytest.mark.real_seconds
def test_the_schedule_fetches_what_nobody_asked_for() -> None:
    with running({"SCHEDULE_SECONDS": "1"}) as run:
        url = run.value("ready")
        run.line("schedule clxdemo0000000000000000001 published")

        answer = requests.get(users_of(url), timeout=PATIENCE_SECONDS)

    assert "; hit" in answer.headers["Cache-Status"]


def still_running(children: list[int]) -> int:
    """Return how many of ``children`` have not ended."""
    ended, _, _ = select.select(children, [], [], 0)
    return len(children) - len(ended)


def command_of(child: int) -> str:
    """Return the command line of the process behind a descriptor."""
    information = Path(f"/proc/self/fdinfo/{child}").read_text()
    pid = re.search(r"^Pid:\s*(\d+)$", information, re.MULTILINE)
    assert pid is not None
    return Path(f"/proc/{pid[1]}/cmdline").read_text()


def await_child(pid: int) -> None:
    """Return once the process ``pid`` has started a child."""
    wait_until(lambda: bool(children_of(pid)))


def children_of(pid: int) -> list[int]:
    """Return the process ids of the children of ``pid``."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        # A process may end between being listed and being read.
        with suppress(FileNotFoundError, ProcessLookupError):
            if re.search(rf"^PPid:\s{pid}$", status.read_text(), re.MULTILINE):
                found.append(int(status.parent.name))
    return found
