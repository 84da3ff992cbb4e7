"""Time, marks and the command palette: what every page has around it, in a real browser."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui.browser import context, log_in
from tests.ui.rig import Rig

pytestmark = pytest.mark.mission("C10")


def plots(page: Page) -> Locator:
    """Give the charts of a page."""
    return page.locator(".chart .plot")


def found(page: Page) -> Locator:
    """Give what the palette offers."""
    return page.get_by_role("listbox", name="Found").get_by_role("option")


def drag(page: Page, target: Locator, from_share: float, to_share: float) -> None:
    """Drag over parts of an element."""
    box = target.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * from_share, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to_share, y, steps=5)
    page.mouse.up()


def test_a_time_that_was_typed_stands_in_the_address_and_a_reload_shows_the_same(page: Page) -> None:
    page.goto("/ui/oncall")
    expect(plots(page)).to_have_count(2)
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog", name="Time")
    dialog.get_by_label("From").fill("2026-02-30x")
    dialog.get_by_role("button", name="Look at it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no time")
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    dialog.get_by_label("From").fill(f"{today} 00:00:10")
    dialog.get_by_label("To").fill(f"{today} 00:00:50")
    dialog.get_by_role("button", name="Look at it").click()
    expect(dialog).to_have_count(0)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["from"] == [f"{today}T00:00:10.000Z"]
    assert asked["until"] == [f"{today}T00:00:50.000Z"]
    expect(page.get_by_role("button", name=re.compile("events up to 00:00:50"))).to_be_visible()
    expect(page.get_by_text("Nothing was withdrawn in this time")).to_be_visible()
    before = page.locator("main").inner_text()
    page.reload()
    expect(plots(page)).to_have_count(2)
    expect(page.locator(".spin")).to_have_count(0)
    assert page.locator("main").inner_text() == before
    page.keyboard.press("[")
    assert parse_qs(urlsplit(page.url).query)["until"] == [f"{today}T00:00:30.000Z"]
    page.keyboard.press("n")
    expect(page.locator(".connection b")).to_have_text("live")
    assert urlsplit(page.url).query == ""


def test_a_time_of_which_nothing_is_known_is_a_gap_and_no_zero(page: Page) -> None:
    page.goto("/ui/services/dns?from=2020-01-01T00:00:00Z&until=2020-01-01T01:00:00Z")
    announced = page.locator(".chart:not(.series)")
    expect(announced.locator(".value")).to_contain_text("no data")
    assert announced.locator(".line").get_attribute("d") == ""


def test_brushing_one_chart_marks_all_and_the_ribbon_and_filters_the_lists(page: Page) -> None:
    page.goto("/ui/oncall?window=1h")
    expect(plots(page)).to_have_count(2)
    expect(page.get_by_role("group", name="What changed")).to_be_visible()
    drag(page, plots(page).nth(0), 0.1, 0.3)
    expect(page.locator(".plot .brush")).to_have_count(2)
    expect(page.locator(".ribbon .brush")).to_have_count(1)
    lefts = page.locator(".brush").evaluate_all("all => all.map((each) => each.style.left)")
    assert len(set(lefts)) == 1, lefts
    expect(page.get_by_text("Nothing changed in this time")).to_be_visible()
    asked = parse_qs(urlsplit(page.url).query)
    assert {"brush", "until"} <= asked.keys()
    page.keyboard.press("z")
    zoomed = parse_qs(urlsplit(page.url).query)
    assert "brush" not in zoomed
    assert "~".join([zoomed["from"][0], zoomed["until"][0]]) == asked["brush"][0]


def test_the_pointer_shows_one_moment_on_every_chart(page: Page) -> None:
    page.goto("/ui/oncall")
    expect(plots(page)).to_have_count(2)
    plots(page).nth(1).hover()
    expect(page.locator(".cursor")).to_have_count(3)
    expect(page.locator(".chart .value").nth(0)).to_contain_text(re.compile(r" at \d\d:\d\d:\d\d"))


def test_a_copied_link_lets_time_stand_still(launched: Browser, page: Page, rig: Rig) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/ui/oncall?service=dns")
    expect(plots(page)).to_have_count(1)
    page.get_by_role("button", name="copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    assert {"service", "until"} <= parse_qs(urlsplit(link).query).keys()
    other = context(launched, rig.url).new_page()
    log_in(other, rig.admin)
    other.goto(link)
    expect(other.get_by_role("button", name=re.compile("events up to"))).to_be_visible()
    changed = "#main [aria-label='What changed']"
    expect(other.locator(changed)).to_be_visible()
    assert other.locator(changed).inner_text() == page.locator(changed).inner_text()
    other.context.close()


def test_the_palette_goes_anywhere_and_shows_what_an_order_will_do(page: Page) -> None:
    page.goto("/ui/audit")
    expect(page.locator(".connection b")).to_have_text("live")
    page.keyboard.press("Control+k")
    page.keyboard.type("sing")
    expect(found(page).first).to_contain_text("Singapore")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/ui/pops/sin$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("198.51")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/ui/services/web$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("drain fra")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Drain fra?")
    expect(dialog).to_contain_text("web is announced by 3 PoPs then")
    expect(dialog.get_by_role("button", name="Drain")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    expect(page.get_by_text("Nothing has such a name")).to_be_visible()


def test_the_palette_offers_no_order_to_whoever_may_give_none(launched: Browser, rig: Rig) -> None:
    page = context(launched, rig.url).new_page()
    log_in(page, rig.token("looks-only", "viewer"))
    page.keyboard.press("Control+k")
    page.keyboard.type("ams")
    expect(found(page).first).to_contain_text("Amsterdam")
    expect(found(page).filter(has_text="order")).to_have_count(0)
    page.context.close()
