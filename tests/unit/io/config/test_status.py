"""`status` of `fleet.yaml`: what comes back, and every mistake at its place."""

from pathlib import Path

import pytest

from anycastle.io.config import FindingKind, load_fleet
from anycastle.io.config.write import write_fleet
from anycastle.model.public_page import NOTHING_PUBLIC, Detail, PublicComponent, PublicPage
from tests.unit.io.config.folders import SMALL, write

pytestmark = pytest.mark.mission("C10")

ALL = """
status:
  name: Example
  url: https://status.example.net/
  components:
    - {name: Name servers, service: dns, description: They answer., detail: regions}
    - {name: Again, service: dns}
"""


def files(text: str) -> dict[str, str]:
    return {**SMALL, "fleet.yaml": SMALL["fleet.yaml"] + text}


def test_all_of_it_comes_back_also_after_writing(tmp_path: Path) -> None:
    result = load_fleet(write(tmp_path / "first", files(ALL)))
    assert result.fleet is not None, [str(finding) for finding in result.findings]
    assert result.fleet.status == PublicPage(
        "Example",
        "https://status.example.net",
        (PublicComponent("Name servers", "dns", "They answer.", Detail.REGIONS), PublicComponent("Again", "dns")),
    )
    write_fleet(result.fleet, tmp_path / "again")
    assert load_fleet(tmp_path / "again").fleet == result.fleet


def test_without_it_nothing_is_public(tmp_path: Path) -> None:
    result = load_fleet(write(tmp_path, SMALL))
    assert result.fleet is not None
    assert result.fleet.status == NOTHING_PUBLIC
    assert not result.fleet.status.is_public


@pytest.mark.parametrize(
    ("old", "new", "kind", "begins"),
    [
        ("service: dns}", "service: dsn}", "UNKNOWN_SERVICE", "dsn}"),
        ("detail: regions", "detail: region", "BAD_VALUE", "region}"),
        ("name: Again", "name: Name servers", "DUPLICATE_NAME", "Name servers, service: dns}"),
        ("https://status", "ftp://status", "BAD_VALUE", "ftp"),
        ("url: https", "link: https", "UNKNOWN_KEY", "link"),
    ],
)
def test_a_mistake_is_found_at_its_place(tmp_path: Path, old: str, new: str, kind: str, begins: str) -> None:
    folder = write(tmp_path, files(ALL.replace(old, new, 1)))
    (finding,) = load_fleet(folder).findings
    assert finding.code == FindingKind[kind].code
    lines = (folder / "fleet.yaml").read_text().splitlines()
    assert lines[finding.line - 1][finding.column - 1 :].startswith(begins)
