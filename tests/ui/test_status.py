"""The public status page, as somebody reads it whose browser runs no script, and who is nobody to us."""

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.browser import context
from tests.ui.rig import Rig
from tests.ui.test_pages import AXE

pytestmark = pytest.mark.mission("C10")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_public_page_is_readable_without_a_script_or_a_token(launched: Browser, rig: Rig, theme: str) -> None:
    window = context(launched, rig.url, color_scheme=theme, java_script_enabled=False)
    page = window.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto("/status")
    assert answer is not None
    assert answer.status == 200
    expect(page.get_by_role("heading", name="Example status")).to_be_visible()
    described = page.get_by_role("listitem").filter(has_text="They answer for our customers' zones.")
    expect(described.get_by_role("heading", name="Name servers", exact=True)).to_be_visible()
    expect(page.get_by_role("list", name="Name servers, by place").get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("list", name="Websites, by place")).to_contain_text("Frankfurt")
    assert "fra" not in page.locator("main").inner_text().split()
    assert [url for url in asked if not url.endswith("/status")] == []
    assert page.evaluate("getComputedStyle(document.querySelector('.box')).borderRadius") == "6px"  # the style holds
    window.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_public_page_has_no_barrier(launched: Browser, rig: Rig, theme: str, width: int) -> None:
    size = {"width": width, "height": 800}
    window = context(launched, rig.url, color_scheme=theme, viewport=size, bypass_csp=True)
    page = window.new_page()
    page.goto("/status")
    expect(page.get_by_role("heading", name="Components")).to_be_visible()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    late = page.get_by_text("load it anew.")
    expect(late).to_be_hidden()
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    expect(late).to_be_visible()
    window.close()
