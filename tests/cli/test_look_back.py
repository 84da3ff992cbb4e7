"""A real failure in the embedded lab, and all that is said of it afterwards by the commands that look back."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")


def typed(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run((*COMMAND, *words), cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("night")
    figures = json.loads(typed(folder, "demo", "-o", "json", "--evidence", "left"))
    return folder / "left", figures


EVIDENCE = ("--fleet", "fleet", "--events", "events.db", "--probes", "results.ndjson")


@pytest.mark.mission("C15", "C17")
def test_the_failure_is_one_incident_with_one_timeline(night: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = night
    incidents = json.loads(typed(folder, "incidents", "list", *EVIDENCE, "-o", "json"))
    assert [each["pops"] for each in incidents] == [[figures["failed_pop"]]]
    assert incidents[0]["status"] == "cleared"
    told = json.loads(typed(folder, "incidents", "timeline", "1", *EVIDENCE, "-o", "json"))["timeline"]
    lanes = {line["lane"] for line in told}
    assert lanes >= {"check", "automation", "bgp", "probe", "alert", "notified"}
    order = [line["at"] for line in told]
    assert order == sorted(order)
    loss = next(line for line in told if "get no answer" in line["text"])
    check = next(line for line in told if "is unhealthy" in line["text"])
    withdrawal = next(line for line in told if "withdrawn 192.0.2.0/24" in line["text"])
    assert loss["at"] < check["at"] <= withdrawal["at"]


@pytest.mark.mission("O6")
def test_diagnose_finds_no_attack_in_it_and_says_what_it_lacks(night: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = night
    told = {each["name"]: each for each in json.loads(typed(folder, "diagnose", *EVIDENCE, "-o", "json"))}
    assert len(told) == 20
    assert told["flaky-checks"]["state"] == "not seen"
    assert told["session-churn"]["state"] == "not seen"
    assert told["hijack"]["state"] == "not enough evidence"
    assert told["hijack"]["missing"] == ["the watch's event log"]
    assert not any(each["state"] == "likely" for each in told.values() if each["name"] != "blind-spots")


@pytest.mark.mission("C15")
def test_the_postmortem_counts_what_the_clients_lost(night: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = night
    typed(folder, "postmortem", "1", *EVIDENCE, "-o", "night.md")
    typed(folder, "postmortem", "1", *EVIDENCE, "-o", "night.html")
    text = (folder / "night.md").read_text()
    lost = sum(
        int(line.split("|")[3].split()[0])
        for line in text.splitlines()
        if " of " in line and "(" in line and line.startswith("| ") and line.count("|") == 7
    )
    assert lost == figures["queries_lost"]
    assert "it failed once and did not flap" in text
    assert (folder / "night.svg").exists()
    page = (folder / "night.html").read_text()
    assert "<svg" in page
    assert "Postmortem: " in page


@pytest.mark.mission("O3")
def test_the_incident_checklist_is_gone_through_with_evidence(night: tuple[Path, dict[str, Any]]) -> None:
    folder, figures = night
    (folder / "vrps.json").write_text('{"roas": []}', encoding="utf-8")
    given = {
        "prefix": "192.0.2.0/24", "asn": "64500", "vrps": "vrps.json", "fleet": "fleet", "log": "events.db",
        "results": "results.ndjson", "pop": figures["failed_pop"],
    }  # fmt: skip
    words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    typed(folder, "runbook", "run", "incident", *words, "--log", "runs.db", "--incident", "1", code=3)
    (run,) = json.loads(typed(folder, "runbook", "runs", "--log", "runs.db", "-o", "json"))
    told = {each["step"]: each for each in run["steps"]}
    assert [told[number]["state"] for number in range(1, 6)] == ["failed", "failed", "failed", "done", "done"]
    assert "not found" in told[2]["evidence"]  # there is no ROA; no watch and no controller either
    assert "is the controller running?" in told[3]["evidence"]
    assert "not enough evidence to tell:" in told[4]["evidence"]
    assert f"{figures['failed_pop']} " in told[5]["evidence"]
    for who, reason in (("ada", "leave it: it is back"), ("bob", "nobody outside noticed")):
        typed(folder, "runbook", "approve", run["run"], "--log", "runs.db", "--owner", who, "--reason", reason)
    typed(folder, "runbook", "resume", run["run"], "--log", "runs.db")
    lines = json.loads(typed(folder, "incidents", "timeline", "1", *EVIDENCE, "--events", "runs.db", "-o", "json"))[
        "timeline"
    ]
    steps = [line["text"] for line in lines if line["lane"] == "runbook"]
    assert any("Correlate errors with changes of routes): done" in text for text in steps)
    assert any("approved by bob" in text for text in steps)


def test_what_is_wrong_is_told(night: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = night
    typed(folder, "postmortem", "9", *EVIDENCE, code=2)
    typed(folder, "diagnose", code=2)
    typed(folder, "diagnose", *EVIDENCE, "--telemetry", "cpus=fleet/fleet.yaml", code=2)
    typed(folder, "postmortem", "1", *EVIDENCE, "-o", "night.pdf", code=2)
    typed(folder.parent, "demo", "--evidence", "left", code=2)
