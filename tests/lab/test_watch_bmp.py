"""A collector (FRR) tells the watch by BMP what three networks hear, while a fifth AS does them wrong."""

import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.lab.namespaces import Namespace, end, joined
from tests.lab.watch_rig import (
    ATTACKER,
    COLLECTOR,
    DNS,
    LOCKED,
    OURS,
    PART,
    PEERS,
    UPSTREAM,
    USUAL,
    WAIT_S,
    WEB,
    Internet,
    Watch,
    until,
    wait_for_peers,
)

pytestmark = pytest.mark.lab

CLEARED_S = 200.0
"""A leak is over when nobody has shown it for two minutes."""

WRONG = {DNS: (ATTACKER,), PART: (ATTACKER,), WEB: (ATTACKER, LOCKED, OURS)}
"""Another origin, a more-specific, and a route that the attacker hands from one locked network to others."""

FOUND = {("origin_change", DNS), ("sub_prefix", PART), ("route_leak", WEB)}


def start_collector(where: Namespace, folder: Path, stack: ExitStack) -> None:
    """FRR with its BMP module, which dials the station."""
    neighbours = "".join(f" neighbor {address} remote-as {asn}\n" for asn, address in PEERS.items())
    kept = "".join(f"  neighbor {address} soft-reconfiguration inbound\n" for address in PEERS.values())
    config = folder / "bgpd.conf"
    config.write_text(
        f"hostname rrc99\nrouter bgp {COLLECTOR}\n bgp router-id 10.99.0.2\n no bgp ebgp-requires-policy\n"
        f"{neighbours} address-family ipv4 unicast\n{kept} exit-address-family\n"
        " bmp targets watch\n  bmp connect 10.99.0.1 port 5000 min-retry 100 max-retry 500\n"
        "  bmp monitor ipv4 unicast pre-policy\n exit\n"
    )
    options = ("-S", "-Z", "-n", "-M", "bmp", "--log", f"file:{folder}/bgpd.log", "-P", "0")
    files = ("-f", str(config), "-i", str(folder / "bgpd.pid"), "--vty_socket", str(folder))
    stack.callback(end, where.spawn("/usr/lib/frr/bgpd", *options, *files, log=folder / "bgpd.out"))


@pytest.mark.mission("C6", "I2", "F1", "F2", "S3")
@pytest.mark.rfc("7854", "3.2")
def test_a_hijack_a_more_specific_and_a_leak_are_found_over_bmp_and_cleared() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watch-bmp-")))
        folder.chmod(0o777)
        here, there = stack.enter_context(joined("wb"))
        for address in PEERS.values():
            here.run("ip", "addr", "add", f"{address}/24", "dev", "eth")
        watch = Watch(here, folder, stack, "--bmp", "10.99.0.1:5000")
        internet = stack.enter_context(Internet(here).running())
        start_collector(there, folder, stack)
        until(lambda: internet.established, lambda: (folder / "bgpd.log").read_text())
        internet.say(USUAL)
        wait_for_peers(here, folder, *PEERS, UPSTREAM)
        began = time.time()
        internet.say({**USUAL, **WRONG})
        until(lambda: watch.findings("finding_opened") >= FOUND, watch.said)
        print(f"all found, logged and read back {time.time() - began:.2f} s after the networks were told to do wrong")
        assert {each.fields["subject"] for each in watch.events("finding_opened")} == {f"AS{ATTACKER}"}
        internet.say(USUAL)
        until(lambda: watch.findings("finding_cleared") >= FOUND, watch.said, CLEARED_S)
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(WAIT_S) == 0, watch.said()
