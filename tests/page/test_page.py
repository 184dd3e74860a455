"""The page: what is stored and how fresh that is, and the users that filters and pages show."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.local.stack import LocalStack
from dev.origin import OriginDouble
from tests.integration.stack import Caller
from tests.page.conftest import CLIENT, EMPTY, OTHER, opened, revalidate, shoot
from tests.patience import wait_until


def said(page: Page) -> dict[str, str]:
    """Return the state that the address says."""
    query = urlsplit(page.evaluate("location.href")).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def show_requests(page: Page) -> None:
    page.get_by_text("Requests of this page").click()


def test_it_shows_what_is_stored(page: Page) -> None:
    expect(page.locator("#word")).to_contain_text("Fresh for")
    expect(page.locator("#why")).to_contain_text("nobody waits")
    expect(page.locator("#fact-users")).to_have_text("120")
    expect(page.locator("#fact-complete")).to_have_text("complete")
    expect(page.locator("#rows tr")).to_have_count(25)
    expect(page.locator("#shown")).to_have_text("1–25 of 120")
    show_requests(page)
    expect(page.locator("#requests li").first).to_contain_text("hit; ttl=")


def test_what_is_known_is_asked_for_conditionally(page: Page) -> None:
    show_requests(page)
    page.get_by_label("Search").fill("zzzz")
    expect(page.locator("#trouble")).to_contain_text("Nobody matches")
    page.get_by_role("button", name="Clear").click()

    expect(page.locator("#requests li").first.locator(".status")).to_have_text("304")
    expect(page.locator("#rows tr")).to_have_count(25)


def test_an_address_gives_up_its_suffix_for_room_but_never_its_domain(
    browser: Browser, stack: LocalStack, caller: Caller
) -> None:
    user = caller.origin.users(CLIENT)[0]
    whole = user["email"]
    caller.origin.update(CLIENT, user["id"], email=f"{'long.' * 12}name@example.org")
    caller.let_pass(11)
    caller.send("POST", "/cache/refresh?wait=true")
    cut = """() => [...document.querySelectorAll("td .domain")].filter((domain) =>
      domain.scrollWidth > domain.clientWidth + 1 ||
      domain.getBoundingClientRect().right > domain.closest("td").getBoundingClientRect().right + 1
    ).map((domain) => domain.closest("td").textContent)"""

    for width in (1280, 390):
        with opened(browser, width=width) as page:
            page.goto(stack.url)
            suffix = page.locator("#rows .suffix").nth(1)
            expect(suffix).to_have_text(f"+{CLIENT}")

            assert page.evaluate(cut) == []
            box = suffix.bounding_box()
            assert box is not None
            assert box["width"] < 60
    caller.origin.update(CLIENT, user["id"], email=whole)


def test_names_are_kept_apart_from_the_direction_of_their_surroundings(page: Page) -> None:
    expect(page.locator("#rows bdi")).to_have_count(25)


def test_filters_are_the_service_s(page: Page, origin: OriginDouble) -> None:
    wanted = [row["id"] for row in origin.users(CLIENT) if row["timeZone"] == "Asia/Tokyo"]

    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_role("button", name="Id", exact=True).click()

    expect(page.locator("#shown")).to_have_text(f"1–{len(wanted)} of {len(wanted)}")
    expect(page.locator("#rows tr").first.locator("td").first).to_have_text(str(wanted[-1]))
    shoot(page, "filtered")


def test_time_zones_and_locales_are_offered_with_how_many_have_them(
    page: Page, origin: OriginDouble
) -> None:
    for name, label in (("timeZone", "Time zone"), ("locale", "Locale")):
        values = [row[name] for row in origin.users(CLIENT) if row[name]]
        many = values.count(values[0])

        page.get_by_label(label).focus()

        offered = page.locator(f'#{name}-values option[value="{values[0]}"]')
        expect(offered).to_have_text(f"{many} users" if many > 1 else "1 user")


def test_a_time_zone_is_found_by_what_was_typed_of_it(page: Page, origin: OriginDouble) -> None:
    zone = origin.users(CLIENT)[0]["timeZone"]
    typed = zone.rpartition("/")[2].lower()
    many = sum(row["timeZone"] == zone for row in origin.users(CLIENT))

    page.get_by_label("Time zone").fill(typed)

    expect(page.locator("#shown")).to_have_text(f"1–{many} of {many}")
    expect(page.locator("#meant")).to_have_text(f"Taken for {zone}.")
    assert said(page) == {"timeZone": typed}


def test_a_filter_that_makes_no_sense_is_explained_in_the_service_s_words(page: Page) -> None:
    page.get_by_label("Time zone").fill("Nowhere!")

    expect(page.locator("#trouble")).to_contain_text("Parameter 'timeZone' holds 'Nowhere!'")
    expect(page.get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Without the time zone").click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.get_by_label("Time zone")).to_have_value("")
    expect(page.locator("#rows tr")).to_have_count(25)


def test_where_nobody_matches_each_filter_can_be_left_out(page: Page) -> None:
    page.get_by_label("Search").fill("zzzz")
    page.get_by_label("Locale").fill("en")
    expect(page.locator("#trouble")).to_contain_text("search “zzzz” and locale “en”")

    page.get_by_role("button", name="Without the search").click()

    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#rows tr")).not_to_have_count(0)
    assert said(page) == {"locale": "en"}


def test_where_nobody_is_there_somebody_can_be_signed_up(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/?client={EMPTY}")
    expect(page.locator("#trouble")).to_contain_text("No managed users yet")
    shoot(page, "nobody")

    page.locator("#trouble").get_by_role("button", name="Sign somebody up").click()
    expect(page.locator("#double-note")).to_contain_text("Signed up")
    revalidate(page, Caller(stack, EMPTY))

    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_client_that_nobody_knows_is_said_to_be_unknown(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/?client=clxnobody")

    expect(page.locator("#trouble")).to_contain_text("There is no such client here")
    page.get_by_role("button", name=f"Go to {CLIENT}").click()
    expect(page.locator("#rows tr")).to_have_count(25)


def test_heads_sort_and_say_so(page: Page) -> None:
    head = page.get_by_role("columnheader", name="Name")

    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("columnheader", name="Id")).not_to_have_attribute(
        "aria-sort", re.compile(".")
    )
    first = page.locator("#rows tr").first.inner_text()
    head.get_by_role("button").click()

    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#rows tr").first).not_to_have_text(first)
    assert said(page) == {"sort": "-name"}


def test_pages_follow_each_other_and_say_where_they_are(page: Page) -> None:
    first = page.locator("#rows tr").first.inner_text()
    expect(page.locator("#previous")).to_be_disabled()

    page.locator("#next").click()
    expect(page.locator("#shown")).to_have_text("26–50 of 120")
    expect(page.locator("#rows tr").first).not_to_have_text(first)
    page.locator("#previous").click()

    expect(page.locator("#shown")).to_have_text("1–25 of 120")
    expect(page.locator("#rows tr").first).to_have_text(re.compile(first.split()[0]))


def test_the_last_page_is_the_last(page: Page, stack: LocalStack) -> None:
    page.goto(f"{stack.url}/?page=99")
    expect(page.locator("#trouble")).to_contain_text("There is no page 99")

    page.get_by_role("button", name="Go to page 5").click()

    expect(page.locator("#shown")).to_have_text("101–120 of 120")
    expect(page.locator("#next")).to_be_disabled()


def test_the_address_says_what_is_shown_to_whoever_reloads_or_goes_back(page: Page) -> None:
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.locator("#next").click()
    expect(page.locator("#shown")).to_have_text("26–50 of 120")
    page.locator("#rows a").nth(3).click()
    expect(page.locator("#person pre")).to_have_count(2)
    name = page.locator("#drawer-name").inner_text()
    assert said(page).keys() == {"sort", "page", "user"}

    page.reload()
    expect(page.locator("#drawer-name")).to_have_text(name)
    expect(page.locator("#shown")).to_have_text("26–50 of 120")
    page.go_back()
    expect(page.locator("#drawer")).to_be_hidden()
    page.go_back()

    expect(page.locator("#shown")).to_have_text("1–25 of 120")
    page.go_back()
    expect(page.get_by_role("columnheader", name="Id")).to_have_attribute("aria-sort", "ascending")


def test_a_word_that_was_typed_is_one_step_back(page: Page) -> None:
    page.get_by_label("Search").press_sequentially("kelly", delay=350)
    expect(page.locator("#shown")).not_to_have_text("1–25 of 120")
    wait_until(lambda: said(page) == {"q": "kelly"})

    page.go_back()

    expect(page.get_by_label("Search")).to_have_value("")
    expect(page.locator("#shown")).to_have_text("1–25 of 120")


def test_another_client_is_another_directory(page: Page) -> None:
    page.get_by_label("OAuth client").select_option(OTHER)

    expect(page.locator("#rows tr").first).to_contain_text(OTHER)
    assert said(page) == {"client": OTHER}


def test_a_service_that_is_gone_is_said_to_be(page: Page) -> None:
    page.route("**/v2/**", lambda route: route.abort())

    expect(page.locator("#word")).to_have_text("Not available")
    expect(page.locator("#why")).to_contain_text("The service cannot be reached.")


def test_nothing_is_asked_while_nobody_can_look(browser: Browser, stack: LocalStack) -> None:
    asked: list[str] = []
    with opened(browser) as page:
        page.clock.install()
        page.goto(stack.url)
        expect(page.locator("#word")).not_to_have_text("Asking…")
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(10_000)
        expect(page.locator("#rows tr")).to_have_count(25)
        assert asked
        turn = """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""

        page.evaluate(turn, arg=True)
        page.wait_for_load_state("networkidle")
        asked.clear()
        page.clock.run_for(600_000)
        page.evaluate("1")
        assert asked == []

        with page.expect_request("**/cache"):
            page.evaluate(turn, arg=False)


