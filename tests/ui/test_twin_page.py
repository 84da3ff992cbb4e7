"""The twin's playground and an upstream's page, in a real browser, of a real fleet on a real graph's file."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui.browser import context, log_in
from tests.ui.rig import Rig
from tests.ui.test_pages import violations

pytestmark = pytest.mark.mission("C10")

SOON_MS = 60_000
TRY = "/ui/catchments?service=dns&if="


def places(page: Page) -> Locator:
    return page.get_by_role("group", name="What would be")


def place(page: Page, pop: str) -> Locator:
    return places(page).locator("tbody tr", has=page.get_by_role("switch", name=f"{pop} announces"))


def opened(page: Page, tried: str = "") -> Locator:
    """Go there, and wait until the twin has answered; give its part of the page."""
    page.goto(TRY + tried)
    expect(places(page).locator("tbody tr").first).to_be_visible(timeout=SOON_MS)
    expect_move(page, "would move")
    return page.get_by_role("region", name="What if")


def expect_move(page: Page, words: str) -> None:
    """Wait until the answer is there, and says so."""
    expect(page.get_by_role("region", name="What if").get_by_role("status")).to_contain_text(words, timeout=SOON_MS)


def cells(row: Locator) -> list[str]:
    """Give what a row says: share now, share after, change."""
    return [cell.strip() for cell in row.locator("td.num").all_inner_texts()][:3]


@pytest.mark.mission("C18")
def test_a_pop_that_is_switched_off_moves_its_users_at_once(page: Page, rig: Rig) -> None:
    page.goto("/ui/catchments?service=dns")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/twin/" in request.url else None)
    page.get_by_role("button", name="try it on dns").click()
    part = page.get_by_role("region", name="What if")
    expect_move(page, "nobody would move")
    expect(places(page).get_by_role("switch")).to_have_count(len(rig.pops))
    busiest = places(page).get_by_role("switch").first
    name = busiest.get_attribute("aria-label")
    assert name is not None
    pop = name.partition(" ")[0]
    was = cells(place(page, pop))
    assert was[0] == was[1] != "0.0 %"
    busiest.click()
    expect_move(page, "of users would move")
    assert cells(place(page, pop))[:2] == [was[0], "0.0 %"]
    assert cells(place(page, pop))[2].startswith("−")
    expect(busiest).to_have_attribute("aria-checked", "false")
    expect(part).to_contain_text(f"{pop} announces nothing")
    expect(part).to_contain_text("of users are in doubt")
    expect(part).to_contain_text("By 20250901.as-rel.txt of 2025-09-01, and what routers export now")
    part.get_by_text("how to make it real").click()
    expect(part).to_contain_text(f"anycastle drain dns --pop {pop}")
    told = rig.ask("POST", "/twin/shift", {"service": "dns", "off": [pop]})
    for each in told["pops"]:
        assert cells(place(page, each["name"]))[1] == f"{100 * each['after']['mean']:.1f} %", "as the API says"
    assert told["unheard"] == [], "every agent was heard"
    page.reload()
    expect(busiest).to_have_attribute("aria-checked", "false", timeout=SOON_MS)
    expect(part).to_contain_text(f"{pop} announces nothing", timeout=SOON_MS)
    busiest.click()
    expect_move(page, "nobody would move")
    assert asked
    assert rig.all_serve(), "trying changed nothing"


@pytest.mark.mission("C18")
def test_prepends_are_stepped_by_keys_alone_and_only_the_newest_answer_counts(page: Page) -> None:
    part = opened(page)
    pop = (places(page).get_by_role("switch").first.get_attribute("aria-label") or "").partition(" ")[0]
    first = page.get_by_label(f"prepends of {pop} to transit-a")
    before = int(first.input_value())
    places(page).get_by_role("switch").first.focus()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(page.get_by_label(f"prepends of {pop} to ix-b")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile(f"if={pop}%2Fix-b%3A\\d%2C{pop}%2Ftransit-a%3A{before + 3}"))
    expect_move(page, "of users would move")
    expect(part).to_contain_text(f"{pop} to transit-a: {before + 3} prepends in place of {before}")
    part.get_by_text("how to make it real").click()
    expect(part.get_by_label("In the file")).to_contain_text(f"transit-a: {{prepend: {before + 3}}}")
    expect(part.get_by_label("Commands")).to_contain_text("anycastle apply FOLDER")
    page.get_by_role("button", name="as it is now").press("Enter")
    expect_move(page, "nobody would move")
    assert first.input_value() == str(before)


@pytest.mark.mission("C18")
def test_loads_stand_against_capacities_and_what_is_too_much_is_said(page: Page, rig: Rig) -> None:
    part = opened(page)
    field = part.get_by_label("all users offer")
    field.fill("39")
    expect(part).to_contain_text("write 38G")
    assert "load" not in page.url
    field.fill("39G")
    header = places(page).get_by_role("columnheader", name="overload")
    expect(header).to_be_visible(timeout=SOON_MS)
    told = rig.ask("POST", "/twin/shift", {"service": "dns", "load": "39G"})
    full = {each["name"] for each in told["pops"] if each["overload_chance"] > 0}
    assert full, "four PoPs of 10G and 39G that do not fall evenly"
    for pop in rig.pops:
        expect(place(page, pop)).to_contain_text("10G")
        expect(place(page, pop)).to_contain_text("% likely" if pop in full else "none")
        expect(place(page, pop).locator(".gauge-limit")).to_have_count(1)
    page.reload()
    expect(header).to_be_visible(timeout=SOON_MS)
    expect(field).to_have_value("39G")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_is_tried(launched: Browser, rig: Rig, scheme: str) -> None:
    window = context(launched, rig.url, color_scheme=scheme)
    page = window.new_page()
    log_in(page, rig.admin)
    part = opened(page, "ams:off,fra/transit-a:2,load:39G")
    part.get_by_text("how to make it real").click()
    assert violations(page) == []
    window.close()


def test_a_controller_that_answers_nothing_is_said_beside_what_was_known(page: Page) -> None:
    part = opened(page)
    known = places(page).locator("tbody tr").first.inner_text()
    page.route("**/api/v1/twin/shift", lambda route: route.abort())
    places(page).get_by_role("switch").last.click()
    expect(part.get_by_role("alert")).to_contain_text("The controller does not answer")
    assert places(page).locator("tbody tr").first.inner_text() == known
    page.unroute("**/api/v1/twin/shift")


def test_an_upstream_over_all_pops_tells_its_sessions_and_what_it_is_told(page: Page, rig: Rig) -> None:
    page.goto("/ui/fleet")
    row = page.get_by_role("group", name="Upstreams").locator("tr", has_text="AS64496")
    expect(row).to_contain_text(f"{len(rig.pops)} of {len(rig.pops)} up")
    expect(row).to_contain_text("as wanted")
    row.get_by_role("link", name="transit-a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{len(rig.pops)} of {len(rig.pops)} sessions up")
    sessions = page.get_by_role("group", name="Sessions").locator("tbody tr")
    expect(sessions).to_have_count(len(rig.pops))
    expect(sessions.first).to_contain_text("established")
    expect(sessions.first.locator("time")).to_have_count(1)
    told = rig.ask("GET", "/upstreams/64496")
    routes = page.get_by_role("group", name="What it is told").locator("tbody tr")
    expect(routes).to_have_count(sum(len(place["routes"]) for place in told["places"]))
    expect(page.get_by_text("all as wanted")).to_be_visible()
    expect(page.get_by_role("region", name="What the watch sees through it")).to_contain_text("198.51.100.0/24")
    page.get_by_role("link", name="what if it heard 3 prepends").click()
    expect(page.get_by_role("region", name="What if")).to_contain_text(
        re.compile(r"ams to transit-a: 3 prepends in place of \d"), timeout=SOON_MS
    )
    rig.says("iad", "web", "refused")
    page.goto("/ui/upstreams/transit-a")
    expect(routes).to_have_count(sum(len(place["routes"]) for place in told["places"]) - 1, timeout=SOON_MS)
    rig.says("iad", "web")
    expect(routes).to_have_count(sum(len(place["routes"]) for place in told["places"]), timeout=SOON_MS)
    page.get_by_role("button", name=re.compile("go to")).click()
    page.get_by_label("Name of a page").fill("ix-b")
    page.get_by_role("option", name=re.compile("upstream.*ix-b")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ix-b")
    page.goto("/ui/upstreams/nobody")
    expect(page.get_by_role("alert")).to_contain_text("no upstream is named nobody")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_an_upstream(launched: Browser, rig: Rig, scheme: str) -> None:
    window = context(launched, rig.url, color_scheme=scheme)
    page = window.new_page()
    log_in(page, rig.admin)
    page.goto("/ui/upstreams/transit-a")
    expect(page.get_by_role("group", name="What it is told").locator("tbody tr").first).to_be_visible()
    expect(page.locator(".spin")).to_have_count(0)
    assert violations(page) == []
    window.close()
