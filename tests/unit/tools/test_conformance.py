"""docs/rfc.md and docs/mission.md say what the markers say."""

import subprocess
import sys
from pathlib import Path

import pytest
from tools import conformance

ROOT = Path(__file__).parents[3]


def test_the_pages_are_not_stale() -> None:
    done = subprocess.run(
        [sys.executable, "tools/conformance.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RFC 4271 §6.3", {"4271": {"6.3"}}),
        ("(RFC 4271 §8.1.3 and §10)", {"4271": {"8.1.3", "10"}}),
        ("RFC 7606 §3, §5.2 and §7", {"7606": {"3", "5.2", "7"}}),
        ("RFC 7606 §3.d", {"7606": {"3.d"}}),
        ("RFC 4271 §9.1.2.2 g", {"4271": {"9.1.2.2"}}),
        ("RFC 8092 §3.", {"8092": {"3"}}),
        ("RFC 9003", {"9003": set()}),
    ],
)
def test_citations_of_clauses_are_read(text: str, expected: dict[str, set[str]]) -> None:
    found = {number: set(conformance.CLAUSE.findall(tail)) for number, tail in conformance.REFERENCE.findall(text)}
    assert found == expected


def test_a_clause_without_a_citation_takes_that_of_the_clause_around_it() -> None:
    cited = {"3": {"wire/bgp/message.py"}}
    assert conformance.code_of("3.g", cited) == "`wire/bgp/message.py` (§3)"
    assert conformance.code_of("3", cited) == "`wire/bgp/message.py`"
    assert conformance.code_of("4", cited) == ""


def test_clauses_stand_in_the_order_of_the_rfc() -> None:
    assert sorted(["10", "9.1.2.2", "3.b", "3.a", "9.1"], key=conformance.order) == [
        "3.a",
        "3.b",
        "9.1",
        "9.1.2.2",
        "10",
    ]


def test_an_unknown_clause_stops_the_tool() -> None:
    markers = conformance.Markers()
    conformance._add(markers.rfcs["4271"], "99.1", "unit/test_x.py", "test_x")
    with pytest.raises(SystemExit, match=r"99\.1"):
        conformance.rfc_page(markers)
