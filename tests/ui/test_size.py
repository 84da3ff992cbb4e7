"""What a browser loads before it shows anything is bounded."""

import gzip

import pytest

from tests.ui.rig import ROOT

GZIPPED_MAX = 120_000
STATIC = ROOT / "src/anycastle/web/static"


@pytest.mark.mission("C10")
def test_the_pages_are_small() -> None:
    if not STATIC.exists():
        pytest.skip("the pages are not built: `make ui`")
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.iterdir()}
    assert {"app.js", "style.css", "index.html"} <= sizes.keys()
    assert sum(sizes.values()) < GZIPPED_MAX, sizes
