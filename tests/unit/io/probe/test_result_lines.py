from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from anycastle.base.ports import Timestamp
from anycastle.cli.main import cli
from anycastle.io.probe.result_json import line
from anycastle.io.probe.result_lines import is_of_prober, sightings_of_lines
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.prefix import parse_address
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSSeen
from anycastle.probe.result import Failure, FailureKind, Phase, ProbeResult
from anycastle.probe.site import parse_site_rule

HOME = VantagePoint("home", ASN(64500), Location(50.1, 8.7), "DE")
SEEN = DNSSeen("NOERROR", (), True, False, "ns1.fra", 80)
GOOD = ProbeResult(
    HOME, "ns", "dns", Timestamp(1000.0), 0.2, parse_address("192.0.2.53"), 40_000,
    (Phase("connect", 10.0), Phase("answer", 11.0)), None, SEEN, "ns1.fra", "fra",
)  # fmt: skip
SILENT = replace(
    GOOD,
    at=Timestamp(1001.0),
    failure=Failure(FailureKind.TIMEOUT, "answer", "no answer"),
    seen=None,
    server="",
    pop="",
)
OURS = replace(SILENT, failure=Failure(FailureKind.OURS, "connect", "no descriptor"))
FOREIGN = replace(
    GOOD, at=Timestamp(1002.0), pop="xyz", server="ns1.xyz", failure=Failure(FailureKind.SITE, "answer", "xyz answered")
)


def written(path: Path, *results: ProbeResult) -> Path:
    path.write_bytes(b"".join(line(result, f"r-{number}") for number, result in enumerate(results)))
    return path


def test_what_a_prober_wrote_is_read_as_sightings(tmp_path: Path) -> None:
    path = written(tmp_path / "out", GOOD, SILENT, OURS, FOREIGN)
    with path.open("a") as file:
        file.write('\n{"vantage_point": "home"}\nno json\n')
    assert is_of_prober(written(tmp_path / "other", GOOD))
    found = sightings_of_lines(path, None)
    assert [(each.pop, each.rtt_ms, each.error) for each in found.rows] == [
        ("fra", 10.0, ""),
        ("", None, "no answer"),
        ("xyz", 10.0, ""),  # a PoP that may not answer has answered all the same
    ]
    assert {each.vantage for each in found.rows} == {HOME}
    assert (found.passed_over, len(found.garbage)) == (1, 2)
    by_rule = sightings_of_lines(path, parse_site_rule("(ns[0-9])"))
    assert by_rule.rows[0].pop == "ns1"


def test_other_files_are_none_of_a_prober(tmp_path: Path) -> None:
    for text in ("", "[]", '{"type": "dns"}', "x"):
        (tmp_path / "file").write_text(text)
        assert not is_of_prober(tmp_path / "file")


def test_catchments_are_told_and_a_foreign_pop_is_an_error(tmp_path: Path) -> None:
    moved = replace(GOOD, at=Timestamp(1003.0), pop="ams", server="ns1.ams")
    path = written(tmp_path / "out", GOOD, moved)
    run = CliRunner().invoke(cli, ["probe", "catchments", str(path), "-o", "ndjson"])
    assert run.exit_code == 0, run.output
    assert '"pop":"ams"' in run.output
    assert '"before":"fra"' in run.output
    run = CliRunner().invoke(cli, ["probe", "catchments", str(path), "--authorised", "fra"])
    assert run.exit_code == 4
