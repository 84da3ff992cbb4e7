"""A fleet that a controller leads, on the loopback: two PoPs with their speakers and agents, and who hears them.

All are real processes, in a folder of the test. Addresses are the test's own, and transcripts write them as 127.0.0.*.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from anycastle.base.errors import WorldError
from anycastle.io.local_socket import ask
from tests.lab.agent_rigs import until, watchdogs_below

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
POPS = ("ams", "fra")
BGP_PORT, LINK_PORT, API_PORT = 17_900, 19_479, 18_443

FLEET = "name: edge\nasn: 64500\nregions: [europe]\n"

POP = """\
name: {name}
city: Somewhere
location: {{latitude: 50, longitude: 8}}
region: europe
capacity: 10G
router: {{driver: embedded, router_id: {address}, options: {{port: "{port}", listen: {address}}}}}
upstreams:
  - name: transit
    kind: peer
    asn: {asn}
    hold_time: 30s
    neighbours: [{{address: {neighbour}, local_address: {address}, port: {port}}}]
"""

SERVICE = """\
name: dns
prefixes: [192.0.2.0/24]
addresses: [192.0.2.53]
manage_addresses: false
pops: all
floor: {pops: 1}
checks: [{name: true, exec: {command: [/bin/true]}}]
announcement: {prepend: 0}
""".replace("name: true", "name: runs")


class ControlledFleet:
    """Starts all of it, and ends it; `folder` is where commands are typed."""

    def __init__(
        self, folder: Path, *, serves_api: bool = False, service: str = SERVICE, options: tuple[str, ...] = ()
    ) -> None:
        pid = os.getpid()
        self.folder = folder
        self.net = f"127.{100 + pid // 250 % 100}.{pid % 250}."
        self.url = f"https://{self.net}9:{API_PORT}"
        """Where its API is, if it serves one; its certificate is signed by `pki/bundle.pem`."""
        self._api = ("--api", f"{self.net}9:{API_PORT}", "--api-certificate", "ctl1/ctl1.pem") if serves_api else ()
        self._service, self._options = service, options
        """The service's file, and more options of the controller."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self) -> None:
        """Start it, and wait until both agents have dialled in and announce."""
        self._write_folders()
        self._issue()
        self.start("transit", "speaker", "run", "--fleet", "transit", "--pop", "transit", "--run-dir", "t")
        self.start(
            "controller", "controller", "run", "--store", f"sqlite:///{self.folder}/controller.db",
            "--listen", f"{self.net}9:{LINK_PORT}", "--address", f"{self.net}9:{LINK_PORT}",
            "--authorities", "pki/bundle.pem", "--certificate", "ctl1/ctl1.pem", "--run-dir", "controller", *self._api,
            *self._options,
        )  # fmt: skip
        for pop in POPS:
            self.start(f"speaker-{pop}", "speaker", "run", "--fleet", "fleet", "--pop", pop, "--run-dir", f"run/{pop}")
            self.start_agent(pop)
        until(lambda: all(self._announces(pop) for pop in POPS), "both announce", wait_s=120)
        if self._api:
            until(lambda: self.status()["api"] is not None, "the API is served", wait_s=60)

    def token(self, name: str, role: str) -> Path:
        """Make a token of the API, and give its file."""
        words = (*COMMAND, "controller", "token", name, "--role", role, "--principal", name, "--run-dir", "controller")
        made = subprocess.run(words, cwd=self.folder, check=True, capture_output=True)
        file = self.folder / f"{name}.token"
        file.write_bytes(made.stdout)
        return file

    def start_agent(self, pop: str) -> None:
        """Start a PoP's agent."""
        self.start(
            f"agent-{pop}", "agent", "run", "--fleet", "fleet", "--pop", pop, "--run-dir", f"run/{pop}",
            "--state-dir", f"state/{pop}", "--listen", "none", "--controller", f"{self.net}9:{LINK_PORT}",
            "--authorities", "pki/bundle.pem", "--certificate", f"{pop}/{pop}.pem",
        )  # fmt: skip

    def start(self, name: str, *words: str) -> None:
        """Start a command that goes on; what it says is kept in a file of its name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen((*COMMAND, *words), cwd=self.folder, stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        """End a command, in good order."""
        process = self._processes.pop(name)
        process.terminate()
        process.wait(30)

    def end(self) -> None:
        """End all of them."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        for watchdog in watchdogs_below(self.folder):
            os.kill(watchdog, signal.SIGKILL)

    def status(self) -> dict[str, Any]:
        """Give what the controller says."""
        return ask(self.folder / "controller/controller.sock", {"command": "status"}, 60.0)

    def all_assigned(self) -> bool:
        agents = self.status()["agents"] or {}
        return len(agents) == len(POPS) and all(
            seen["connected"] and seen["assignment"] and not seen["unsettled"] for seen in agents.values()
        )

    def stance(self, pop: str) -> str:
        """Give the stance of the service at a PoP, as its agent told the controller."""
        told = ask(self.folder / "controller/controller.sock", {"command": "report", "pop": pop}, 60.0)
        return str(told["services"][0]["stance"])

    def rollout_is(self, number: int, state: str) -> bool:
        told = next(each for each in self.status()["rollouts"] if each["number"] == number)
        waits = bool(told["waits_for"]) or told["state"] != "waiting"
        return waits and f"{told['state']} {told['step']}" == state

    def _announces(self, pop: str) -> bool:
        try:
            found = ask(self.folder / "controller/controller.sock", {"command": "report", "pop": pop}, 60.0)
        except WorldError:
            return False
        return all(found[each] for each in ("exported", "settled", "ready"))

    def _write_folders(self) -> None:
        transit = POP.format(
            name="transit", address=f"{self.net}8", port=BGP_PORT, asn=64500, neighbour=f"{self.net}1"
        ).replace("- name: transit", "- name: ams")  # fmt: skip
        second = transit[transit.index("  - name") :].replace("name: ams", "name: fra")
        transit += second.replace(f"{self.net}1,", f"{self.net}2,")
        files = {
            "fleet/fleet.yaml": FLEET,
            "fleet/services/dns.yaml": self._service,
            "transit/fleet.yaml": FLEET.replace("edge", "transit").replace("64500", "64496"),
            "transit/pops/transit.yaml": transit,
            "transit/services/none.yaml": SERVICE.replace("prepend: 0", "announce: false").replace("pops: 1", _NONE),
        }
        for number, pop in enumerate(POPS, 1):
            files[f"fleet/pops/{pop}.yaml"] = POP.format(
                name=pop, address=f"{self.net}{number}", port=BGP_PORT, asn=64496, neighbour=f"{self.net}8"
            )
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def _issue(self) -> None:
        for words in (
            ("init", "pki", "--fleet", "edge"),
            ("issue", "pki", "--controller", "ctl1", "--host", f"{self.net}9", "--out", "ctl1"),
            *(("issue", "pki", "--pop", pop, "--out", pop) for pop in POPS),
        ):
            subprocess.run((*COMMAND, "pki", *words), cwd=self.folder, check=True, capture_output=True)


_NONE = "pops: 0, allow_no_floor: true"
