"""Pictures of every page, light and dark, of a fleet with a story: `python -m tests.ui.screenshots OUT`.

A rollout is done and another under way; one PoP is drained for work on a ring; at one a service fails; of one the
agent is gone; somebody else announces a prefix. Of vantage points, those that reached London reach other PoPs now.
"""

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from playwright.sync_api import Page

from tests.ui.browser import browser, context, log_in
from tests.ui.internet import ATTACKER, BELIEVER, HIJACKED, PEERS, USUAL
from tests.ui.rig import PLACES, Rig, until

POPS = ("ams", "fra", "gru", "iad", "lhr", "nrt", "sin", "sjc")
GATES = ["healthy_checks_share >= 100%", "announced_share >= 90%"]
TOWNS = (
    (48.8, 2.3), (40.4, -3.7), (41.9, 12.5), (59.3, 18.0), (52.2, 21.0), (53.3, -6.3), (51.5, -0.1), (41.0, 29.0),
    (30.0, 31.2), (-26.2, 28.0), (6.5, 3.4), (-1.3, 36.8), (25.2, 55.3), (19.0, 72.8), (28.6, 77.2), (13.7, 100.5),
    (37.5, 127.0), (31.2, 121.5), (14.6, 121.0), (-6.2, 106.8), (-33.9, 151.2), (-36.8, 174.8), (45.5, -73.6),
    (41.9, -87.6), (29.8, -95.4), (47.6, -122.3), (33.7, -84.4), (19.4, -99.1), (4.7, -74.1), (-34.6, -58.4),
    (-12.0, -77.0), (-33.4, -70.7),
)  # fmt: skip
"""Latitude and longitude of places near which vantage points stand."""
SHOTS = {
    "oncall": "/ui/oncall?window=5m",
    "rollouts": "/ui/rollouts?window=5m",
    "rollout": "/ui/rollouts/2?window=5m",
    "fleet": "/ui/fleet?window=5m",
    "pop": "/ui/pops/iad?window=5m",
    "service": "/ui/services/web?window=5m",
    "upstream": "/ui/upstreams/64496?window=5m",
    "incidents": "/ui/incidents?window=5m",
    "incident": "/ui/incidents/1",
    "catchments": "/ui/catchments?window=5m",
    "catchments-foretold": "/ui/catchments?window=5m&kind=differs",
    "catchments-what-if": "/ui/catchments?window=5m&service=web&if=lhr%3Aoff%2Cfra%2Ftransit-a%3A2%2Cload%3A59G",
    "debug": "/ui/debug?window=5m&target=192.0.2.0%2F24",
    "executive": "/ui/executive?window=5m",
    "audit": "/ui/audit?window=5m",
    "runbook": "/ui/runbooks/withdrawn?window=5m",
    "status": "/status",
}


def tell_story(rig: Rig) -> None:
    """Have it come to what the pictures show."""
    ann, ben = rig.token("ann", "operator"), rig.token("ben", "operator")
    first = rig.roll_out(
        "web: one prepend more, to level the load", {"bake_s": 2, "patience_s": 60, "gates": GATES}, ann, web=1
    )
    until(lambda: rig.rollout_is(first, "finished"), "the first rollout ends")
    second = rig.roll_out(
        "dns: less load at the far PoPs", {"bake_s": 5, "patience_s": 600, "gates": GATES}, ann, dns=2
    )
    until(lambda: rig.ask("GET", f"/rollouts/{second}")["step"] == 2, "the second is at its second step")
    rig.ask("POST", f"/rollouts/{second}/pause", {}, ann)
    drained = {"pops": ["lhr"], "services": ["dns", "web"], "reason": "work on the metro ring, CHG-2291", "soak_s": 0}
    rig.ask("POST", "/drain", drained, ben)
    until(lambda: rig.standing("lhr", "web").get("routes_exported") == 0, "London is drained")
    rig.says("iad", "web", "connection refused by 198.51.100.80 port 443")
    until(lambda: rig.standing("iad", "web").get("stance") == "withdraw", "web is withdrawn at Ashburn")
    rig.end_agent("gru")
    until(lambda: rig.ask("GET", "/pops/gru")["connected"] is False, "São Paulo is out of contact")
    see(rig)
    hijack(rig)
    until(lambda: len(rig.ask("GET", "/incidents")["items"]) > 1, "incidents are open")


