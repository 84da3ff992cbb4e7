"""The pages of a wide fleet by keyboard, and what goes over the wire: the real API, and reports that are made up."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.model.event import Event, FindingOpened
from bench.ui_scale import Served, adopt, serve_wide
from tests.ui.conftest import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

pytestmark = pytest.mark.mission("C10")

POPS, SERVICES = 300, 3
AT_FIRST = 60
FINDINGS, ROWS_MAX = 20, 12


def find(where: Path) -> Path:
    """Write the log of a watch that found more at one time than there is room for; give its path."""
    path = where / "findings.db"
    with EventLog(path) as log:
        log.append([Event(Timestamp(time.time() - 60), "watch", found(n)) for n in range(FINDINGS)])
    return path


def found(number: int) -> FindingOpened:
    return FindingOpened(
        finding=f"f{number}", finding_kind="origin_change", severity="critical", subject=f"AS{65100 + number}",
        prefixes=("10.0.0.0/24",), score=90, reasons=("only AS64500 may",), peers=3, asns=3, collectors=1,
        validity="invalid", at_start=False, evidence=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A controller with agents of hundreds of PoPs."""
    lacks = missing()
    if lacks is not None:
        pytest.skip(f"the pages' tests need {lacks}")
    where: Path = tmp_path_factory.mktemp("wide")
    served: dict[str, Any] = {"over": threading.Event()}
    ready = threading.Event()
    serving = threading.Thread(
        target=lambda: asyncio.run(serve_wide(served, ready, where, POPS, SERVICES, [find(where)])), daemon=True
    )
    serving.start()
    assert ready.wait(60)
    try:
        adopt(served["it"], POPS, SERVICES)
        yield served["it"]
    finally:
        served["over"].set()
        serving.join(30)


@pytest.fixture
def page(launched: "Browser", wide: Served) -> "Iterator[Page]":
    """A page of whoever looks at it."""
    from tests.ui.browser import context, log_in

    window = context(launched, wide.url)
    made = window.new_page()
    log_in(made, wide.token)
    yield made
    window.close()


def focused(page: "Page") -> int:
    """Give the place of the row that has the focus, or that holds what has it; -1 where none does."""
    place: int = page.evaluate(
        "(() => { const row = document.activeElement.closest('tr');"
        " return row ? [...row.parentElement.children].indexOf(row) : -1; })()"
    )
    return place


def test_a_list_of_hundreds_is_gone_through_by_keyboard(page: "Page") -> None:
    from playwright.sync_api import expect

    page.goto("/ui/fleet")
    rows = page.get_by_role("group", name="PoPs").locator("tbody tr")
    expect(rows).to_have_count(AT_FIRST)
    more = page.get_by_role("region", name="PoPs").get_by_role("button", name="show")
    rows.last.get_by_role("link").focus()
    page.keyboard.press("Tab")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(AT_FIRST + 200)
    assert focused(page) == AT_FIRST, "the first row that came"
    expect(rows.nth(AT_FIRST)).to_be_in_viewport()
    more.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(POPS)
    assert focused(page) == AT_FIRST + 200
    expect(more).to_have_count(0)
    name = rows.nth(AT_FIRST + 200).get_by_role("link").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_what_a_page_has_is_not_sent_again_and_what_is_sent_is_packed(page: "Page", wide: Served) -> None:
    from playwright.sync_api import expect

    def of_pops(answer: "Response") -> bool:
        return "/api/v1/pops?" in answer.url

    with page.expect_response(of_pops) as first:
        page.goto("/ui/fleet")
    assert first.value.status == 200
    assert first.value.headers["content-encoding"] == "gzip"
    with page.expect_response(lambda answer: of_pops(answer) and answer.status == 304, timeout=60_000):
        pass
    rows = page.get_by_role("group", name="PoPs").locator("tbody tr")
    expect(rows).to_have_count(AT_FIRST)
    wide.agents["p0007"].connected = False
    with page.expect_response(lambda answer: of_pops(answer) and answer.status == 200, timeout=60_000):
        pass
    expect(rows.first).to_contain_text("p0007", timeout=60_000)
    expect(rows.first).to_contain_text("no contact")
    wide.agents["p0007"].connected = True
    expect(rows.first).not_to_contain_text("no contact", timeout=60_000)


def test_without_a_graph_what_if_says_how_to_give_one(page: "Page") -> None:
    from playwright.sync_api import expect

    page.goto("/ui/catchments?if=")
    part = page.get_by_role("region", name="What if")
    expect(part).to_contain_text("This controller has no graph of ASes to foretell by")
    expect(part).to_contain_text("anycastle up FLEET --graph")
    part.get_by_role("button", name="close").click()
    expect(part.get_by_role("button", name="try it on s00")).to_be_visible()


def test_lanes_of_one_time_have_a_limit_and_the_rest_is_a_press_away(page: "Page") -> None:
    from playwright.sync_api import expect

    page.goto("/ui/debug?target=10.0.0.0/24&window=15m")
    line = page.get_by_role("region", name="One line of time")
    rows = line.locator(".lane-row")
    expect(rows).to_have_count(ROWS_MAX)
    for lane in ("moves", "ways", "ours"):
        expect(line.locator(f".lane-row[aria-label^='{lane}:']")).to_have_count(1)
    more = line.get_by_role("button", name="more rows")
    left = FINDINGS + 4 - ROWS_MAX  # with the lanes of origins, moves, ways and ours
    expect(more).to_have_text(f"{left} more rows")
    more.press("Enter")
    expect(rows).to_have_count(FINDINGS + 4)
    line.get_by_role("button", name="show fewer rows").press("Enter")
    expect(rows).to_have_count(ROWS_MAX)
