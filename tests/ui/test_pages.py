"""What somebody on call sees and does, in a real browser, of a real controller with real agents."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.browser import context, log_in
from tests.ui.conftest import POPS
from tests.ui.rig import ROOT, Rig, until

pytestmark = pytest.mark.mission("C10")

PAGES = ("oncall", "rollouts", "rollouts/1", "fleet", "pops/ams", "services/dns", "upstreams/64496", "incidents",
         "executive", "audit", "catchments", "debug")  # fmt: skip
AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
SLOW = {"bake_s": 600, "patience_s": 600, "gates": ["healthy_checks_share >= 100%"]}
SOON_MS = 30_000


@pytest.fixture(scope="session")
def rollout(rig: Rig) -> int:
    """A rollout whose first step bakes."""
    number = rig.roll_out("dns: one prepend more", SLOW, dns=1)
    until(lambda: rig.rollout_is(number, "baking"), "it bakes")
    return number


def cell(page: Page, pop: str) -> Any:
    """Give the row of a PoP on the page On-call."""
    return page.get_by_role("group", name="PoPs and services").locator(
        "tr", has=page.get_by_role("link", name=pop, exact=True)
    )


def test_the_token_is_where_no_script_finds_it(page: Page, rig: Rig) -> None:
    kept = page.evaluate(
        "[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]"
    )
    assert rig.admin not in "".join(kept)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.reload()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    page.get_by_role("button", name=re.compile("admin")).click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.context.cookies() == []


def test_a_token_that_is_not_good_is_told_so(launched: Browser, rig: Rig) -> None:
    page = context(launched, rig.url).new_page()
    page.goto("/ui/")
    page.get_by_label("Token").fill("acst_of-nobody")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not good here")
    page.context.close()


def test_every_page_keeps_the_policy_and_asks_nobody_else(page: Page, rig: Rig, rollout: int) -> None:
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("response", lambda answer: answer.status < 400 or complaints.append(f"{answer.status}: {answer.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in PAGES:
        answer = page.goto(f"/ui/{name}")
        assert answer is not None
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        expect(page.locator("main h1, main h2").first).to_be_attached()
        expect(page.locator(".spin")).to_have_count(0)
    assert [url for url in asked if not url.startswith(rig.url)] == []
    assert complaints == []


def test_the_address_is_the_state(page: Page) -> None:
    page.goto("/ui/oncall")
    page.get_by_label("Service").select_option("dns")
    page.get_by_label("Region").select_option("europe")
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(cell(page, "sin")).to_have_count(0)
    assert all(part in page.url for part in ("service=dns", "region=europe", "tz=local"))
    page.get_by_role("button", name="copy link").click()
    assert "until=" in page.url
    main = page.locator("main")
    expect(main.get_by_role("columnheader", name="web")).to_have_count(0)
    before = main.inner_text()
    page.reload()
    expect(cell(page, "ams")).to_be_visible()
    expect(page.locator(".spin")).to_have_count(0)
    assert main.inner_text() == before
    page.keyboard.press("x")
    expect(cell(page, "sin")).to_be_visible()


def test_a_mark_on_the_ribbon_filters_every_list(page: Page) -> None:
    page.goto("/ui/audit")
    rows = page.get_by_role("group", name="Event log").locator("tbody tr")
    expect(rows.first).to_be_visible()
    box = page.locator(".ribbon-line").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 10, steps=4)
    page.mouse.up()
    expect(page.get_by_text("No event fits the filters")).to_be_visible()
    assert "brush=" in page.url
    page.mouse.click(box["x"] + 400, box["y"] + 10)
    expect(rows.first).to_be_visible()
    assert "brush=" not in page.url


def test_all_of_it_by_keyboard(page: Page, rollout: int) -> None:
    page.goto("/ui/oncall")
    expect(cell(page, "ams")).to_be_visible()
    for key in ("g", "r"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/ui/rollouts$"))
    expect(page.get_by_role("link", name=str(rollout), exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/ui/rollouts/{rollout}$"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next, previous row")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    page.keyboard.press("Escape")
    for key in ("g", "o"):
        page.keyboard.press(key)
    expect(page.get_by_text("No PoP fits the filters")).to_be_visible()


def test_a_pop_that_fails_comes_first_with_its_evidence(page: Page, rig: Rig) -> None:
    page.goto("/ui/oncall")
    expect(page.get_by_text("nothing needs a look")).to_be_visible(timeout=SOON_MS)
    rig.says("sin", "web", "connection refused")
    row = cell(page, "sin")
    expect(row).to_contain_text("withdrawn", timeout=SOON_MS)
    expect(row).to_contain_text("connection refused")
    first = page.get_by_role("group", name="PoPs and services").locator("tbody tr").first
    expect(first).to_contain_text("Singapore")
    expect(page.get_by_role("group", name="Withdrawals")).to_contain_text("web is withdrawn")
    row.get_by_role("link", name="runbook").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A service is withdrawn at a PoP")
    page.keyboard.press("g")
    page.keyboard.press("i")
    opened = page.get_by_role("region", name="Open incidents")
    expect(opened).to_contain_text("web is withdrawn at sin", timeout=SOON_MS)
    expect(opened).to_contain_text("major")
    rig.says("sin", "web")
    page.goto("/ui/oncall")
    expect(page.get_by_text("nothing needs a look")).to_be_visible(timeout=SOON_MS)


def test_a_hung_controller_makes_the_page_stale_and_no_zero(page: Page, rig: Rig) -> None:
    page.goto("/ui/oncall")
    expect(cell(page, "ams")).to_be_visible()
    expect(page.locator(".connection b")).to_have_text("live")
    page.evaluate("""() => {
        const look = () => {
            const seen = document.querySelector(".connection.is-stale .age");
            if (seen && !window.firstStale) window.firstStale = seen.textContent;
        };
        const all = { subtree: true, childList: true, attributes: true, characterData: true };
        new MutationObserver(look).observe(document.body, all);
    }""")
    rows = page.get_by_role("group", name="PoPs and services").locator("tbody tr")
    rig.hang_controller()
    try:
        expect(page.locator("main.stale")).to_be_visible(timeout=SOON_MS)
        expect(page.get_by_role("alert")).to_contain_text("what is shown below is from then")
        assert page.evaluate("window.firstStale") in ("4 s", "5 s"), "stale within 5 s, by the page's own clock"
        expect(rows).to_have_count(len(POPS))
        expect(page.locator("main")).to_contain_text("dns 4/4, floor 2")
    finally:
        rig.wake_controller()
    expect(page.locator("main.stale")).to_have_count(0, timeout=SOON_MS)
    expect(page.locator(".connection b")).to_have_text("live")


def test_a_controller_that_comes_back_has_lost_nothing_for_the_page(page: Page, rig: Rig) -> None:
    page.goto("/ui/audit")
    expect(page.locator(".connection b")).to_have_text("live")
    rig.stop_controller()
    expect(page.locator("main.stale")).to_be_visible(timeout=SOON_MS)
    rig.says("iad", "web", "no route to host")
    rig.start_controller()
    until(lambda: rig.standing("iad", "web").get("stance") == "withdraw", "it is withdrawn")
    expect(page.locator("main.stale")).to_have_count(0, timeout=SOON_MS)
    listed = page.get_by_role("group", name="Event log")
    expect(listed).to_contain_text("no route to host", timeout=SOON_MS)
    rig.says("iad", "web")
    asked = "/events?kind=stance_changed&pop=iad&service=web&limit=1000"
    until(lambda: rig.ask("GET", asked)["items"][-1]["fields"]["stance"] == "announce", "it is announced again")
    told = rig.ask("GET", asked)["items"]
    page.goto("/ui/audit?kind=stance_changed&pop=iad&service=web")
    expect(listed.locator("tbody tr")).to_have_count(len(told), timeout=SOON_MS)


def test_an_order_says_what_will_happen_and_does_it(page: Page, rig: Rig, rollout: int) -> None:
    page.goto(f"/ui/rollouts/{rollout}")
    expect(page.get_by_text("announcement: {prepend: 1}")).to_be_visible()
    expect(page.get_by_role("cell", name="healthy_checks_share >= 1.0", exact=True)).to_be_visible()
    page.get_by_role("button", name="pause").click()
    dialog = page.get_by_role("dialog")
    step = rig.ask("GET", f"/rollouts/{rollout}")["step"]
    expect(dialog).to_contain_text(f"Rollout {rollout} stays where it is, at step {step}")
    dialog.get_by_role("button", name="Leave it").click()
    assert rig.ask("GET", f"/rollouts/{rollout}")["paused_by"] is None
    page.get_by_role("button", name="pause").click()
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("paused, baking")
    assert rig.ask("GET", f"/rollouts/{rollout}")["paused_by"] == "root"
    page.get_by_role("button", name="resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="pause")).to_be_visible()


def test_a_drain_says_who_serves_then_and_what_the_floor_is(page: Page, rig: Rig) -> None:
    page.goto("/ui/oncall")
    expect(page.get_by_text("nothing needs a look")).to_be_visible(timeout=SOON_MS)
    cell(page, "fra").get_by_role("link", name="fra").click()
    page.get_by_role("button", name="drain", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("web is announced by 3 PoPs then")
    expect(dialog).to_contain_text("its floor is 2")
    expect(dialog.get_by_role("button", name="Drain")).to_be_disabled()
    dialog.get_by_label("Why").fill("a new line card")
    dialog.get_by_role("button", name="Drain").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("drained", timeout=SOON_MS)
    page.get_by_role("button", name="undrain").click()
    dialog.get_by_label("Why").fill("done")
    dialog.get_by_role("button", name="Undrain").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("serves", timeout=SOON_MS)


def test_who_may_not_is_told_so(launched: Browser, rig: Rig, rollout: int) -> None:
    page = context(launched, rig.url).new_page()
    token = rig.token("dns-viewer", "viewer", ["dns"])
    told = rig.ask("GET", "/serving", token=token)["items"]
    assert {own["name"] for each in told for own in each["services"]} == {"dns"}
    assert {each["sessions"] for each in told} == {None}
    log_in(page, token, f"/ui/rollouts/{rollout}")
    expect(page.get_by_text("You may not see the files of the fleet")).to_be_visible()
    expect(page.get_by_text("Your role (viewer) may look, and not order.")).to_be_visible()
    expect(page.get_by_role("button", name="abort")).to_have_count(0)
    page.goto("/ui/audit")
    expect(page.get_by_text("You may not see who asked for what")).to_be_visible()
    page.goto("/ui/oncall")
    expect(cell(page, "ams")).to_be_visible()
    expect(page.get_by_role("columnheader", name="web")).to_have_count(0)
    expect(cell(page, "ams").get_by_text("no data")).to_have_count(1)
    page.context.close()


@pytest.mark.parametrize(
    "settings",
    [{"color_scheme": "light"}, {"color_scheme": "dark", "reduced_motion": "reduce"},
     {"color_scheme": "light", "viewport": {"width": 400, "height": 800}},
     {"color_scheme": "light", "viewport": {"width": 720, "height": 450}, "device_scale_factor": 2}],
    ids=["light", "dark", "narrow", "zoomed to 200 %"],
)  # fmt: skip
def test_axe_finds_nothing(launched: Browser, rig: Rig, rollout: int, settings: dict[str, Any]) -> None:
    window = context(launched, rig.url, **settings)
    page = window.new_page()
    page.goto("/ui/oncall")
    assert violations(page) == []
    log_in(page, rig.admin)
    for name in PAGES if "viewport" not in settings else ("oncall", "rollouts/1", "executive", "debug"):
        page.goto(f"/ui/{name}")
        expect(page.locator("main table, main .state, main p").first).to_be_visible()
        expect(page.locator(".spin")).to_have_count(0)
        assert violations(page) == [], name
    page.goto(f"/ui/rollouts/{rollout}")
    page.get_by_role("button", name="abort").click()
    assert violations(page) == [], "the dialog"
    window.close()


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}" for each in found]


def test_times_are_in_utc_or_where_the_reader_is(launched: Browser, rig: Rig) -> None:
    window = context(launched, rig.url, timezone_id="Asia/Kolkata")
    page = window.new_page()
    log_in(page, rig.admin, "/ui/audit")
    at = page.get_by_role("group", name="Event log").locator("tbody tr").last.locator("td").first
    page.get_by_role("button", name="copy link").click()
    in_utc = seconds(at.inner_text())
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(page).to_have_url(re.compile("tz=local"))
    assert (seconds(at.inner_text()) - in_utc) % 86_400 == 5.5 * 3600
    window.close()


def seconds(time: str) -> int:
    """Give the seconds of the day of a time that is shown."""
    hour, minute, second = map(int, re.findall(r"(\d\d):(\d\d):(\d\d)", time)[0])
    return 3600 * hour + 60 * minute + second


def test_a_state_is_known_without_its_colour(page: Page, rig: Rig) -> None:
    rig.says("iad", "dns", "no answer")
    until(lambda: rig.standing("iad", "dns").get("stance") == "withdraw", "dns is withdrawn")
    page.goto("/ui/oncall")
    expect(cell(page, "iad")).to_contain_text("withdrawn")
    said = page.locator("main .said").evaluate_all(
        "all => all.map(each => [each.innerText, each.firstChild.innerHTML])"
    )
    shapes = {word: {shape for each, shape in said if each == word} for word, _ in said}
    assert len(shapes) > 2
    assert all(len(each) == 1 for each in shapes.values()), "one word has one shape"
    assert shapes["announced"].isdisjoint(shapes["withdrawn"])
    rig.says("iad", "dns")
    until(lambda: rig.standing("iad", "dns").get("stance") == "announce", "dns is announced again")


@pytest.mark.parametrize(
    ("name", "asked", "what"), [("incidents", "incidents", "incidents"), ("audit", "audit", "the audit")]
)
def test_what_is_not_read_yet_or_cannot_be_read_is_said_and_is_not_shown_as_empty(
    page: Page, name: str, asked: str, what: str
) -> None:
    held: list[Any] = []
    address = re.compile(f"/api/v1/{asked}([?]|$)")
    page.route(address, lambda route: held.append(route))
    page.goto(f"/ui/{name}")
    expect(page.get_by_role("status").filter(has_text=f"reading {what}")).to_be_visible()
    for each in held:
        each.abort()
    page.unroute(address)
    page.route(address, lambda route: route.abort())
    page.goto(f"/ui/{name}?window=1h")
    expect(page.locator("main").get_by_role("alert")).to_be_visible()
    expect(page.locator("main").get_by_text("Nobody asked")).to_have_count(0)
    page.unroute(address)


def test_the_executive_page_prints_on_one_sheet(page: Page) -> None:
    page.goto("/ui/executive")
    expect(page.get_by_role("heading", name="Announced")).to_be_visible()
    expect(page.locator("[data-budget='dns reach global']")).to_be_visible()
    expect(page.get_by_role("heading", name="What clients got")).to_be_visible()
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
