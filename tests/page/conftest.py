"""What the tests of the pages share: the running service, and a headless browser."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dev.local.settings import LocalSettings
from dev.local.stack import LocalStack
from dev.origin import Limits, OriginDouble
from tests.integration.stack import Caller
from tests.patience import PATIENCE_SECONDS

CLIENT = "clxpage000000000000000001"
OTHER = "clxother00000000000000001"
EMPTY = "clxempty00000000000000001"
COLD = "clxcold000000000000000001"
FRESH_SECONDS = 60
PATIENCE = 1000 * PATIENCE_SECONDS
expect.set_options(timeout=PATIENCE)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What a container needs, and what keeps the browser from calling its maker.
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    settings = LocalSettings(
        port=0,
        workers=2,
        users=120,
        clients={CLIENT: "key", OTHER: "key", EMPTY: "key", COLD: "key"},
        schedule_seconds=3600,
        function_environment={
            "FRESH_SECONDS": str(FRESH_SECONDS),
            "STALE_WHILE_REVALIDATE_SECONDS": "5",
        },
    )
    with LocalStack(settings) as running:
        assert running.origin is not None
        running.origin.replace(EMPTY, [])
        yield running


@pytest.fixture
def caller(stack: LocalStack) -> Iterator[Caller]:
    """Yield somebody who uses the service and the origin; what is broken is mended afterwards."""
    caller = Caller(stack, CLIENT)
    # Past the floor between two forced sweeps, and the pauses that an earlier test has left.
    caller.let_pass(FRESH_SECONDS + 61)
    caller.send("POST", "/cache/refresh?wait=true")
    yield caller
    caller.origin.faults = []
    # Nobody is blocked any longer.
    caller.origin.limits = Limits()


@pytest.fixture
def origin(caller: Caller) -> OriginDouble:
    return caller.origin


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    with sync_playwright() as playwright:
        # None: the one that `playwright install chromium` has fetched.
        launched = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield launched
        launched.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at them."""
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png")


def revalidate(page: Page, caller: Caller) -> None:
    """Have the origin asked, past the floor between two forced sweeps, and wait for the answer."""
    caller.let_pass(11)
    page.get_by_role("button", name="Revalidate").click()
    expect(page.locator("#revalidate")).to_be_enabled()
    expect(page.locator("#revalidated")).to_have_text(re.compile(r"\.$"))


@contextmanager
def opened(browser: Browser, *, scheme: str = "light", width: int = 1280) -> Iterator[Page]:
    """Open an empty page that notes what goes wrong in it."""
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    try:
        yield page
        # A browser notes answers that are errors as if the page were at fault.
        assert [text for text in wrong if "Failed to load resource" not in text] == []
    finally:
        page.close()


@pytest.fixture
def page(browser: Browser, stack: LocalStack, caller: Caller) -> Iterator[Page]:
    del caller
    with opened(browser) as page:
        page.goto(f"{stack.url}/")
        page.wait_for_selector("#rows tr")
        yield page
