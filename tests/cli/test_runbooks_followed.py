"""Each shipped runbook against a fleet that a controller leads: its dry run, and two that are followed to the end."""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from anycastle.io.runbooks import load, shipped
from anycastle.response.runbook.document import StepKind
from tests.cli.controlled_fleet import COMMAND, SERVICE, ControlledFleet
from tests.cli.test_runbook import Typed
from tests.lab.agent_rigs import until

HIJACKED = SERVICE.replace("[192.0.2.0/24]", "[192.0.2.0/23]\nmitigations: [192.0.2.0/24, 192.0.3.0/24]")
VRPS = {"roas": [{"prefix": "192.0.2.0/23", "maxLength": 24, "asn": "AS64500", "ta": "ripe"}]}
LARGE_OCTETS = 20_000


class Large(http.server.BaseHTTPRequestHandler):
    """Answers with more than a packet."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(LARGE_OCTETS))
        self.end_headers()
        self.wfile.write(bytes(LARGE_OCTETS))

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def led(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlledFleet]:
    folder = tmp_path_factory.mktemp("led")
    (folder / "vrps.json").write_text(json.dumps(VRPS), encoding="utf-8")
    fleet = ControlledFleet(folder, serves_api=True, service=HIJACKED, options=("--vrps", "vrps.json"))
    try:
        fleet.begin()
        Typed(folder)("adopt", "fleet", "--reason", "begin")
        until(fleet.all_assigned, "all are assigned", wait_s=60)
        yield fleet
    finally:
        fleet.end()


@pytest.fixture
def typed(led: ControlledFleet) -> Typed:
    return Typed(led.folder)


@pytest.fixture
def given(led: ControlledFleet, web: str) -> dict[str, str]:
    """What parameters of shipped runbooks are, by their names."""
    (led.folder / "rel.txt").write_text("64500|64496|0\n64496|64666|-1\n", encoding="utf-8")
    words = (*COMMAND, "probe", "run", "http", f"http://{web}/", "-o", "ndjson")
    (led.folder / "results.ndjson").write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
    return {
        "pop": "fra", "service": "dns", "fleet": "fleet", "controller": "controller", "rollout": "1",
        "prefix": "192.0.2.0/24", "asn": "AS64666", "vrps": "vrps.json", "leaker": "64666", "graph": "rel.txt",
        "attack": "20G", "load": "2G", "log": "state/fra/events.db", "results": "results.ndjson",
        "url": f"http://{web}/", "endpoint": web, "host": "127.0.0.1",
    }  # fmt: skip


def settings(name: str, given: dict[str, str]) -> list[str]:
    """Give the options that set a runbook's parameters."""
    needed = [each.name for each in load(name, None).parameters if each.default is None or each.name == "controller"]
    return [word for each in needed for word in ("--set", f"{each}={given[each]}")]


@pytest.mark.mission("C15")
@pytest.mark.parametrize("name", sorted(shipped().keys() - {"bad-rollout"}))
def test_a_dry_run_finds_all_that_it_asks_for(name: str, typed: Typed, given: dict[str, str]) -> None:
    """Checks really answer: what lacks is the watch, which is not run here, and answers that tell their PoP."""
    if name == "incident":
        given["asn"] = "AS64500"  # there it is our own
    said = typed("runbook", "run", name, *settings(name, given), "--dry-run", wait_s=900)
    assert "nothing was changed or written; 0 of" in said
    asked = [each for each in load(name, None).steps if each.kind in (StepKind.CHECK, StepKind.WAIT_FOR)]
    missing = {"anycastle watch show", "anycastle probe catchments", "anycastle plan --fleet"}
    checks = [each for each in asked if not any(" ".join(each.run).startswith(word) for word in missing)]
    if name == "hijack":
        checks = [each for each in checks if each.kind is StepKind.CHECK]  # no rollout is finished yet
    assert said.count(": as expected") >= len(checks), said
    assert "stopped, for it did not end" not in said
    assert typed.runs() == []


@pytest.mark.mission("C15", "C16")
def test_a_bad_rollout_is_taken_back(led: ControlledFleet, typed: Typed, given: dict[str, str]) -> None:
    file = led.folder / "fleet/services/dns.yaml"
    file.write_text(HIJACKED.replace("prepend: 0", "prepend: 2"), encoding="utf-8")
    typed("apply", "fleet", "--reason", "more prepends", "--bake", "600")
    until(lambda: led.rollout_is(1, "baking 1"), "the first step is baked", wait_s=60)
    said = typed("runbook", "run", "bad-rollout", *settings("bad-rollout", given), "--dry-run")
    assert "0 of 7 steps would stop it" in said
    typed("runbook", "run", "bad-rollout", *settings("bad-rollout", given), "--owner", "ada", code=3)
    run = typed.runs()[-1]["run"]
    typed("runbook", "approve", run, "--owner", "ada")
    said = typed("runbook", "resume", run, "--owner", "ada", wait_s=300)
    assert typed.runs()[-1]["over"], said
    rollouts = json.loads(typed("rollout", "list", "-o", "json"))["rollouts"]
    assert [each["state"] for each in rollouts] == ["rolled back"]
    file.write_text(HIJACKED, encoding="utf-8")


@pytest.mark.mission("C5", "C15", "C17")
def test_a_hijack_is_answered_by_two_people_whose_tokens_say_who_they_are(
    led: ControlledFleet, typed: Typed, given: dict[str, str]
) -> None:
    ada, bob = (Typed(led.folder) for _ in range(2))
    for each, name in ((ada, "ada"), (bob, "bob")):
        each.environment |= {
            "ANYCASTLE_SERVER": led.url,
            "ANYCASTLE_CA_FILE": str(led.folder / "pki/bundle.pem"),
            "ANYCASTLE_TOKEN_FILE": str(led.token(name, "admin")),
        }
    typed_wrong = ada("runbook", "run", "hijack", *settings("hijack", given), "--owner", "bob", code=2)
    assert "with it your token says who you are" in typed_wrong
    ada("runbook", "run", "hijack", *settings("hijack", given), code=3)
    run = typed.runs()[-1]["run"]
    assert typed.runs()[-1]["who"] == "ada"
    ada("runbook", "approve", run, "--reason", "two collectors")
    ada("runbook", "resume", run, code=3)
    assert "needs a second person: ada runs this" in ada("runbook", "approve", run, code=1)
    bob("runbook", "approve", run)
    resumed = subprocess.Popen(
        (*COMMAND, "runbook", "resume", run), cwd=led.folder, env=ada.environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        waiting = lambda: [each["number"] for each in led.status()["rollouts"] if each["waits_for"]]  # noqa: E731
        (number,) = until(waiting, "the mitigation waits for a second person", wait_s=120)
        bob("rollout", "approve", str(number))
        out, _ = resumed.communicate(timeout=300)
    finally:
        resumed.kill()
    assert resumed.returncode == 3, out
    assert led.status()["desired"]["mitigations"]
    assert led.status()["frozen"] is not None
    for code in (3, 0):
        ada("runbook", "approve", run)
        said = ada("runbook", "resume", run, code=code, wait_s=300)
    assert typed.runs()[-1]["over"], said
    assert not led.status()["desired"]["mitigations"]
    assert led.status()["frozen"] is None
    steps = {each["step"]: each for each in typed.runs()[-1]["steps"]}
    assert steps[4]["approved_by"] == "bob"
    assert os.environ.get("ANYCASTLE_SERVER") is None
