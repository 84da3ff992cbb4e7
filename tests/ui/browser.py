"""A real browser: the system's Chromium, driven by Playwright, which never downloads one of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FLAGS: Final = (
    "--no-sandbox", "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE: Final = {"width": 1440, "height": 900}
PATIENCE_MS: Final = 20_000
"""A machine that does much else draws a page late: that is no fault of the page."""

expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str | None:
    """Give where Chromium is."""
    return shutil.which("chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield launched
        launched.close()


def context(launched: Browser, url: str, **settings: Any) -> BrowserContext:
    """Give a window of its own, with nothing kept of another."""
    made = launched.new_context(base_url=url, viewport=settings.pop("viewport", WIDE), **settings)
    made.set_default_timeout(2 * PATIENCE_MS)
    return made


def log_in(page: Page, token: str, path: str = "/ui/oncall") -> None:
    """Type a token in, as somebody does."""
    page.goto(path)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("navigation", name="Pages").wait_for()
