"""Pictures of every page, light and dark, of a fleet with a story: `python -m tests.ui.screenshots OUT`.

A rollout is done and another under way; one PoP is drained for work on a ring; at one a service fails; of one the
agent is gone.
"""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.ui.browser import browser, context, log_in
from tests.ui.rig import Rig, until

POPS = ("ams", "fra", "gru", "iad", "lhr", "nrt", "sin", "sjc")
GATES = ["healthy_checks_share >= 100%", "announced_share >= 90%"]
SHOTS = {
    "oncall": "/ui/oncall?window=15m",
    "rollouts": "/ui/rollouts?window=15m",
    "rollout": "/ui/rollouts/2?window=15m",
    "fleet": "/ui/fleet?window=15m",
    "pop": "/ui/pops/iad?window=15m",
    "service": "/ui/services/web?window=15m",
    "incidents": "/ui/incidents?window=15m",
    "incident": "/ui/incidents/1",
    "catchments": "/ui/catchments?window=15m",
    "catchments-foretold": "/ui/catchments?window=15m&kind=differs",
    "debug": "/ui/debug?window=15m&target=192.0.2.0%2F24",
    "executive": "/ui/executive?window=15m",
    "audit": "/ui/audit?window=15m",
    "runbook": "/ui/runbooks/withdrawn?window=15m",
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


def shoot(page: Page, out: Path, theme: str) -> None:
    for name, address in SHOTS.items():
        page.goto(address)
        page.locator("main").wait_for()
        page.locator(".spin").first.wait_for(state="hidden")
        page.wait_for_timeout(600)
        page.screenshot(path=out / f"{name}-{theme}.png")
    page.goto("/ui/rollouts/2?window=15m")
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
                page.goto("/ui/executive?window=15m")
                page.get_by_role("heading", name="Announced").wait_for()
                page.wait_for_timeout(500)
                page.pdf(path=out / "executive.pdf", format="A4", prefer_css_page_size=True)
        finally:
            rig.end()
    print(f"pictures in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
