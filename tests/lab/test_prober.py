"""`anycastle prober` as its own process: two PoPs behind one anycast address, a collector that comes and goes."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from anycastle.lab.netns import Namespace, end
from tests.lab.two_pops import ANYCAST, ANYCAST_6, Network, two_pops

DEADLINE_S = 30.0
PROBER_FILE = f"""
name: vantage
asn: 64500
country: DE
location: {{latitude: 50.1, longitude: 8.7}}
sites: {{pattern: "(fra|ams)", authorised: [fra, ams]}}
modules:
  - name: soa
    dns: {{name: example, identity: id.server, authoritative: true}}
  - name: tcp
    dns: {{name: example, transport: tcp}}
  - name: ping
    icmp: {{}}
targets:
  - {{name: soa-v4, host: {ANYCAST}, module: soa, interval: 200ms}}
  - {{name: soa-v6, host: "{ANYCAST_6}", module: soa, interval: 200ms}}
  - {{name: tcp-v4, host: {ANYCAST}, module: tcp, interval: 200ms}}
  - {{name: nobody, host: 192.0.2.99, module: soa, interval: 200ms, timeout: 100ms}}
"""


def eventually(ready: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with two_pops("anyc-pb", tmp_path) as found:
        found.here.batch("route add blackhole 192.0.2.99/32")
        (tmp_path / "prober.yaml").write_text(PROBER_FILE)
        yield found


@dataclass
class Collector:
    """Keeps lines by their id; may be told to refuse. What the delivery says again is counted."""

    lines: dict[str, dict] = field(default_factory=dict)
    again: int = 0
    status: int = 204
    tokens: set[str] = field(default_factory=set)
    server: ThreadingHTTPServer | None = None

    def serve(self, here: Namespace) -> None:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.status == 204:
                    for line in body.splitlines():
                        row = json.loads(line)
                        collector.again += row["id"] in collector.lines
                        collector.lines[row["id"]] = row
                    collector.tokens.add(self.headers["Authorization"])
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = here.call(lambda: ThreadingHTTPServer(("127.0.0.1", 8080), Handler))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def of(self, target: str) -> list[dict]:
        rows = [row for row in self.lines.values() if row["target"] == target]
        return sorted(rows, key=lambda row: row["at"])


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.close()


def prober(network: Network, *options: str) -> "subprocess.Popen[bytes]":
    folder = network.folder
    command = (
        str(Path(sys.executable).parent / "anycastle"), "prober", "run", str(folder / "prober.yaml"),
        "--state-dir", str(folder / "state"), *options,
    )  # fmt: skip
    return network.here.spawn(*command, log=folder / "prober.log")


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


@pytest.mark.mission("M3", "I3")
def test_a_catchment_that_moves_is_seen_and_silence_is_none(network: Network) -> None:
    out = network.folder / "out.ndjson"
    process = prober(network, "--out", str(out))

    def pops(target: str) -> list[str]:
        return list(dict.fromkeys(row["pop"] for row in read(out) if row["target"] == target and row["pop"]))

    try:
        eventually(lambda: all(pops(each) == ["fra"] for each in ("soa-v4", "soa-v6", "tcp-v4")), "fra answers")
        network.lead_to("ams")
        eventually(lambda: all(pops(each) == ["fra", "ams"] for each in ("soa-v4", "soa-v6", "tcp-v4")), "ams answers")
        eventually(lambda: any(row["target"] == "nobody" for row in read(out)), "silence is told too")
    finally:
        end(process)
    assert process.returncode == 0, (network.folder / "prober.log").read_text()
    rows = read(out)
    good = next(row for row in rows if row["target"] == "soa-v4" and row["failure"] is None)
    assert list(good["phases"]) == ["answer", "identity"]
    assert (good["vantage_point"], good["asn"], good["server"], good["seen"]["nsid"]) == (
        "vantage",
        64500,
        "fra",
        "fra",
    )
    assert good["seen"]["identity"] == "fra"
    silent = [row for row in rows if row["target"] == "nobody"]
    assert {row["pop"] for row in silent} == {None}
    assert all(row["failure"] is not None for row in silent)
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.mission("I3")
def test_nothing_is_lost_while_the_collector_is_away_nor_by_a_kill(network: Network, collector: Collector) -> None:
    """What the prober had flushed before SIGKILL reaches the collector: each line once, in spite of refusals."""
    out, token = network.folder / "out.ndjson", network.folder / "token"
    token.write_text("secret-token\n")
    options = ("--deliver-to", "http://127.0.0.1:8080/results", "--token-file", str(token), "--out", str(out))
    process = prober(network, *options)
    try:
        eventually(lambda: len(read(out)) > 40, "it measures while it is cut off")
        early, last = {row["id"] for row in read(out)}, read(out)[-1]["at"]
        # By results that are so much later, the flush, once a second, has had these.
        eventually(lambda: read(out)[-1]["at"] - last > 2.5, "it goes on")
    finally:
        process.kill()  # `ip netns exec` has become the prober itself
        process.wait()
    collector.status = 503
    collector.serve(network.here)
    process = prober(network, *options)
    try:
        eventually(lambda: network.get("/readyz")[0] == 503, "it says that the collector refuses")
        assert "status 503" in network.get("/readyz")[1]
        collector.status = 204
        eventually(lambda: early <= collector.lines.keys(), "all that was measured before the kill arrives")
        eventually(lambda: network.get("/readyz")[0] == 200, "all is well")
    finally:
        end(process)
    assert collector.tokens == {"Bearer secret-token"}
    assert "secret-token" not in (network.folder / "prober.log").read_text()


@pytest.mark.mission("I3")
def test_prometheus_reads_its_pages_and_asks_for_probes(network: Network) -> None:
    process = prober(network)
    try:
        rows = [
            f'anycastle_probe_answers_total{{kind="dns",pop="fra",target="{name}"}}' for name in ("soa-v4", "tcp-v4")
        ]
        eventually(lambda: all(row in network.get("/metrics")[1] for row in rows), "it has measured")
        metrics = network.get("/metrics")[1]
        status, page = network.get(f"/probe?target={ANYCAST}&module=tcp")
        assert (status, "probe_success 1.0" in page) == (200, True), page
        assert 'anycastle_probe_site{pop="fra",server="fra"} 1.0' in page
        eventually(lambda: "probe_success 1.0" in network.get("/probe?target=soa-v6")[1], "a target by its name")
        assert "probe_success 0.0" in network.get("/probe?target=nobody")[1]
        for query, code, words in (
            ("", 400, "target is missing"),
            (f"?target={ANYCAST}&module=nonsense", 400, "there is no module 'nonsense'; there are: soa, tcp, ping"),
            ("?target=127.0.0.1:22&module=tcp", 403, "no target of this prober's file"),
            ("?target=x", 400, "module is missing"),
        ):
            status, told = network.get(f"/probe{query}")
            assert (status, words in told) == (code, True), told
        promtool = shutil.which("promtool")
        if promtool is not None:
            for text in (metrics, page):
                done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
                assert done.returncode in (0, 3), done.stderr  # 3: remarks of style alone
    finally:
        end(process)


def test_a_reload_takes_other_targets_and_refuses_what_is_wrong(network: Network) -> None:
    import signal

    path, log = network.folder / "prober.yaml", network.folder / "prober.log"
    process = prober(network)
    try:
        eventually(lambda: "soa-v4" in network.get("/metrics")[1], "it measures")
        path.write_text(PROBER_FILE.replace("interval: 200ms", "interval: sometimes"))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "reload refused" in log.read_text(), "the file is refused")
        assert "prober.yaml:" in log.read_text()
        path.write_text(PROBER_FILE.replace("soa-v4", "renamed"))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "renamed" in network.get("/metrics")[1], "the new one is taken")
        assert 'target="soa-v4"' not in network.get("/metrics")[1]
    finally:
        end(process)