def see(rig: Rig) -> None:
    """Have probers deliver what they would, were the clients of the fleet real; their places are a grid on land."""
    randomness, now = Random(1), time.time()
    lines, predicted = [], {}
    for number in range(160):
        latitude, longitude = randomness.choice(TOWNS)
        where = [latitude + randomness.uniform(-3, 3), longitude + randomness.uniform(-3, 3)]
        asn, named = 65000 + number, f"as{65000 + number}"
        before = nearest(where, POPS) if randomness.random() < 0.9 else randomness.choice(POPS)
        after = before if before != "lhr" else nearest(where, tuple(set(POPS) - {"lhr"}))
        predicted[str(asn)] = before if randomness.random() < 0.85 else randomness.choice(POPS)
        place = {"vantage_point": named, "asn": asn, "country": "", "location": where, "address": "192.0.2.53"}
        told = {**place, "target": "ns", "kind": "dns", "failure": None}
        for at, pop in ((now - 500, before), (now - 30, after)):
            rtt_ms = 4 + 1.3 * distance(where, pop)
            lines.append({**told, "at": at, "phases": {"answer": rtt_ms}, "server": f"{pop}1", "pop": pop, "seen": {}})
        for at, pop in ((now - 480, before), (now - 20, after)):
            ways = [f"10.{number}.0.1", "10.255.0.1", f"10.254.{POPS.index(pop)}.1", "192.0.2.53"]
            hops = [{"number": n, "addresses": [way], "rtts_ms": [5.0 * n]} for n, way in enumerate(ways, 1)]
            seen = {"reached": True, "hops": hops}
            lines.append({**told, "at": at, "kind": "traceroute", "phases": {}, "pop": None, "seen": seen})
    assert rig.http is not None
    body, kind = "\n".join(map(json.dumps, lines)), {"Content-Type": "application/x-ndjson"}
    assert rig.http.post("/api/v1/probes/results", content=body, headers=kind).is_success
    rig.ask("POST", "/predictions", {"service": "dns", "source": "a graph made here", "pop_of": predicted})


def distance(where: list[float], pop: str) -> float:
    _, _, latitude, longitude = PLACES[pop]
    return math.hypot(where[0] - latitude, where[1] - longitude)


def nearest(where: list[float], pops: tuple[str, ...]) -> str:
    return min(pops, key=lambda pop: (distance(where, pop), pop))


def hijack(rig: Rig) -> None:
    assert rig.internet is not None
    until(lambda: len(rig.ask("GET", f"/routes/{HIJACKED}")["sources"]) == len(PEERS), "the watch hears its peers")
    rig.internet.say({**USUAL, HIJACKED: (BELIEVER, ATTACKER)}, networks=2)
    until(lambda: rig.ask("GET", "/findings")["items"], "the watch finds it")


def shoot(page: Page, out: Path, theme: str) -> None:
    for name, address in SHOTS.items():
        page.goto(address)
        page.locator("main").wait_for()
        page.wait_for_timeout(600)
        # The first prediction waits for the kernels.
        page.locator(".spin").first.wait_for(state="hidden", timeout=120_000)
        page.screenshot(path=out / f"{name}-{theme}.png")
    page.goto("/ui/rollouts/2?window=5m")
    page.get_by_role("button", name="abort").click()
    page.screenshot(path=out / f"confirm-{theme}.png")


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="anycastle-ui-") as folder:
        rig = Rig(Path(folder), POPS, floor=3)
        try:
            rig.begin()
            tell_story(rig)
            time.sleep(1)
            with browser() as launched:
                for theme in ("light", "dark"):
                    page = context(launched, rig.url, color_scheme=theme).new_page()
                    page.goto("/ui/oncall")
                    page.get_by_label("Token").wait_for()
                    page.screenshot(path=out / f"login-{theme}.png")
                    log_in(page, rig.admin)
                    shoot(page, out, theme)
                page.goto("/ui/executive?window=5m")
                page.get_by_role("heading", name="Announced").wait_for()
                page.wait_for_timeout(500)
                page.pdf(path=out / "executive.pdf", format="A4", prefer_css_page_size=True)
        finally:
            rig.end()
    print(f"pictures in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
