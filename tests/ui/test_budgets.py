"""Budgets, what clients got, and charts on the pages, of a real Prometheus that runs the exported rules."""

import re

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui.browser import context, log_in
from tests.ui.rig import Rig, until
from tests.ui.test_pages import violations

pytestmark = pytest.mark.mission("C9", "C10")


@pytest.fixture(autouse=True)
def measured(rig: Rig) -> None:
    """Wait until the rules have recorded something."""
    if rig.measured is None:
        pytest.skip("prometheus is not installed (Debian package prometheus)")
    until(lambda: [each for each in rig.ask("GET", "/budgets")["budgets"] if each["left"] is not None], "budgets")


def budget(page: Page, name: str) -> Locator:
    return page.locator(f"[data-budget='{name}']")


def test_the_executive_page_tells_budgets_first_and_what_is_not_measured_is_no_zero(page: Page, rig: Rig) -> None:
    page.goto("/ui/executive")
    told = {
        (each["service"], each["objective"], each["region"]): each for each in rig.ask("GET", "/budgets")["budgets"]
    }
    assert told["dns", "reach", "asia"]["state"] == "exhausted"
    expect(page.locator("h2").first).to_have_text("Budgets")
    expect(budget(page, "dns reach global")).to_contain_text("exhausted")
    expect(budget(page, "dns reach global")).to_contain_text("least in asia")
    expect(budget(page, "web fast global").locator(".nodata")).to_have_count(5)
    expect(budget(page, "web fast global")).to_contain_text("no data")
    expect(budget(page, "web fast global").get_by_text(re.compile("^0"))).to_have_count(0)
    expect(budget(page, "dns fast global")).to_contain_text("ok")


def test_what_clients_got_is_by_region_and_says_how_it_is_measured_by_keyboard(page: Page) -> None:
    page.goto("/ui/executive")
    p95 = page.locator("[data-measure=edge_latency]")
    expect(p95).to_contain_text("61.2 ms")
    expect(p95.get_by_title(re.compile("between 59.8 ms and 62.6 ms"))).to_be_visible()
    expect(page.locator("[data-measure=routing_success]")).to_contain_text("99.6")
    expect(page.locator("[data-measure=client_errors] .nodata").first).to_be_visible()
    expect(page.locator("[data-measure=scrubbed]")).to_contain_text("21.4 % of bits")
    expect(page.locator("[data-measure=offered]")).to_contain_text("4.1 P bits")
    how = page.get_by_text("How these are measured")
    how.focus()
    page.keyboard.press("Enter")
    expect(
        page.get_by_label("What clients got").locator("dd").filter(has_text="p50 and p95 over").first
    ).to_be_visible()
    assert violations(page) == []


def test_a_service_has_its_regions_and_its_course(page: Page) -> None:
    page.goto("/ui/services/dns?window=5m")
    expect(budget(page, "dns reach asia")).to_contain_text("exhausted")
    expect(budget(page, "web reach global")).to_have_count(0)
    chart = page.locator("[data-chart=burn_rate]")
    expect(chart.locator("path.line").first).to_be_attached()
    expect(chart.locator(".legend")).to_contain_text("reach, asia")
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"reach, asia 3\.10 ×"))


def test_charts_of_the_debug_page_share_its_time(page: Page) -> None:
    page.goto("/ui/debug?window=5m")
    for name, line in (("cpu", "sin"), ("drops", "sin"), ("disrupted_sessions", "everywhere"), ("cache_hits", "asia")):
        expect(page.locator(f"[data-chart={name}] .legend")).to_contain_text(line)
    box = page.locator("[data-chart=cpu] .plot")
    box.hover()
    expect(page.locator("[data-chart=drops] .cursor")).to_be_visible()
    place = box.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 0.3 * place["width"], place["y"] + 40)
    page.mouse.down()
    page.mouse.move(place["x"] + 0.7 * place["width"], place["y"] + 40)
    page.mouse.up()
    expect(page).to_have_url(re.compile("brush="))
    expect(page.locator("[data-chart=cache_hits] .brush")).to_be_visible()


def test_a_prometheus_that_hangs_leaves_what_it_said_and_the_page_says_stale(page: Page, rig: Rig) -> None:
    assert rig.measured is not None
    page.goto("/ui/executive")
    expect(budget(page, "dns reach global")).to_contain_text("exhausted")
    rig.measured.hang()
    try:
        expect(page.get_by_text(re.compile("stale, .* old")).first).to_be_visible(timeout=60_000)
        expect(budget(page, "dns reach global")).to_contain_text("exhausted")
    finally:
        rig.measured.wake()
    expect(page.get_by_text(re.compile("stale, .* old"))).to_have_count(0, timeout=60_000)


def test_a_role_for_one_service_sees_its_budgets_and_is_told_what_it_may_not(launched: Browser, rig: Rig) -> None:
    window = context(launched, rig.url)
    page = window.new_page()
    log_in(page, rig.token("web-alone", "viewer", ["web"]))
    page.goto("/ui/executive")
    expect(budget(page, "web reach global")).to_be_visible()
    expect(budget(page, "dns reach global")).to_have_count(0)
    expect(page.get_by_text("a role for some services does not see what concerns all")).to_be_visible()
    window.close()
