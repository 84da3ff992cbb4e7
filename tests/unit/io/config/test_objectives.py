"""`objectives` in a service's file."""

from pathlib import Path

import pytest

from anycastle.io.config.load import load_fleet
from anycastle.io.config.start import write_example
from anycastle.io.config.write import write_fleet
from anycastle.model.objective import Objective, Period, Planned, Window


def folder(path: Path, text: str) -> Path:
    write_example(path)
    with (path / "services" / "dns.yaml").open("a", encoding="utf-8") as stream:
        stream.write(f"\nobjectives:\n{text}")
    return path


GOOD = """\
  - {name: reach, indicator: routing_success, target: 99.9%, by_region: true, convergence: 90s}
  - name: fast
    indicator: edge_latency
    threshold: 100ms
    target: 95%
    window: month
    maintenance: excluded
    minimum_events: 500
"""


@pytest.mark.mission("C9")
def test_objectives_are_read_written_and_read_the_same(tmp_path: Path) -> None:
    loaded = load_fleet(folder(tmp_path / "one", GOOD))
    assert loaded.findings == ()
    assert loaded.fleet is not None
    assert loaded.fleet.objectives == (
        Objective("reach", "dns", "routing_success", 0.999, by_region=True, convergence_s=90.0),
        Objective(
            "fast", "dns", "edge_latency", 0.95, 100.0, Window(Period.MONTH), False, Planned.EXCLUDED, 0.0, 500.0
        ),
    )
    write_fleet(loaded.fleet, tmp_path / "two")
    assert load_fleet(tmp_path / "two").fleet == loaded.fleet


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("name: a, indicator: routing_sucess, target: 99%", "did you mean 'routing_success'?"),
        ("name: a, indicator: routing_success, target: 99", "'99' has no %; write 99.9%"),
        ("name: a, indicator: routing_success, target: 0.999", "'0.999' has no %"),
        ("name: a, indicator: routing_success, target: 100%", "both excluded: of 100% nothing could ever be spent"),
        ("name: a, indicator: routing_success, target: 99%, window: year", "'year' is no window"),
        ("name: a, indicator: edge_latency, target: 99%", "edge_latency needs a threshold"),
        ("name: a, indicator: visibility, target: 99%, threshold: 1s", "`threshold` only matters for"),
        ("name: a, indicator: visibility, target: 99%, maintenance: maybe", "is not one of counted, excluded"),
        ("name: a, indicator: visibility, target: 99%}\n  - {name: a, indicator: visibility, target: 99%",
         "has an objective 'a' already"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, line: str, words: str) -> None:
    found = load_fleet(folder(tmp_path, f"  - {{{line}}}\n")).findings
    assert len(found) == 1
    assert words in found[0].message
    assert found[0].file.endswith("dns.yaml")
    assert found[0].path.startswith("objectives[")