def test_everything_can_be_done_with_the_keyboard(page: Page) -> None:
    order = []
    for _ in range(20):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.name || document.activeElement.id"))
    wanted = ["client", "revalidate", "q", "timeZone", "locale", "createdAfter"]
    assert [name for name in dict.fromkeys(order) if name in wanted] == wanted

    page.locator("#rows a").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#person pre")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("#rows a").nth(2)).to_be_focused()
    page.locator("#next").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#previous")).to_be_enabled()


def test_at_390_pixels_the_list_can_still_be_sorted(browser: Browser, stack: LocalStack) -> None:
    with opened(browser, width=390) as page:
        page.goto(stack.url)
        page.get_by_label("Order").select_option("-createdDate")

        expect(page.locator("#rows tr")).to_have_count(25)
        wait_until(lambda: said(page) == {"sort": "-createdDate"})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("directory", [CLIENT, EMPTY])
def test_what_is_fetched_is_this_service_s_alone(
    browser: Browser, stack: LocalStack, directory: str
) -> None:
    hosts = set()
    with opened(browser) as page:
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(f"{stack.url}/?client={directory}")
        expect(page.locator("#word")).to_contain_text("Fresh")

    assert hosts == {urlsplit(stack.url).netloc}


def test_text_of_users_is_never_markup(page: Page, origin: OriginDouble, caller: Caller) -> None:
    user_id = origin.users(CLIENT)[0]["id"]
    origin.update(CLIENT, user_id, name="<img src=x onerror=alert(1)>")

    revalidate(page, caller)

    expect(page.locator("#rows tr").first).to_contain_text("<img src=x")
    expect(page.locator("#timeline")).to_contain_text("<img src=x")
    expect(page.locator("img")).to_have_count(0)
