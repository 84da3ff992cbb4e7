"""FRR's bgpd, alone: without zebra it does not resolve next hops, which its table of received routes does not need."""

import json
import subprocess
from pathlib import Path

from tests.lab.daemons.daemon import ORIGINATED, OUR_V4, OUR_V6, Seen, Setting
from tests.lab.namespaces import Namespace, run


class Frr:
    """bgpd, asked by vtysh."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        self._folder = folder
        lines = [
            f"router bgp {setting.own_asn}",
            " bgp router-id 10.99.0.2",
            " no bgp ebgp-requires-policy",
            " no bgp network import-check",
            f" timers bgp {max(1, setting.hold_time_s // 3)} {setting.hold_time_s}",
        ]
        for address in (OUR_V4, OUR_V6):
            lines.append(f" neighbor {address} remote-as {setting.peer_asn}")
            lines.append(f" neighbor {address} timers connect 2")
            lines += [f" neighbor {address} password {setting.password}"] if setting.password else []
            lines += [f" neighbor {address} ttl-security hops 1"] if setting.gtsm else []
            lines += [f" neighbor {address} local-role {setting.role} strict-mode"] if setting.role else []
        for family, address, prefix in (("ipv4", OUR_V4, ORIGINATED[0]), ("ipv6", OUR_V6, ORIGINATED[1])):
            lines += [f" address-family {family} unicast", f"  network {prefix}"]
            lines += [f"  neighbor {address} activate", f"  neighbor {address} soft-reconfiguration inbound"]
            lines += [f"  no neighbor {OUR_V4} activate"] if family == "ipv6" else []
            lines.append(" exit-address-family")
        config = folder / "bgpd.conf"
        config.write_text("\n".join(lines) + "\n")
        options = ("-S", "-Z", "-n", "--log", f"file:{folder}/bgpd.log", "-P", "0")
        files = ("-f", str(config), "-i", str(folder / "bgpd.pid"), "--vty_socket", str(folder))
        return where.spawn("/usr/lib/frr/bgpd", *options, *files, log=folder / "bgpd.out")

    def routes(self) -> dict[str, Seen]:
        seen: dict[str, Seen] = {}
        for family, address in (("ipv4", OUR_V4), ("ipv6", OUR_V6)):
            listed = self._ask(f"show bgp {family} unicast neighbors {address} received-routes json")
            for prefix in listed.get("receivedRoutes", {}):
                shown = self._ask(f"show bgp {family} unicast {prefix} json")
                ours = [p for p in shown.get("paths", ()) if p["peer"]["peerId"] == address]
                if ours:
                    seen[prefix] = _seen(ours[0])
        return seen

    def _ask(self, question: str) -> dict:
        text = run("vtysh", "--vty_socket", str(self._folder), "-d", "bgpd", "-c", question, check=False)
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return {}


def _seen(path: dict) -> Seen:
    texts = [path.get(kind, {}).get("string", "") for kind in ("community", "largeCommunity", "extendedCommunity")]
    return Seen(
        as_path=tuple(map(int, path["aspath"]["string"].split())),
        med=path.get("metric"),
        only_to_customer=path.get("otc"),
        communities=frozenset(text.replace("RT:", "rt:") for text in " ".join(texts).split()),
    )
