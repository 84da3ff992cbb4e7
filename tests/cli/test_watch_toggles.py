"""`anycastle watch toggles` over lines of RIS Live: one upstream follows, the other does not."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anycastle.cli.main import cli
from anycastle.io.config.start import write_example

HOUR_S = 3600
START = 1_772_323_200
SCHEDULE = """\
prefix: 192.0.2.0/24
settle: 15m
toggles:
  - upstream: 64496
    instruction: prepend 2
    set: ["2026-03-01T01:00:00Z", "2026-03-01T03:00:00Z"]
    unset: ["2026-03-01T02:00:00Z", "2026-03-01T04:00:00Z"]
  - upstream: 64497
    repeat: {first: "2026-03-01T05:00:00Z", until: "2026-03-01T06:00:00Z", every: 4h, hold: 2h}
"""


def line(at: int, peer: int, path: list[int]) -> str:
    data = {
        "timestamp": float(at), "peer": f"203.0.113.{peer}", "peer_asn": str(65536 + peer), "host": "rrc00.ripe.net",
        "type": "UPDATE", "path": [65536 + peer, *path],
        "announcements": [{"next_hop": "203.0.113.1", "prefixes": ["192.0.2.0/24"]}],
    }  # fmt: skip
    return json.dumps({"type": "ris_message", "data": data})


def archive() -> str:
    """Ten peers through AS64496, which prepends when it is told so; AS64497 never lets go of a route."""
    usual, longer, other = [64496, 64500], [64496, 64500, 64500, 64500], [64497, 64500]
    lines = [line(START + peer, peer, usual) for peer in range(10)]
    for hour, path in ((1, longer), (2, usual), (3, longer), (4, usual)):
        lines += [line(START + hour * HOUR_S + 20 + peer, peer, path) for peer in range(10)]
    lines += [line(START + 5 * HOUR_S + 30 + peer, peer, other) for peer in range(4)]
    lines.append(line(START + 9 * HOUR_S, 0, other).replace("192.0.2.0/24", "203.0.113.0/24"))
    return "\n".join(lines) + "\n"


def run(folder: Path, *arguments: str) -> Result:
    if not (folder / "fleet").exists():
        write_example(folder / "fleet")
    (folder / "toggles.yaml").write_text(SCHEDULE)
    (folder / "updates.jsonl").write_text(archive())
    files = ["--fleet", str(folder / "fleet"), str(folder / "updates.jsonl")]
    return CliRunner().invoke(cli, ["watch", "toggles", *files, *arguments])


@pytest.mark.mission("M10", "F8")
def test_who_moved_whereto_how_fast_and_what_it_proves(tmp_path: Path) -> None:
    result = run(tmp_path, "--schedule", str(tmp_path / "toggles.yaml"), "-o", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [(each["upstream"], each["told"], each["compliance"]) for each in told["verdicts"]] == [
        ("AS64496", "instruct", "honoured"),
        ("AS64497", "announce", "honoured"),
        ("AS64497", "withdraw", "ignored"),
    ]
    first = told["toggles"][0]
    assert (first["moved"], first["first_s_p50"], first["settled_s_p95"]) == (10, 24.0, 29.0)
    assert (first["moves"][0]["before"], first["moves"][0]["after"]) == (
        "65536 64496 64500",
        "65536 64496 64500 64500 64500",
    )
    table = run(tmp_path, "--schedule", str(tmp_path / "toggles.yaml"))
    assert [line.split()[:4] for line in table.stdout.splitlines()[2:]] == [
        ["AS64497", "announce", "1", "honoured"],
        ["AS64497", "withdraw", "1", "ignored"],
    ]


def test_what_is_toggled_is_to_be_named_once(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 2
    assert "--prefix, and no --schedule" in CliRunner().invoke(cli, ["watch", "toggles"]).output
    logs = ["--prefix", "192.0.2.0/24", "--events", "log.db"]
    assert "without FILE the running watch" in CliRunner().invoke(cli, ["watch", "toggles", *logs]).output
    nobody = ["--prefix", "192.0.2.0/24", "--run-dir", str(tmp_path)]
    assert "is `anycastle watch run` running" in str(CliRunner().invoke(cli, ["watch", "toggles", *nobody]).exception)
    assert "--prefix says whose changes" in run(tmp_path, "--events", "log.db").output
