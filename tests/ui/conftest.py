"""One fleet and one browser for all tests of the pages; where these cannot run, they are skipped with the reason."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.rig import ROOT, Rig

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POPS = ("ams", "fra", "iad", "sin")


def missing() -> str | None:
    """Give what is missing for a browser's test, and how to get it."""
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright: `make setup`"
    from tests.ui.browser import chromium

    if chromium() is None:
        return "Chromium: `make lab-packages` as root, on Debian or Ubuntu"
    if not (ROOT / "src/anycastle/web/static/app.js").exists():
        return "the built pages: `make ui`, with Node 20 or later"
    return None


@pytest.fixture(scope="session")
def launched() -> "Iterator[Browser]":
    """A browser."""
    lacks = missing()
    if lacks is not None:
        pytest.skip(f"the pages' tests need {lacks}")
    from tests.ui.browser import browser

    with browser() as made:
        yield made


@pytest.fixture(scope="session")
def rig(launched: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A fleet whose every PoP serves."""
    folder: Path = tmp_path_factory.mktemp("fleet")
    made = Rig(folder, POPS, floor=2)
    try:
        made.begin()
        yield made
    finally:
        made.end()


@pytest.fixture
def page(launched: "Browser", rig: Rig) -> "Iterator[Page]":
    """A page of the admin's, who has just logged in."""
    from tests.ui.browser import context, log_in

    window = context(launched, rig.url)
    made = window.new_page()
    log_in(made, rig.admin)
    yield made
    window.close()
