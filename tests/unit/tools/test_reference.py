"""The pages of the reference are what the code says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tools import agent_reference, cli_reference, link_reference

ROOT = Path(__file__).parents[3]
PAGES = {**cli_reference.PAGES, **agent_reference.PAGES, **link_reference.PAGES}


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES)
def test_the_page_is_not_stale(name: str, page: Callable[[], str]) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == page(), "run `make docs-tables`"
