"""The interface at ``/docs``: every operation can be tried as it stands there."""

import pytest
from playwright.sync_api import Browser, expect

from dev.local.stack import LocalStack
from tests.integration.stack import Caller
from tests.openapi import OPERATIONS
from tests.page.conftest import opened, shoot


def test_every_operation_works_as_it_is_prefilled(
    browser: Browser, stack: LocalStack, caller: Caller
) -> None:
    del caller
    came: dict[str, str] = {}
    with opened(browser) as page:
        page.goto(f"{stack.url}/docs")
        expect(page.locator(".opblock")).to_have_count(len(OPERATIONS))
        for operation in page.locator(".opblock").all():
            operation.locator(".opblock-summary-control").click()
            name = operation.locator(".opblock-summary-control").inner_text()
            operation.get_by_role("button", name="Execute").click()
            status = operation.locator(".live-responses-table tbody .response-col_status").first
            came[name] = status.inner_text().split()[0]
            operation.locator(".opblock-summary-control").click()

    assert len(came) == len(OPERATIONS)
    assert {name: status for name, status in came.items() if status not in {"200", "202"}} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_and_leads_back(
    browser: Browser, stack: LocalStack, caller: Caller, scheme: str
) -> None:
    del caller
    with opened(browser, scheme=scheme) as page:
        page.goto(f"{stack.url}/docs")
        expect(page.locator("h1.title, h2.title")).to_contain_text("Managed-users proxy")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shoot(page, f"docs-{scheme}")

        page.get_by_role("link", name="Managed users").click()

        expect(page.locator("#rows tr")).to_have_count(25)

    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 32, 34)"}[scheme]
