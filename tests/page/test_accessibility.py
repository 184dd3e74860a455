"""The page is accessible in both schemes, wide and narrow, whatever it shows."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dev.local.stack import LocalStack
from tests.integration.stack import Caller
from tests.page.conftest import opened, shoot

SIZES = [("light", 1280), ("dark", 390)]


def fresh(page: Page) -> None:
    expect(page.locator("#word")).to_contain_text("Fresh")
    expect(page.locator("#timeline li")).not_to_have_count(0)


def drawer(page: Page) -> None:
    page.locator("#rows a").first.click()
    expect(page.locator("#person pre")).to_have_count(2)


def refused(page: Page) -> None:
    page.get_by_label("Time zone").fill("Nowhere!")
    expect(page.locator("#trouble")).to_be_visible()


def broken(page: Page) -> None:
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_role("button", name="Fail")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Requests of this page").click()


@pytest.mark.parametrize(
    ("show", "scheme", "width"),
    [
        (fresh, "light", 1280),
        (fresh, "dark", 1280),
        (fresh, "light", 390),
        (fresh, "dark", 390),
        *((show, *size) for show in (drawer, refused, broken) for size in SIZES),
    ],
)
def test_it_is_accessible(
    browser: Browser,
    stack: LocalStack,
    caller: Caller,
    show: Callable[[Page], None],
    scheme: str,
    width: int,
) -> None:
    del caller
    with opened(browser, scheme=scheme, width=width) as page:
        page.goto(stack.url)
        expect(page.locator("#rows tr")).to_have_count(25)
        show(page)
        shoot(page, f"{show.__name__}-{scheme}-{width}")

        # Axe is run by the test, which the page's own policy knows nothing of.
        results = Axe().run(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert results.violations_count == 0, results.generate_report()
    assert overflow <= 0
