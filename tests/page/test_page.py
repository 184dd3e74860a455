"""The page: it shows what is stored, how fresh that is, what changes, and how answers come by."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dev.local.stack import LocalStack
from dev.origin import Fault, OriginDouble
from tests.integration.stack import Caller
from tests.page.conftest import CLIENT, FRESH_SECONDS, OTHER, opened
from tests.patience import PATIENCE_SECONDS, wait_until

PATIENCE = 1000 * PATIENCE_SECONDS
SHOTS = os.environ.get("SCREENSHOTS")


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at them."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_it_shows_what_is_stored(page: Page) -> None:
    expect(page.locator("#word")).to_contain_text("Fresh for", timeout=PATIENCE)
    expect(page.locator("#fact-users")).to_have_text("120")
    expect(page.locator("#fact-complete")).to_have_text("complete")
    expect(page.locator("#rows tr")).to_have_count(25)
    expect(page.locator("#shown")).to_have_text("25 of 120")
    expect(page.locator("#requests li").first).to_contain_text("hit; ttl=")


def test_what_is_known_is_asked_for_conditionally(page: Page) -> None:
    page.get_by_label("Search").fill("zzzz")
    expect(page.locator("#rows")).to_have_text("Nobody fits.")
    page.get_by_role("button", name="Clear").click()

    expect(page.locator("#requests li").first.locator(".status")).to_have_text("304")
    expect(page.locator("#rows tr")).to_have_count(25)


def test_filters_are_the_service_s(page: Page, origin: OriginDouble) -> None:
    wanted = [row["id"] for row in origin.users(CLIENT) if row["timeZone"] == "Asia/Tokyo"]

    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_label("Order").select_option("-id")

    expect(page.locator("#shown")).to_have_text(f"{len(wanted)} of {len(wanted)}")
    first = page.locator("#rows tr").first.locator("td").first
    expect(first).to_have_text(str(wanted[-1]))
    shoot(page, "filtered")


def test_a_filter_that_makes_no_sense_is_explained_in_the_service_s_words(page: Page) -> None:
    page.get_by_label("Time zone").fill("Nowhere!")

    expect(page.locator("#error")).to_contain_text("Parameter 'timeZone' holds 'Nowhere!'")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#error")).to_be_hidden()


def test_pages_follow_each_other(page: Page) -> None:
    first = page.locator("#rows tr").first.inner_text()
    expect(page.locator("#previous")).to_be_disabled()

    page.locator("#next").click()
    expect(page.locator("#rows tr").first).not_to_have_text(first)
    page.locator("#previous").click()

    expect(page.locator("#rows tr").first).to_have_text(re.compile(first.split()[0]))


def test_a_change_at_the_origin_is_followed(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    user_id = origin.users(CLIENT)[0]["id"]
    origin.update(CLIENT, user_id, name="Grace Hopper")
    caller.let_pass(11)

    page.get_by_role("button", name="Revalidate").click()

    expect(page.locator("#revalidated")).to_contain_text("published", timeout=PATIENCE)
    expect(page.locator("#changes li").first).to_contain_text(f"updated {user_id} name")
    expect(page.locator("#rows tr").first).to_contain_text("Grace Hopper")


def test_in_an_outage_it_says_stale_and_why(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    origin.faults = [Fault("status", status=503)]
    caller.let_pass(FRESH_SECONDS + 6)
    # No worker of the two has the fresh head in mind any more.
    wait_until(lambda: all("; detail=" in caller.get().headers["Cache-Status"] for _ in range(4)))

    page.get_by_label("Order").select_option("name")

    expect(page.locator("#word")).to_contain_text("Stale for", timeout=PATIENCE)
    expect(page.locator("#why")).to_contain_text("origin-5xx", timeout=PATIENCE)
    expect(page.locator("#rows tr")).to_have_count(25)
    shoot(page, "stale")


def test_another_client_is_another_directory(page: Page) -> None:
    page.get_by_label("OAuth client").select_option(OTHER)

    expect(page.locator("#rows tr").first).to_contain_text(OTHER)


def test_a_service_that_is_gone_is_said_to_be(page: Page) -> None:
    page.route("**/v2/**", lambda route: route.abort())

    expect(page.locator("#word")).to_have_text("Not available", timeout=PATIENCE)
    expect(page.locator("#why")).to_have_text("The service cannot be reached.")


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    order = []
    for _ in range(20):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.name || document.activeElement.id"))
    page.locator("#next").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#previous")).to_be_enabled()
    wanted = ["client", "revalidate", "q", "timeZone", "locale", "createdAfter", "sort", "next"]
    assert [name for name in dict.fromkeys(order) if name in wanted] == wanted


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(
    browser: Browser, stack: LocalStack, caller: Caller, scheme: str, width: int
) -> None:
    del caller
    hosts = set()
    with opened(browser, scheme=scheme, width=width) as page:
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{stack.url}/")
        expect(page.locator("#word")).to_contain_text("Fresh", timeout=PATIENCE)
        page.wait_for_selector("#rows tr")
        shoot(page, f"fresh-{scheme}-{width}")

        # Axe is run by the test, which the page's own policy knows nothing of.
        results = Axe().run(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert results.violations_count == 0, results.generate_report()
    assert overflow <= 0
    assert hosts == {stack.url.removeprefix("http://")}


def test_the_interface_is_shown_in_a_viewer(browser: Browser, stack: LocalStack) -> None:
    with opened(browser) as page:
        page.goto(f"{stack.url}/docs")

        expect(page.locator(".opblock").first).to_be_visible(timeout=PATIENCE)
        expect(page.locator("h1.title, h2.title")).to_contain_text("Managed-users proxy")


def test_text_of_users_is_never_markup(page: Page, origin: OriginDouble, caller: Caller) -> None:
    user_id = origin.users(CLIENT)[0]["id"]
    origin.update(CLIENT, user_id, name="<img src=x onerror=alert(1)>")
    caller.let_pass(11)

    page.get_by_role("button", name="Revalidate").click()

    expect(page.locator("#rows tr").first).to_contain_text("<img src=x", timeout=PATIENCE)
    expect(page.locator("#rows img")).to_have_count(0)
