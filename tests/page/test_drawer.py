"""The drawer: everything that is known of one user."""

import json
import shlex
import subprocess

from playwright.sync_api import Page, expect

from dev.local.stack import LocalStack
from dev.origin import OriginDouble
from tests.integration.stack import Caller
from tests.page.conftest import CLIENT, revalidate


def test_a_row_opens_into_all_fields_and_the_document(page: Page, caller: Caller) -> None:
    page.locator("#rows tr").nth(4).click()

    expect(page.locator("#person pre")).to_have_count(2)
    document = json.loads(page.locator("#person pre").nth(1).inner_text())
    assert document == caller.get(f"/users/{document['id']}").json()["data"]
    assert set(page.locator(".fields dt").all_inner_texts()) == document.keys()
    expect(page.locator("#drawer-name bdi")).to_have_text(document["name"])
    expect(page.locator(".fields")).to_contain_text(document["email"])


def test_the_request_can_be_copied_and_run(page: Page) -> None:
    page.locator("#rows tr").nth(1).click()
    request = page.locator("#person section", has_text="Request")

    request.get_by_role("button", name="Copy").click()

    expect(request.get_by_role("button")).to_have_text("Copied")
    copied = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    told = subprocess.run(  # noqa: S603
        [*copied, "-sS", "--noproxy", "*"], capture_output=True, check=True
    )
    assert json.loads(told.stdout)["data"] == json.loads(
        page.locator("#person pre").nth(1).inner_text()
    )


def test_the_history_says_what_was_and_what_became_of_it(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    user = origin.users(CLIENT)[7]
    origin.update(CLIENT, user["id"], timeZone="Asia/Tokyo", locale="ja")
    revalidate(page, caller)

    page.locator(f'#rows tr[data-user="{user["id"]}"]').click()

    newest = page.locator(".history li").first
    expect(newest).to_contain_text("updated")
    expect(newest.locator("del")).to_contain_text([user["timeZone"]])
    expect(newest.locator("ins")).to_contain_text(["Asia/Tokyo"])


def test_who_is_deleted_has_a_history_still(
    page: Page, origin: OriginDouble, caller: Caller, stack: LocalStack
) -> None:
    user = origin.create(CLIENT)
    revalidate(page, caller)
    origin.delete(CLIENT, user["id"])
    revalidate(page, caller)

    page.goto(f"{stack.url}/?user={user['id']}")

    expect(page.locator("#person .error")).to_contain_text("not part of this OAuth client")
    expect(page.locator(".history strong")).to_have_text(["deleted", "created"])


def test_who_is_open_is_shown_as_he_becomes(
    page: Page, origin: OriginDouble, caller: Caller
) -> None:
    user = origin.users(CLIENT)[3]
    page.locator(f'#rows tr[data-user="{user["id"]}"]').click()
    expect(page.locator("#person pre")).to_have_count(2)
    origin.update(CLIENT, user["id"], name="Grace Hopper")
    caller.let_pass(11)

    caller.send("POST", "/cache/refresh?wait=true")

    expect(page.locator("#drawer-name")).to_have_text("Grace Hopper")
    expect(page.locator(".history li").first).to_contain_text("Grace Hopper")


def test_a_click_beside_the_drawer_closes_it(page: Page) -> None:
    page.locator("#rows tr").first.click()
    expect(page.locator("#person pre")).to_have_count(2)

    page.mouse.click(40, 400)

    expect(page.locator("#drawer")).to_be_hidden()
    assert "user=" not in page.evaluate("location.search")
