"""One mistake is one error: what only follows from it is not told, and what is told can be read."""

from pathlib import Path

import pytest

from anycastle.io.config import load_fleet
from tests.unit.io.config.folders import SMALL, edited, write

P, S = "pops/fra1.yaml", "services/dns.yaml"
NAME = "name: example.com}"
HOURS = "start: 2026-03-01T02:00:00Z, end: 2026-03-01T04:00:00Z"

MISTAKES = [
    (S, NAME, f"{NAME}\n    interval: 30 sec\n    timeout: 5s", "'sec' is not a unit of time; did you mean 30s?"),
    (S, NAME, f"{NAME}\n    interval: 5 minutes\n    timeout: 5s", "did you mean 5m?"),
    (S, NAME, f"{NAME}\n    interval: 5 fortnights\n    timeout: 5s", "known: us, ms, s, m, h"),
    (S, "", "dampening: {half_life: 1m, max_suppress: 5 min}\n", "'min' is not a unit of time; did you mean 5m?"),
    (S, "", "dampening: {suppress: much, reuse: 9000}\n", "is needed here, not the text 'much'"),
    (S, "", "lease: {end: hodl, hold: 5m}\n", "'hodl'"),
    (S, "", "floor: {pops: 0, allow_no_floor: maybe}\n", "true or false is needed here"),
    (S, "pops: all", "pops: [fra, lon1, nrt1]\nannouncement: {pops: {fra1: {med: 5}}}", "did you mean 'fra1'?"),
    (S, "pops: all", "pops: [fra, lon1, nrt1]\nannouncement: {upstreams: {transit-c: {med: 5}}}", "'fra1'?"),
    (
        S,
        "pops: all",
        f"pops: [fra, lon1, nrt1]\nmaintenance: [{{{HOURS}, pops: [fra1], reason: x}}]",
        "there is no PoP 'fra'; did you mean 'fra1'?",
    ),
    (P, "asn: 64496", "asn: 99999999999", "is not an AS number: the largest is 4294967295"),
    (P, "asn: 64496", f"asn: {'9' * 60}", "is not an AS number: the largest is 4294967295"),
    (P, "asn: 64496", f"asn: {'9' * 4000}", "…' is not an AS number; write 64500, AS64500 or 1.10"),
    (P, "asn: 64496", "asn: 64496\n    bfd: ja\n    hold_time: 240s", "true or false is needed here"),
    (
        S,
        "",
        "floor: {pops: 1, capacity: 4000T}\n",
        "the floor of 4000T cannot be kept: the PoPs' capacities add up to 30G",
    ),
]


@pytest.mark.mission("P3")
@pytest.mark.parametrize(("file", "old", "new", "told"), MISTAKES, ids=[case[2][:40] for case in MISTAKES])
def test_a_mistake_is_told_once(file: str, old: str, new: str, told: str, tmp_path: Path) -> None:
    findings = load_fleet(write(tmp_path, edited(file, old, new))).findings

    assert len(findings) == 1, "\n".join(map(str, findings))
    assert told in findings[0].message


def test_a_mistake_that_is_made_twice_is_told_twice(tmp_path: Path) -> None:
    twice = "pops: [fra, lon1, nrt1]\nannouncement: {pops: {fra: {med: 5}}}"

    findings = load_fleet(write(tmp_path, edited(S, "pops: all", twice))).findings

    assert [each.path for each in findings] == ["pops[0]", "announcement.pops.fra"]
    assert all("did you mean 'fra1'?" in each.message for each in findings)


def test_a_folder_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    (finding,) = load_fleet(tmp_path / "none").findings

    assert str(finding).startswith(f"{tmp_path / 'none'}: the folder cannot be read: No such file")


def test_the_small_fleet_with_right_words_has_no_finding(tmp_path: Path) -> None:
    """The mistakes above, mended: so that each of them is one for what it says."""
    words = (
        "floor: {pops: 1, capacity: 10G}\ndampening: {half_life: 1m, max_suppress: 5m}\nlease: {end: hold, hold: 5m}\n"
    )

    assert load_fleet(write(tmp_path, edited(S, "", words))).findings == ()
    assert "fra1" in SMALL["pops/fra1.yaml"]
