"""From the page that wakes somebody to the postmortem, by clicks that are counted; and the pages on the way."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.internet import ATTACKER, BELIEVER, HIJACKED, PEERS, UPSTREAM, USUAL
from tests.ui.rig import Rig, until

pytestmark = pytest.mark.mission("C10")

SOON_MS = 90_000


class Walk:
    """Somebody who clicks, and says what for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps: list[str] = []

    def click(self, what: Locator, why: str) -> None:
        what.click()
        self.steps.append(why)

    def tell(self, name: str) -> None:
        print(f"\n{name}: {len(self.steps)} clicks")
        for number, step in enumerate(self.steps, 1):
            print(f"  {number}. {step}")


def open_incidents(page: Page) -> Locator:
    return page.get_by_role("region", name="Open incidents")


@pytest.mark.mission("C15")
def test_the_failure_of_a_pop_from_page_to_postmortem(page: Page, rig: Rig) -> None:
    walk = Walk(page)
    page.goto("/ui/oncall")
    rig.says("iad", "web", "connection refused")
    link = open_incidents(page).get_by_role("link", name=re.compile("web is withdrawn at iad"))
    expect(link).to_be_visible(timeout=SOON_MS)
    walk.click(link, "the incident, on the page On-call")
    main = page.locator("main")
    expect(page.get_by_role("heading", level=1)).to_contain_text("open")
    expect(page.get_by_role("region", name="Runbook")).to_contain_text("Read the evidence")
    assert "from=" in page.url, "the time is that of the incident"
    walk.click(page.get_by_role("button", name="acknowledge"), "acknowledge")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nobody is reminded of it any more")
    walk.click(dialog.get_by_role("button", name="Acknowledge"), "what it does is read, and confirmed")
    expect(page.get_by_role("heading", level=1)).to_contain_text("looks at it", timeout=SOON_MS)
    timeline = page.get_by_role("group", name="Timeline", exact=True)
    expect(timeline).to_contain_text("connection refused")
    walk.click(timeline.locator("tr", has_text="connection refused").first.get_by_role("link"), "the evidence")
    expect(page.get_by_label(re.compile(r"^Event \d+$"))).to_contain_text('"hash"')
    walk.click(page.get_by_role("button", name="add a note"), "a note")
    dialog.get_by_label("Words").fill("the origin's certificate had expired")
    walk.click(dialog.get_by_role("button", name="Add it"), "it is added")
    written = page.get_by_role("region", name="Postmortem")
    expect(written).to_contain_text("the origin's certificate had expired", timeout=SOON_MS)
    rig.says("iad", "web")
    until(lambda: rig.standing("iad", "web").get("stance") == "announce", "it serves again")
    before = main.locator("h1").inner_text()
    page.reload()
    expect(main.locator("h1")).to_have_text(re.compile("looks at it"))
    assert main.locator("h1").inner_text() == before
    walk.tell("PoP failure, from page to postmortem")
    assert len(walk.steps) == 6


@pytest.mark.mission("S3", "C6", "C15")
def test_a_hijack_from_page_to_guilty_hop_and_postmortem(page: Page, rig: Rig) -> None:
    internet = rig.internet
    assert internet is not None
    walk = Walk(page)
    page.goto("/ui/oncall")
    until(lambda: len(rig.ask("GET", f"/routes/{HIJACKED}")["sources"]) == len(PEERS), "the watch hears its peers")
    internet.say({**USUAL, HIJACKED: (BELIEVER, ATTACKER)}, networks=2)
    link = open_incidents(page).get_by_role("link", name=re.compile(f"AS{ATTACKER}|hijack|origin"))
    expect(link).to_be_visible(timeout=SOON_MS)
    walk.click(link, "the incident, on the page On-call")
    expect(page.locator("main")).to_contain_text("critical")
    walk.click(page.get_by_role("link", name="follow the paths").first, "follow the paths")
    guilty = page.locator(".guilty")
    expect(guilty).to_contain_text(f"AS{ATTACKER} originates it, and should not", timeout=SOON_MS)
    expect(guilty.locator(".hop-name")).to_have_text(f"AS{BELIEVER}")
    alert_to_hop = len(walk.steps)
    graph = page.locator(".as-graph")
    expect(graph.locator(".as.foreign")).to_contain_text(f"AS{ATTACKER}")
    expect(graph.locator(".as.believer")).to_contain_text(f"AS{BELIEVER}")
    drawn = graph.inner_html()
    peers = page.get_by_role("group", name="Paths by peer").locator("tbody tr")
    expect(peers).to_have_count(len(PEERS))
    expect(peers.filter(has_text="to a foreign origin")).to_have_count(2)
    page.get_by_role("slider", name="The moment that is shown").focus()
    page.keyboard.press("Home")
    expect(graph.locator(".as.foreign")).to_have_count(0)
    page.get_by_role("button", name="to the end").click()
    expect(graph.locator(".as.foreign")).to_have_count(1)
    assert graph.inner_html() == drawn, "the same paths give the same picture"
    page.go_back()
    walk.steps.append("back to the incident")
    walk.click(page.get_by_role("button", name="mitigate"), "mitigate")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("a second person must approve")
    dialog.get_by_label("Why").fill("a hijack")
    walk.click(dialog.get_by_role("button", name="Mitigate"), "what it does is read, and confirmed")
    expect(dialog.get_by_role("alert")).to_contain_text("no approved more-specific is within", timeout=SOON_MS)
    walk.click(dialog.get_by_role("button", name="Leave it"), "nothing is approved: their upstream is called")
    expect(page.get_by_role("region", name="Postmortem")).to_contain_text("Timeline", timeout=SOON_MS)
    internet.say(USUAL)
    until(lambda: all(each["cleared"] for each in rig.ask("GET", "/findings")["items"]), "the finding is over", 180)
    walk.click(page.get_by_role("link", name="follow the paths").first, "follow the paths: it is over")
    expect(page.get_by_role("region", name="One line of time")).to_contain_text(re.compile(r"[12] over"))
    expect(graph.locator(".as.foreign")).to_have_count(0)
    walk.tell(f"S3, from page to postmortem; alert to guilty hop in {alert_to_hop}")
    assert alert_to_hop <= 3
    assert len(walk.steps) == 7


