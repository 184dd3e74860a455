"""The timeline, and the buttons that break the origin: whoever presses them sees what follows."""

import re

from playwright.sync_api import Browser, Page, expect

from dev.local.stack import LocalStack
from dev.origin import Fault, OriginDouble
from tests.integration.stack import Caller
from tests.page.conftest import CLIENT, COLD, FRESH_SECONDS, opened, revalidate, shoot
from tests.patience import wait_until


def test_a_change_at_the_origin_is_followed(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    user_id = origin.users(CLIENT)[0]["id"]
    origin.update(CLIENT, user_id, name="Ada Lovelace")

    revalidate(page, caller)

    expect(page.locator("#revalidated")).to_contain_text("Something had changed")
    told = page.locator('#timeline li[data-kind="published"]').first
    expect(told).to_contain_text("1 updated")
    expect(told.locator("a")).to_have_text("Ada Lovelace")
    expect(page.locator("#rows tr").first).to_contain_text("Ada Lovelace")
    told.locator("a").click()
    expect(page.locator("#drawer-name")).to_have_text("Ada Lovelace")


def test_a_sweep_that_finds_nothing_is_told_once_with_how_often(page: Page, caller: Caller) -> None:
    revalidate(page, caller)
    revalidate(page, caller)

    told = page.locator("#timeline li").first
    expect(told).to_contain_text(re.compile(r"Swept, nothing new \(\d+×\)"))
    expect(told).to_contain_text("counts as new again")


def test_a_generation_from_before_the_page_was_opened_is_told_too(
    browser: Browser, stack: LocalStack, caller: Caller
) -> None:
    user = caller.origin.create(CLIENT, name="Before Anybody Looked")
    caller.let_pass(11)
    caller.send("POST", "/cache/refresh?wait=true")

    with opened(browser) as page:
        page.goto(stack.url)
        expect(page.locator("#timeline")).to_contain_text("Before Anybody Looked created")

    caller.origin.delete(CLIENT, user["id"])


def test_the_origin_can_be_broken_and_mended(page: Page, caller: Caller) -> None:
    fail = page.get_by_role("button", name="Fail")
    fail.click()
    expect(fail).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#double-note")).to_contain_text("Answers go on")
    revalidate(page, caller)

    expect(page.locator("#word")).to_contain_text("Answers go on")
    told = page.locator("#timeline li")
    expect(told.nth(0)).to_contain_text("Sweep failed")
    expect(told.nth(0)).to_contain_text("What is stored is answered as before")
    expect(told.nth(1)).to_contain_text("You broke the origin")
    expect(told.nth(1)).to_contain_text("fail (503)")

    page.get_by_role("button", name="Mend it").click()
    expect(fail).to_have_attribute("aria-pressed", "false")
    caller.let_pass(61)
    revalidate(page, caller)

    expect(page.locator("#word")).to_contain_text("Fresh")
    expect(told.nth(0)).to_contain_text("Swept, nothing new")
    expect(told.nth(1)).to_contain_text("You mended the origin")


def test_an_outage_is_told_as_what_it_is_for_callers(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    origin.faults = [Fault("status", status=503)]
    caller.let_pass(FRESH_SECONDS + 6)
    # No worker of the two has the fresh head in mind any more.
    wait_until(lambda: all("; detail=" in caller.get().headers["Cache-Status"] for _ in range(4)))

    expect(page.locator("#word")).to_have_text(
        re.compile(r"Answers go on, \d+ (s|min) old; next try (in|within) \d+ (s|min)")
    )
    expect(page.locator("#why")).to_contain_text("it answers with errors of its own (5xx)")
    expect(page.locator("#why")).to_contain_text("They may for another 7 days")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator("#rows tr")).to_have_count(25)
    shoot(page, "stale")


def test_a_block_says_until_when(page: Page, caller: Caller) -> None:
    page.get_by_role("button", name="Block us").click()
    expect(page.locator("#double-note")).to_contain_text("blocked for a minute")
    revalidate(page, caller)

    expect(page.locator("#word")).to_have_text(
        re.compile(r"Answers go on, \d+ s old; next try in \d+ s")
    )
    expect(page.locator("#why")).to_contain_text("The origin blocks us until")
    expect(page.locator("#timeline li").first).to_contain_text("nobody asks it until")
    shoot(page, "blocked")


def test_users_of_the_origin_can_be_changed(page: Page, caller: Caller) -> None:
    for button, told in (
        ("Sign somebody up", "1 created"),
        ("Rename somebody", "1 updated"),
        ("Remove somebody", "1 deleted"),
    ):
        page.get_by_role("button", name=button).click()
        expect(page.locator("#timeline li").first).to_contain_text("You changed the origin")
        revalidate(page, caller)
        expect(page.locator('#timeline li[data-kind="published"]').first).to_contain_text(told)


def test_without_a_double_there_is_nothing_to_break(browser: Browser, stack: LocalStack) -> None:
    with opened(browser) as page:
        page.route(
            "**/local/timeline*",
            lambda route: route.fulfill(json={"entries": [], "sequence": 0, "origin": None}),
        )
        page.goto(stack.url)

        expect(page.locator("#timeline")).to_contain_text("Generation 1")
        expect(page.locator("#double")).to_be_hidden()


def test_where_nothing_is_stored_an_outage_is_no_answer_until_it_ends(
    page: Page, stack: LocalStack, origin: OriginDouble
) -> None:
    cold = Caller(stack, COLD)
    origin.faults = [Fault("status", status=503)]
    page.goto(f"{stack.url}/?client={COLD}")
    expect(page.locator("#word")).to_contain_text("No answers; next try")
    expect(page.locator("#trouble")).to_contain_text("There is nothing to show yet")

    page.get_by_role("button", name="Mend it").click()
    expect(page.locator("#mend")).to_be_disabled()
    cold.let_pass(61)

    expect(page.locator("#rows tr")).to_have_count(25)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_run_that_was_started_anew_has_another_history(page: Page) -> None:
    expect(page.locator("#timeline li")).not_to_have_count(0)
    anew = {"entries": [], "sequence": 0, "origin": None}

    page.route("**/local/timeline*", lambda route: route.fulfill(json=anew))

    expect(page.locator("#double")).to_be_hidden()
    expect(page.locator("#timeline")).not_to_contain_text("Swept")
    expect(page.locator("#rows tr")).to_have_count(25)
