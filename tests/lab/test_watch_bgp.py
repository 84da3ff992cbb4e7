"""A router (BIRD) tells the watch all its paths by BGP, while one of its three neighbours is wronged."""

import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab.namespaces import Namespace, end, joined, run
from tests.lab.watch_rig import (
    ATTACKER,
    COLLECTOR,
    DNS,
    PART,
    PEERS,
    UPSTREAM,
    USUAL,
    WAIT_S,
    Internet,
    Watch,
    until,
    wait_for_peers,
)

pytestmark = pytest.mark.lab

CLEARED_S = 100.0
WATCH_ASN = 64999
SESSIONS = (
    "  thresholds: {peers: 1, asns: 1}\n  sessions:\n"
    f"    - {{neighbour: 10.99.0.2, asn: {COLLECTOR}, local_asn: {WATCH_ASN}, families: [ipv4], add_path: true}}\n"
)
FOUND = {("origin_change", DNS), ("sub_prefix", PART)}


def start_router(where: Namespace, folder: Path, stack: ExitStack) -> str:
    """BIRD, whose best path stays the right one. Give its control socket."""
    neighbours = "".join(
        f"protocol bgp peer{asn} {{ local 10.99.0.2 as {COLLECTOR}; neighbor {address} as {asn};\n"
        " error wait time 1, 2; connect retry time 1; connect delay time 1;\n"
        " ipv4 { import all; export none; }; }\n"
        for asn, address in PEERS.items()
    )
    config, socket = folder / "bird.conf", str(folder / "bird.ctl")
    config.write_text(
        f'log "{folder}/bird.log" all;\nrouter id 10.99.0.2;\nprotocol device {{ }}\n{neighbours}'
        f"protocol bgp watch {{ local 10.99.0.2 as {COLLECTOR}; neighbor 10.99.0.1 as {WATCH_ASN};\n"
        " error wait time 1, 2; connect retry time 1; connect delay time 1;\n"
        " ipv4 { add paths tx; import all; export all; }; }\n"
    )
    stack.callback(end, where.spawn("bird", "-f", "-c", str(config), "-s", socket, log=folder / "bird.out"))
    return socket


@pytest.mark.mission("C6", "I2", "F2", "S3")
@pytest.mark.rfc("7911", "3", "4")
@pytest.mark.rfc("4724", "2")
def test_a_hijack_that_is_not_the_best_path_is_found_over_bgp_outlives_a_reset_and_is_cleared() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watch-bgp-")))
        folder.chmod(0o777)
        here, there = stack.enter_context(joined("wg"))
        for address in PEERS.values():
            here.run("ip", "addr", "add", f"{address}/24", "dev", "eth")
        watch = Watch(here, folder, stack, "--bgp", "10.99.0.1:179", more=SESSIONS)
        internet = stack.enter_context(Internet(here).running())
        socket = start_router(there, folder, stack)
        until(lambda: internet.established, lambda: (folder / "bird.log").read_text())
        internet.say(USUAL)
        wait_for_peers(here, folder, *PEERS, UPSTREAM)
        internet.say({**USUAL, DNS: (UPSTREAM, ATTACKER, ATTACKER, ATTACKER), PART: (ATTACKER,)}, networks=1)
        until(lambda: watch.findings("finding_opened") >= FOUND, watch.said)
        run("birdc", "-s", socket, "restart", "watch")
        until(lambda: "established" in state(here, folder, 2), lambda: state(here, folder, 2))
        assert run("birdc", "-s", socket, "show", "protocols", "all", "watch").count("0 imported") == 1
        internet.say(USUAL)
        until(lambda: watch.findings("finding_cleared") >= FOUND, watch.said, CLEARED_S)
        kinds = {kind for kind, _ in watch.findings("finding_opened")}
        assert kinds.isdisjoint({"visibility_loss", "partial_visibility", "flap"}), "a reset is no loss"
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(WAIT_S) == 0, watch.said()


def state(where: Namespace, folder: Path, connections: int) -> str:
    """Give what the daemon says of its session, once it was made that often."""

    ask = (
        sys.executable,
        "-m",
        "anycastle.cli.main",
        "watch",
        "status",
        "--run-dir",
        str(folder / "run"),
        "-o",
        "json",
    )
    (feed,) = json.loads(where.run(*ask))["feeds"]
    return str(feed["sessions"]) if feed["connections"] >= connections else f"{feed['connections']} connections"