def result(at: float, vantage: str, asn: int, pop: str, place: list[float]) -> dict[str, Any]:
    """Give a result as a prober delivers it."""
    return {
        "at": at, "vantage_point": vantage, "asn": asn, "country": "NL", "location": place, "target": "ns",
        "kind": "dns", "address": "192.0.2.53", "phases": {"answer": 12.5}, "failure": None, "server": f"{pop}1",
        "pop": pop, "seen": {},
    }  # fmt: skip


@pytest.mark.mission("C7", "C18")
def test_the_map_shows_who_moved_and_what_was_foretold(page: Page, rig: Rig) -> None:
    now = time.time()
    rows = [
        *(result(now - 300, f"v{n}", 65000 + n, "ams", [50.0 + n, 4.0]) for n in range(4)),
        *(result(now - 60, f"v{n}", 65000 + n, "fra" if n == 3 else "ams", [50.0 + n, 4.0]) for n in range(4)),
    ]
    assert rig.http is not None
    told = rig.http.post(
        "/api/v1/probes/results", content="\n".join(map(json.dumps, rows)),
        headers={"Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert told.json()["results"] == len(rows)
    rig.ask("POST", "/predictions", {"service": "dns", "source": "a graph", "pop_of": {"65000": "ams", "65001": "sin"}})
    page.goto("/ui/catchments?window=15m")
    expect(page.get_by_text("1 of 4 moved")).to_be_visible()
    expect(page.get_by_text("1 of 2 elsewhere than foretold")).to_be_visible()
    expect(page.locator(".map .point")).to_have_count(4)
    expect(page.locator(".map .point.moved")).to_have_count(1)
    expect(page.locator(".map .land")).to_have_attribute("d", re.compile("^M"))
    listed = page.get_by_role("group", name="Vantage points").locator("tbody tr")
    expect(listed.first).to_contain_text("v3")
    expect(listed.first).to_contain_text("moved")
    shares = page.get_by_role("group", name="Shares of PoPs").locator("tr", has_text="ams")
    expect(shares).to_contain_text("100 %")
    expect(shares).to_contain_text("75 %")
    page.get_by_role("button", name="To the move before").click()
    page.get_by_role("button", name="To the move before").click()
    expect(page.get_by_text("nobody moved")).to_be_visible()
    assert "at=" in page.url
    page.reload()
    expect(page.get_by_text("nobody moved")).to_be_visible()
    page.goto("/ui/catchments?window=15m")
    page.get_by_role("button", name="where they differ").click()
    expect(page.locator(".map .point.moved")).to_have_count(1)
    page.goto("/ui/catchments?service=web")
    expect(page.get_by_text("No prober has told this controller who answers it for web")).to_be_visible()


@pytest.mark.mission("C7")
def test_ways_that_changed_show_the_hop_where_they_part(page: Page, rig: Rig) -> None:
    def traced(at: float, *hops: str) -> dict[str, Any]:
        seen = [{"number": n, "addresses": [hop], "rtts_ms": [2.0 * n]} for n, hop in enumerate(hops, 1)]
        return {**result(at, "tracer", 65009, "ams", [1, 2]), "kind": "traceroute", "pop": None,
                "seen": {"reached": True, "hops": seen}}  # fmt: skip

    now = time.time()
    rows = [traced(now - 200, "10.0.0.1", "10.0.1.1", "192.0.2.53"), traced(now, "10.0.0.1", "10.0.9.1", "192.0.2.53")]
    assert rig.http is not None
    rig.http.post(
        "/api/v1/probes/results", content="\n".join(map(json.dumps, rows)),
        headers={"Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    page.goto("/ui/debug?target=192.0.2.0/24&pick=tracer")
    hops = page.get_by_role("group", name="Hops").locator("tbody tr")
    expect(hops).to_have_count(3)
    expect(hops.nth(1)).to_contain_text("it parts here")
    expect(hops.nth(1)).to_contain_text("10.0.9.1")
    expect(hops.nth(0)).not_to_contain_text("parts")
    expect(page.locator(".as.origin")).to_contain_text("AS64500")
    expect(page.locator(".as", has_text=f"AS{UPSTREAM}")).to_have_count(1)
