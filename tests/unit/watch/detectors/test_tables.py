"""Each detector has its file, its test, its page, and a life for every kind that it raises."""

from pathlib import Path

from anycastle.watch import detectors
from anycastle.watch.detectors import PREFIX_DETECTORS, ROUTE_DETECTORS

ROOT = Path(__file__).parents[4]
KINDS = [each.name for each in ROUTE_DETECTORS] + [kind for each in PREFIX_DETECTORS for kind in each.lives]


def test_kinds_are_unique_and_each_has_a_page() -> None:
    assert len(set(KINDS)) == len(KINDS)
    pages = {path.stem for path in (ROOT / "docs/reference/findings").glob("*.md")}
    assert pages == {*KINDS, "index"}
    index = (ROOT / "docs/reference/findings/index.md").read_text(encoding="utf-8")
    assert all(f"[`{kind}`]({kind}.md)" in index for kind in KINDS)


def test_every_file_is_in_a_table_and_has_its_test() -> None:
    files = {path.stem for path in Path(detectors.__file__).parent.glob("*.py")} - {"__init__", "contract"}
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")} - {"tables"}
    tabled = {each.suspect.__module__.rpartition(".")[2] for each in ROUTE_DETECTORS}
    tabled |= {each.assess.__module__.rpartition(".")[2] for each in PREFIX_DETECTORS}
    assert files == tests == tabled
